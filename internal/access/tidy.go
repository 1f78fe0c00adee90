package access

import (
	"maps"
	"strings"
)

// Tidy returns rules as they are to be stored: what conditions compare with is written as the things have it. Secret paths have no
// slash at the end and no doubled ones, slugs and ids are in lower case, and no text has white space around it. Otherwise a
// rule on "/app/" or on "PROD" would match nothing, and a denial on it would deny nothing.
func Tidy(rules []Rule) []Rule {
	tidied := make([]Rule, len(rules))
	for i, r := range rules {
		r.Conditions = r.Conditions.tidy()
		tidied[i] = r
	}
	return tidied
}

// tidiers say how the texts of conditions are written. Metadata is the caller's own.
var tidiers = map[string]func(string) string{
	keyNames[keySecretPath]:     tidyPath,
	keyNames[keyIdentityID]:     lowered,
	keyNames[keyConnectionID]:   lowered,
	keyNames[keyAssignableRole]: lowered,
	keyNames[keyEnvironment]:    lowered,
	keyNames[keySecretName]:     strings.TrimSpace,
	keyNames[keySecretTags]:     strings.TrimSpace,
}

// tidy returns the conditions with tidy texts.
func (c Conditions) tidy() Conditions {
	c = maps.Clone(c)
	for name, raw := range c {
		if tidier := tidiers[name]; tidier != nil {
			c[name] = tidyTexts(raw, tidier)
		}
	}
	return c
}

// tidyTexts tidies what a condition asks for: a text, a list, or an object of operators.
func tidyTexts(raw any, tidier func(string) string) any {
	switch raw := raw.(type) {
	case string:
		return tidier(raw)
	case []string:
		list := make([]any, len(raw))
		for i, s := range raw {
			list[i] = tidier(s)
		}
		return list
	case []any:
		list := make([]any, len(raw))
		for i, inner := range raw {
			list[i] = tidyTexts(inner, tidier)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(raw))
		for name, inner := range raw {
			object[name] = tidyTexts(inner, tidier)
		}
		return object
	}
	return raw
}

func tidyPath(path string) string {
	path = strings.TrimSpace(path)
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return path
}

// lowered returns a slug or an id in lower case. The names in templates keep theirs.
func lowered(text string) string {
	text = strings.TrimSpace(text)
	if hasTemplate(text) {
		return text
	}
	return strings.ToLower(text)
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
