package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestTicksAreRound(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		n         int
		want      []float64
	}{
		{0, 1, 4, []float64{0, .5, 1}},
		{0, 1792, 5, []float64{0, 500, 1000, 1500}},
		{-.3, .3, 4, []float64{-.2, 0, .2}},
		{.9799, .9801, 4, []float64{.9799, .97995, .98, .98005, .9801}},
	} {
		got := ticks(c.low, c.high, c.n)
		if !slices.EqualFunc(got, c.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
			t.Errorf("%v to %v: %v, want %v", c.low, c.high, got, c.want)
		}
	}
}

func TestNumbersAreShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1500: "1.5k", 2e6: "2M", .02: "0.02", .00004: "4e-05", -3: "-3"} {
		if got := short(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0.000", .98: "0.980", 12.34: "12.3", 345.6: "346", .0123456: "0.0123"} {
		if got := value(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0: "1", -3: "10⁻³", 12: "10¹²"} {
		if got := power(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

func TestChartPlacesPoints(t *testing.T) {
	p := plotOf{title: "Loss", xLabel: "step", from: ptr(0), lines: []line{{class: "s0", points: []point{{0, 1}, {50, 2}, {100, 0}}}}, latest: true}
	c := p.draw()
	// 6 % of the range are free above 2; 0 lies on the axis.
	y := func(v float64) float64 { return round1(plotB - v/2.12*(plotB-plotT)) }
	want := fmt.Sprintf(`d="M%d %vL%d %vL%d %v"`, plotL, y(1), (plotL+chartW-plotGap)/2, y(2), chartW-plotGap, y(0))
	if got := string(c.Lines[0].Path); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if c.Lines[0].Xs != "0,50,100" || c.Lines[0].Ys != "1,2,0" || c.Value != "0.000" {
		t.Errorf("%+v", c.Lines[0])
	}
	if c.Alt != "Loss: from 1.000 at step 0 to 0.000 at 100" {
		t.Error(c.Alt)
	}
	p.log, p.from = true, nil
	if c := p.draw(); c.Lines[0].Ys != "10,100,1" {
		t.Errorf("logarithmic: %s", c.Lines[0].Ys)
	}
	if (plotOf{}).draw() != nil {
		t.Error("a chart of nothing")
	}
	one := plotOf{xLabel: "step", span: 10, lines: []line{{points: []point{{10, 30}}}}}.draw()
	if one == nil || strings.Contains(string(one.Lines[0].Path), "NaN") || len(one.YTicks) < 2 {
		t.Errorf("one point: %+v", one)
	}
}

func TestThinKeepsPeaks(t *testing.T) {
	points := make([]point, 5000)
	for i := range points {
		points[i] = point{float64(i), math.Sin(float64(i) / 300)}
	}
	points[1234].y, points[4999].y = 9, .5
	got := thin(points, 200)
	if len(got) > 200 || !slices.Contains(got, points[1234]) || got[len(got)-1] != points[4999] {
		t.Errorf("%d points", len(got))
	}
	if !slices.IsSortedFunc(got, func(a, b point) int { return int(a.x - b.x) }) {
		t.Error("out of order")
	}
	if few := thin(points[:10], 200); len(few) != 10 {
		t.Errorf("%d of 10 points", len(few))
	}
}

func TestTrendIsAMean(t *testing.T) {
	points := make([]point, 400)
	for i := range points {
		points[i] = point{float64(i), float64(i%2) * 2} // 0, 2, 0, 2 …
	}
	got := trend(points, 100)
	if last := got[len(got)-1]; last.x != 399 {
		t.Errorf("the trend ends at %v", last.x)
	}
	for _, p := range got {
		if math.Abs(p.y-1) > .1 {
			t.Fatalf("%v at %v, want 1", p.y, p.x)
		}
	}
}

func TestMatrix(t *testing.T) {
	m := newMatrix([][]int{{8, 2, 0}, {5, 5, 0}, {0, 0, 0}}, []string{"cat", "dog"}, "x")
	if !slices.Equal(m.Names, []string{"cat", "dog", "2"}) || m.Cells[0][0].Label != "80" || !m.Cells[0][0].Right || m.Cells[2][2].Label != "" {
		t.Errorf("%+v", m)
	}
	if len(m.Worst) != 2 || m.Worst[0] != (mistake{"dog", "cat", "50 %"}) {
		t.Errorf("%+v", m.Worst)
	}
	if newMatrix(nil, nil, "") != nil {
		t.Error("a matrix of nothing")
	}
}
