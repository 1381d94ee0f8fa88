package conv

import (
	"os"
	"sync/atomic"

	"github.com/byol-go/byol/internal/kernel/winograd"
)

// WinogradEnvVar names the environment variable that turns Winograd's
// algorithm off for a process if it is "0".
const WinogradEnvVar = "BYOL_WINOGRAD"

var winogradOff atomic.Bool

func init() { winogradOff.Store(os.Getenv(WinogradEnvVar) == "0") }

// SetWinograd says whether calls may use Winograd's algorithm, and
// returns a function that restores the former choice. It must not race with
// running calls. Scratch memory suffices for both.
func SetWinograd(on bool) (restore func()) {
	old := winogradOff.Swap(!on)
	return func() { winogradOff.Store(old) }
}

// byWinograd returns s as package winograd takes it, and whether a call should
// go there: a rule by shape and instruction set, never by a timing.
func byWinograd(s Shape, f Form, is16 bool) (winograd.Shape, winograd.Form, bool) {
	w := winograd.Shape{N: s.N, H: s.H, W: s.W, C: s.C, K: s.K, Stride: s.StrideH, PadTop: s.PadTop, PadLeft: s.PadLeft, OutH: s.OutH(), OutW: s.OutW()}
	form := [...]winograd.Form{Forward: winograd.FormForward, InputGrad: winograd.FormInputGrad, KernelGrad: winograd.FormKernelGrad}[f]
	if s.KH != 3 || s.KW != 3 || s.StrideH != s.StrideW || s.DilationH != 1 || s.DilationW != 1 || !w.Valid() {
		return w, form, false
	}
	if is16 {
		return w, form, winograd.WinsBF16(w, form)
	}
	return w, form, winograd.Wins(w, form)
}
