package eval

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/byol-go/byol/dataset"
)

// HoldOutShare is the share of the training pictures on which settings are chosen.
const HoldOutShare = .2

// The places of the random orders that are drawn from one seed, apart from each other.
const (
	holdOutDraw = 1 << 20
	subsetDraw  = 2 << 20
)

// HoldOut splits the rows of known label into those to learn from and those to choose
// by: of every class that share, rounded, at least one row where there are two, and
// never all. The split is a function of its arguments; both parts are in rising order.
func HoldOut(labels []int, classes int, share float64, seed uint64) (learn, choose []int) {
	for c, rows := range byClass(labels, classes) {
		n := len(rows)
		k := min(n-1, max(1, int(math.Round(share*float64(n)))))
		for i, r := range dataset.Order(n, seed, holdOutDraw+c) {
			if i < k {
				choose = append(choose, rows[r])
			} else {
				learn = append(learn, rows[r])
			}
		}
	}
	slices.Sort(learn)
	slices.Sort(choose)
	return learn, choose
}

// Subset draws a class-balanced share of the rows of known label, as in the protocols
// with 1 % and 10 % of the labels: the same number of every class, so far as there are
// as many. The draw is a function of its arguments; the rows are in rising order.
func Subset(labels []int, classes int, share float64, seed uint64) ([]int, error) {
	groups := byClass(labels, classes)
	n, present := 0, 0
	for _, rows := range groups {
		n += len(rows)
		if len(rows) > 0 {
			present++
		}
	}
	if !(share > 0 && share <= 1) {
		return nil, fmt.Errorf("a share of %v of the labels: want above 0, at most 1", share)
	}
	each := int(math.Round(share * float64(n) / float64(max(1, present))))
	if share == 1 {
		each = n
	}
	if each < 1 {
		return nil, fmt.Errorf("%g %% of %d labelled pictures are fewer than one for each of the %d classes: take a larger share", 100*share, n, present)
	}
	var subset []int
	for c, rows := range groups {
		for i, r := range dataset.Order(len(rows), seed, subsetDraw+c) {
			if i < each {
				subset = append(subset, rows[r])
			}
		}
	}
	slices.Sort(subset)
	return subset, nil
}

// byClass lists the rows of each class.
func byClass(labels []int, classes int) [][]int {
	groups := make([][]int, classes)
	for i, l := range labels {
		if l >= 0 {
			groups[l] = append(groups[l], i)
		}
	}
	return groups
}

// errOneClass says that there is nothing to tell apart.
var errOneClass = errors.New("a classifier needs pictures of at least two classes")

// CheckClasses returns an error unless the labels name at least two classes.
func CheckClasses(labels []int, classes []string) error {
	seen := -1
	for _, l := range labels {
		switch {
		case l < 0 || l == seen:
		case seen < 0:
			seen = l
		default:
			return nil
		}
	}
	if seen < 0 {
		return ErrNoLabels
	}
	return fmt.Errorf("all labelled pictures are of class %q: %w", classes[seen], errOneClass)
}

// setAside is HoldOut for judging where there are no test pictures: another draw than
// that of the rows to choose by.
func setAside(labels []int, classes int, seed uint64) (learn, aside []int) {
	return HoldOut(labels, classes, HoldOutShare, ^seed)
}

// errNoneToSetAside says that there is nothing to judge by.
var errNoneToSetAside = errors.New("there are no test pictures, and no class has two labelled pictures, one of which could be set aside to judge by")
