package vec

//go:generate go -C _asm run . -group binary -dispatch ../binary_dispatch -out ../binary_amd64.s -stubs ../binary_amd64.go -pkg vec
//go:generate go -C _asm run . -group unary -dispatch ../unary_dispatch -out ../unary_amd64.s -stubs ../unary_amd64.go -pkg vec
//go:generate go -C _asm run . -group compare -dispatch ../compare_dispatch -out ../compare_amd64.s -stubs ../compare_amd64.go -pkg vec
//go:generate go -C _asm run . -group combine -dispatch ../combine_dispatch -out ../combine_amd64.s -stubs ../combine_amd64.go -pkg vec
//go:generate go -C _asm run . -group rows -dispatch ../rows_dispatch -out ../rows_amd64.s -stubs ../rows_amd64.go -pkg vec
//go:generate go -C _asm run . -group transpose -out ../transpose_amd64.s -stubs ../transpose_amd64.go -pkg vec
//go:generate go -C ../_neon run . ../vec/binary_amd64.s ../vec/binary_amd64.go ../vec/binary_dispatch_amd64.go
//go:generate go -C ../_neon run . ../vec/unary_amd64.s ../vec/unary_amd64.go ../vec/unary_dispatch_amd64.go
//go:generate go -C ../_neon run . ../vec/compare_amd64.s ../vec/compare_amd64.go ../vec/compare_dispatch_amd64.go
//go:generate go -C ../_neon run . ../vec/combine_amd64.s ../vec/combine_amd64.go ../vec/combine_dispatch_amd64.go
//go:generate go -C ../_neon run . ../vec/rows_amd64.s ../vec/rows_amd64.go ../vec/rows_dispatch_amd64.go
//go:generate go -C ../_neon run . ../vec/transpose_amd64.s ../vec/transpose_amd64.go ../vec/transpose_dispatch_amd64.go
