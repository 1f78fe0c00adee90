package access

import (
	"maps"
	"strings"
)

// Tidy returns rules as they are to be stored: secret paths are written as folders have them, without a slash at the end
// and without doubled ones. Otherwise a rule on "/app/" would match nothing, and a denial on it would deny nothing.
func Tidy(rules []Rule) []Rule {
	tidied := make([]Rule, len(rules))
	for i, r := range rules {
		r.Conditions = r.Conditions.tidy()
		tidied[i] = r
	}
	return tidied
}

// tidy returns the conditions with tidy paths.
func (c Conditions) tidy() Conditions {
	raw, there := c[keyNames[keySecretPath]]
	if !there {
		return c
	}
	c = maps.Clone(c)
	c[keyNames[keySecretPath]] = tidyPaths(raw)
	return c
}

// tidyPaths tidies what a condition asks of a path: a text, a list, or an object of operators.
func tidyPaths(raw any) any {
	switch raw := raw.(type) {
	case string:
		return tidyPath(raw)
	case []string:
		list := make([]any, len(raw))
		for i, s := range raw {
			list[i] = tidyPath(s)
		}
		return list
	case []any:
		list := make([]any, len(raw))
		for i, inner := range raw {
			list[i] = tidyPaths(inner)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(raw))
		for name, inner := range raw {
			object[name] = tidyPaths(inner)
		}
		return object
	}
	return raw
}

func tidyPath(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return path
}

// stored returns rules so that Compile takes them, where an older version stored rules that this one refuses: an allow rule
// that it refuses is left out, and a denial denies without conditions. Otherwise whoever has such a role could not log in.
func (v *vocabulary) stored(rules []Rule) []Rule {
	var kept []Rule
	for _, r := range rules {
		if _, err := v.compile([]Rule{r}); err == nil {
			kept = append(kept, r)
			continue
		}
		r.Conditions = nil
		if _, err := v.compile([]Rule{r}); err == nil && r.Inverted {
			kept = append(kept, r)
		}
	}
	return kept
}
