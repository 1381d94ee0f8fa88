package cpu

import (
	"github.com/byol-go/byol/internal/kernel/vec"
	"github.com/gomlx/gomlx/backends"
)

// float32Elem is float32 with its loops in package vec, as far as it has them.
type float32Elem struct{ floatElem[float32] }

var float32Unary = map[backends.OpType]func(dst, x []float32){
	backends.OpTypeAbs: vec.Abs, backends.OpTypeNeg: vec.Neg, backends.OpTypeSign: vec.Sign,
	backends.OpTypeCeil: vec.Ceil, backends.OpTypeFloor: vec.Floor, backends.OpTypeRound: vec.Round,
	backends.OpTypeExp: vec.Exp, backends.OpTypeExpm1: vec.Expm1,
	backends.OpTypeLog: vec.Log, backends.OpTypeLog1p: vec.Log1p,
	backends.OpTypeSqrt: vec.Sqrt, backends.OpTypeRsqrt: vec.Rsqrt,
	backends.OpTypeSin: vec.Sin, backends.OpTypeCos: vec.Cos,
	backends.OpTypeTanh: vec.Tanh, backends.OpTypeLogistic: vec.Logistic, backends.OpTypeErf: vec.Erf,
}

var float32Binary = map[backends.OpType]func(dst, x, y []float32){
	backends.OpTypeAdd: vec.Add, backends.OpTypeSub: vec.Sub, backends.OpTypeMul: vec.Mul, backends.OpTypeDiv: vec.Div,
	backends.OpTypeMax: vec.Max, backends.OpTypeMin: vec.Min, backends.OpTypePow: vec.Pow,
}

var float32Compare = map[backends.OpType]func(dst []bool, x, y []float32){
	backends.OpTypeEqual: vec.Eq, backends.OpTypeNotEqual: vec.Ne,
	backends.OpTypeLessThan: vec.Lt, backends.OpTypeLessOrEqual: vec.Le,
	backends.OpTypeGreaterThan: vec.Gt, backends.OpTypeGreaterOrEqual: vec.Ge,
}

func (e float32Elem) unary(op backends.OpType) span {
	if f := float32Unary[op]; f != nil {
		return span1(f)
	}
	return e.floatElem.unary(op)
}

func (e float32Elem) binary(op backends.OpType) span {
	if f := float32Binary[op]; f != nil {
		return span2(f)
	}
	return e.floatElem.binary(op)
}

func (e float32Elem) compare(op backends.OpType) span {
	if f := float32Compare[op]; f != nil {
		return span2(f)
	}
	return e.floatElem.compare(op)
}
