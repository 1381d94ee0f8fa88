package train

import (
	"errors"
	"fmt"

	"github.com/byol-go/byol/compute"
	"github.com/byol-go/byol/compute/cpu"
	"github.com/byol-go/byol/internal/machine"
	"github.com/dustin/go-humanize"
)

// limitMemory has computations that would not fit into the memory that is left refused
// before they start, where the system tells how much that is.
func limitMemory(b compute.Backend) {
	if own, ok := b.(*cpu.Backend); ok {
		if available, known := machine.AvailableBytes(); known {
			own.LimitMemory(available)
		}
	}
}

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
