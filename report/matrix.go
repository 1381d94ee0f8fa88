package report

import (
	"fmt"
	"slices"
	"strconv"
)

// matrix is a confusion matrix as the page shows it.
type matrix struct {
	Of      string // protocol
	Names   []string
	Cells   [][]cell // [true class][predicted class]; nil if there are too many classes to draw
	Size    int      // classes
	Numbers bool     // cells are large enough for theirs
	Worst   []mistake
}

// cell is a share of the pictures of a class.
type cell struct {
	Share   string // 0 to 1, the depth of its colour
	Label   string // percent, without the sign
	Title   string
	Right   bool
	Inverse bool // so deep that writing on it is light
}

// mistake is a pair of classes that are taken for each other.
type mistake struct{ From, To, Share string }

// matrixMost is the largest number of classes whose matrix is drawn.
const matrixMost = 60

// newMatrix returns nil if there is nothing to show.
func newMatrix(counts [][]int, names []string, of string) *matrix {
	n := len(counts)
	if n < 2 {
		return nil
	}
	m := &matrix{Of: of, Size: n, Numbers: n <= 16}
	for i := range n {
		name := strconv.Itoa(i)
		if i < len(names) {
			name = names[i]
		}
		m.Names = append(m.Names, name)
	}
	type pair struct {
		from, to int
		share    float64
	}
	var pairs []pair
	for i, counted := range counts {
		total := 0
		for _, v := range counted {
			total += v
		}
		line := make([]cell, len(counted))
		for j, v := range counted {
			share := float64(v) / float64(max(1, total))
			line[j] = cell{Share: strconv.FormatFloat(share, 'f', 3, 64), Right: i == j, Inverse: share > .55}
			if share >= .005 {
				line[j].Label = fmt.Sprintf("%.0f", 100*share)
			}
			if j < n {
				line[j].Title = fmt.Sprintf("%s taken for %s: %d of %d", m.Names[i], m.Names[j], v, total)
				if i != j && v > 0 {
					pairs = append(pairs, pair{i, j, share})
				}
			}
		}
		m.Cells = append(m.Cells, line)
	}
	if n > matrixMost {
		m.Cells = nil
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		switch {
		case a.share > b.share:
			return -1
		case a.share < b.share:
			return 1
		}
		return 0
	})
	for _, p := range pairs[:min(6, len(pairs))] {
		m.Worst = append(m.Worst, mistake{m.Names[p.from], m.Names[p.to], fmt.Sprintf("%.0f %%", 100*p.share)})
	}
	return m
}
