package dataset

import "math/bits"

// Order returns the order in which epoch visits n pictures: a permutation of
// 0..n-1 that is a function of its arguments alone, the same on every platform.
func Order(n int, seed uint64, epoch int) []int32 {
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	key := mix(mix(seed^0x6f72646572) + uint64(epoch)) // "order": apart from the draws of augmentation
	for i := n - 1; i > 0; i-- {                       // Fisher-Yates
		// The high word of a 64-bit draw times i+1 is uniform to within i/2^64.
		hi, _ := bits.Mul64(mix(key+uint64(i)*golden), uint64(i+1))
		order[i], order[hi] = order[hi], order[i]
	}
	return order
}

// golden is 2^64 divided by the golden ratio, SplitMix64's increment.
const golden = 0x9e3779b97f4a7c15

// mix is the output function of SplitMix64 (Steele, Lea, Flood: "Fast splittable
// pseudorandom number generators", 2014), a bijection of 64 bits.
func mix(z uint64) uint64 {
	z += golden
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// BatchesPerEpoch returns how many whole batches n pictures make; the last
// partial one is dropped.
func BatchesPerEpoch(n, batch int) int { return n / batch }
