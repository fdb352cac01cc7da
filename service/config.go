package service

import (
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Variable documents one environment variable of a configuration struct.
type Variable struct {
	Name     string
	Type     string // "string", "int", "duration" …
	Default  string
	Help     string
	Required bool
	Secret   bool

	field reflect.Value
}

// Variables lists the fields of the struct that config points to which have a
// tag `env:"NAME[,required][,secret]"`, with their `default` and `help` tags;
// embedded structs are looked into. Fields may be strings, booleans, numbers,
// time.Duration, []string (comma-separated) or an [encoding.TextUnmarshaler].
func Variables(config any) ([]Variable, error) {
	v := reflect.ValueOf(config)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("configuration is a %T, need a pointer to a struct", config)
	}
	return variables(v.Elem())
}

func variables(v reflect.Value) ([]Variable, error) {
	var all []Variable
	for i := range v.NumField() {
		f, field := v.Type().Field(i), v.Field(i)
		if f.Anonymous && field.Kind() == reflect.Struct {
			inner, err := variables(field)
			if err != nil {
				return nil, err
			}
			all = append(all, inner...)
			continue
		}
		tag, ok := f.Tag.Lookup("env")
		if !ok {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		x := Variable{Name: name, Default: f.Tag.Get("default"), Help: f.Tag.Get("help"), field: field}
		for o := range strings.SplitSeq(options, ",") {
			switch o {
			case "":
			case "required":
				x.Required = true
			case "secret":
				x.Secret = true
			default:
				return nil, fmt.Errorf("field %s: unknown option %q", f.Name, o)
			}
		}
		if f.IsExported() {
			x.Type = typeName(field)
		}
		if x.Type == "" {
			return nil, fmt.Errorf("field %s of type %s cannot be set from the environment", f.Name, f.Type)
		}
		all = append(all, x)
	}
	return all, nil
}

func typeName(v reflect.Value) string {
	if _, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return "text"
	}
	if v.Type() == reflect.TypeFor[time.Duration]() {
		return "duration"
	}
	switch {
	case v.Kind() == reflect.String:
		return "string"
	case v.Kind() == reflect.Bool:
		return "bool"
	case v.CanInt():
		return "int"
	case v.CanUint():
		return "unsigned int"
	case v.CanFloat():
		return "number"
	case v.Type() == reflect.TypeFor[[]string]():
		return "list"
	}
	return ""
}

// Load fills the struct that config points to from the environment and then
// calls its Validate() error, if it has one. The error names every variable
// that is wrong, and never shows the value of a secret.
func Load(config any, lookup func(string) (string, bool)) error {
	all, err := Variables(config)
	if err != nil {
		return err
	}
	var errs []error
	for _, x := range all {
		text, set := lookup(x.Name)
		if !set || text == "" {
			text = x.Default
		}
		if text == "" {
			if x.Required {
				errs = append(errs, fmt.Errorf("%s is required: %s", x.Name, x.Help))
			}
			continue
		}
		if err := setField(x.field, text); err != nil {
			if x.Secret {
				err = errors.New("the value does not fit")
			}
			errs = append(errs, fmt.Errorf("%s is not a valid %s: %w", x.Name, x.Type, err))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	if c, ok := config.(interface{ Validate() error }); ok {
		return c.Validate()
	}
	return nil
}

func setField(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	if v.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(text)
		v.SetInt(int64(d))
		return err
	}
	switch {
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(text)
		v.SetBool(b)
		return err
	case v.CanInt():
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
		return err
	case v.CanUint():
		n, err := strconv.ParseUint(text, 10, v.Type().Bits())
		v.SetUint(n)
		return err
	case v.CanFloat():
		n, err := strconv.ParseFloat(text, v.Type().Bits())
		v.SetFloat(n)
		return err
	default: // []string
		list := strings.Split(text, ",")
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
		v.Set(reflect.ValueOf(list))
	}
	return nil
}

// printHelp documents the variables for a person.
func printHelp(w io.Writer, name string, all []Variable, commands [][2]string) {
	fmt.Fprintf(w, "%s is configured by its environment:\n\n", name)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, x := range all {
		note := x.Help
		switch {
		case x.Required:
			note += " (required)"
		case x.Default != "" && x.Secret:
			note += " (has a default)"
		case x.Default != "":
			note += fmt.Sprintf(" (default %s)", x.Default)
		}
		if x.Secret {
			note += " (secret)"
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\n", x.Name, x.Type, note)
	}
	_ = t.Flush() // as for every line of a help text
	if len(commands) > 0 {
		fmt.Fprintf(w, "\nCommands:\n\n")
		for _, c := range commands {
			fmt.Fprintf(t, "  %s\t%s\n", c[0], c[1])
		}
		_ = t.Flush()
	}
	fmt.Fprintf(w, "\nArguments: --help, --version.\n")
}

// shown is the value of a variable as it may be logged.
func (x Variable) shown() string {
	if !x.Secret {
		return fmt.Sprint(x.field.Interface())
	}
	if x.field.IsZero() {
		return ""
	}
	return "*****"
}
