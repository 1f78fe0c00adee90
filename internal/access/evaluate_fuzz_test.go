package access_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
)

// choices draws what a fuzz input says, byte by byte; when it is used up, the first of each choice.
type choices struct{ left []byte }

func (c *choices) below(n int) int {
	if len(c.left) == 0 {
		return 0
	}
	drawn := int(c.left[0]) % n
	c.left = c.left[1:]
	return drawn
}

func (c *choices) one(of ...string) string { return of[c.below(len(of))] }

// thing is what somebody asks for, as the slow evaluator sees it: text, or lists of text, by the name of the attribute. nil
// is the question whether there is any such thing.
type thing map[string][]string

// rule is a rule with what the slow evaluator makes of its conditions: one question for each.
type rule struct {
	access.Rule
	asks  []func(thing) bool
	never bool
}

// slowAllows follows docs/reference/secrets.md section 4.1 to the letter: some rule allows the action, or the "read"
// that stands for it, and none denies that. A denial of what "read" stands for denies "read" too.
func slowAllows(rules []rule, action access.Action, subject access.Subject, of thing) bool {
	names := []access.Action{action}
	if subject == "secrets" && (action == "describeSecret" || action == "readValue") {
		names = append(names, "read")
	}
	return slices.ContainsFunc(names, func(name access.Action) bool {
		named := func(r rule) bool { return r.Subject == subject && slices.Contains(r.Actions, name) && r.met(of) }
		allowed := slices.ContainsFunc(rules, func(r rule) bool { return !r.Inverted && !r.never && named(r) })
		denied := slices.ContainsFunc(rules, func(r rule) bool {
			return r.Inverted && r.Subject == subject && r.met(of) &&
				slices.ContainsFunc(r.Actions, func(of access.Action) bool { return slices.Contains(denies(subject, of), name) })
		})
		return allowed && !denied
	})
}

// denies returns all that the denial of an action denies.
func denies(subject access.Subject, action access.Action) []access.Action {
	switch {
	case subject == "secrets" && action == "read":
		return []access.Action{"read", "describeSecret", "readValue"}
	case subject == "secrets" && (action == "describeSecret" || action == "readValue"):
		return []access.Action{action, "read"}
	case action == "assign-role" || action == "assign-additional-privileges":
		return []access.Action{action, "grant-privileges"}
	}
	return []access.Action{action}
}

// met reports whether a thing meets the conditions. Without one, some thing may meet those of an allow rule.
func (r rule) met(of thing) bool {
	if of == nil {
		return len(r.asks) == 0 || !r.Inverted
	}
	for _, ask := range r.asks {
		if !ask(of) {
			return false
		}
	}
	return true
}

// FuzzEvaluate draws rules and a thing, and compares what an Ability says with slowAllows, which shares no code with it:
// globs are put together from parts whose meaning it knows as regular expressions.
func FuzzEvaluate(f *testing.F) {
	f.Add([]byte{})
	for seed := range byte(24) {
		var text []byte
		for i := range byte(60) {
			text = append(text, (i+1)*(2*seed+1)+i*i*seed)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &choices{data}
		subject := access.Subject(c.one("secrets", "dynamic-secrets", "secret-folders", "identity"))
		of, fields := drawThing(c, subject)
		var rules []rule
		var plain []access.Rule
		for range 1 + c.below(4) {
			r := drawRule(c, subject)
			rules, plain = append(rules, r), append(plain, r.Rule)
		}
		ability, err := access.CompileProject(plain)
		if err != nil {
			t.Fatalf("%+v: %v", plain, err)
		}
		for _, action := range actions[subject] {
			if got, want := ability.Allows(action, subject, fields), slowAllows(rules, action, subject, of); got != want {
				t.Fatalf("%s of %v by %+v: %v, want %v", action, of, plain, got, want)
			}
		}
	})
}

// actions are what is asked of each subject.
var actions = map[access.Subject][]access.Action{
	"secrets":         {"describeSecret", "readValue", "create"},
	"dynamic-secrets": {"lease", "read-root-credential"},
	"secret-folders":  {"create", "edit"},
	"identity":        {"create-token", "assign-role", "assign-additional-privileges", "grant-privileges"},
}

// keys are the conditions of each subject, as docs/reference/secrets.md section 4.2 lists them.
var keys = map[access.Subject][]string{
	"secrets":         {"environment", "secretPath", "secretName", "secretTags"},
	"dynamic-secrets": {"environment", "secretPath", "metadata"},
	"secret-folders":  {"environment", "secretPath"},
	"identity":        {"identityId"},
}

// drawThing draws a thing of a subject, or nil, and the same as a check takes it.
func drawThing(c *choices, subject access.Subject) (thing, access.Fields) {
	if c.below(8) == 7 {
		return nil, nil
	}
	of := thing{}
	fields := access.Fields{}
	for _, key := range keys[subject] {
		if c.below(6) == 5 {
			continue
		}
		switch key {
		case "environment":
			of[key] = []string{c.one("dev", "prod", "d", "dév", "")}
			fields = append(fields, access.Environment(of[key][0]))
		case "secretPath":
			of[key] = []string{drawPath(c)}
			fields = append(fields, access.SecretPath(of[key][0]))
		case "secretName":
			of[key] = []string{c.one("a", "ab", "b", "aé", "a/b", "*", "")}
			fields = append(fields, access.SecretName(of[key][0]))
		case "identityId":
			of[key] = []string{c.one("a", "b", "c")}
			fields = append(fields, access.IdentityID(of[key][0]))
		case "secretTags":
			of[key] = []string{"a", "b", "c"}[:c.below(4)]
			fields = append(fields, access.SecretTags(of[key]))
		case "metadata":
			of[key] = []string{"a=a", "b=a", "a=b"}[c.below(3):]
			var pairs []access.Pair
			for _, pair := range of[key] {
				pairs = append(pairs, access.Pair{Key: pair[:1], Value: pair[2:]})
			}
			fields = append(fields, access.Metadata(pairs))
		}
	}
	if len(fields) == 0 {
		return nil, nil
	}
	return of, fields
}

func drawPath(c *choices) string {
	path := ""
	for range c.below(4) {
		path += "/" + c.one("a", "b", "ab", "ba", "aé", "[a]", "x*")
	}
	if path == "" {
		return "/"
	}
	return path
}

func drawRule(c *choices, subject access.Subject) rule {
	r := rule{Rule: access.Rule{Subject: subject, Inverted: c.below(3) == 2, Conditions: access.Conditions{}}}
	for _, action := range actions[subject] {
		if c.below(2) == 0 {
			r.Actions = append(r.Actions, action)
		}
	}
	if len(r.Actions) == 0 {
		r.Actions = access.Actions{actions[subject][0]}
		if subject == "secrets" {
			r.Actions[0] = "read"
		}
	}
	for _, key := range keys[subject] {
		if c.below(3) == 2 {
			continue
		}
		r.Conditions[key] = r.drawCondition(c, key)
	}
	return r
}

// drawCondition draws what a rule asks of one attribute, and adds what that means to the questions.
func (r *rule) drawCondition(c *choices, key string) any {
	switch key {
	case "secretTags":
		list := []string{c.one("a", "b", "z"), c.one("a", "c")}
		r.ask(key, false, func(v string) bool { return slices.Contains(list, v) })
		return map[string]any{"$in": []any{list[0], list[1]}}
	case "metadata":
		return r.drawElement(c)
	}
	values := map[string][]string{"environment": {"dev", "prod", "dév", "{{identity.id}}"}, "secretPath": {"/", "/a", "/a/b", "/aé"}, "secretName": {"a", "ab", "*", ""}, "identityId": {"a", "b", ""}}[key]
	if c.below(4) == 3 {
		want := r.value(c, values)
		r.ask(key, false, func(v string) bool { return v == want })
		return want
	}
	operators := map[string]any{}
	for range 1 + c.below(2) {
		r.drawOperator(c, key, values, operators)
	}
	return operators
}

// drawOperator adds one operator that is not there yet.
func (r *rule) drawOperator(c *choices, key string, values []string, operators map[string]any) {
	operator := c.one("$eq", "$ne", "$in", "$glob")
	if operators[operator] != nil || operator == "$glob" && key == "identityId" {
		operator = "$ne"
	}
	if operators[operator] != nil {
		return
	}
	if operator == "$glob" {
		r.drawGlob(c, key, operators)
		return
	}
	switch want := r.value(c, values); operator {
	case "$eq":
		operators[operator] = want
		r.ask(key, false, func(v string) bool { return v == want })
	case "$ne":
		operators[operator] = want
		r.ask(key, true, func(v string) bool { return v != want })
	case "$in":
		other := r.value(c, values)
		operators[operator] = []any{want, other}
		r.ask(key, false, func(v string) bool { return v == want || v == other })
	}
}

// drawGlob adds a $glob, or a $ne where there may be none.
func (r *rule) drawGlob(c *choices, key string, operators map[string]any) {
	text, expression := drawGlob(c, key)
	if key == "environment" && r.Subject == "secret-folders" {
		if operators["$ne"] == nil {
			operators["$ne"] = text
			r.ask(key, true, func(v string) bool { return v != text })
		}
		return
	}
	operators["$glob"] = text
	r.ask(key, false, expression.MatchString)
}

// value draws a value. One that is a template is filled in by nobody here: an allow rule with it never matches.
func (r *rule) value(c *choices, values []string) string {
	drawn := c.one(values...)
	r.never = r.never || strings.Contains(drawn, "{{")
	return drawn
}

// drawElement draws an $elemMatch: one of the pairs must meet all of it.
func (r *rule) drawElement(c *choices) any {
	key, value := c.one("", "a", "b"), c.one("a", "b", "")
	if key == "" && value == "" {
		key = "a"
	}
	unequal := c.below(2) == 1
	element := map[string]any{}
	if key != "" {
		element["key"] = key
	}
	if value != "" && unequal {
		element["value"] = map[string]any{"$ne": value}
	} else if value != "" {
		element["value"] = map[string]any{"$eq": value}
	}
	r.ask("metadata", false, func(pair string) bool {
		return (key == "" || pair[:1] == key) && (value == "" || (pair[2:] == value) != unequal)
	})
	return map[string]any{"$elemMatch": element}
}

// ask adds a question: is there a value that meets it? absent is what it says of a thing without the attribute.
func (r *rule) ask(key string, absent bool, meets func(string) bool) {
	r.asks = append(r.asks, func(of thing) bool {
		values, there := of[key]
		if !there {
			return absent
		}
		return slices.ContainsFunc(values, meets)
	})
}

// globs are globs by the attribute that they are for, each with the regular expression of what it matches among the values
// that are drawn.
var globs = map[bool][]struct{ glob, expression string }{
	true: {
		{"/**", "/.*"}, {"/a/**", "/a(/.*)?"}, {"/*", "/[^/]+"}, {"/a/*", "/a/[^/]+"}, {"/a/**/b", "/a(/.*)?/b"}, {"/**/b", "/.+/b"},
		{"/[ab]/**", "/[ab](/.*)?"}, {"/{a,b}*", "/[ab][^/]*"}, {"/a?", "/a[^/]"}, {"/[^a]*", "/[^a/][^/]*"}, {"/*/**", "/[^/]+/.*"}, {`/x\*`, `/x\*`},
	},
	false: {
		{"*", "[^/]+"}, {"**", ".+"}, {"a*", "a[^/]*"}, {"d*", "d[^/]*"}, {"?", "[^/]"}, {"a?", "a[^/]"}, {"[ab]", "[ab]"}, {"{a,ab}", "a|ab"},
		{`\*`, `\*`}, {"[a-c]*", "[a-c][^/]*"}, {"[^a]", "[^a/]"}, {"*{v,b}", "[^/]*(v|b)"},
	},
}

// drawGlob draws a glob for an attribute, with the regular expression that matches what it should.
func drawGlob(c *choices, key string) (glob string, expression *regexp.Regexp) {
	of := globs[key == "secretPath"]
	drawn := of[c.below(len(of))]
	return drawn.glob, regexp.MustCompile("^(" + drawn.expression + ")$")
}
