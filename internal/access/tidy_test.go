package access

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUntidyPaths(t *testing.T) {
	at := Fields{Environment("dev"), SecretPath("/app")}
	for name, condition := range map[string]any{
		"plain": "/app/", "doubled": "//app", "$eq": op("$eq", "/app/"), "$in": anyOf("/x", "/app//"), "$glob": op("$glob", "/app/"),
		"$glob with a star": op("$glob", "//a*/"), "$in given in code": op("$in", []string{"/app/"}),
	} {
		t.Run(name, func(t *testing.T) {
			rule := Rule{Subject: SubjectSecrets, Actions: Actions{ReadValue}, Conditions: Conditions{"secretPath": condition}}
			if !mustCompile(t, CompileProject, Tidy([]Rule{rule})...).Allows(ReadValue, SubjectSecrets, at) {
				t.Error("as it is stored now, it does not allow what it means")
			}
			if mustCompile(t, CompileProject, rule).Allows(ReadValue, SubjectSecrets, at) {
				t.Error("as it was stored, it has come to allow something")
			}
			rule.Inverted = true
			if mustCompile(t, CompileProject, allow(SubjectSecrets, ReadValue), rule).Allows(ReadValue, SubjectSecrets, at) {
				t.Error("as it was stored, it denies nothing")
			}
		})
	}
	kept := []Rule{reading(false, Conditions{"secretPath": "/", "environment": "dev/"})}
	if diff := cmp.Diff(kept, Tidy(kept)); diff != "" {
		t.Errorf("a tidy rule was changed: %s", diff)
	}
}

// A rule that an older version stored, and that is refused now, never allows more and never denies less.
func TestStoredRulesThatAreRefusedNow(t *testing.T) {
	odd := Conditions{"secretName": op("$glob", "[!a]b")}
	other := Fields{SecretName("xb")}
	for name, test := range map[string]struct {
		rules []Rule
		want  bool
	}{
		"refused/an allow rule":                {[]Rule{reading(false, odd)}, false},
		"allowed/another rule":                 {[]Rule{reading(false, odd), reading(false, nil)}, true},
		"refused/a denial":                     {[]Rule{reading(false, nil), reading(true, odd)}, false},
		"allowed/a denial of something else":   {[]Rule{reading(false, nil), {Subject: SubjectSecrets, Actions: Actions{Create}, Inverted: true, Conditions: odd}}, true},
		"allowed/a subject that is gone is no": {[]Rule{{Subject: "no-such", Actions: Actions{Read}}, reading(false, nil)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			rights, err := ResolveProject([]Grant{{Rules: test.rules}}, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := rights.Ability.Allows(ReadValue, SubjectSecrets, other); got != test.want {
				t.Errorf("Allows = %v, want %v", got, test.want)
			}
		})
	}
}
