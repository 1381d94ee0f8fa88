//go:build !unix

package vec

import "testing"

func guarded[T any](t testing.TB, n int, atEnd bool) []T { return make([]T, n) }
