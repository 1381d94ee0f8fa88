//go:build xla_oracle && cgo

package oracle

import "strings"

const (
	fastMinMax = "XLA's CPU plugin is built to ignore NaN and the sign of zero in minima and maxima; here NaN wins"
	complexMul = "XLA's complex arithmetic is less precise"
)

// known lists the differences that are meant: a prefix of the cases' names and the reason.
var known = []struct{ prefix, why string }{
	{"Max/Float", fastMinMax}, {"Max/BFloat", fastMinMax}, {"Min/Float", fastMinMax}, {"Min/BFloat", fastMinMax}, {"Clamp/", fastMinMax}, {"ReduceMax/edges", fastMinMax},
	{"Div/Complex", complexMul}, {"Pow/Complex", complexMul},
	{"Pow/Int", "XLA takes the lowest 6 bits of the exponent only; here powers are right modulo 2^width"},
	{"Pow/Uint", "XLA takes the lowest 6 bits of the exponent only; here powers are right modulo 2^width"},
}

// expected returns why a case may differ, or nothing.
func expected(name string) string {
	for _, k := range known {
		if strings.HasPrefix(name, k.prefix) {
			return k.why
		}
	}
	return ""
}
