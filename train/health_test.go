package train

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/diagnose"
	"github.com/byol-go/byol/run"
)

// BenchmarkMeasurements compares a training step with what is done besides when it is
// logged, on one thread: "share" is that part of the time at the default of every tenth
// step, in percent. The shortest of several times of each counts.
func BenchmarkMeasurements(b *testing.B) {
	c, err := run.Preset("cifar10-quick")
	if err != nil {
		b.Fatal(err)
	}
	c.Train.Threads, c.Train.Steps, c.Train.Epochs = 1, 1, 0
	if err := c.Resolve(run.Source{Images: c.Train.Batch, NativeSize: 32, Channels: 3}); err != nil {
		b.Fatal(err)
	}
	m, err := NewMethod(c)
	if err != nil {
		b.Fatal(err)
	}
	backend, err := compute.New("cpu", 1)
	if err != nil {
		b.Fatal(err)
	}
	defer backend.Finalize()
	shape := ViewShape(c)
	s, err := NewStepper(backend, m, shape)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	s.SetState(m.Init(1))
	r := rand.New(rand.NewPCG(1, 2))
	var batch Batch
	for v := range batch.Views {
		batch.Views[v] = make([]float32, shape[0]*shape[1]*shape[2]*shape[3])
		for i := range batch.Views[v] {
			batch.Views[v][i] = float32(r.NormFloat64())
		}
	}
	step, measuring := time.Hour, time.Hour
	for range max(5, b.N) {
		var o observed
		begin := time.Now()
		if o.values, err = s.Step([]Batch{batch}, .01, .99); err != nil {
			b.Fatal(err)
		}
		step = min(step, time.Since(begin))
		begin = time.Now()
		if o.before, err = s.Weights(); err != nil {
			b.Fatal(err)
		}
		if o.after, err = s.Weights(); err != nil {
			b.Fatal(err)
		}
		o.pixels = diagnose.DescribePixels(batch.Views[0], batch.Views[1], c.Train.Batch, c.Data.Channels)
		o.health()
		o.rank()
		measuring = min(measuring, time.Since(begin))
	}
	b.ReportMetric(1e3*step.Seconds(), "step-ms")
	b.ReportMetric(1e3*measuring.Seconds(), "measuring-ms")
	b.ReportMetric(10*measuring.Seconds()/step.Seconds(), "share-%")
	b.ReportMetric(0, "ns/op")
}
