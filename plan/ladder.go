package plan

import (
	"slices"
	"strings"
)

// Candidate is a network on views of a size, and the least number of pictures, counted as
// often as they are shown, at which it comes out ahead of the cheaper ones.
type Candidate struct {
	Setup
	Needs float64
}

// A cheaper network sees more pictures in the same time, and in short runs that counts
// for more than what a larger one could learn in the end. That an eighth of the width comes
// out ahead of a quarter in short runs was tried on CIFAR-10, and that the stem of large
// pictures, which is six times as fast, learns nothing after the first minute there;
// letters are told by coarser shapes (the preset demo has that stem). The rest follows what
// published recipes show: ResNet-18 some millions of pictures (lightly's CIFAR-10: 200
// epochs, 10 million), ResNet-50 a hundred million and more.
var (
	symbolLadder = []Candidate{
		{Setup{Arch: "resnet18", Width: .25, Stem: "imagenet"}, 0},
		{Setup{Arch: "resnet18", Width: .25, Stem: "cifar"}, 500e3},
		{Setup{Arch: "resnet18", Width: .5, Stem: "cifar"}, 2e6},
		{Setup{Arch: "resnet18", Width: 1, Stem: "cifar"}, 5e6},
	}
	smallLadder = []Candidate{
		{Setup{Arch: "resnet18", Width: .125, Stem: "cifar"}, 0},
		{Setup{Arch: "resnet18", Width: .25, Stem: "cifar"}, 300e3},
		{Setup{Arch: "resnet18", Width: .5, Stem: "cifar"}, 2e6},
		{Setup{Arch: "resnet18", Width: 1, Stem: "cifar"}, 5e6},
	}
	largeLadder = []Candidate{
		{Setup{Arch: "resnet18", Width: .25, Stem: "imagenet", Size: 64}, 0},
		{Setup{Arch: "resnet18", Width: .25, Stem: "imagenet", Size: 96}, 200e3},
		{Setup{Arch: "resnet18", Width: .5, Stem: "imagenet", Size: 96}, 1e6},
		{Setup{Arch: "resnet18", Width: 1, Stem: "imagenet", Size: 96}, 3e6},
		{Setup{Arch: "resnet18", Width: 1, Stem: "imagenet", Size: 128}, 8e6},
		{Setup{Arch: "resnet18", Width: 1, Stem: "imagenet", Size: 224}, 25e6},
		{Setup{Arch: "resnet50", Width: 1, Stem: "imagenet", Size: 224}, 100e6},
	}
)

// smallestSide is the smallest side of a view that a network takes.
const smallestSide = 8

// smallSide is the largest side of pictures that are taken as they are.
const smallSide = 64

// Candidates lists what is worth measuring, cheapest first, with what the user has decided
// put in its place.
func Candidates(d Data, g Given) []Candidate {
	ladder := largeLadder
	switch {
	case d.Symbols:
		ladder = symbolLadder
	case d.Native > 0 && d.Native <= smallSide:
		ladder = smallLadder
	}
	c := g.Config
	var list []Candidate
	for _, s := range ladder {
		s.Norm, s.Precision, s.Channels, s.Batch = c.Encoder.Norm, "fp32", channels(d, g), 64
		switch {
		case g.Named["data.size"] && c.Data.Size > 0:
			s.Size = c.Data.Size
		case s.Size == 0:
			s.Size = max(smallestSide, d.Native)
		case d.Native > 0:
			s.Size = min(s.Size, d.Native) // of large pictures
		}
		if g.Named["encoder.arch"] {
			s.Arch = c.Encoder.Arch
		}
		if g.Named["encoder.width"] {
			s.Width = c.Encoder.Width
		}
		if g.Named["encoder.stem"] && c.Encoder.Stem != "auto" {
			s.Stem = c.Encoder.Stem
		}
		if g.Named["train.precision"] {
			s.Precision = c.Train.Precision
		}
		if g.Named["train.batch"] {
			s.Batch = c.Train.Batch
		}
		s.Batch = min(s.Batch, largestBatch(d.Images))
		if s.Batch < smallestForBatchNorm && !g.Named["encoder.norm"] {
			s.Norm = "group_ws"
		}
		same := func(o Candidate) bool { return o.Setup == s.Setup }
		if !slices.ContainsFunc(list, same) {
			list = append(list, s)
		}
	}
	list[0].Needs = 0 // something has to be taken
	return list
}

// channels returns the channels that the network will see.
func channels(d Data, g Given) int {
	switch {
	case g.Config.Data.Channels != 0:
		return g.Config.Data.Channels
	case d.Gray:
		return 1
	}
	return d.Channels
}

// largestBatch is the largest power of two that leaves an epoch of at least four steps; of
// very few pictures, of at least one.
func largestBatch(images int) int {
	batch := 4
	for batch*2 <= images/4 {
		batch *= 2
	}
	return min(batch, max(2, images))
}

// work estimates the multiply-adds of a forward pass, in units of 1e9, to tell which steps
// are worth timing. ResNets at 224 pixels; the stem for small pictures keeps sixteen times
// as many positions.
func (s Setup) work() float64 {
	full := map[string]float64{"resnet18": 1.8, "resnet34": 3.7, "resnet50": 4.1, "resnet101": 7.8, "resnet152": 11.5, "resnet200": 15}[s.Arch]
	side := float64(s.Size) / 224
	w := full * side * side * s.Width * s.Width
	if s.Stem == "cifar" {
		w *= 15
	}
	return w
}

// hasBF16 reports whether bfloat16 may be faster than float32.
func hasBF16(isa, backend string) bool {
	return backend != "cpu" && !strings.HasPrefix(backend, "cpu:") || strings.Contains(isa, "bf16")
}
