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

// explainMemory turns the refusal of a step on batches of that size into an error that
// says which batch would fit; other errors pass through.
func explainMemory(err error, batch int) error {
	var m *cpu.MemoryError
	if !errors.As(err, &m) {
		return err
	}
	plain := fmt.Errorf("a step on batches of %d needs about %s of memory, and %s are available",
		batch, humanize.IBytes(uint64(m.Inputs+m.Peak)), humanize.IBytes(uint64(m.Limit)))
	// The inputs are the state but for the views; what is held besides them grows with the batch.
	fits := int(float64(batch) * float64(m.Limit-m.Inputs) / float64(m.Peak))
	if fits < 2 {
		return hint(plain, "choose a smaller network (encoder.width, --arch, --size) or free some memory")
	}
	return hint(plain, fmt.Sprintf("a batch of about %d would fit (--batch %d); optim.accumulate makes up for smaller batches", fits, fits))
}
