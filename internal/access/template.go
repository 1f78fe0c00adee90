package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// template is one {{...}} in a text: where it stands and the name inside.
type template struct {
	start, end int
	name       string // such as "identity.id"; empty if the template is malformed
}

// nextTemplate finds the first template at or after an offset.
func nextTemplate(s string, from int) (template, bool) {
	at := strings.Index(s[from:], "{{")
	if at < 0 {
		return template{}, false
	}
	t := template{start: from + at, end: len(s)}
	inside, _, closed := strings.Cut(s[t.start+2:], "}}")
	if !closed {
		return t, true
	}
	t.end = t.start + 2 + len(inside) + 2
	if name := strings.TrimSpace(inside); len(name) > len("identity.") && strings.HasPrefix(name, "identity.") && !strings.ContainsAny(name, "{}") {
		t.name = name
	}
	return t, true
}

func hasTemplate(s string) bool {
	_, found := nextTemplate(s, 0)
	return found
}

// checkTemplates refuses templates that could never be filled in (docs/reference/secrets.md section 4.3).
func checkTemplates(s string) error {
	for from := 0; ; {
		t, found := nextTemplate(s, from)
		if !found {
			return nil
		}
		if t.name == "" {
			return fault.Invalid("custom", fmt.Sprintf(`%.64q is not a template. Write {{identity.NAME}}, such as {{identity.id}}.`, s[t.start:t.end]))
		}
		from = t.end
	}
}

// Vars are what templates stand for, by name, such as "identity.id" or "identity.metadata.team"
// (docs/reference/secrets.md section 4.3).
type Vars map[string]string

// Expand returns a copy of the rules with their templates filled in. A value is data: in a $glob its wildcards count
// as plain characters. A template stays as text if its name is not in vars, if its value is empty or holds a brace, or
// if the text would become one that Compile refuses. Only the limit on all patterns of an ability can be passed by it.
func Expand(rules []Rule, vars Vars) []Rule {
	out := slices.Clone(rules)
	for i := range out {
		if out[i].Conditions == nil {
			continue
		}
		filled := make(Conditions, len(out[i].Conditions))
		for name, raw := range out[i].Conditions {
			filled[name] = vars.expand(raw)
		}
		out[i].Conditions = filled
	}
	return out
}

// expand fills in all texts of one condition.
func (v Vars) expand(raw any) any {
	switch raw := raw.(type) {
	case string:
		return v.fill(raw, false)
	case []string:
		return fillAll(v, raw)
	case []any:
		return fillAll(v, raw)
	case map[string]any:
		filled := make(map[string]any, len(raw))
		for name, inner := range raw {
			if s, ok := inner.(string); ok && name == "$glob" {
				filled[name] = v.fill(s, true)
			} else {
				filled[name] = v.expand(inner)
			}
		}
		return filled
	}
	return raw
}

func fillAll[T any](v Vars, list []T) []any {
	filled := make([]any, len(list))
	for i, raw := range list {
		filled[i] = v.expand(raw)
	}
	return filled
}

// fill fills in the templates of one text, or returns it as it is if the outcome would not do.
func (v Vars) fill(s string, isGlob bool) string {
	var b strings.Builder
	from := 0
	for {
		t, found := nextTemplate(s, from)
		if !found {
			break
		}
		b.WriteString(s[from:t.start])
		b.WriteString(v.value(s, t, isGlob))
		from = t.end
	}
	b.WriteString(s[from:])
	filled := b.String()
	if len(filled) > maxText {
		return s
	}
	if _, err := compileGlob(filled); isGlob && err != nil {
		return s
	}
	return filled
}

// value returns what a template of s stands for, or its own text. An empty value is as good as none: it would turn
// "/{{identity.metadata.team}}" into the root.
func (v Vars) value(s string, t template, isGlob bool) string {
	value, known := v[t.name]
	switch {
	case t.name == "" || !known || value == "" || strings.ContainsAny(value, "{}"):
		return s[t.start:t.end]
	case isGlob:
		return escapeGlob(value)
	}
	return value
}
