package winograd

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime returns the time that this process has run on processors.
func processorTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
