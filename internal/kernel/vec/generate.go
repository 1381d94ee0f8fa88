package vec

//go:generate go -C _asm run . -group binary -dispatch ../binary_dispatch -out ../binary_amd64.s -stubs ../binary_amd64.go -pkg vec
//go:generate go -C _asm run . -group unary -dispatch ../unary_dispatch -out ../unary_amd64.s -stubs ../unary_amd64.go -pkg vec
//go:generate go -C _asm run . -group compare -dispatch ../compare_dispatch -out ../compare_amd64.s -stubs ../compare_amd64.go -pkg vec
//go:generate go -C _asm run . -group combine -dispatch ../combine_dispatch -out ../combine_amd64.s -stubs ../combine_amd64.go -pkg vec
//go:generate go -C _asm run . -group rows -dispatch ../rows_dispatch -out ../rows_amd64.s -stubs ../rows_amd64.go -pkg vec
//go:generate go -C _asm run . -group transpose -out ../transpose_amd64.s -stubs ../transpose_amd64.go -pkg vec
