package nn

import "fmt"

// TorchShape returns the shape that the tensor has in PyTorch: [Out,In,KH,KW]
// for a convolution kernel, [Out,In] for a linear weight, else the same.
func TorchShape(s Spec) []int {
	switch s.Kind {
	case ConvKernel:
		return []int{s.Shape[3], s.Shape[2], s.Shape[0], s.Shape[1]}
	case LinearWeight:
		return []int{s.Shape[1], s.Shape[0]}
	}
	return append([]int(nil), s.Shape...)
}

// ToTorch returns a copy of values, which are in this program's layout, in
// PyTorch's. It fails if values has not the spec's size.
func ToTorch[T any](s Spec, values []T) ([]T, error) {
	return permute(s, values, func(out []T, ours, torch int) { out[torch] = values[ours] })
}

// FromTorch returns a copy of values, which are in PyTorch's layout, in this
// program's. It fails if values has not the spec's size.
func FromTorch[T any](s Spec, values []T) ([]T, error) {
	return permute(s, values, func(out []T, ours, torch int) { out[ours] = values[torch] })
}

// permute calls move for every element with its index in both layouts.
func permute[T any](s Spec, values []T, move func(out []T, ours, torch int)) ([]T, error) {
	if len(values) != s.Size() {
		return nil, fmt.Errorf("nn: tensor %q: %d values, want %d for shape %v", s.Name, len(values), s.Size(), s.Shape)
	}
	out := make([]T, len(values))
	spatial, in, outs := 1, 1, 1 // HW, I, O
	switch s.Kind {
	case ConvKernel:
		spatial, in, outs = s.Shape[0]*s.Shape[1], s.Shape[2], s.Shape[3]
	case LinearWeight:
		in, outs = s.Shape[0], s.Shape[1]
	default:
		copy(out, values)
		return out, nil
	}
	for p := range spatial {
		for i := range in {
			for o := range outs {
				move(out, (p*in+i)*outs+o, (o*in+i)*spatial+p)
			}
		}
	}
	return out, nil
}
