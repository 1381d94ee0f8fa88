//go:build !linux

package vec

import "time"

var start = time.Now()

func clock() time.Duration { return time.Since(start) }
