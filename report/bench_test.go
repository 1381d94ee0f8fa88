package report

import (
	"fmt"
	"os"
	"testing"

	"github.com/byol-go/byol/run"
)

// BenchmarkUpdate is what the live page of a run with 5,000 logged steps costs each time
// that a browser is told what is new: at most once in pageEvery.
func BenchmarkUpdate(b *testing.B) {
	f := run.Folder(b.TempDir())
	if err := tinyConfig().Save(f.Config()); err != nil {
		b.Fatal(err)
	}
	file, err := os.Create(f.Metrics())
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	step := 0
	write := func() {
		step += 10
		fmt.Fprintf(file, `{"event":"step","step":%d,"epoch":1,"loss":%g,"lr":0.05,"tau":0.98,"target_std":0.9,"rank":12.5,"cos_positive":0.8,"cos_negative":0.1,"grad_norm":0.5,"images_per_s":400}`+"\n", step, 1/float64(step))
	}
	for range 5000 {
		write()
	}
	w := &Live{record: &record{folder: f, name: "run", class: "s0"}, parts: map[string]livePart{}}
	w.since(0)
	for b.Loop() {
		write()
		if n := w.since(w.version); len(n.Parts) == 0 {
			b.Fatal("nothing new")
		}
	}
}
