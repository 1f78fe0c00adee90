package secret

import (
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/project"
)

// folders are the secrets of FuzzExpand, in the order of its texts. They are fewer than references may be deep.
var spots = []locatedName{
	{"dev", "/", "A"}, {"dev", "/", "B"}, {"dev", "/", "C"}, {"dev", "/x", "A"}, {"dev", "/x", "D"},
	{"prod", "/", "A"}, {"prod", "/", "B"}, {"prod", "/x/y", "C"}, {"prod", "/x", "E"},
}

// FuzzExpand expands the references of secrets whose values are the parts of a text, cut at semicolons, and compares with
// slowExpander. The bits of hidden say which of them the caller may not read, those of multiline which are to be quoted.
func FuzzExpand(f *testing.F) {
	for _, seed := range []struct {
		text              string
		hidden, multiline uint16
	}{
		{"a;${A}${A};<${B}>", 0, 0}, {"${B};${C};${A}", 0, 0}, {"x${A}y;$;${B}{A}", 0, 0}, {"${prod.A};${prod.x.y.C};${@shop.dev.A};${B}", 0, 0},
		{"${${B}};A;${x.A};${D};d;${E}", 0, 0}, {"${dev.x.A};${dev..x..D};${.A}${A.}${..};${A};q", 0, 0}, {"a\nb;${A};${B}", 0, 6},
		{"${prod.A};1;${A}${C}${B};;;${dev.B}", 32, 0}, {"$1${B}$&;${C}$$;\\1", 2, 1}, {"${A}${B};${A}${B};${C${A}};${", 0, 7},
	} {
		f.Add(seed.text, seed.hidden, seed.multiline)
	}
	f.Fuzz(func(t *testing.T, text string, hidden, multiline uint16) {
		if len(text) > 500 {
			return
		}
		secrets := secretsOf(text, hidden, multiline)
		slow := &slowExpander{secrets: map[locatedName]*Secret{}}
		for _, s := range secrets {
			slow.secrets[s.name()] = s
		}
		want := make([]seen, len(secrets))
		for i, s := range secrets {
			want[i] = slow.shown(s)
		}
		if slow.steps > mostSteps {
			return
		}
		e := (&projectScope{Access: &project.Access{Project: &project.Project{}}}).expander("")
		for _, s := range secrets { // there is no database to find them in
			known := *s
			e.found[s.name()] = &known
		}
		for _, to := range slow.nowhere {
			e.found[to], e.imported[to] = nil, nil
		}
		if err := e.all(t.Context(), secrets); err != nil {
			t.Fatal(err)
		}
		for i, s := range secrets {
			if s.Value != want[i].text {
				t.Errorf("%v is %q, want %q", s.name(), s.Value, want[i].text)
			}
			if want[i].refused != (s.Unexpanded != nil && s.Unexpanded.Kind == fault.Forbidden) {
				t.Errorf("%v: refused is %v, want %v", s.name(), s.Unexpanded, want[i].refused)
			}
		}
	})
}

func secretsOf(text string, hidden, multiline uint16) (secrets []*Secret) {
	for i, value := range strings.SplitN(text, ";", len(spots)) {
		at := spots[i]
		s := &Secret{Environment: at.environment, Path: at.path, Key: at.key, Value: value, Hidden: hidden>>i&1 == 1, SkipMultiline: multiline>>i&1 == 1}
		secrets = append(secrets, s)
	}
	return secrets
}

// slowExpander does what docs/reference/secrets.md sections 2.1 and 2.2 say, and remembers nothing. Text that was put
// in is not searched again.
type slowExpander struct {
	secrets map[locatedName]*Secret
	nowhere []locatedName // that references lead to
	refused bool
	steps   int
}

// seen is what a caller sees of a secret.
type seen struct {
	text    string
	refused bool // it leads to a hidden value, and stands as it is stored
}

// mostSteps is how many references slowExpander follows before it gives up.
const mostSteps = 3000

var anyReference = regexp.MustCompile(`\$\{[a-zA-Z0-9_.@-]+\}`)

// shown returns the value of a secret as a caller sees it.
func (e *slowExpander) shown(s *Secret) seen {
	if s.Hidden || !anyReference.MatchString(s.Value) {
		return seen{text: s.Value}
	}
	e.refused = false
	value := e.value(s, []locatedName{s.name()})
	if e.refused {
		return seen{s.Value, true}
	}
	if s.SkipMultiline && strings.Contains(value, "\n") {
		value = `"` + strings.Join(strings.Split(value, "\n"), `\n`) + `"`
	}
	return seen{text: value}
}

// value replaces each reference of a secret once.
func (e *slowExpander) value(s *Secret, above []locatedName) string {
	return anyReference.ReplaceAllStringFunc(s.Value, func(reference string) string {
		value, leads := e.follow(strings.Trim(reference, "${}"), s, above)
		if !leads {
			return reference
		}
		return value
	})
}

// follow returns what a reference in s stands for, and whether it leads anywhere.
func (e *slowExpander) follow(name string, s *Secret, above []locatedName) (value string, leads bool) {
	if e.steps++; e.steps > mostSteps {
		return "", false
	}
	to := locatedName{s.Environment, s.Path, name}
	if first, rest, dotted := strings.Cut(name, "."); dotted {
		if name[0] == '@' {
			return "", false
		}
		to = locatedName{environment: first}
		for {
			folder, more, inside := strings.Cut(rest, ".")
			if !inside {
				break
			}
			if rest = more; folder != "" {
				to.path += "/" + folder
			}
		}
		to.key = rest
		if to.path == "" {
			to.path = "/"
		}
	}
	for _, name := range above {
		if name == to {
			return "", true
		}
	}
	target := e.secrets[to]
	if target == nil {
		e.nowhere = append(e.nowhere, to)
		return "", false
	}
	if target.Hidden {
		e.refused = true
		return "", true
	}
	return e.value(target, append(append([]locatedName(nil), above...), to)), true
}
