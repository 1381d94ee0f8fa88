package imaging_test

import (
	"errors"
	"fmt"

	"github.com/byol-go/byol/imaging"
)

// Anything may be given to Decode; the error says what kind of failure it was.
func ExampleDecode() {
	_, err := imaging.Decode([]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), imaging.Options{})
	fmt.Println(errors.Is(err, imaging.ErrUnsupported))
	fmt.Println(err)
	// Output:
	// true
	// unsupported picture: HEIC cannot be read; convert it, for example with: heif-convert IN OUT.jpg, or set the camera to JPEG
}

// A kept Resizer makes one float32 view after another without allocating.
func ExampleResizer_View() {
	m := imaging.New(4, 2, 1)
	copy(m.Pix, []uint8{0, 0, 255, 255, 0, 0, 255, 255})
	var r imaging.Resizer
	view := make([]float32, 2*1)
	// The whole picture, at 2 x 1 pixels, mirrored.
	if err := r.View(view, m, 0, 0, 4, 2, 2, 1, imaging.Box, true); err != nil {
		fmt.Println(err)
	}
	fmt.Println(view)
	// Output: [1 0]
}
