package run

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/byol-go/byol/internal/nearest"
)

// Set assigns one key, as --set key=value does. Lists are written a,b. Setting optim.lr
// clears optim.base_lr and the other way round; setting one of train.epochs, train.steps
// and train.time clears the other two (setting 0 clears nothing).
func (c *Config) Set(key, text string) error {
	field, err := c.set(key, text)
	if err == nil && !field.IsZero() {
		c.clearRivals(key)
	}
	return err
}

// set assigns one key and leaves all others alone.
func (c *Config) set(key, text string) (reflect.Value, error) {
	field, ok := lookup(reflect.ValueOf(c).Elem(), key)
	if !ok {
		hint := ""
		if n, ok := nearest.Of(key, Keys()); ok {
			hint = fmt.Sprintf("; did you mean %s?", n)
		}
		return field, fmt.Errorf("unknown key %q%s", key, hint)
	}
	if err := assign(field, text); err != nil {
		return field, fmt.Errorf("%s=%q: %w", key, text, err)
	}
	return field, nil
}

// clearRivals resets the keys that say the same thing in another way.
func (c *Config) clearRivals(key string) {
	switch key {
	case "optim.lr":
		c.Optim.BaseLR = 0
	case "optim.base_lr":
		c.Optim.LR = 0
	case "train.epochs":
		c.Train.Steps, c.Train.Time = 0, 0
	case "train.steps":
		c.Train.Epochs, c.Train.Time = 0, 0
	case "train.time":
		c.Train.Epochs, c.Train.Steps = 0, 0
	}
}

// Get returns a key's value as Set takes it.
func (c Config) Get(key string) (string, bool) {
	field, ok := lookup(reflect.ValueOf(&c).Elem(), key)
	if !ok {
		return "", false
	}
	return format(field), true
}

// Keys lists every key in the order of the configuration.
func Keys() []string {
	var keys []string
	walk(reflect.TypeFor[Config](), "", func(key string) { keys = append(keys, key) })
	return keys
}

// Diff lists the keys whose values differ, as "key: a, now b".
func Diff(old, now Config) []string {
	var out []string
	for _, key := range Keys() {
		a, _ := old.Get(key)
		b, _ := now.Get(key)
		if a != b {
			out = append(out, fmt.Sprintf("%s: %s, now %s", key, a, b))
		}
	}
	return out
}

// walk calls visit for every leaf below a struct type.
func walk(t reflect.Type, prefix string, visit func(key string)) {
	for i := range t.NumField() {
		f := t.Field(i)
		key := prefix + f.Tag.Get("yaml")
		if f.Type.Kind() == reflect.Struct {
			walk(f.Type, key+".", visit)
		} else {
			visit(key)
		}
	}
}

// lookup finds the leaf field of a dotted key.
func lookup(v reflect.Value, key string) (reflect.Value, bool) {
	name, rest, more := strings.Cut(key, ".")
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") != name {
			continue
		}
		f := v.Field(i)
		if isStruct := f.Kind() == reflect.Struct; isStruct != more {
			return reflect.Value{}, false
		} else if isStruct {
			return lookup(f, rest)
		}
		return f, true
	}
	return reflect.Value{}, false
}

// assign parses text into a field of one of the types that Config is made of.
func assign(f reflect.Value, text string) error {
	switch p := f.Addr().Interface().(type) {
	case *string:
		*p = text
	case *bool:
		v, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("want true or false")
		}
		*p = v
	case *int:
		v, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("want a whole number")
		}
		*p = v
	case *uint64:
		v, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("want a whole number of at least 0")
		}
		*p = v
	case *time.Duration:
		v, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("want a duration such as 90s, 45m or 2h")
		}
		*p = v
	case *[]string:
		*p = strings.Split(text, ",")
	default:
		return assignNumbers(p, text)
	}
	return nil
}

// assignNumbers parses one or more floating-point numbers.
func assignNumbers(p any, text string) error {
	var values []float64
	if text != "" {
		for _, s := range strings.Split(text, ",") {
			v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
			if err != nil {
				return fmt.Errorf("%q is not a number", s)
			}
			values = append(values, v)
		}
	}
	switch p := p.(type) {
	case *float64:
		if len(values) != 1 {
			return fmt.Errorf("want one number")
		}
		*p = values[0]
	case *[2]float64:
		if len(values) != 2 {
			return fmt.Errorf("want two numbers, as a,b")
		}
		*p = [2]float64(values)
	case *PerView:
		switch len(values) {
		case 1:
			*p = PerView{values[0], values[0]}
		case 2:
			*p = PerView(values)
		default:
			return fmt.Errorf("want one number, or one per view as a,b")
		}
	case *[]float64:
		*p = values
	default:
		panic(fmt.Sprintf("run: no parser for fields of type %T", p))
	}
	return nil
}

// format is the inverse of assign.
func format(f reflect.Value) string {
	switch v := f.Interface().(type) {
	case string:
		return v
	case []string:
		return strings.Join(v, ",")
	case PerView:
		if v[0] == v[1] {
			return number(v[0])
		}
		return number(v[0]) + "," + number(v[1])
	case [2]float64:
		return number(v[0]) + "," + number(v[1])
	case []float64:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = number(x)
		}
		return strings.Join(parts, ",")
	case float64:
		return number(v)
	default:
		return fmt.Sprint(v)
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
