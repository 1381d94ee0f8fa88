package train

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/compute/cpu"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/embed"
	"github.com/byol-go/byol/internal/machine"
	"github.com/byol-go/byol/method"
	"github.com/byol-go/byol/run"
	"github.com/dustin/go-humanize"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// limitMemory has computations that would not fit refused before they start: into the
// memory that is left, where the system tells how much that is, and into bound bytes of
// the process, if bound is not 0. Of those, besides bytes are kept for what computations do
// not hold. With a bound, the Go runtime gets one too, so that garbage is not left lying
// until it fills the rest; goLimit is what it had before, else 0.
func limitMemory(b compute.Backend, bound, state, besides int64) (goLimit int64) {
	own, ok := b.(*cpu.Backend)
	if !ok {
		return 0
	}
	available, known := machine.AvailableBytes()
	if bound > 0 {
		const program = 64 << 20 // code that has not run yet, batches on their way, garbage
		left := max(1, bound-machine.HeldBytes()-program-bound/50-besides)
		if !known || left < available {
			available, known = left, true
		}
		goLimit = debug.SetMemoryLimit(machine.HeldBytes() + 2*state + besides + 16<<20) // the state comes from the host
	}
	if known {
		own.LimitMemory(available)
	}
	return goLimit
}

// stateBytes is the size of a method's state.
func stateBytes(m method.Method) int64 {
	n := int64(0)
	for _, spec := range m.Specs() {
		n += 4 * int64(shapes.Make(dtypes.Float32, spec.Shape...).Size())
	}
	return n
}

// limitMemory keeps room for the state on its way into a checkpoint, for pictures of
// files that will be held decoded, and for the encoder at work when it is judged. It holds
// for the steps of c; what is compiled later finds that room.
func (s *session) limitMemory(c run.Config) {
	bound, _ := c.Train.MemoryBytes()
	state := stateBytes(s.method)
	besides := state
	if pictures := int64(s.set.Len()) * pictureBytes; s.set.NativeSize() > 64 {
		besides += min(pictures, picturesBytes(bound))
	}
	if e, err := embed.Random(embed.MetaOf(c), 0); err == nil && c.Eval.KNNEvery > 0 && s.set.HasLabels() {
		pictures := int64(min(judgeBatch, s.set.Len()))
		besides += 4 * 4 * pictures * int64(e.Encoder.LargestActivation(c.Data.Size))
	}
	s.goLimit = limitMemory(s.backend, bound, state, besides)
}

// unlimitMemory ends the limit once the steps are compiled.
func (s *session) unlimitMemory() {
	if own, ok := s.backend.(*cpu.Backend); ok {
		own.LimitMemory(0)
	}
}

// pictureBytes is about what a decoded picture takes, which is shrunk to 256 pixels.
const pictureBytes = 256 * 256 * 3

// picturesBytes is what decoded pictures may take of a bound on all memory; 0, the data
// set's own default, without one.
func picturesBytes(bound int64) int64 { return min(bound/8, dataset.DefaultMemoryBytes) }

// memoryOf returns what an execution of the computation that compile compiles will hold,
// in bytes; 0 where the backend does not tell.
func memoryOf(b compute.Backend, compile func() error) (bytes int64, err error) {
	own, ok := b.(*cpu.Backend)
	if !ok {
		return 0, compile()
	}
	var others func(*cpu.Executable)
	others = own.OnCompile(func(e *cpu.Executable) {
		bytes = int64(e.InputBytes() + e.PeakBytes())
		if others != nil {
			others(e)
		}
	})
	defer own.OnCompile(others)
	err = compile()
	return bytes, err
}

// sayMemory tells what the steps will hold.
func (s *session) sayMemory() {
	held := s.stepper.Memory()
	available, known := machine.AvailableBytes()
	if held == 0 || !known {
		return
	}
	s.say("memory: about %s for a step, %s available", humanize.IBytes(uint64(held)), humanize.IBytes(uint64(available)))
}

// ErrMemory says that a step would not fit into the memory that is left.
var ErrMemory = errors.New("not enough memory")

// explainMemory turns the refusal of a step on views of that shape [B,H,W,C] into an error
// that says which batch would fit; other errors pass through.
func explainMemory(err error, shape [4]int) error {
	var m *cpu.MemoryError
	if !errors.As(err, &m) {
		return err
	}
	batch := shape[0]
	plain := fmt.Errorf("%w: a step on batches of %d needs about %s, and %s are available",
		ErrMemory, batch, humanize.IBytes(uint64(m.Inputs+m.Peak)), humanize.IBytes(uint64(m.Limit)))
	// The views and what is held besides the inputs grow with the batch, the state does not.
	views := int64(2*4) * int64(shape[0]) * int64(shape[1]) * int64(shape[2]) * int64(shape[3])
	fits := int(float64(batch) * float64(m.Limit-(m.Inputs-views)) / float64(m.Peak+views))
	if fits < 2 {
		return hint(plain, "choose a smaller network (encoder.width, --arch, --size) or free some memory")
	}
	return hint(plain, fmt.Sprintf("a batch of about %d would fit (--batch %d); optim.accumulate makes up for smaller batches", fits, fits))
}
