package vec

func toBF16(dst []uint16, src []float32)                                  { toBF16Ref(dst, src) }
func fromBF16(dst []float32, src []uint16)                                { fromBF16Ref(dst, src) }
func add(dst, a, b []float32)                                             { addRef(dst, a, b) }
func addScalar(dst, a []float32, s float32)                               { addScalarRef(dst, a, s) }
func sub(dst, a, b []float32)                                             { subRef(dst, a, b) }
func subScalar(dst, a []float32, s float32)                               { subScalarRef(dst, a, s) }
func scalarSub(dst []float32, s float32, b []float32)                     { scalarSubRef(dst, s, b) }
func mul(dst, a, b []float32)                                             { mulRef(dst, a, b) }
func mulScalar(dst, a []float32, s float32)                               { mulScalarRef(dst, a, s) }
func div(dst, a, b []float32)                                             { divRef(dst, a, b) }
func divScalar(dst, a []float32, s float32)                               { divScalarRef(dst, a, s) }
func scalarDiv(dst []float32, s float32, b []float32)                     { scalarDivRef(dst, s, b) }
func maximum(dst, a, b []float32)                                         { maximumRef(dst, a, b) }
func maxScalar(dst, a []float32, s float32)                               { maxScalarRef(dst, a, s) }
func minimum(dst, a, b []float32)                                         { minimumRef(dst, a, b) }
func minScalar(dst, a []float32, s float32)                               { minScalarRef(dst, a, s) }
func pow(dst, a, b []float32)                                             { powRef(dst, a, b) }
func powScalar(dst, a []float32, s float32)                               { powScalarRef(dst, a, s) }
func scalarPow(dst []float32, s float32, b []float32)                     { scalarPowRef(dst, s, b) }
func selectVV(dst []float32, cond []bool, a, b []float32)                 { selectVVRef(dst, cond, a, b) }
func selectVS(dst []float32, cond []bool, a []float32, s float32)         { selectVSRef(dst, cond, a, s) }
func selectSV(dst []float32, cond []bool, s float32, b []float32)         { selectSVRef(dst, cond, s, b) }
func selectSS(dst []float32, cond []bool, s, t float32)                   { selectSSRef(dst, cond, s, t) }
func reluGrad(dst, x, dy []float32)                                       { reluGradRef(dst, x, dy) }
func axpby(dst []float32, a float32, x []float32, b float32, y []float32) { axpbyRef(dst, a, x, b, y) }
func lerp(dst, x, y []float32, t float32)                                 { lerpRef(dst, x, y, t) }
func mulAdd(dst, a, b, c []float32)                                       { mulAddRef(dst, a, b, c) }
func affineScalar(dst, x []float32, a, b float32)                         { affineScalarRef(dst, x, a, b) }
func takeEqual(dst, x, y, rem []float32)                                  { takeEqualRef(dst, x, y, rem) }
func eq(dst []bool, a, b []float32)                                       { eqRef(dst, a, b) }
func eqScalar(dst []bool, a []float32, s float32)                         { eqScalarRef(dst, a, s) }
func ne(dst []bool, a, b []float32)                                       { neRef(dst, a, b) }
func neScalar(dst []bool, a []float32, s float32)                         { neScalarRef(dst, a, s) }
func lt(dst []bool, a, b []float32)                                       { ltRef(dst, a, b) }
func ltScalar(dst []bool, a []float32, s float32)                         { ltScalarRef(dst, a, s) }
func le(dst []bool, a, b []float32)                                       { leRef(dst, a, b) }
func leScalar(dst []bool, a []float32, s float32)                         { leScalarRef(dst, a, s) }
func gt(dst []bool, a, b []float32)                                       { gtRef(dst, a, b) }
func gtScalar(dst []bool, a []float32, s float32)                         { gtScalarRef(dst, a, s) }
func ge(dst []bool, a, b []float32)                                       { geRef(dst, a, b) }
func geScalar(dst []bool, a []float32, s float32)                         { geScalarRef(dst, a, s) }
func addRows(dst, x, v []float32)                                         { addRowsRef(dst, x, v) }
func mulRows(dst, x, v []float32)                                         { mulRowsRef(dst, x, v) }
func affineRows(dst, x, a, b []float32)                                   { affineRowsRef(dst, x, a, b) }
func affineReLURows(dst, x, a, b []float32)                               { affineReLURowsRef(dst, x, a, b) }
func affineAddRows(dst, x, res, a, b []float32)                           { affineAddRowsRef(dst, x, res, a, b) }
func affineAddReLURows(dst, x, res, a, b []float32)                       { affineAddReLURowsRef(dst, x, res, a, b) }
func gradRows(dst, dy, x, a, b, d []float32)                              { gradRowsRef(dst, dy, x, a, b, d) }
func gradReLURows(dst, dy, x, y, a, b, d []float32)                       { gradReLURowsRef(dst, dy, x, y, a, b, d) }
func neg(dst, x []float32)                                                { negRef(dst, x) }
func abs(dst, x []float32)                                                { absRef(dst, x) }
func square(dst, x []float32)                                             { squareRef(dst, x) }
func sqrt(dst, x []float32)                                               { sqrtRef(dst, x) }
func rsqrt(dst, x []float32)                                              { rsqrtRef(dst, x) }
func exp(dst, x []float32)                                                { expRef(dst, x) }
func log(dst, x []float32)                                                { logRef(dst, x) }
func log1p(dst, x []float32)                                              { log1pRef(dst, x) }
func expm1(dst, x []float32)                                              { expm1Ref(dst, x) }
func tanh(dst, x []float32)                                               { tanhRef(dst, x) }
func logistic(dst, x []float32)                                           { logisticRef(dst, x) }
func erf(dst, x []float32)                                                { erfRef(dst, x) }
func sign(dst, x []float32)                                               { signRef(dst, x) }
func floor(dst, x []float32)                                              { floorRef(dst, x) }
func ceil(dst, x []float32)                                               { ceilRef(dst, x) }
func round(dst, x []float32)                                              { roundRef(dst, x) }
func sin(dst, x []float32)                                                { sinRef(dst, x) }
func cos(dst, x []float32)                                                { cosRef(dst, x) }
func relu(dst, x []float32)                                               { reluRef(dst, x) }
