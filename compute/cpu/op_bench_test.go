package cpu

import (
	"testing"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/shapes"
)

// BenchmarkOps runs single operations on arrays that no cache holds; MB/s counts what
// they read and write, so that Copy is the bound.
func BenchmarkOps(b *testing.B) {
	backend, err := New("")
	if err != nil {
		b.Fatal(err)
	}
	defer backend.Finalize()
	f32 := func(dims ...int) shapes.Shape { return shapes.Make(dtypes.Float32, dims...) }
	image := f32(64, 32, 32, 64)
	for _, c := range []struct {
		name string
		op   backends.OpType
		attr any
		out  shapes.Shape
		in   []shapes.Shape
	}{
		{"Copy", backends.OpTypeSlice, sliceAttr{[]int{0, 0, 0, 0}, nil, []int{1, 1, 1, 1}}, image, []shapes.Shape{image}},
		{"Transpose/NHWC-NCHW", backends.OpTypeTranspose, transposeAttr{[]int{0, 3, 1, 2}}, f32(64, 64, 32, 32), []shapes.Shape{image}},
		{"Transpose/NCHW-NHWC", backends.OpTypeTranspose, transposeAttr{[]int{0, 2, 3, 1}}, image, []shapes.Shape{f32(64, 64, 32, 32)}},
		{"Transpose/2048x2048", backends.OpTypeTranspose, transposeAttr{[]int{1, 0}}, f32(2048, 2048), []shapes.Shape{f32(2048, 2048)}},
		{"Transpose/HWIO", backends.OpTypeTranspose, transposeAttr{[]int{0, 1, 3, 2}}, f32(3, 3, 512, 512), []shapes.Shape{f32(3, 3, 512, 512)}},
		{"Reverse/kernel", backends.OpTypeReverse, reverseAttr{[]int{0, 1}}, f32(3, 3, 512, 512), []shapes.Shape{f32(3, 3, 512, 512)}},
		{"Reverse/flip", backends.OpTypeReverse, reverseAttr{[]int{2}}, f32(64, 224, 224, 3), []shapes.Shape{f32(64, 224, 224, 3)}},
		{"Pad", backends.OpTypePad, padAttr{[]backends.PadAxis{{}, {Start: 1, End: 1}, {Start: 1, End: 1}, {}}}, f32(64, 34, 34, 64), []shapes.Shape{image, f32()}},
		{"BroadcastInDim/channels", backends.OpTypeBroadcastInDim, broadcastInDimAttr{[]int{3}}, image, []shapes.Shape{f32(64)}},
		{"BroadcastInDim/pixels", backends.OpTypeBroadcastInDim, broadcastInDimAttr{[]int{0, 3}}, image, []shapes.Shape{f32(64, 64)}},
		{"Add", backends.OpTypeAdd, nil, image, []shapes.Shape{image, image}},
		{"Add/scalar", backends.OpTypeAdd, nil, image, []shapes.Shape{image, f32()}},
		{"Add/channels", backends.OpTypeAdd, nil, image, []shapes.Shape{image, f32(1, 1, 1, 64)}},
		{"Add/rows", backends.OpTypeAdd, nil, f32(4096, 1024), []shapes.Shape{f32(4096, 1024), f32(4096, 1)}},
		{"Add/small channels", backends.OpTypeAdd, nil, f32(64, 224, 224, 3), []shapes.Shape{f32(64, 224, 224, 3), f32(1, 1, 1, 3)}},
		{"Where", backends.OpTypeWhere, nil, image, []shapes.Shape{shapes.Make(dtypes.Bool, 64, 32, 32, 64), image, f32()}},
		{"Exp", backends.OpTypeExp, nil, image, []shapes.Shape{image}},
		{"Convert/bf16", backends.OpTypeConvertDType, nil, shapes.Make(dtypes.BFloat16, 64, 32, 32, 64), []shapes.Shape{image}},
		{"Convert/uint8", backends.OpTypeConvertDType, nil, image, []shapes.Shape{shapes.Make(dtypes.Uint8, 64, 32, 32, 64)}},
		{"ReduceSum/all", backends.OpTypeReduceSum, reduceAttr{[]int{0, 1, 2, 3}}, f32(), []shapes.Shape{image}},
		{"ReduceSum/channels left", backends.OpTypeReduceSum, reduceAttr{[]int{0, 1, 2}}, f32(64), []shapes.Shape{image}},
		{"ReduceSum/pixels", backends.OpTypeReduceSum, reduceAttr{[]int{1, 2}}, f32(64, 64), []shapes.Shape{image}},
		{"ReduceMax/last", backends.OpTypeReduceMax, reduceAttr{[]int{1}}, f32(4096), []shapes.Shape{f32(4096, 1024)}},
		{"ReduceSum/short last", backends.OpTypeReduceSum, reduceAttr{[]int{1}}, f32(400000), []shapes.Shape{f32(400000, 10)}},
		{"ReduceSum/NCHW", backends.OpTypeReduceSum, reduceAttr{[]int{0, 2, 3}}, f32(64), []shapes.Shape{f32(64, 64, 32, 32)}},
		{"ReduceSum/bf16", backends.OpTypeReduceSum, reduceAttr{[]int{0, 1, 2}}, shapes.Make(dtypes.BFloat16, 64), []shapes.Shape{shapes.Make(dtypes.BFloat16, 64, 32, 32, 64)}},
		{"ReduceSum/int32", backends.OpTypeReduceSum, reduceAttr{[]int{0, 1, 2}}, shapes.Make(dtypes.Int32, 64), []shapes.Shape{shapes.Make(dtypes.Int32, 64, 32, 32, 64)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			n := &node{op: c.op, attr: c.attr, shapes: []shapes.Shape{c.out}}
			call := &call{node: n, pool: backend.pool, out: []*Buffer{newBuffer(c.out)}}
			bytes := byteLen(c.out)
			for _, s := range c.in {
				call.in = append(call.in, newBuffer(s))
				n.inputs = append(n.inputs, value{&node{shapes: []shapes.Shape{s}}, 0})
				bytes += byteLen(s)
			}
			k := kernels[c.op]
			if k.scratch != nil {
				call.scratch = alignedBytes(k.scratch(n, backend.pool.Threads()))
			}
			b.SetBytes(int64(bytes))
			for b.Loop() {
				k.eval(call)
			}
		})
	}
}
