package cpu

import (
	"github.com/byol-go/byol/internal/kernel/vec"
	"github.com/gomlx/gomlx/backends"
)

// blockKind is the form of an instruction of a block program. Operands are slots of
// float32 unless it says otherwise.
type blockKind uint8

const (
	blockUnary     blockKind = iota // dst = f(a)
	blockBinary                     // dst = f(a, b)
	blockBinaryVS                   // dst = f(a, scalar b)
	blockBinarySV                   // dst = f(scalar a, b)
	blockCompare                    // bool dst = f(a, b)
	blockCompareVS                  // bool dst = f(a, scalar b)
	blockSelect                     // dst = bool a ? b : c
	blockSelectVS                   // dst = bool a ? b : scalar c
	blockSelectSV                   // dst = bool a ? scalar b : c
	blockSelectSS                   // dst = bool a ? scalar b : scalar c
	blockReLUGrad                   // dst = a ≤ 0 ? 0 : b
	blockLogical                    // bool dst = f(bool a, bool b)
	blockNot                        // bool dst = !bool a
	blockFromBool                   // dst = bool a ? 1 : 0
	blockWiden                      // dst = bfloat16 input a
	blockFill                       // dst = broadcast input a
	blockRound                      // dst = a rounded to bfloat16
	blockStore                      // bfloat16 output dst = a rounded
	blockCopy                       // dst = a
	blockCopyBool                   // bool dst = bool a
	blockSum                        // accumulator dst += a
	blockMulSum                     // accumulator dst += a · b
	blockMulAdd                     // dst = a · b + c
)

// blockOp is what the block builder knows about an element-wise operation.
type blockOp struct {
	unary   func(dst, x []float32)
	binary  func(dst, x, y []float32)
	vs      func(dst, x []float32, s float32)
	sv      func(dst []float32, s float32, y []float32)
	compare func(dst []bool, x, y []float32)
	cmpVS   func(dst []bool, x []float32, s float32)
	flipped backends.OpType // compare with the operands exchanged
	logical func(dst, x, y []bool)
	exact   bool // the result of bfloat16 values needs no rounding
}

// blockOps are the operations that block programs have. ConvertDType, Where and
// LogicalNot have no function of their own here.
var blockOps = map[backends.OpType]blockOp{
	backends.OpTypeNeg: {unary: vec.Neg, exact: true}, backends.OpTypeAbs: {unary: vec.Abs, exact: true},
	backends.OpTypeSign: {unary: vec.Sign, exact: true}, backends.OpTypeFloor: {unary: vec.Floor, exact: true},
	backends.OpTypeCeil: {unary: vec.Ceil, exact: true}, backends.OpTypeRound: {unary: vec.Round, exact: true},
	backends.OpTypeSqrt: {unary: vec.Sqrt}, backends.OpTypeRsqrt: {unary: vec.Rsqrt},
	backends.OpTypeExp: {unary: vec.Exp}, backends.OpTypeExpm1: {unary: vec.Expm1},
	backends.OpTypeLog: {unary: vec.Log}, backends.OpTypeLog1p: {unary: vec.Log1p},
	backends.OpTypeSin: {unary: vec.Sin}, backends.OpTypeCos: {unary: vec.Cos},
	backends.OpTypeTanh: {unary: vec.Tanh}, backends.OpTypeLogistic: {unary: vec.Logistic}, backends.OpTypeErf: {unary: vec.Erf},

	backends.OpTypeAdd: {binary: vec.Add, vs: vec.AddScalar, sv: swapped(vec.AddScalar)},
	backends.OpTypeMul: {binary: vec.Mul, vs: vec.MulScalar, sv: swapped(vec.MulScalar)},
	backends.OpTypeMax: {binary: vec.Max, vs: vec.MaxScalar, sv: swapped(vec.MaxScalar), exact: true},
	backends.OpTypeMin: {binary: vec.Min, vs: vec.MinScalar, sv: swapped(vec.MinScalar), exact: true},
	backends.OpTypeSub: {binary: vec.Sub, vs: vec.SubScalar, sv: vec.ScalarSub},
	backends.OpTypeDiv: {binary: vec.Div, vs: vec.DivScalar, sv: vec.ScalarDiv},
	backends.OpTypePow: {binary: vec.Pow, vs: vec.PowScalar, sv: vec.ScalarPow},

	backends.OpTypeEqual:          {compare: vec.Eq, cmpVS: vec.EqScalar, flipped: backends.OpTypeEqual},
	backends.OpTypeNotEqual:       {compare: vec.Ne, cmpVS: vec.NeScalar, flipped: backends.OpTypeNotEqual},
	backends.OpTypeLessThan:       {compare: vec.Lt, cmpVS: vec.LtScalar, flipped: backends.OpTypeGreaterThan},
	backends.OpTypeLessOrEqual:    {compare: vec.Le, cmpVS: vec.LeScalar, flipped: backends.OpTypeGreaterOrEqual},
	backends.OpTypeGreaterThan:    {compare: vec.Gt, cmpVS: vec.GtScalar, flipped: backends.OpTypeLessThan},
	backends.OpTypeGreaterOrEqual: {compare: vec.Ge, cmpVS: vec.GeScalar, flipped: backends.OpTypeLessOrEqual},

	backends.OpTypeLogicalAnd: {logical: logicalAnd}, backends.OpTypeLogicalOr: {logical: logicalOr}, backends.OpTypeLogicalXor: {logical: logicalXor},
	backends.OpTypeLogicalNot: {}, backends.OpTypeWhere: {exact: true}, backends.OpTypeConvertDType: {},
}

// swapped makes a loop with the scalar on the left of one that does not mind the order.
func swapped(vs func(dst, x []float32, s float32)) func(dst []float32, s float32, y []float32) {
	return func(dst []float32, s float32, y []float32) { vs(dst, y, s) }
}

func logicalAnd(dst, x, y []bool) {
	for i := range dst {
		dst[i] = x[i] && y[i]
	}
}

func logicalOr(dst, x, y []bool) {
	for i := range dst {
		dst[i] = x[i] || y[i]
	}
}

func logicalXor(dst, x, y []bool) {
	for i := range dst {
		dst[i] = x[i] != y[i]
	}
}

func logicalNot(dst, x []bool) {
	for i := range dst {
		dst[i] = !x[i]
	}
}
