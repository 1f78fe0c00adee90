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

// A condition on a slug or an id in upper case, or with white space around a text, means the thing that it names: requests are read
// so everywhere.
func TestUntidyTexts(t *testing.T) {
	const upper, lower = "01890000-0000-7000-8000-0000000000AB", "01890000-0000-7000-8000-0000000000ab"
	secret := Fields{Environment("prod"), SecretPath("/App"), SecretName("Key"), SecretTags([]string{"Tag"})}
	member := Fields{IdentityID(lower), AssignableRole("auditor")}
	for name, test := range map[string]struct {
		subject Subject
		action  Action
		at      Fields
		where   Conditions
	}{
		"an environment":          {SubjectSecrets, ReadValue, secret, Conditions{"environment": "PROD"}},
		"environments":            {SubjectSecrets, ReadValue, secret, Conditions{"environment": anyOf("dev", " Prod\n")}},
		"a glob of environments":  {SubjectSecrets, ReadValue, secret, Conditions{"environment": op("$glob", "PRO*")}},
		"a path with a new line":  {SubjectSecrets, ReadValue, secret, Conditions{"secretPath": "/App/\n"}},
		"a name with blanks":      {SubjectSecrets, ReadValue, secret, Conditions{"secretName": op("$eq", " Key ")}},
		"a tag with a new line":   {SubjectSecrets, ReadValue, secret, Conditions{"secretTags": anyOf("Tag\n")}},
		"an identity":             {SubjectIdentity, Edit, member, Conditions{"identityId": upper}},
		"a role":                  {SubjectIdentity, Edit, member, Conditions{"assignableRole": op("$in", []string{"Auditor "})}},
		"unchanged/path and name": {SubjectSecrets, ReadValue, secret, Conditions{"secretPath": "/App", "secretName": "Key"}},
	} {
		t.Run(name, func(t *testing.T) {
			rule := Rule{Subject: test.subject, Actions: Actions{test.action}, Conditions: test.where, Inverted: true}
			if mustCompile(t, CompileProject, append(Tidy([]Rule{rule}), allow(test.subject, test.action))...).Allows(test.action, test.subject, test.at) {
				t.Error("the denial denies nothing")
			}
		})
	}
	kept := []Rule{reading(false, Conditions{"environment": "{{identity.metadata.Team}}", "metadata": op("$elemMatch", map[string]any{"key": " A "})})}
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
