package par

import (
	"sync/atomic"
	"testing"
	"time"
)

// TestForAfterPauses has workers look out, park, be called back and be woken: pauses
// shorter and longer than they look out, parts shorter and longer than waking takes.
func TestForAfterPauses(t *testing.T) {
	p := New(4)
	defer p.Close()
	for i := range 400 {
		var ran atomic.Int64
		n := 1 + i%9
		p.For(n, func(int, int) {
			if i%5 == 0 {
				time.Sleep(time.Duration(i%7) * 100 * time.Microsecond)
			}
			ran.Add(1)
		})
		if ran.Load() != int64(n) {
			t.Fatalf("call %d: %d parts ran, want %d", i, ran.Load(), n)
		}
		if i%3 == 0 {
			time.Sleep(time.Duration(i%11) * 150 * time.Microsecond)
		}
	}
}

// BenchmarkFor is what a call costs that has nothing to do.
func BenchmarkFor(b *testing.B) {
	p := New(2)
	defer p.Close()
	for b.Loop() {
		p.For(2, func(int, int) {})
	}
}
