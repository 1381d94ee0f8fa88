package train

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"

	"github.com/byol-go/byol/augment"
	"github.com/byol-go/byol/dataset"
	"github.com/byol-go/byol/imaging"
	"github.com/byol-go/byol/internal/atomicfile"
)

// The sheet of sample views: each row shows a picture as it is judged, then pairs of views.
const (
	sheetPairs  = 3
	sheetRows   = 8
	sheetHeight = 640 // pixels, what many rows of large pictures are cut to
	sheetGap    = 2
)

// writeViews shows the views that the first pictures of the first epochs give, so that
// one sees what the encoder is asked to find alike.
func (s *session) writeViews() error {
	size, channels := s.config.Data.Size, s.config.Data.Channels
	rows := min(sheetRows, max(2, sheetHeight/size), s.set.Len())
	cell := func(col, row int) image.Rectangle {
		at := image.Pt(col*(size+sheetGap), row*(size+sheetGap))
		return image.Rectangle{at, at.Add(image.Pt(size, size))}
	}
	sheet := image.NewRGBA(image.Rectangle{Max: cell(2*sheetPairs, rows-1).Max})
	draw.Draw(sheet, sheet.Bounds(), image.White, image.Point{}, draw.Src)

	identity := make([]float64, channels)
	one := make([]float64, channels)
	for i := range one {
		one[i] = 1
	}
	prepare, err := dataset.NewPreprocess(size, channels, identity, one)
	if err != nil {
		return err
	}
	pixels := make([]float32, size*size*channels)
	var img imaging.Image
	var workspace augment.Workspace
	row := 0
	for _, i := range dataset.Order(s.set.Len(), s.config.Train.Seed, 0) {
		if row == rows {
			break
		}
		if s.set.Load(int(i), &img) != nil { // recorded by the set, and counted when it trains
			continue
		}
		if err := prepare.Apply(pixels, &img); err != nil {
			return err
		}
		paint(sheet, cell(0, row), pixels, channels)
		for col := range 2 * sheetPairs {
			epoch, view := col/2, col%2
			v := s.augmenter.Draw(s.config.Train.Seed, epoch, int(i), view, img.W, img.H)
			s.augmenter.ApplyPixels(pixels, &img, &v, &workspace)
			paint(sheet, cell(1+col, row), pixels, channels)
		}
		row++
	}
	return atomicfile.Write(s.folder.Views(), func(w io.Writer) error { return png.Encode(w, sheet) })
}

// paint draws samples in [0,1], [H,W,channels], into a cell of the sheet.
func paint(sheet *image.RGBA, cell image.Rectangle, pixels []float32, channels int) {
	byteOf := func(v float32) uint8 { return uint8(255*max(0, min(1, v)) + .5) }
	for y := range cell.Dy() {
		for x := range cell.Dx() {
			p := pixels[(y*cell.Dx()+x)*channels:]
			c := color.RGBA{byteOf(p[0]), byteOf(p[0]), byteOf(p[0]), 255}
			if channels == 3 {
				c.G, c.B = byteOf(p[1]), byteOf(p[2])
			}
			sheet.SetRGBA(cell.Min.X+x, cell.Min.Y+y, c)
		}
	}
}
