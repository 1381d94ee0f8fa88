package report

// point is a value at a step; y is finite.
type point struct{ x, y float64 }

// quantity is something that is measured while a run trains, and how it is shown.
type quantity struct {
	id, title string
	note      string // what is good
	unit      string
	epochs    bool    // measured at the end of epochs, not at steps
	smooth    bool    // noisy: show the trend, and the values behind it
	quiet     bool    // its latest value says little
	span      float64 // least range of the axis, so that little looks like little
	from      *float64
	to        *float64 // range that is always shown
	refs      []reference
	parts     []part
}

// part is one line of a quantity's chart.
type part struct {
	name   string
	scale  float64
	value  func(*event) *float64
	dashed bool
}

// reference is a value to compare with.
type reference struct {
	y     float64
	label string
}

func ptr(v float64) *float64 { return &v }

// quantities lists the curves of a page.
var quantities = []quantity{
	{id: "knn", title: "kNN accuracy", unit: "%", note: "nearest neighbours, on labels that training never sees", epochs: true, span: 10,
		parts: []part{{scale: 100, value: func(e *event) *float64 { return e.KNN }}}},
	{id: "accuracy", title: "Training accuracy", unit: "%", note: "of augmented views, with the labels that are learnt", smooth: true, span: 10,
		parts: []part{{scale: 100, value: func(e *event) *float64 { return e.Accuracy }}}},
	{id: "loss", title: "Loss", note: "low alone says nothing: collapse has the lowest", smooth: true, from: ptr(0),
		parts: []part{{scale: 1, value: func(e *event) *float64 { return e.Loss }}}},
	{id: "std", title: "Spread", note: "standard deviation × √d of the target's projections, and of features", smooth: true, from: ptr(0), to: ptr(1),
		refs: []reference{{1, "spread out"}, {0, "collapsed"}},
		parts: []part{
			{name: "target", scale: 1, value: func(e *event) *float64 { return e.TargetStd }},
			{name: "features", scale: 1, value: func(e *event) *float64 { return e.FeatureStd }, dashed: true}}},
	{id: "rank", title: "Effective rank", note: "directions in use; 1 is collapsed", smooth: true, from: ptr(0),
		parts: []part{
			{name: "target", scale: 1, value: func(e *event) *float64 { return e.Rank }},
			{name: "features", scale: 1, value: func(e *event) *float64 { return e.FeatureRank }, dashed: true}}},
	{id: "cosine", title: "Cosines", note: "views of the same picture, and of different ones", smooth: true, from: ptr(0), to: ptr(1),
		parts: []part{
			{name: "same", scale: 1, value: func(e *event) *float64 { return e.CosPositive }},
			{name: "different", scale: 1, value: func(e *event) *float64 { return e.CosNegative }, dashed: true}}},
	{id: "match", title: "Partners found", unit: "%", note: "views whose most similar in the batch is of the same picture", smooth: true, from: ptr(0), span: 10,
		parts: []part{
			{name: "projections", scale: 100, value: func(e *event) *float64 { return e.Match }},
			{name: "features", scale: 100, value: func(e *event) *float64 { return e.FeatureMatch }, dashed: true}}},
	{id: "uniformity", title: "Alignment and uniformity", note: "distance of a picture's views; how evenly pictures fill the sphere, lower is better for both", smooth: true,
		parts: []part{
			{name: "alignment", scale: 1, value: func(e *event) *float64 { return e.Alignment }},
			{name: "uniformity", scale: 1, value: func(e *event) *float64 { return e.Uniformity }, dashed: true}}},
	{id: "lr", title: "Learning rate", note: "as it is used", from: ptr(0), quiet: true,
		parts: []part{{scale: 1, value: func(e *event) *float64 { return e.LR }}}},
	{id: "tau", title: "τ", note: "how much of the target stays, every step", to: ptr(1),
		parts: []part{{scale: 1, value: func(e *event) *float64 { return unlessZero(e.Tau) }}}},
	{id: "distance", title: "Distance of the target", unit: "%", note: "between the weights of online and target network, of their norm", smooth: true, from: ptr(0),
		parts: []part{{scale: 100, value: func(e *event) *float64 { return e.TargetDistance }}}},
	{id: "update", title: "Change by a step", unit: "%", note: "of the weights' norm", smooth: true, from: ptr(0),
		parts: []part{
			{name: "encoder", scale: 100, value: func(e *event) *float64 { return e.EncoderUpdate }},
			{name: "predictor", scale: 100, value: func(e *event) *float64 { return e.PredictorUpdate }, dashed: true}}},
	{id: "grad", title: "Gradient norm", note: "over all online parameters", smooth: true, from: ptr(0),
		parts: []part{{scale: 1, value: func(e *event) *float64 { return e.GradNorm }}}},
	{id: "speed", title: "Speed", unit: "images/s", note: "evaluation left out", smooth: true, from: ptr(0),
		parts: []part{{scale: 1, value: func(e *event) *float64 { return e.ImagesPerS }}}},
}

// unlessZero leaves out the τ of methods that have no moving average.
func unlessZero(v *float64) *float64 {
	if v != nil && *v == 0 {
		return nil
	}
	return v
}

// points reads a part out of a run's history.
func (p part) points(events []event) []point {
	out := make([]point, 0, len(events))
	for i := range events {
		if v := p.value(&events[i]); v != nil {
			out = append(out, point{float64(*events[i].Step), p.scale * *v})
		}
	}
	return out
}

// thin keeps at most about n points such that no peak is lost: of every stretch of
// points the lowest and the highest.
func thin(points []point, n int) []point {
	if len(points) <= n {
		return points
	}
	buckets := n / 2
	out := make([]point, 0, 2*buckets)
	for b := range buckets {
		part := points[b*len(points)/buckets : (b+1)*len(points)/buckets]
		low, high := 0, 0
		for i, p := range part {
			if p.y < part[low].y {
				low = i
			}
			if p.y > part[high].y {
				high = i
			}
		}
		if b == buckets-1 { // the newest value always shows
			out = append(out, part[min(low, high)], part[len(part)-1])
			continue
		}
		out = append(out, part[min(low, high)])
		if low != high {
			out = append(out, part[max(low, high)])
		}
	}
	return out
}

// trend returns the moving average over a twentieth of the points, centred but at the
// ends, at at most about n places.
func trend(points []point, n int) []point {
	half := len(points) / 40
	sums := make([]float64, len(points)+1)
	for i, p := range points {
		sums[i+1] = sums[i] + p.y
	}
	stride := max(1, len(points)/n)
	var out []point
	for i := 0; i < len(points); i += stride {
		if i+stride >= len(points) {
			i = len(points) - 1
		}
		from, to := max(0, i-half), min(len(points), i+half+1)
		out = append(out, point{points[i].x, (sums[to] - sums[from]) / float64(to-from)})
	}
	return out
}
