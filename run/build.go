package run

import "fmt"

// Request says where a configuration comes from, in rising precedence.
type Request struct {
	Stored *Config     // of the run that goes on; the base if no preset is named
	Preset string      // name, or "" for the default
	Chosen [][2]string // keys and values that a plan chose; File and Set win
	File   string      // YAML file overlaid, or ""
	Set    [][2]string // keys and values: flags first, then --set
}

// Build puts a configuration together. It is not resolved yet.
//
// Where file or Set choose another method than the base has, that method's recipe
// comes right after the base: the file and Set have the last word on every key, the
// preset has not.
func Build(r Request) (Config, error) {
	c := Default()
	switch {
	case r.Preset != "":
		p, err := Preset(r.Preset)
		if err != nil {
			return c, err
		}
		c = p
	case r.Stored != nil:
		c = *r.Stored
	}
	name, err := r.method(c.Method.Name)
	if err != nil {
		return c, err
	}
	if name != c.Method.Name {
		c.applyRecipe(name)
	}
	for _, kv := range r.Chosen {
		if err := c.Set(kv[0], kv[1]); err != nil {
			return c, fmt.Errorf("chosen: %w", err)
		}
	}
	if r.File != "" {
		if err := c.Load(r.File); err != nil {
			return c, err
		}
	}
	for _, kv := range r.Set {
		if err := c.Set(kv[0], kv[1]); err != nil {
			return c, fmt.Errorf("--set: %w", err)
		}
	}
	return c, nil
}

// Named lists the keys that File and Set give a value, so that a plan leaves them alone.
func (r Request) Named() (map[string]bool, error) {
	named := map[string]bool{}
	if r.File != "" {
		tree, err := readTree(r.File)
		if err != nil {
			return nil, err
		}
		for _, kv := range Pairs(tree) {
			named[kv[0]] = true
		}
	}
	for _, kv := range r.Set {
		named[kv[0]] = true
	}
	return named, nil
}

// method returns the name of the method that will be chosen in the end, given the base's.
func (r Request) method(name string) (string, error) {
	choose := func(key, value string) error { // cannot fail
		if key == "method.name" {
			name = value
		}
		return nil
	}
	if r.File != "" {
		tree, err := readTree(r.File)
		if err != nil {
			return name, err
		}
		overlay("", tree, choose)
	}
	for _, kv := range r.Set {
		choose(kv[0], kv[1])
	}
	return name, nil
}
