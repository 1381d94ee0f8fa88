package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// file is a parsed file of x86 assembly as avo writes it.
type file struct {
	functions []*function
	data      map[string][]byte // of static symbols
}

type function struct {
	name, frame string
	comments    []string
	code        []instruction
}

// instruction is one instruction, or a label if op is empty.
type instruction struct {
	op    string
	args  []operand
	label string
}

type kind int

const (
	register  kind = iota // a general one
	vector                // X or Y
	immediate             // a number
	memory                // disp(base)(index*scale)
	parameter             // name+disp(FP)
	symbol                // name<>+disp(SB)
	target                // a label
)

// operand is an operand of any kind.
type operand struct {
	kind        kind
	name        string // of a register, parameter, symbol or label
	reg         int    // number of a vector register
	wide        bool   // a Y register
	value       int64  // of an immediate, or the displacement
	base, index string
	scale       int
}

var (
	textLine   = regexp.MustCompile(`^TEXT ·(\w+)\(SB\), NOSPLIT, (\$\d+-\d+)`)
	dataLine   = regexp.MustCompile(`^DATA (\w+)<>\+(\d+)\(SB\)/(\d+), \$(\S+)`)
	labelLine  = regexp.MustCompile(`^(\w+):`)
	codeLine   = regexp.MustCompile(`^\t([A-Z][A-Z0-9.]*)\s*(.*)$`)
	vectorName = regexp.MustCompile(`^([XYZ])(\d+)$`)
	memoryForm = regexp.MustCompile(`^([+-]?\d+)?\((\w+)\)(?:\((\w+)\*(\d)\))?$`)
	staticForm = regexp.MustCompile(`^(\w+)(<>)?\+(\d+)\((FP|SB|SP)\)$`)
)

// whole maps the names of parts of general registers to the registers.
var whole = map[string]string{"AL": "AX", "BL": "BX", "CL": "CX", "DL": "DX", "SIB": "SI", "DIB": "DI"}

func parse(text string) (*file, error) {
	f := &file{data: map[string][]byte{}}
	var comments []string
	var current *function
	for n, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "//"):
			comments = append(comments, line)
		case textLine.MatchString(line):
			m := textLine.FindStringSubmatch(line)
			current = &function{name: m[1], frame: m[2], comments: comments}
			f.functions = append(f.functions, current)
			comments = nil
		case dataLine.MatchString(line):
			m := dataLine.FindStringSubmatch(line)
			if err := f.datum(m[1], m[2], m[3], m[4]); err != nil {
				return nil, fmt.Errorf("line %d: %w", n+1, err)
			}
		case labelLine.MatchString(line):
			current.code = append(current.code, instruction{label: labelLine.FindStringSubmatch(line)[1]})
		case codeLine.MatchString(line):
			m := codeLine.FindStringSubmatch(line)
			in := instruction{op: m[1]}
			for _, word := range strings.Split(m[2], ", ") {
				if word = strings.TrimSpace(word); word == "" {
					continue
				}
				o, err := parseOperand(word)
				if err != nil {
					return nil, fmt.Errorf("line %d: %w", n+1, err)
				}
				in.args = append(in.args, o)
			}
			current.code = append(current.code, in)
		case line == "":
			comments = nil
		}
	}
	return f, nil
}

func (f *file) datum(name, offset, size, value string) error {
	at, _ := strconv.Atoi(offset)
	n, _ := strconv.Atoi(size)
	v, err := strconv.ParseUint(value, 0, 64)
	if err != nil {
		s, err := strconv.ParseInt(value, 0, 64)
		if err != nil {
			return err
		}
		v = uint64(s)
	}
	b := f.data[name]
	for len(b) < at+n {
		b = append(b, 0)
	}
	for i := range n {
		b[at+i] = byte(v >> (8 * i))
	}
	f.data[name] = b
	return nil
}

func parseOperand(s string) (operand, error) {
	if s[0] == '$' {
		v, err := strconv.ParseInt(s[1:], 0, 64)
		if err != nil {
			u, err := strconv.ParseUint(s[1:], 0, 64)
			if err != nil {
				return operand{}, err
			}
			v = int64(u)
		}
		return operand{kind: immediate, value: v}, nil
	}
	if m := vectorName.FindStringSubmatch(s); m != nil {
		n, _ := strconv.Atoi(m[2])
		return operand{kind: vector, name: s, reg: n, wide: m[1] == "Y"}, nil
	}
	if m := memoryForm.FindStringSubmatch(s); m != nil {
		o := operand{kind: memory, base: m[2], index: m[3]}
		if m[1] != "" {
			o.value, _ = strconv.ParseInt(m[1], 10, 64)
		}
		if m[4] != "" {
			o.scale, _ = strconv.Atoi(m[4])
		}
		return o, nil
	}
	if m := staticForm.FindStringSubmatch(s); m != nil {
		v, _ := strconv.ParseInt(m[3], 10, 64)
		o := operand{kind: parameter, name: m[1], value: v}
		if m[4] == "SB" {
			o.kind = symbol
		}
		return o, nil
	}
	if w, ok := whole[s]; ok {
		s = w
	}
	if _, ok := generalRegisters[s]; ok {
		return operand{kind: register, name: s}, nil
	}
	return operand{kind: target, name: s}, nil
}

// wide says whether a function is AVX-512's.
func (f *function) wide() bool {
	if strings.Contains(f.name, "AVX512") {
		return true
	}
	for _, in := range f.code {
		for _, a := range in.args {
			if a.kind == vector && (a.name[0] == 'Z' || a.reg > 15) || a.kind == target && len(a.name) == 2 && a.name[0] == 'K' {
				return true
			}
		}
	}
	return false
}
