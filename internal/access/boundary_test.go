package access

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// lasting is an actor who holds an ability without an end.
func lasting(own *Ability) *Actor {
	return &Actor{Rights: Rights{Ability: own, Holding: Holding{all: own}}}
}

func covers(own, target *Ability) bool {
	return lasting(own).Covers(Reach{all: target}, "Refused") == nil
}

func TestCoversRoles(t *testing.T) {
	tests := map[string]struct {
		role    func(string) ([]Rule, bool)
		compile func([]Rule) (*Ability, error)
		order   []string // from the least to the most
	}{
		"organization": {OrgRole, Compile, []string{"no-access", "member", "admin"}},
		"project":      {ProjectRole, CompileProject, []string{"no-access", "viewer", "admin"}},
		"cryptography": {ProjectRole, CompileProject, []string{"no-access", "cryptographic-operator", "member", "admin"}},
	}
	for scope, test := range tests {
		for i, own := range test.order {
			for j, target := range test.order {
				t.Run(fmt.Sprintf("%s/%s covers %s", scope, own, target), func(t *testing.T) {
					a, _ := test.role(own)
					b, _ := test.role(target)
					if got, want := covers(mustCompile(t, test.compile, a...), mustCompile(t, test.compile, b...)), i >= j; got != want {
						t.Errorf("covers = %v, want %v", got, want)
					}
				})
			}
		}
	}
}

// A list of operators on the three text attributes of a secret, for short tests.
func where(environment, path, name any) Conditions {
	c := Conditions{}
	for key, value := range map[string]any{"environment": environment, "secretPath": path, "secretName": name} {
		if value != nil {
			c[key] = value
		}
	}
	return c
}

func op(name string, value any) map[string]any { return map[string]any{name: value} }

func anyOf(values ...any) map[string]any { return op("$in", values) }

func TestCovers(t *testing.T) {
	may := func(c Conditions) Rule { return reading(false, c) }
	not := func(c Conditions) Rule { return reading(true, c) }
	metadata := func(key any, value any) Rule {
		pair := map[string]any{"key": key, "value": value}
		return Rule{Subject: SubjectDynamicSecrets, Actions: Actions{Lease}, Conditions: Conditions{"metadata": op("$elemMatch", pair)}}
	}
	tags := func(values ...any) Conditions { return Conditions{"secretTags": anyOf(values...)} }
	type rules = []Rule
	tests := map[string]struct{ own, target rules }{
		"passes/more without conditions":     {rules{allow(SubjectSecrets, Read, Create)}, rules{may(nil)}},
		"passes/target with conditions":      {rules{may(nil)}, rules{may(where("dev", op("$glob", "/a/*/**"), nil))}},
		"passes/narrower list":               {rules{may(where(anyOf("dev", "test"), nil, nil))}, rules{may(where("dev", nil, nil))}},
		"passes/narrower folder":             {rules{may(where(nil, op("$glob", "/a/**"), nil))}, rules{may(where(nil, op("$glob", "/a/b/**"), nil))}},
		"passes/value by value":              {rules{may(where("dev", nil, nil)), may(where("test", nil, nil))}, rules{may(where(anyOf("dev", "test"), nil, nil))}},
		"passes/two keys value by value":     {rules{may(where("dev", "/a", nil)), may(where("dev", "/b", nil)), may(where("test", nil, nil))}, rules{may(where(anyOf("dev", "test"), anyOf("/a", "/b"), nil))}},
		"passes/unequal":                     {rules{may(where(op("$ne", "prod"), nil, nil))}, rules{may(where(anyOf("dev", "test"), nil, nil))}},
		"passes/unequal, glob":               {rules{may(where(op("$ne", "prod"), nil, nil))}, rules{may(where(op("$glob", "d*"), nil, nil))}},
		"passes/same unequal":                {rules{may(where(op("$ne", "prod"), nil, nil))}, rules{may(where(op("$ne", "prod"), "/a", nil))}},
		"passes/same deny":                   {rules{may(nil), not(where("prod", nil, nil))}, rules{may(nil), not(where("prod", nil, nil))}},
		"passes/wider deny on the target":    {rules{may(nil), not(where("prod", "/a", nil))}, rules{may(nil), not(where("prod", nil, nil))}},
		"passes/deny elsewhere":              {rules{may(nil), not(where("prod", nil, nil))}, rules{may(where("dev", nil, nil))}},
		"passes/deny in another folder":      {rules{may(nil), not(where(nil, op("$glob", "/b/**"), nil))}, rules{may(where(nil, op("$glob", "/a/**"), nil))}},
		"passes/deny under unequal":          {rules{may(nil), not(where("prod", nil, nil))}, rules{may(where(op("$ne", "prod"), nil, nil))}},
		"refused/own deny before the allow":  {rules{not(nil), may(where("dev", nil, nil))}, rules{may(where("dev", nil, nil))}},
		"passes/read, value by value":        {rules{allow(SubjectSecrets, Read)}, rules{may(where("dev", nil, nil))}},
		"refused/read with describe denied":  {rules{allow(SubjectSecrets, Read), {Subject: SubjectSecrets, Actions: Actions{DescribeSecret}, Inverted: true}}, rules{may(nil)}},
		"passes/shadowed in the target":      {rules{}, rules{may(where("dev", nil, nil)), not(nil)}},
		"passes/nothing meets the target":    {rules{allow(SubjectSecrets, ReadValue), not(where("dev", nil, nil))}, rules{may(where(map[string]any{"$eq": "dev", "$ne": "dev"}, nil, nil))}},
		"passes/fewer tags":                  {rules{may(tags("a", "b"))}, rules{may(tags("a"))}},
		"passes/tag by tag":                  {rules{may(tags("a")), may(tags("b"))}, rules{may(tags("a", "b"))}},
		"passes/metadata":                    {rules{metadata(anyOf("a", "b"), op("$ne", "x"))}, rules{metadata("a", "y")}},
		"passes/read stands for both":        {rules{allow(SubjectSecrets, DescribeSecret, ReadValue)}, rules{allow(SubjectSecrets, Read)}},
		"passes/another product":             {rules{}, rules{allow("certificates", Read)}},
		"passes/template, no condition":      {rules{may(nil)}, rules{may(where("{{identity.id}}", nil, nil))}},
		"passes/template beside":             {rules{may(where("dev", nil, nil))}, rules{may(where("dev", "/{{identity.id}}", nil))}},
		"refused/nothing held":               {rules{}, rules{may(nil)}},
		"refused/other action":               {rules{may(nil)}, rules{allow(SubjectSecrets, Create)}},
		"refused/wider list":                 {rules{may(where("dev", nil, nil))}, rules{may(where(anyOf("dev", "prod"), nil, nil))}},
		"refused/no condition":               {rules{may(where("dev", nil, nil))}, rules{may(nil)}},
		"refused/wider folder":               {rules{may(where(nil, op("$glob", "/a/b/**"), nil))}, rules{may(where(nil, op("$glob", "/a/**"), nil))}},
		"refused/other key":                  {rules{may(where("dev", nil, nil))}, rules{may(where(nil, "/a", nil))}},
		"passes/wildcards within others":     {rules{may(where(nil, op("$glob", "/*/x/**"), nil))}, rules{may(where(nil, op("$glob", "/a*/x/**"), nil))}},
		"refused/wildcards beyond others":    {rules{may(where(nil, op("$glob", "/a*/x/**"), nil))}, rules{may(where(nil, op("$glob", "/*/x/**"), nil))}},
		"refused/names that start with dots": {rules{may(where(nil, op("$glob", "/**"), nil))}, rules{may(where(nil, op("$glob", "/.a/**"), nil))}},
		"refused/deny inside":                {rules{may(nil), not(where("prod", nil, nil))}, rules{may(nil)}},
		"refused/deny met by a glob":         {rules{may(nil), not(where("prod", nil, nil))}, rules{may(where(op("$glob", "p*"), nil, nil))}},
		"refused/deny below":                 {rules{may(nil), not(where(nil, op("$glob", "/a/b/**"), nil))}, rules{may(where(nil, op("$glob", "/a/**"), nil))}},
		"refused/narrower deny on target":    {rules{may(nil), not(where("prod", nil, nil))}, rules{may(nil), not(where("prod", "/a", nil))}},
		"passes/deny before the allow":       {rules{may(nil), not(where("prod", nil, nil))}, rules{not(where("prod", nil, nil)), may(nil)}},
		"refused/deny of a tag":              {rules{may(nil), not(tags("x"))}, rules{may(tags("a"))}},
		"refused/deny of a tag beside":       {rules{may(tags("a")), not(tags("x"))}, rules{may(tags("a")), not(tags("y"))}},
		"refused/more tags":                  {rules{may(tags("a"))}, rules{may(tags("a", "b"))}},
		"refused/metadata":                   {rules{metadata("a", "y")}, rules{metadata("a", op("$ne", "x"))}},
		"refused/unequal is also no value":   {rules{may(where(op("$glob", "**"), nil, nil))}, rules{may(where(op("$ne", "prod"), nil, nil))}},
		"refused/template may be anything":   {rules{may(where("dev", nil, nil))}, rules{may(where("{{identity.id}}", nil, nil))}},
		"refused/own template":               {rules{may(where("{{identity.id}}", nil, nil))}, rules{may(where("{{identity.id}}", nil, nil))}},
		"refused/own template, unequal":      {rules{may(where("test", nil, nil)), may(where(op("$ne", "{{identity.id}}"), nil, nil))}, rules{may(where("dev", nil, nil))}},
		"refused/target's template denies":   {rules{may(nil), not(where("prod", nil, nil))}, rules{may(nil), not(where(op("$ne", "{{identity.id}}"), nil, nil))}},
		"refused/template under a deny":      {rules{}, rules{may(where("{{identity.id}}", "/a", nil)), not(where(nil, "/a", nil))}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			own, target := mustCompile(t, CompileProject, test.own...), mustCompile(t, CompileProject, test.target...)
			if got, want := covers(own, target), strings.HasPrefix(name, "passes/"); got != want {
				t.Errorf("covers = %v, want %v", got, want)
			}
		})
	}
}

func TestCoversOtherScope(t *testing.T) {
	admin, _ := OrgRole("admin")
	own := mustCompile(t, Compile, admin...)
	if covers(own, mustCompile(t, CompileProject, allow(SubjectRole, Read))) {
		t.Error("rules of an organization cover rules of a project")
	}
	if !covers(own, mustCompile(t, CompileProject)) {
		t.Error("a target without rights is not covered")
	}
	if !covers(nil, nil) || covers(nil, own) {
		t.Error("an actor without an ability must cover nothing but nothing")
	}
	if (*Actor)(nil).Covers(Reach{all: own}, "x") == nil {
		t.Error("nobody covers an admin")
	}
}

func TestCoversNames(t *testing.T) {
	actor := lasting(mustCompile(t, CompileProject, reading(false, nil)))
	prod := where("prod", nil, nil)
	target := mustCompile(t, CompileProject,
		Rule{Subject: SubjectSecrets, Actions: Actions{ReadValue, Edit}, Conditions: prod}, allow(SubjectTags, Read))
	err := actor.Covers(Reach{all: target}, "The token was not made")
	if !fault.Is(err, fault.Boundary) || !strings.HasPrefix(err.Error(), "The token was not made.") {
		t.Fatalf("err = %v, want a Boundary fault that starts with the base", err)
	}
	want := BoundaryDetails{MissingPermissions: []MissingPermission{
		{Action: Edit, Subject: SubjectSecrets, Conditions: prod}, {Action: Read, Subject: SubjectTags},
	}}
	if diff := cmp.Diff(want, fault.From(err).Details); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}

// drawPair draws the rules of an actor and of a target, which are often related: else few targets would be covered.
func drawPair(t *rapid.T) (own, target []Rule) {
	own = drawRules(t, "own", 4)
	switch rapid.IntRange(0, 3).Draw(t, "relation") {
	case 0:
		return own, drawRules(t, "target", 4)
	case 1: // the target is denied more
		target = append(slices.Clone(own), denied(drawRules(t, "more", 2))...)
	case 2: // the target's rules have more conditions
		for _, r := range own {
			target = append(target, narrowed(t, r))
		}
	case 3: // the actor is allowed more, later
		target, own = own, append(slices.Clone(own), drawRules(t, "more", 2)...)
	}
	return own, target
}

func denied(rules []Rule) []Rule {
	for i := range rules {
		rules[i].Inverted = true
	}
	return rules
}

func narrowed(t *rapid.T, r Rule) Rule {
	if r.Inverted {
		return r
	}
	more := drawConditions(t, r.Subject, "narrower")
	maps.Copy(more, r.Conditions)
	r.Conditions = more
	return r
}

// excess returns a request that the target may make and the actor may not, if there is one in the universe.
func excess(own, target []Rule) (string, bool) {
	for subject, requests := range universe {
		for _, action := range askable[subject] {
			for _, r := range requests {
				if naive(target, action, subject, r) && !naive(own, action, subject, r) {
					return fmt.Sprint(action, " on ", subject, " with ", r), true
				}
			}
		}
	}
	return "", false
}

// If Covers passes, there is no request that the target may make and the actor may not.
func TestCoversIsSound(t *testing.T) {
	passed, total := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		own, target := drawPair(t)
		a, err := CompileProject(own)
		b, err2 := CompileProject(target)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		ok := covers(a, b)
		if found, exceeds := excess(own, target); ok && exceeds {
			t.Fatalf("Covers passes, but the target alone may %s", found)
		}
		total++
		passed += bit(ok && len(target) > 0)
	})
	if passed*10 < total {
		t.Errorf("only %d of %d pairs passed: the property says little", passed, total)
	}
}

// Whatever templates come to stand for, a target that was covered stays covered.
func TestCoversTemplates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		own, target := drawPair(t)
		for i, r := range target {
			target[i].Conditions = maps.Clone(r.Conditions)
			for name := range r.Conditions {
				switch rapid.IntRange(0, 5).Draw(t, "template") {
				case 0:
					target[i].Conditions[name] = templateFor(name, "$eq")
				case 1:
					target[i].Conditions[name] = templateFor(name, "$ne")
				}
			}
		}
		a, err := CompileProject(own)
		b, err2 := CompileProject(target)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		filled := Expand(target, Vars{"identity.id": rapid.SampledFrom([]string{"dev", "app", "A", "a", "red", "app/x"}).Draw(t, "value")})
		if found, exceeds := excess(own, filled); exceeds && covers(a, b) {
			t.Fatalf("Covers passes, but with templates filled in the target alone may %s", found)
		}
	})
}

func templateFor(name, operator string) any {
	switch name {
	case "secretPath":
		return op(operator, "/{{identity.id}}")
	case "secretTags":
		return anyOf("{{ identity.id }}")
	case "metadata":
		return op("$elemMatch", map[string]any{"key": "team", "value": op(operator, "{{identity.id}}")})
	}
	return op(operator, "{{identity.id}}")
}

// Everybody covers themselves, and whoever has fewer allow rules than they have, if nothing is denied.
func TestCoversIsComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := drawRules(t, "rule", 6)
		a, err := CompileProject(rules)
		if err != nil {
			t.Fatal(err)
		}
		if err := lasting(a).Covers(Reach{all: a}, "Same rules"); err != nil {
			t.Fatal(err)
		}
		some := slices.DeleteFunc(slices.Clone(rules), func(Rule) bool { return rapid.Bool().Draw(t, "drop") })
		isDeny := func(r Rule) bool { return r.Inverted }
		if b, err := CompileProject(some); err != nil || !slices.ContainsFunc(rules, isDeny) && !covers(a, b) {
			t.Fatalf("%v does not cover %v (%v)", rules, some, err)
		}
	})
}

// A proof that would take too long is refused, soon.
func TestCoversIsBounded(t *testing.T) {
	values := make([]any, maxValues)
	for i := range values {
		values[i] = fmt.Sprint("/", i)
	}
	wide := Conditions{"environment": anyOf(values...), "secretPath": anyOf(values...), "secretName": anyOf(values...)}
	var own []Rule
	for _, name := range values {
		own = append(own, reading(false, where(op("$ne", "/99"), nil, name)))
	}
	a := mustCompile(t, CompileProject, own...)
	b := mustCompile(t, CompileProject, reading(false, wide))
	p := newProof(maxProof)
	if gaps := p.gapsIn(a.index[permission{SubjectSecrets, ReadValue}], b.index[permission{SubjectSecrets, ReadValue}]); len(gaps) != 1 {
		t.Errorf("gaps = %v, want the one rule", gaps)
	}
	if p.budget > 0 {
		t.Errorf("%d steps are left; the case is too easy", p.budget)
	}
}

// Matching a long value against a long pattern costs more of the budget than a short one.
func TestProofPaysForLength(t *testing.T) {
	path, pattern := "/"+strings.Repeat("a", 500), "/"+strings.Repeat("*a", 200)
	own := mustCompile(t, CompileProject, reading(false, where(nil, op("$glob", pattern), nil)))
	target := mustCompile(t, CompileProject, reading(false, where(nil, path, nil)))
	asked := permission{SubjectSecrets, ReadValue}
	for budget, want := range map[int]int{1000: 1, maxProof: 0} {
		if gaps := (newProof(budget)).gapsIn(own.index[asked], target.index[asked]); len(gaps) != want {
			t.Errorf("with %d steps: %d gaps, want %d", budget, len(gaps), want)
		}
	}
}

func BenchmarkCovers(b *testing.B) {
	for name, slug := range map[string]string{"member": "member", "admin": "admin"} {
		b.Run(name, func(b *testing.B) {
			own, _ := OrgRole("admin")
			rules, _ := OrgRole(slug)
			a, t := mustCompile(b, Compile, own...), mustCompile(b, Compile, rules...)
			for b.Loop() {
				if !covers(a, t) {
					b.Fatal("refused")
				}
			}
		})
	}
}
