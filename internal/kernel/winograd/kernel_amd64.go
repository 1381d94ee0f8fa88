//go:build amd64 && !purego

package winograd

import "github.com/byol-go/byol/internal/kernel/isa"

//go:generate sh -c "cd _asm && go run . -out ../winograd_amd64.s -stubs ../stub_amd64.go -pkg winograd"
//go:generate go -C ../_neon run . ../winograd/winograd_amd64.s ../winograd/stub_amd64.go ../winograd/kernel_amd64.go

var kernelsAVX2 = &kernels{
	panel: 6, short: 4, width: lane, block: 32,
	fullWide: product6x16AVX2, fullLane: product6x16AVX2, shortWide: product4x16AVX2, shortLane: product4x16AVX2,
	gradWide: []gradRows{{6, gradProduct6x16AVX2}, {6, gradProduct6x16AVX2}, {4, gradProduct4x16AVX2}},
	gradLane: []gradRows{{6, gradProduct6x16AVX2}, {6, gradProduct6x16AVX2}, {4, gradProduct4x16AVX2}},
	float32: transforms{
		strips:    [3]func(*stripArgs){inputStripAVX2, splitStripAVX2, pairStripAVX2},
		stride1:   transformsOf{outputTilesAVX2, gradTilesAVX2, weightsAVX2},
		stride2:   transformsOf{pairOutputAVX2, pairGradAVX2, splitWeightsAVX2},
		transpose: transposeAVX2,
	},
	bfloat16: transforms{
		strips:    [3]func(*stripArgs){inputStripBF16AVX2, splitStripBF16AVX2, pairStripBF16AVX2},
		stride1:   transformsOf{outputTilesBF16AVX2, gradTilesBF16AVX2, weightsBF16AVX2},
		stride2:   transformsOf{pairOutputBF16AVX2, pairGradBF16AVX2, splitWeightsBF16AVX2},
		transpose: transposeBF16AVX2,
	},
	finish:    [2]finishFuncs{{outputTilesSetAVX2, outputTilesAddAVX2}, {pairOutputSetAVX2, pairOutputAddAVX2}},
	kernelOut: kernelOutAVX2, splitKernelOut: splitKernelOutAVX2, addTo: addToAVX2, fetch: fetchPixelsAVX2,
}

var kernelsAVX512 = &kernels{
	panel: 12, short: 8, width: chunk, block: 48,
	fullWide: product12x32AVX512, fullLane: product12x16AVX512, shortWide: product8x32AVX512, shortLane: product8x16AVX512, lanes: laneProductAVX512,
	gradWide: []gradRows{{8, gradProduct8x32AVX512}, {8, gradProduct8x32AVX512}},
	gradLane: []gradRows{{16, gradProduct16x16AVX512}},
	float32: transforms{
		strips:    [3]func(*stripArgs){inputStripAVX512, splitStripAVX512, pairStripAVX512},
		stride1:   transformsOf{outputTilesAVX512, gradTilesAVX512, weightsAVX512},
		stride2:   transformsOf{pairOutputAVX512, pairGradAVX512, splitWeightsAVX512},
		transpose: transposeAVX2,
	},
	bfloat16: transforms{
		strips:    [3]func(*stripArgs){inputStripBF16AVX512, splitStripBF16AVX512, pairStripBF16AVX512},
		stride1:   transformsOf{outputTilesBF16AVX512, gradTilesBF16AVX512, weightsBF16AVX512},
		stride2:   transformsOf{pairOutputBF16AVX512, pairGradBF16AVX512, splitWeightsBF16AVX512},
		transpose: transposeBF16AVX2,
	},
	finish:    [2]finishFuncs{{outputTilesSetAVX512, outputTilesAddAVX512}, {pairOutputSetAVX512, pairOutputAddAVX512}},
	kernelOut: kernelOutAVX512, splitKernelOut: splitKernelOutAVX512, addTo: addToAVX512, fetch: fetchPixelsAVX2,
}

var kernelsRef = refKernels()

// current returns the kernels of the instruction set in use.
func current() *kernels {
	switch level := isa.Current(); {
	case level >= isa.AVX512:
		return kernelsAVX512
	case level >= isa.AVX2:
		return kernelsAVX2
	}
	return kernelsRef
}
