//go:build !linux

package reduce

import "time"

var start = time.Now()

func clock() time.Duration { return time.Since(start) }
