package plan

import "strings"

// flags are the keys that have a flag of their own.
var flags = map[string]string{
	"data.train": "data", "data.test": "test", "data.size": "size", "encoder.arch": "arch", "method.name": "method",
	"train.steps": "steps", "train.epochs": "epochs", "train.batch": "batch", "train.precision": "precision",
	"train.backend": "backend", "train.threads": "threads", "train.seed": "seed",
}

// command is the command line that trains as planned, but for --out: what the user gave,
// then what was chosen.
func (p *proposal) command() string {
	args := []string{"byol", "train"}
	if p.given.File != "" {
		args = append(args, "--config", quote(p.given.File))
	}
	add := func(key, value string) {
		if f := flags[key]; f != "" {
			args = append(args, "--"+f, quote(value))
		} else {
			args = append(args, "--set", quote(key+"="+value))
		}
	}
	for _, kv := range p.given.Set {
		if kv[0] != "train.time" {
			add(kv[0], kv[1])
		}
	}
	for _, c := range p.Choices {
		add(c.Key, c.Value)
	}
	return strings.Join(args, " ")
}

// quote writes an argument as a shell takes it.
func quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_./=,:+-%@", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
