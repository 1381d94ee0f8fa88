package main

import (
	"fmt"
	"io"

	"github.com/byol-go/byol/report"
	"github.com/byol-go/byol/run"
)

// watch serves a run's live page while a training goes on, unless addr is empty. The
// returned function ends it.
func watch(w io.Writer, addr string, folder run.Folder) (end func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	live, err := report.Watch(addr, folder)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "watch it at %s\n", live.URL())
	return func() { live.Close() }, nil
}
