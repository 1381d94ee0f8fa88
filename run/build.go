package run

import "fmt"

// Request says where a configuration comes from, in rising precedence.
type Request struct {
	Stored *Config     // of the run that goes on; the base if no preset is named
	Preset string      // name, or "" for the default
	File   string      // YAML file overlaid, or ""
	Set    [][2]string // keys and values: flags first, then --set
}

// Build puts a configuration together. It is not resolved yet.
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
