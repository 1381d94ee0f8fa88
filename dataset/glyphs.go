package dataset

import (
	"fmt"
	"image"
	"math"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gobolditalic"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/gomonobolditalic"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/byol-go/byol/imaging"
)

const builtinPrefix = "builtin:"

// The built-in glyphs: digits and capital letters on grounds of all colours, drawn
// from the Go fonts. Without O and I, which look like 0 and 1 in some of the faces.
const (
	glyphClasses   = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	glyphSize      = 32   // default side in pixels
	glyphTrain     = 7200 // pictures of the training split
	glyphTest      = 1800 // pictures of the test split
	glyphSeedTrain = 1
	glyphSeedTest  = 2
)

func openBuiltin(spec string, opt Options) (*Set, error) {
	if name := strings.TrimPrefix(spec, builtinPrefix); name != "glyphs" {
		return nil, hint(fmt.Errorf("there is no built-in set %q", name), "the built-in set is builtin:glyphs")
	}
	size := opt.Size
	if size == 0 {
		size = glyphSize
	}
	if size < 8 || size > 512 {
		return nil, fmt.Errorf("glyphs of %d pixels: want 8 to 512", size)
	}
	seed, n := uint64(glyphSeedTrain), glyphTrain
	if opt.Split == Test {
		seed, n = glyphSeedTest, glyphTest
	}
	if opt.Limit > 0 {
		n = min(n, opt.Limit)
	}
	channels := orChannels(opt.Channels, 3)
	src := &glyphSource{seed: seed, size: size, channels: channels, pix: make([][]byte, n), once: make([]sync.Once, n)}
	set := &Set{source: src, native: size, channels: channels, MirrorChangesClass: true,
		Classes: strings.Split(glyphClasses, ""), labels: make([]int32, n)}
	for i := range set.labels {
		set.labels[i] = int32(i % len(glyphClasses))
	}
	return set, nil
}

// glyphSource draws its pictures when they are first asked for.
type glyphSource struct {
	seed           uint64
	size, channels int
	pix            [][]byte // [size,size,channels] each
	once           []sync.Once
}

func (s *glyphSource) len() int { return len(s.pix) }

func (s *glyphSource) name(i int) string {
	split := Train
	if s.seed == glyphSeedTest {
		split = Test
	}
	return fmt.Sprintf("%sglyphs/%s#%d", builtinPrefix, split, i)
}

func (s *glyphSource) load(i int, img *imaging.Image) error {
	s.once[i].Do(func() {
		rgb := drawGlyph(s.seed, i, s.size)
		if s.channels == 1 {
			for p := range len(rgb) / 3 {
				rgb[p] = gray(rgb[3*p], rgb[3*p+1], rgb[3*p+2])
			}
			rgb = append([]byte(nil), rgb[:len(rgb)/3]...)
		}
		s.pix[i] = rgb
	})
	*img = imaging.Image{W: s.size, H: s.size, C: s.channels, Pix: s.pix[i]}
	return nil
}

// dice is a stream of random numbers for one picture.
type dice struct{ key, n uint64 }

func (d *dice) bits() uint64 {
	d.n++
	return mix(d.key + d.n*golden)
}

// intn returns a number in [0,n).
func (d *dice) intn(n int) int { return int(d.bits() >> 33 % uint64(n)) }

// around returns a number in [-n,n].
func (d *dice) around(n int) int { return d.intn(2*n+1) - n }

// rgb is a colour, each channel in 0..255.
type rgb [3]int

// hues is the number of steps of the colour circle.
const hues = 6 * 256

// hue returns the colour of a hue in 0..hues-1 with a value in 0..255 and four
// fifths of the saturation.
func hue(h, value int) rgb {
	low := value / 5
	up := low + (value-low)*(h%256)/255
	down := value + low - up
	return [6]rgb{{value, up, low}, {down, value, low}, {low, value, up},
		{low, down, value}, {up, low, value}, {value, low, down}}[h/256]
}

// drawGlyph draws picture i, [size,size,3]. All arithmetic is in integers, so
// that the pictures are the same everywhere.
//
// The set is made to show what BYOL does: raw similarity, and that of an
// untrained encoder, goes by the ground's hue and brightness, by the place and the
// size of the glyph, all of which augmentation can change; what two views of a
// picture have in common is then its shape. For that the jitter must turn hues
// freely (augment.jitter.hue = 0.5): with the published 0.1 an encoder learns to
// tell hues. Mirrored glyphs are none, so there should be no flips.
func drawGlyph(seed uint64, i, size int) []byte {
	d := &dice{key: mix(mix(seed) + uint64(i))}
	mask := glyphMask(i%len(glyphClasses), d.intn(len(glyphFonts)), d.intn(glyphHeights), size)
	pix := make([]byte, size*size*3)
	d.fillGround(pix, size, hue(d.intn(hues), 140+d.intn(80)))
	white := 225 + d.intn(31)
	x0 := (size-mask.Rect.Dx())/2 + d.around(size/10)
	y0 := (size-mask.Rect.Dy())/2 + d.around(size/10)
	for y := max(0, -y0); y < min(mask.Rect.Dy(), size-y0); y++ {
		for x := max(0, -x0); x < min(mask.Rect.Dx(), size-x0); x++ {
			a := int(mask.Pix[y*mask.Stride+x])
			p := pix[3*((y0+y)*size+x0+x):][:3]
			for c := range p {
				p[c] = byte((int(p[c])*(255-a) + white*a + 127) / 255)
			}
		}
	}
	return pix
}

// fillGround paints the ground: flat, a gradient, stripes or noise, between a
// colour and one near it.
func (d *dice) fillGround(pix []byte, size int, base rgb) {
	const swing = 24
	kind := d.intn(4)
	other := base
	for c := range other {
		other[c] = max(0, min(255, base[c]+d.around(swing)))
	}
	dx, dy := d.around(4), d.around(4)
	if dx == 0 && dy == 0 {
		dx = 4
	}
	period := size * (2 + d.intn(4)) // in units of dx·x + dy·y
	far := (abs(dx) + abs(dy)) * size
	for y := range size {
		for x := range size {
			at := dx*x + dy*y + far // in [0, 2·far)
			share := 0              // of the other colour, 0..256
			switch kind {
			case 1:
				share = 256 * at / (2 * far)
			case 2:
				if at%period < period/2 {
					share = 256
				}
			case 3:
				share = d.intn(257)
			}
			p := pix[3*(y*size+x):][:3]
			for c := range p {
				p[c] = byte((base[c]*(256-share) + other[c]*share) >> 8)
			}
		}
	}
}

func abs(v int) int { return max(v, -v) }

// glyphFonts are the faces: weights, slants and widths of one family.
var glyphFonts = [][]byte{goregular.TTF, gobold.TTF, goitalic.TTF, gobolditalic.TTF,
	gomedium.TTF, gomono.TTF, gomonobold.TTF, gomonobolditalic.TTF}

// glyphHeights is the number of sizes in which each glyph is drawn: heights of
// the capitals from 65 to 89 % of the picture.
const glyphHeights = 5

// maskKey names a glyph's shape.
type maskKey struct{ class, font, height, size int }

var masks = struct {
	sync.Mutex
	m     map[maskKey]*image.Alpha
	faces map[maskKey]font.Face // class unused
}{m: map[maskKey]*image.Alpha{}, faces: map[maskKey]font.Face{}}

// glyphMask returns the coverage of a glyph, cropped to its box.
func glyphMask(class, fontIndex, height, size int) *image.Alpha {
	masks.Lock()
	defer masks.Unlock()
	key := maskKey{class, fontIndex, height, size}
	if m := masks.m[key]; m != nil {
		return m
	}
	faceKey := maskKey{font: fontIndex, height: height, size: size}
	face := masks.faces[faceKey]
	if face == nil {
		f, err := opentype.Parse(glyphFonts[fontIndex])
		if err != nil {
			panic(fmt.Sprintf("dataset: built-in font %d: %v", fontIndex, err))
		}
		const capitals = 0.72 // height of the capitals in units of the font's size
		share := 0.65 + 0.06*float64(height)
		face, err = opentype.NewFace(f, &opentype.FaceOptions{Size: math.Round(share * float64(size) / capitals), DPI: 72, Hinting: font.HintingNone})
		if err != nil {
			panic(fmt.Sprintf("dataset: built-in font %d: %v", fontIndex, err))
		}
		masks.faces[faceKey] = face
	}
	box, mask, at, _, ok := face.Glyph(fixed.Point26_6{}, rune(glyphClasses[class]))
	if !ok {
		panic(fmt.Sprintf("dataset: built-in font %d has no %c", fontIndex, glyphClasses[class]))
	}
	m := image.NewAlpha(image.Rect(0, 0, box.Dx(), box.Dy()))
	for y := range box.Dy() {
		for x := range box.Dx() {
			_, _, _, a := mask.At(at.X+x, at.Y+y).RGBA()
			m.Pix[y*m.Stride+x] = byte(a >> 8)
		}
	}
	masks.m[key] = m
	return m
}
