// Package pixel holds the loops over pixels that decoding, resizing and
// augmentation spend their time in: colour conversion, resampling passes,
// blends, hue, blur. Every function has a reference in Go, which is also what
// runs where no vector code exists; the vector code gives the same results to
// the bit for integers, and within float32 rounding as documented for floats.
//
// Slices of pixels are interleaved [H,W,C]. Functions panic with a message that
// starts with "pixel:" when lengths do not fit.
package pixel
