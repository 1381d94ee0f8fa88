//go:build !unix

package reduce

import "testing"

func guarded[T any](t testing.TB, n int, atEnd bool) []T { return make([]T, n) }
