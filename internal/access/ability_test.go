package access

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/fault"
)

func mustCompile(t testing.TB, compile func([]Rule) (*Ability, error), rules ...Rule) *Ability {
	t.Helper()
	a, err := compile(rules)
	if err != nil {
		t.Fatalf("Compile(%v): %v", rules, err)
	}
	return a
}

// reading makes a rule on reading secret values.
func reading(inverted bool, conditions Conditions) Rule {
	return Rule{Subject: SubjectSecrets, Actions: Actions{ReadValue}, Inverted: inverted, Conditions: conditions}
}

func TestAllows(t *testing.T) {
	dev, prod := Conditions{"environment": "dev"}, Conditions{"environment": "prod"}
	inDev := Fields{Environment("dev"), SecretPath("/app")}
	tests := map[string]struct {
		rules []Rule
		with  Fields
		want  bool
	}{
		"refused/no rules":                             {nil, inDev, false},
		"refused/no rules without fields":              {nil, nil, false},
		"allowed/plain rule":                           {[]Rule{reading(false, nil)}, inDev, true},
		"allowed/empty conditions":                     {[]Rule{reading(false, Conditions{})}, inDev, true},
		"allowed/condition met":                        {[]Rule{reading(false, dev)}, inDev, true},
		"refused/condition not met":                    {[]Rule{reading(false, prod)}, inDev, false},
		"refused/later deny":                           {[]Rule{reading(false, nil), reading(true, dev)}, inDev, false},
		"allowed/later deny for others":                {[]Rule{reading(false, nil), reading(true, prod)}, inDev, true},
		"refused/deny before the allow":                {[]Rule{reading(true, nil), reading(false, dev)}, inDev, false},
		"allowed/deny for others before the allow":     {[]Rule{reading(true, prod), reading(false, nil)}, inDev, true},
		"refused/describing denied, read allowed":      {[]Rule{{Subject: SubjectSecrets, Actions: Actions{DescribeSecret}, Inverted: true}, allow(SubjectSecrets, Read)}, inDev, false},
		"allowed/describing denied, reading allowed":   {[]Rule{{Subject: SubjectSecrets, Actions: Actions{DescribeSecret}, Inverted: true}, allow(SubjectSecrets, ReadValue)}, inDev, true},
		"refused/read denied, reading allowed":         {[]Rule{allow(SubjectSecrets, ReadValue), {Subject: SubjectSecrets, Actions: Actions{Read}, Inverted: true}}, inDev, false},
		"allowed/without fields conditional allow":     {[]Rule{reading(false, prod)}, nil, true},
		"allowed/without fields conditional deny":      {[]Rule{reading(false, nil), reading(true, prod)}, nil, true},
		"refused/without fields plain deny":            {[]Rule{reading(false, nil), reading(true, nil)}, nil, false},
		"refused/one of two keys":                      {[]Rule{reading(false, Conditions{"environment": "dev", "secretPath": "/x"})}, inDev, false},
		"refused/one of two operators":                 {[]Rule{reading(false, Conditions{"secretPath": map[string]any{"$glob": "/**", "$ne": "/app"}})}, inDev, false},
		"allowed/both operators":                       {[]Rule{reading(false, Conditions{"secretPath": map[string]any{"$glob": "/**", "$ne": "/x"}})}, inDev, true},
		"refused/attribute that the thing lacks":       {[]Rule{reading(false, Conditions{"secretName": "A"})}, inDev, false},
		"allowed/unequal to an attribute it lacks":     {[]Rule{reading(false, Conditions{"secretName": map[string]any{"$ne": "A"}})}, inDev, true},
		"allowed/one tag of several":                   {[]Rule{reading(false, Conditions{"secretTags": map[string]any{"$in": []any{"a", "b"}}})}, Fields{SecretTags([]string{"x", "b"})}, true},
		"refused/no such tag":                          {[]Rule{reading(false, Conditions{"secretTags": map[string]any{"$in": []any{"a", "b"}}})}, Fields{SecretTags([]string{"x"})}, false},
		"allowed/list given in code":                   {[]Rule{reading(false, Conditions{"environment": map[string]any{"$in": []string{"test", "dev"}}})}, inDev, true},
		"refused/template left":                        {[]Rule{reading(false, Conditions{"environment": "{{identity.id}}"})}, Fields{Environment("{{identity.id}}")}, false},
		"refused/template left under unequal":          {[]Rule{reading(false, Conditions{"environment": map[string]any{"$ne": "{{identity.id}}"}})}, inDev, false},
		"refused/template left without fields":         {[]Rule{reading(false, Conditions{"environment": "{{identity.id}}"})}, nil, false},
		"refused/deny with a template under unequal":   {[]Rule{reading(false, nil), reading(true, Conditions{"environment": map[string]any{"$ne": "{{identity.id}}"}})}, inDev, false},
		"refused/value over the limit":                 {[]Rule{reading(false, nil)}, Fields{SecretPath(strings.Repeat("/a", maxValue))}, false},
		"refused/tag over the limit":                   {[]Rule{reading(false, nil)}, Fields{SecretTags([]string{strings.Repeat("a", maxValue+1)})}, false},
		"refused/metadata over the limit":              {[]Rule{reading(false, nil)}, Fields{Metadata([]Pair{{"k", strings.Repeat("a", maxValue+1)}})}, false},
		"allowed/read in a rule means reading values":  {[]Rule{allow(SubjectSecrets, Read)}, inDev, true},
		"refused/describing is not reading the values": {[]Rule{allow(SubjectSecrets, DescribeSecret)}, inDev, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := mustCompile(t, CompileProject, test.rules...)
			if got := a.Allows(ReadValue, SubjectSecrets, test.with); got != test.want {
				t.Errorf("Allows = %v, want %v", got, test.want)
			}
		})
	}
}

func TestAllowsMetadata(t *testing.T) {
	a := mustCompile(t, CompileProject, Rule{Subject: SubjectDynamicSecrets, Actions: Actions{Lease}, Conditions: Conditions{
		"metadata": map[string]any{"$elemMatch": map[string]any{"key": "team", "value": map[string]any{"$ne": "b"}}},
	}})
	tests := map[string]struct {
		pairs []Pair
		want  bool
	}{
		"allowed/pair meets both":              {[]Pair{{"x", "b"}, {"team", "a"}}, true},
		"refused/value differs":                {[]Pair{{"team", "b"}}, false},
		"refused/key and value in other pairs": {[]Pair{{"team", "b"}, {"x", "a"}}, false},
		"refused/no pairs":                     {nil, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := a.Allows(Lease, SubjectDynamicSecrets, Fields{Metadata(test.pairs)}); got != test.want {
				t.Errorf("Allows = %v, want %v", got, test.want)
			}
		})
	}
}

// Every attribute is given by the function of its name.
func TestFields(t *testing.T) {
	plainly := func(value string) any { return value }
	listed := func(value string) any { return anyOf(value) }
	tests := map[string]struct {
		subject   Subject
		action    Action
		condition func(string) any
		field     func(string) Field
	}{
		"identityId":     {SubjectIdentity, CreateToken, plainly, IdentityID},
		"assignableRole": {SubjectIdentity, AssignRole, plainly, AssignableRole},
		"connectionId":   {SubjectAppConnections, ConnectAppConnections, plainly, ConnectionID},
		"environment":    {SubjectSecrets, Create, plainly, Environment},
		"secretPath":     {SubjectSecrets, Create, plainly, SecretPath},
		"secretName":     {SubjectSecrets, Create, plainly, SecretName},
		"secretTags":     {SubjectSecrets, Create, listed, func(s string) Field { return SecretTags([]string{s}) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := mustCompile(t, CompileProject, Rule{
				Subject: test.subject, Actions: Actions{test.action}, Conditions: Conditions{name: test.condition("/a")}})
			for value, want := range map[string]bool{"/a": true, "/b": false} {
				if got := a.Allows(test.action, test.subject, Fields{test.field(value)}); got != want {
					t.Errorf("with %q: %v, want %v", value, got, want)
				}
			}
		})
	}
}

// The compiled matcher decides as the plain reading of the rules does.
func TestAllowsAsNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := drawRules(t, "rule", 6)
		a, err := CompileProject(rules)
		if err != nil {
			t.Fatal(err)
		}
		for subject, requests := range universe {
			for _, action := range askable[subject] {
				for _, r := range requests {
					if got, want := a.Allows(action, subject, r.fields()), naive(rules, action, subject, r); got != want {
						t.Fatalf("Allows(%s, %s, %v) = %v, want %v", action, subject, r, got, want)
					}
				}
			}
		}
	})
}

func TestNilAbility(t *testing.T) {
	var a *Ability
	if a.Allows(Read, SubjectRole, nil) {
		t.Error("a nil Ability allows something")
	}
	if got := a.Rules(); got == nil || len(got) > 0 {
		t.Errorf("Rules of a nil Ability = %#v, want an empty list", got)
	}
}

func TestCheck(t *testing.T) {
	rules := []Rule{
		allow(SubjectRole, Read, Edit),
		allow(SubjectAppConnections, Read),
		{Subject: SubjectAppConnections, Actions: Actions{Connect, Read}, Inverted: true, Conditions: Conditions{"connectionId": "c1"}},
	}
	actor := &Actor{Rights: Rights{Ability: mustCompile(t, Compile, rules...)}}
	if err := actor.Check(Edit, SubjectRole, nil); err != nil {
		t.Errorf("allowed: %v", err)
	}
	tests := map[string]struct {
		actor   *Actor
		action  Action
		subject Subject
		with    Fields
		details []Rule
	}{
		"refused/no rule":  {actor, Delete, SubjectRole, nil, []Rule{}},
		"refused/denied":   {actor, Read, SubjectAppConnections, Fields{ConnectionID("c1")}, rules[1:]},
		"refused/no actor": {nil, Read, SubjectRole, nil, []Rule{}},
		"refused/no rules": {&Actor{}, Read, SubjectRole, nil, []Rule{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := test.actor.Check(test.action, test.subject, test.with)
			if !fault.Is(err, fault.PermissionDenied) {
				t.Fatalf("err = %v, want a PermissionDenied", err)
			}
			if diff := cmp.Diff(test.details, fault.From(err).Details); diff != "" {
				t.Errorf("details (-want +got):\n%s", diff)
			}
		})
	}
}

// fifty is an ability of 50 rules on one permission, all with conditions.
func fifty(t testing.TB) *Ability {
	var rules []Rule
	for i := range 50 {
		rules = append(rules, reading(i%5 == 4, Conditions{
			"environment": map[string]any{"$in": []any{"dev", fmt.Sprint("env-", i)}},
			"secretPath":  map[string]any{"$glob": fmt.Sprintf("/team-%d/*/config/**", i)},
			"secretName":  map[string]any{"$ne": "ROOT"},
		}))
	}
	return mustCompile(t, CompileProject, rules...)
}

func TestCheckDoesNotAllocate(t *testing.T) {
	actor, tags := &Actor{Rights: Rights{Ability: fifty(t)}}, []string{"a", "b"}
	path := "/team-0/x/config/db"
	allocs := testing.AllocsPerRun(100, func() {
		f := Fields{Environment("dev"), SecretPath(path), SecretName("A"), SecretTags(tags)}
		if err := actor.Check(ReadValue, SubjectSecrets, f); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0 {
		t.Errorf("a check makes %v allocations, want none", allocs)
	}
}

// BenchmarkCheck walks all 50 rules of an ability, each of which has three conditions; the budget is 2 microseconds.
func BenchmarkCheck(b *testing.B) {
	actor := &Actor{Rights: Rights{Ability: fifty(b)}}
	for name, path := range map[string]string{"first of 50": "/team-0/x/config/db", "globs walked": "/team-4/x/other/db"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = actor.Ability.Allows(ReadValue, SubjectSecrets, Fields{Environment("dev"), SecretPath(path), SecretName("A")})
			}
		})
	}
	admin, _ := OrgRole("admin")
	actor = &Actor{Rights: Rights{Ability: mustCompile(b, Compile, admin...)}}
	b.Run("organization admin", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = actor.Check(CreateToken, SubjectIdentity, Fields{IdentityID("i")})
		}
	})
}
