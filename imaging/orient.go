package imaging

import "fmt"

// Orient returns m turned upright by an EXIF orientation (1 to 8; EXIF 2.32,
// 4.6.5.1.6): m itself for 1, a new picture otherwise. Samples are moved, never
// resampled.
func Orient(m *Image, orientation int) *Image {
	// The stored position of shown pixel (x, y) is a + bx·x + by·y in pixels.
	w, h := m.W, m.H
	var start, dx, dy int
	switch orientation {
	case 2: // mirrored
		start, dx, dy = w-1, -1, w
	case 3: // turned by 180 degrees
		start, dx, dy = w*h-1, -1, -w
	case 4: // flipped top to bottom
		start, dx, dy = (h-1)*w, 1, -w
	case 5: // transposed
		start, dx, dy = 0, w, 1
	case 6: // to be turned clockwise by 90 degrees
		start, dx, dy = (h-1)*w, -w, 1
	case 7: // transposed about the other diagonal
		start, dx, dy = w*h-1, -w, -1
	case 8: // to be turned counter-clockwise by 90 degrees
		start, dx, dy = w-1, w, -1
	default:
		return m
	}
	if orientation >= 5 {
		w, h = h, w
	}
	out := New(w, h, m.C)
	for y := range h {
		row := out.Row(y)
		from := start + dy*y
		if m.C == 1 {
			for x := range row {
				row[x] = m.Pix[from]
				from += dx
			}
			continue
		}
		for x := 0; x < len(row); x += 3 {
			copy(row[x:x+3], m.Pix[3*from:3*from+3])
			from += dx
		}
	}
	return out
}

// Crop returns a copy of the w x h pixels at (x, y), which must lie inside m.
func Crop(m *Image, x, y, w, h int) (*Image, error) {
	if x < 0 || y < 0 || w < 1 || h < 1 || x+w > m.W || y+h > m.H {
		return nil, fmt.Errorf("imaging: crop of %d x %d at (%d, %d) from %d x %d pixels", w, h, x, y, m.W, m.H)
	}
	out := New(w, h, m.C)
	for i := range h {
		copy(out.Row(i), m.Row(y + i)[x*m.C:])
	}
	return out, nil
}
