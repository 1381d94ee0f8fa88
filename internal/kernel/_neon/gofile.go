package main

import (
	"go/format"
	"regexp"
	"strings"
)

var (
	caseAVX512 = regexp.MustCompile(`^\s*case .*isa\.AVX512`)
	declared   = regexp.MustCompile(`(?m)^func (\w+)\(`)
	caseAny    = regexp.MustCompile(`^\s*(case .*|default):$`)
)

// goFile turns a file of stubs or of dispatching functions into that of NEON, without those
// functions.
func goFile(text string, left map[string]bool) (string, error) {
	at := strings.Index(text, "package ")
	var kept []string
	for _, paragraph := range paragraphs(text[at:]) {
		paragraph = dropCases(paragraph)
		if strings.Contains(paragraph, "AVX512") || strings.HasPrefix(paragraph, "//go:generate") {
			continue
		}
		if m := declared.FindStringSubmatch(paragraph); m != nil && left[m[1]] {
			continue
		}
		kept = append(kept, paragraph)
	}
	out, err := format.Source([]byte(rename(strings.Join(kept, "\n\n"))))
	return string(out), err
}

// paragraphs splits at empty lines outside of declarations' bodies.
func paragraphs(text string) (list []string) {
	var current []string
	flush := func() {
		if len(current) > 0 {
			list = append(list, strings.Join(current, "\n"))
		}
		current = nil
	}
	open := false
	for _, line := range strings.Split(text, "\n") {
		if line == "" && !open {
			flush()
			continue
		}
		current = append(current, line)
		if line != "" && line[0] != '\t' {
			open = strings.HasSuffix(line, "{") || strings.HasSuffix(line, "(")
		}
	}
	flush()
	return list
}

// dropCases removes the cases of AVX-512.
func dropCases(paragraph string) string {
	var kept []string
	dropping := false
	for _, line := range strings.Split(paragraph, "\n") {
		switch {
		case caseAVX512.MatchString(line):
			dropping = true
		case caseAny.MatchString(line) || strings.TrimSpace(line) == "}":
			dropping = false
		}
		if !dropping {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}
