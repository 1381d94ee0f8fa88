//go:build !amd64 || purego

package vec

func affinePart(y, res, a, b []float32, relu bool, rows, stride int) {
	affinePartRef(y, res, a, b, relu, rows, stride)
}
