package machine

import (
	"bytes"
	"os"
	"runtime"
	"strings"
)

// Processor names the processor, with family and model where the system tells (the name
// alone often hides the generation); elsewhere it is the architecture.
func Processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	return processorOf(text)
}

// processorOf reads the first processor of /proc/cpuinfo.
func processorOf(text []byte) string {
	fields := map[string]string{}
	for line := range bytes.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(string(line)), ":")
		if key = strings.TrimSpace(key); ok && fields[key] == "" {
			fields[key] = strings.TrimSpace(value)
		}
	}
	name := fields["model name"]
	if name == "" {
		return runtime.GOARCH
	}
	if family := fields["cpu family"]; family != "" {
		name += ", family " + family + " model " + fields["model"]
	}
	return name
}
