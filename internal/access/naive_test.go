package access

import (
	"slices"
	"sync"

	"pgregory.net/rapid"
)

// request is a concrete thing that somebody asks for. A key that is missing is an attribute that the thing lacks.
type request map[string]any

// fields turns a request into what a check takes.
func (r request) fields() Fields {
	var f Fields
	for name, value := range r {
		k, _ := keyNamed(name)
		switch value := value.(type) {
		case string:
			f = append(f, Field{key: k, text: value})
		case []string:
			f = append(f, Field{key: k, list: value})
		case []Pair:
			f = append(f, Field{key: k, pairs: value})
		}
	}
	return f
}

// naive follows docs/reference/secrets.md section 4.1 to the letter. A nil request is a check without fields.
func naive(rules []Rule, action Action, subject Subject, r request) bool {
	switch {
	case subject == SubjectSecrets && (action == ReadValue || action == DescribeSecret):
		return naiveOne(rules, subject, r, Actions{action}, Actions{action, Read}) ||
			naiveOne(rules, subject, r, Actions{Read}, Actions{Read, ReadValue, DescribeSecret})
	}
	return naiveOne(rules, subject, r, Actions{action}, Actions{action})
}

// naiveOne reports whether a rule allows one of some actions, and none denies one of others.
func naiveOne(rules []Rule, subject Subject, r request, allowing, denying Actions) bool {
	allowed := false
	for _, rule := range rules {
		named := allowing
		if rule.Inverted {
			named = denying
		}
		if rule.Subject != subject || !slices.ContainsFunc(named, func(a Action) bool { return slices.Contains(rule.Actions, a) }) {
			continue
		}
		met := meetsAll(rule.Conditions, r)
		if r == nil {
			met = len(rule.Conditions) == 0 || !rule.Inverted
		}
		if met && rule.Inverted {
			return false
		}
		allowed = allowed || met
	}
	return allowed
}

func meetsAll(conditions map[string]any, r request) bool {
	for name, raw := range conditions {
		if s, ok := raw.(string); ok {
			raw = map[string]any{"$eq": s}
		}
		for op, want := range raw.(map[string]any) {
			if !meets(r[name], op, want) {
				return false
			}
		}
	}
	return true
}

func meets(have any, op string, want any) bool {
	switch have := have.(type) {
	case string:
		switch op {
		case "$eq":
			return have == want
		case "$ne":
			return have != want
		case "$in":
			return slices.Contains(want.([]any), any(have))
		case "$glob":
			return naiveGlob(want.(string), have)
		}
	case []string:
		return slices.ContainsFunc(have, func(s string) bool { return meets(s, op, want) })
	case []Pair:
		return slices.ContainsFunc(have, func(p Pair) bool {
			return meetsAll(want.(map[string]any), request{"key": p.Key, "value": p.Value})
		})
	}
	return op == "$ne"
}

// naiveGlob is the matcher, which TestGlobAsPicomatch compares with picomatch.
func naiveGlob(pattern, value string) bool {
	known, ok := naiveGlobs.Load(pattern)
	if !ok {
		g, _ := compileGlob(pattern)
		known, _ = naiveGlobs.LoadOrStore(pattern, g)
	}
	g := known.(*glob)
	return g != nil && g.match(value)
}

var naiveGlobs sync.Map // pattern to glob

// The small universe of the properties.
var (
	environments = []any{nil, "dev", "prod", "test"}
	paths        = []any{nil, "/", "/app", "/app/x", "/app/x/y", "/apple", "/other/x"}
	names        = []any{nil, "A", "AB", "B"}
	tagSets      = []any{nil, []string{}, []string{"red"}, []string{"red", "blue"}}
	pairSets     = []any{nil, []Pair{}, []Pair{{"team", "a"}}, []Pair{{"team", "b"}, {"tier", "a"}}}

	pathGlobs = []any{"/**", "/app/**", "/app/*", "/app*", "/*", "/app/x/**", "/app/x", "/{app,other}/**", "/**/x",
		"/app/**/y", "/other/?", "/[ab]pp", "/[^a]*/**", "/app{le,}", "/other/**"}
	nameGlobs = []any{"*", "A*", "?", "{A,B}", "A", "**", "*B"}
)

// every returns all requests of the universe for a subject, the one without fields first.
func every(subject Subject) []request {
	all := []request{nil}
	add := func(r request, name string, value any) {
		if value != nil {
			r[name] = value
		}
	}
	for _, env := range environments {
		for _, path := range paths {
			for _, last := range map[Subject][]any{SubjectSecrets: names, SubjectDynamicSecrets: pairSets}[subject] {
				for _, tags := range map[Subject][]any{SubjectSecrets: tagSets, SubjectDynamicSecrets: {nil}}[subject] {
					r := request{}
					add(r, "environment", env)
					add(r, "secretPath", path)
					add(r, map[Subject]string{SubjectSecrets: "secretName", SubjectDynamicSecrets: "metadata"}[subject], last)
					add(r, "secretTags", tags)
					if len(r) > 0 {
						all = append(all, r)
					}
				}
			}
		}
	}
	return all
}

// universe are all requests by subject.
var universe = map[Subject][]request{
	SubjectSecrets:        every(SubjectSecrets),
	SubjectDynamicSecrets: every(SubjectDynamicSecrets),
}

// askable are the actions that are asked for.
var askable = map[Subject][]Action{SubjectSecrets: {ReadValue, DescribeSecret, Create}, SubjectDynamicSecrets: {Lease}}

// nameable are the actions that generated rules name.
var nameable = map[Subject][]Actions{
	SubjectSecrets:        {{ReadValue}, {Create}, {ReadValue, Create}, {DescribeSecret, ReadValue}, {Read}, {Read, Create}},
	SubjectDynamicSecrets: {{Lease}},
}

// drawRules draws a list of rules over the universe.
func drawRules(t *rapid.T, label string, atMost int) []Rule {
	rules := make([]Rule, rapid.IntRange(0, atMost).Draw(t, label+" length"))
	for i := range rules {
		rules[i] = drawRule(t, label)
	}
	return rules
}

func drawRule(t *rapid.T, label string) Rule {
	subject := rapid.SampledFrom([]Subject{SubjectSecrets, SubjectSecrets, SubjectDynamicSecrets}).Draw(t, label+" subject")
	return Rule{
		Subject:    subject,
		Actions:    rapid.SampledFrom(nameable[subject]).Draw(t, label+" actions"),
		Inverted:   rapid.IntRange(0, 3).Draw(t, label+" inverted") == 0,
		Conditions: drawConditions(t, subject, label),
	}
}

func drawConditions(t *rapid.T, subject Subject, label string) Conditions {
	c := Conditions{}
	keys := []string{"environment", "secretPath", "secretName", "secretTags"}
	if subject == SubjectDynamicSecrets {
		keys = []string{"environment", "secretPath", "metadata"}
	}
	for _, name := range keys {
		if rapid.IntRange(0, 2).Draw(t, label+" has "+name) == 0 {
			c[name] = drawCondition(t, name, label)
		}
	}
	return c
}

func drawCondition(t *rapid.T, name, label string) any {
	switch name {
	case "environment":
		return drawOperators(t, environments[1:], []any{"*", "d*", "{dev,test}", "????"}, label)
	case "secretPath":
		return drawOperators(t, paths[1:], pathGlobs, label)
	case "secretName":
		return drawOperators(t, names[1:], nameGlobs, label)
	case "secretTags":
		return map[string]any{"$in": drawList(t, []any{"red", "blue", "green"}, label)}
	}
	return map[string]any{"$elemMatch": map[string]any{
		"key":   drawOperators(t, []any{"team", "tier"}, nil, label),
		"value": drawOperators(t, []any{"a", "b"}, nil, label),
	}}
}

func drawList(t *rapid.T, from []any, label string) []any {
	return rapid.SliceOfN(rapid.SampledFrom(from), 1, 3).Draw(t, label+" list")
}

// drawOperators draws one or two operators, or a plain string.
func drawOperators(t *rapid.T, values, globs []any, label string) any {
	one := rapid.SampledFrom(values)
	object := map[string]any{}
	for range rapid.IntRange(1, 2).Draw(t, label+" operators") {
		switch op := rapid.SampledFrom([]string{"", "$eq", "$ne", "$in", "$in", "$glob", "$glob"}).Draw(t, label+" operator"); {
		case op == "":
			return one.Draw(t, label+" value")
		case op == "$in":
			object[op] = drawList(t, values, label)
		case op == "$glob" && globs != nil:
			object[op] = rapid.SampledFrom(globs).Draw(t, label+" glob")
		case op != "$glob":
			object[op] = one.Draw(t, label+" value")
		}
	}
	if len(object) == 0 {
		return one.Draw(t, label+" value")
	}
	return object
}
