package vec

import (
	"time"

	"golang.org/x/sys/unix"
)

// clock is the processor time of the calling thread, which other programs on a busy
// machine do not lengthen.
func clock() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}
