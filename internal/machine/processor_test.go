package machine

import (
	"runtime"
	"testing"
)

func TestProcessorOf(t *testing.T) {
	const amd = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n\nprocessor\t: 1\nmodel name\t: another\n"
	for text, want := range map[string]string{
		amd: "AMD EPYC, family 25 model 17",
		"processor\t: 0\nBogoMIPS\t: 50.00\nCPU part\t: 0xd0c\n": runtime.GOARCH,
		"": runtime.GOARCH,
	} {
		if got := processorOf([]byte(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if Processor() == "" {
		t.Error("no name")
	}
}
