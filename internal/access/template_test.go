package access

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestExpand(t *testing.T) {
	vars := Vars{
		"identity.id":            "i-1",
		"identity.metadata.team": "red",
		"identity.metadata.star": "*/**",
		"identity.metadata.none": "",
		"identity.metadata.odd":  "a{b",
		"identity.metadata.fake": "{{identity.id}}",
		"identity.metadata.long": strings.Repeat("a", maxText),
		"other.id":               "x",
	}
	tests := map[string]struct{ in, want any }{
		"plain text":                  {"dev", "dev"},
		"whole text":                  {"{{identity.id}}", "i-1"},
		"spaces":                      {"{{ identity.id }}", "i-1"},
		"several":                     {"/{{identity.metadata.team}}/{{identity.id}}/x", "/red/i-1/x"},
		"in a list":                   {anyOf("a", "{{identity.id}}"), anyOf("a", "i-1")},
		"in a list from code":         {op("$in", []string{"{{identity.id}}"}), anyOf("i-1")},
		"in a pair":                   {op("$elemMatch", op("value", op("$eq", "{{identity.id}}"))), op("$elemMatch", op("value", op("$eq", "i-1")))},
		"glob":                        {op("$glob", "/{{identity.metadata.team}}/**"), op("$glob", "/red/**")},
		"glob/wildcards are data":     {op("$glob", "/{{identity.metadata.star}}"), op("$glob", `/\*/\*\*`)},
		"equal/wildcards are data":    {op("$eq", "/{{identity.metadata.star}}"), op("$eq", "/*/**")},
		"left/unknown":                {"{{identity.name}}", "{{identity.name}}"},
		"left/one of two":             {"{{identity.name}}-{{identity.id}}", "{{identity.name}}-i-1"},
		"left/other root":             {"{{other.id}}", "{{other.id}}"},
		"left/open":                   {"{{identity.id", "{{identity.id"},
		"left/empty value":            {"/{{identity.metadata.none}}", "/{{identity.metadata.none}}"},
		"left/value with a brace":     {"{{identity.metadata.odd}}", "{{identity.metadata.odd}}"},
		"left/value with a template":  {"{{identity.metadata.fake}}", "{{identity.metadata.fake}}"},
		"left/too long":               {"x{{identity.metadata.long}}", "x{{identity.metadata.long}}"},
		"left/too long for a glob":    {op("$glob", "{{identity.metadata.long}}"), op("$glob", "{{identity.metadata.long}}")},
		"left/glob would not compile": {op("$glob", "[{{identity.id}}"), op("$glob", "[{{identity.id}}")},
		"left/number":                 {7.0, 7.0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rules := []Rule{reading(true, Conditions{"environment": test.in}), reading(false, nil)}
			want := []Rule{reading(true, Conditions{"environment": test.want}), reading(false, nil)}
			if diff := cmp.Diff(want, Expand(rules, vars)); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.in, rules[0].Conditions["environment"]); diff != "" {
				t.Errorf("the rules given were changed (-want +got):\n%s", diff)
			}
		})
	}
}

// A value with whatever characters gives access to itself only.
func TestExpandMatchesTheValueOnly(t *testing.T) {
	rule := reading(false, where(nil, op("$glob", "/users/{{identity.id}}/**"), nil))
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringOfN(rapid.RuneFrom([]rune(`ab*?[]{}!,\-^()é`)), 0, 8, -1).Draw(t, "value")
		other := rapid.StringOfN(rapid.RuneFrom([]rune(`ab*?[]\`)), 0, 3, -1).Draw(t, "other")
		a, err := CompileProject(Expand([]Rule{rule}, Vars{"identity.id": value}))
		if err != nil {
			t.Fatal(err)
		}
		usable := value != "" && !strings.ContainsAny(value, "{}")
		for _, at := range []string{value, other} {
			got := a.Allows(ReadValue, SubjectSecrets, Fields{SecretPath("/users/" + at + "/x")})
			if want := usable && at == value; got != want {
				t.Fatalf("with the value %q, reading below %q: %v, want %v", value, at, got, want)
			}
		}
	})
}
