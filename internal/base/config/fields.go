package config

import (
	"cmp"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Setting describes one setting, as its field's tags do.
type Setting struct {
	Flag, Env string
	Group     string // the heading in --help; empty for settings of the server itself
	Default   string // empty for none
	Least     string // of the values that it may have; empty where nothing bounds it
	Most      string
	Hidden    bool // whether it should be set by its variable alone
	OrZero    bool // whether 0 is allowed too, as a value that the help explains
	Help      string
}

// Settings returns the settings in the order of --help.
func Settings() (all []Setting) {
	walk(reflect.ValueOf(&Server{}).Elem(), "", func(s Setting, _ reflect.Value) { all = append(all, s) })
	return all
}

// Defaults returns the settings of a server that is told nothing.
func Defaults() Server {
	var s Server
	walk(reflect.ValueOf(&s).Elem(), "", func(setting Setting, field reflect.Value) {
		if setting.Default != "" {
			setDefault(field, setting.Default)
		}
	})
	return s
}

// walk visits each setting of a struct with its field. Embedded structs are groups of settings.
func walk(of reflect.Value, group string, visit func(Setting, reflect.Value)) {
	for i := range of.NumField() {
		field, tag := of.Type().Field(i), of.Type().Field(i).Tag
		if field.Anonymous {
			walk(of.Field(i), cmp.Or(tag.Get("group"), group), visit)
			continue
		}
		s := Setting{Env: tag.Get("env"), Group: cmp.Or(tag.Get("group"), group), Default: tag.Get("default"), Help: tag.Get("help")}
		_, s.Hidden = tag.Lookup("hidden")
		s.Flag = strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(s.Env, "SALLYPORT_"), "_", "-"))
		s.Least, s.Most, _ = strings.Cut(tag.Get("within"), ",")
		s.Least, s.OrZero = strings.CutPrefix(s.Least, "0 or ")
		visit(s, of.Field(i))
	}
}

// checkRanges refuses values outside of what a field's tag allows.
func (s *Server) checkRanges() (err error) {
	walk(reflect.ValueOf(s).Elem(), "", func(setting Setting, field reflect.Value) {
		if err == nil && setting.Most != "" {
			err = setting.check(field.Int())
		}
	})
	return err
}

func (s Setting) check(n int64) error {
	if s.OrZero && n == 0 || n >= number(s.Least) && n <= number(s.Most) {
		return nil
	}
	zero := ""
	if s.OrZero {
		zero = "0, or "
	}
	return fmt.Errorf("--%s must be %sbetween %s and %s", s.Flag, zero, s.Least, s.Most)
}

func setDefault(field reflect.Value, text string) {
	switch field.Kind() {
	case reflect.String:
		field.SetString(text)
	case reflect.Bool:
		field.SetBool(text == "true")
	case reflect.Slice:
		field.Set(reflect.ValueOf(strings.Split(text, ",")))
	default:
		field.SetInt(number(text))
	}
}

// number reads a number or a duration of a tag. TestTags finds tags that cannot be read.
func number(text string) int64 {
	if d, err := time.ParseDuration(text); err == nil {
		return int64(d)
	}
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}
