package peak

import (
	"runtime"
	"testing"

	"github.com/byol-go/byol/internal/kernel/isa"
	"github.com/byol-go/byol/internal/kernel/par"
)

func TestMultiplyAdd(t *testing.T) {
	for _, threads := range []int{1, 2} {
		p := par.New(threads)
		rates := MultiplyAdd(p)
		p.Close()
		if want := len(isa.Available()); isa.Current() == isa.Detected() && len(rates) != want {
			t.Fatalf("%d rates, want %d: %+v", len(rates), want, rates)
		}
		for i, r := range rates {
			// A vector does more than a number; that much holds on a busy machine too, but not
			// in an emulator, which is where arm64 is tested.
			slow := i > 0 && r.FLOPS < 1.5*rates[0].FLOPS && runtime.GOARCH != "arm64"
			if r.FLOPS < 1e7 || slow || r.IsPeak != (i > 0) {
				t.Errorf("%d threads: %+v", threads, r)
			}
		}
		t.Logf("%d threads: %+v", threads, rates)
	}
}

// TestMoversCoverEverything: a loop that left a byte out would show too high a rate.
func TestMoversCoverEverything(t *testing.T) {
	for _, level := range isa.Available() {
		restore := isa.Set(level)
		m := movers()
		restore()
		if len(m.read) == 0 || len(m.write) == 0 || len(m.copy) == 0 {
			t.Fatalf("%v: a mover is missing", level)
		}
		const n = 1536
		for i, write := range m.write {
			whole := aligned(n + 128)
			for k := range whole {
				whole[k] = 7
			}
			write(whole[64:][:n])
			for k, v := range whole {
				if inside := k >= 64 && k < 64+n; inside != (v == 0) {
					t.Fatalf("%v: write %d: byte %d is %d", level, i, k-64, v)
				}
			}
		}
		for i, move := range m.copy {
			p, q := aligned(n+128), aligned(n)
			for k := range q {
				q[k] = byte(k%251) + 1
			}
			move(p[64:][:n], q)
			for k, v := range p {
				want := byte(0)
				if k >= 64 && k < 64+n {
					want = q[k-64]
				}
				if v != want {
					t.Fatalf("%v: copy %d: byte %d is %d, want %d", level, i, k-64, v, want)
				}
			}
		}
	}
}

func TestBandwidth(t *testing.T) {
	p := par.New(2)
	defer p.Close()
	for _, m := range Bandwidth(p, 64<<10, 1<<20) {
		if m.Read < 1e7 || m.Write < 1e7 || m.Copy < 1e7 {
			t.Errorf("%+v", m)
		}
		t.Logf("%+v", m)
	}
}
