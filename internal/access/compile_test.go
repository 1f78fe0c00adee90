package access

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/fault"
)

func TestRuleJSON(t *testing.T) {
	tests := map[string]struct {
		in   string
		want Rule
		out  string
	}{
		"one action": {
			`{"subject":"role","action":"read"}`,
			allow(SubjectRole, Read),
			`{"subject":"role","action":["read"],"inverted":false}`,
		},
		"list of actions, conditions": {
			`{"subject":"app-connections","action":["connect"],"conditions":{"connectionId":{"$in":["a"]}},"inverted":true}`,
			Rule{Subject: SubjectAppConnections, Actions: Actions{Connect}, Inverted: true, Conditions: Conditions{"connectionId": anyOf("a")}},
			`{"subject":"app-connections","action":["connect"],"conditions":{"connectionId":{"$in":["a"]}},"inverted":true}`,
		},
		"empty action": {
			`{"subject":"role","action":""}`,
			allow(SubjectRole, ""),
			`{"subject":"role","action":[""],"inverted":false}`,
		},
		"nulls": {
			`{"subject":"role","action":null,"conditions":null,"inverted":null}`,
			Rule{Subject: SubjectRole},
			`{"subject":"role","action":[],"inverted":false}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got Rule
			if err := json.Unmarshal([]byte(test.in), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
			out, err := json.Marshal(got)
			if err != nil || string(out) != test.out {
				t.Errorf("written %s, %v; want %s", out, err, test.out)
			}
		})
	}
	if err := json.Unmarshal([]byte(`{"action":7}`), &Rule{}); err == nil {
		t.Error("an action that is a number is read")
	}
}

func TestBuiltInRoles(t *testing.T) {
	for _, slug := range []string{"admin", "member", "no-access"} {
		rules, ok := OrgRole(slug)
		if _, err := Compile(rules); !ok || err != nil || rules == nil {
			t.Errorf("organization role %s: %v, %v", slug, ok, err)
		}
	}
	for _, slug := range []string{"admin", "member", "viewer", "no-access", "cryptographic-operator"} {
		rules, ok := ProjectRole(slug)
		if _, err := CompileProject(rules); !ok || err != nil || rules == nil {
			t.Errorf("project role %s: %v, %v", slug, ok, err)
		}
	}
	if _, ok := OrgRole("viewer"); ok {
		t.Error("viewer is an organization role")
	}
	if _, ok := ProjectRole("custom"); ok {
		t.Error("custom is a built-in project role")
	}
}

// The rights that tell the built-in roles of an organization apart (docs/reference/identity.md section 7.2).
func TestOrgRoleRights(t *testing.T) {
	tests := []struct {
		action        Action
		subject       Subject
		admin, member bool
	}{
		{Create, SubjectIdentity, true, true},
		{Delete, SubjectIdentity, true, true},
		{EditAuth, SubjectIdentity, true, false},
		{GrantPrivileges, SubjectIdentity, true, false},
		{RevokeAuth, SubjectIdentity, true, false},
		{CreateToken, SubjectIdentity, true, false},
		{GetToken, SubjectIdentity, true, false},
		{DeleteToken, SubjectIdentity, true, false},
		{Read, SubjectRole, true, true},
		{Edit, SubjectRole, true, false},
		{Read, SubjectMember, true, true},
		{Create, SubjectMember, true, false},
		{Read, SubjectAuditLogs, true, true},
		{Create, SubjectProject, true, true},
		{ManageBilling, SubjectBilling, true, false},
		{Connect, SubjectAppConnections, true, true},
		{Read, SubjectAppConnections, true, false},
		{DeleteRelays, SubjectRelay, true, false},
		{AccessAllProjects, SubjectAdminConsole, true, false},
		{Edit, SubjectAuditLogs, false, false},
	}
	for _, role := range []string{"admin", "member", "no-access"} {
		rules, _ := OrgRole(role)
		a := mustCompile(t, Compile, rules...)
		for _, test := range tests {
			want := role == "admin" && test.admin || role == "member" && test.member
			if got := a.Allows(test.action, test.subject, nil); got != want {
				t.Errorf("%s may %s on %s: %v, want %v", role, test.action, test.subject, got, want)
			}
		}
	}
}

func TestCompileRefused(t *testing.T) {
	secret := func(name string, value any) []Rule { return []Rule{reading(false, Conditions{name: value})} }
	tests := map[string]struct {
		rules []Rule
		path  string
	}{
		"refused/unknown subject":          {[]Rule{allow("nothing", Read)}, "permissions 0 subject"},
		"refused/second rule":              {[]Rule{allow(SubjectRole, Read), {}}, "permissions 1 subject"},
		"refused/unknown action":           {[]Rule{allow(SubjectRole, Read, "fly")}, "permissions 0 action"},
		"refused/no action":                {[]Rule{allow(SubjectRole)}, "permissions 0 action"},
		"refused/too many actions":         {[]Rule{allow(SubjectRole, make([]Action, maxActions+1)...)}, "permissions 0 action"},
		"refused/too many rules":           {make([]Rule, maxRules+1), "permissions"},
		"refused/no conditions there":      {[]Rule{{Subject: SubjectRole, Actions: Actions{Read}, Conditions: Conditions{"environment": "dev"}}}, "permissions 0 conditions"},
		"refused/unknown key":              {secret("colour", "red"), "permissions 0 conditions"},
		"refused/key of another subject":   {secret("identityId", "i"), "permissions 0 conditions"},
		"refused/unknown operator":         {secret("environment", op("$regex", ".*")), "permissions 0 conditions environment"},
		"refused/operator not for the key": {secret("secretTags", op("$eq", "a")), "permissions 0 conditions secretTags"},
		"refused/string not for the key":   {secret("secretTags", "a"), "permissions 0 conditions secretTags"},
		"refused/number":                   {secret("environment", 7.0), "permissions 0 conditions environment"},
		"refused/null":                     {secret("environment", nil), "permissions 0 conditions environment"},
		"refused/no operators":             {secret("environment", map[string]any{}), "permissions 0 conditions environment"},
		"refused/number under an operator": {secret("environment", op("$eq", 7.0)), "permissions 0 conditions environment $eq"},
		"refused/empty list":               {secret("environment", anyOf()), "permissions 0 conditions environment $in"},
		"refused/long list":                {secret("environment", op("$in", make([]string, maxValues+1))), "permissions 0 conditions environment $in"},
		"refused/number in a list":         {secret("environment", anyOf(7.0)), "permissions 0 conditions environment $in"},
		"refused/no list":                  {secret("environment", op("$in", "dev")), "permissions 0 conditions environment $in"},
		"refused/glob is a list":           {secret("environment", op("$glob", []any{"a"})), "permissions 0 conditions environment $glob"},
		"refused/broken glob":              {secret("environment", op("$glob", "{")), "permissions 0 conditions environment $glob"},
		"refused/long text":                {secret("environment", strings.Repeat("a", maxText+1)), "permissions 0 conditions environment"},
		"refused/path without slash":       {secret("secretPath", "app"), "permissions 0 conditions secretPath"},
		"refused/listed path":              {secret("secretPath", anyOf("/a", "b")), "permissions 0 conditions secretPath $in"},
		"refused/glob path":                {secret("secretPath", op("$glob", "**")), "permissions 0 conditions secretPath $glob"},
		"refused/template of another root": {secret("environment", "{{user.id}}"), "permissions 0 conditions environment"},
		"refused/open template":            {secret("environment", "{{identity.id"), "permissions 0 conditions environment"},
		"refused/nested template":          {secret("environment", op("$glob", "{{{identity.id}}}")), "permissions 0 conditions environment $glob"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := CompileProject(test.rules)
			if !fault.Is(err, fault.Validation) {
				t.Fatalf("err = %v, want a Validation fault", err)
			}
			if got := strings.Join(fault.From(err).Issues[0].Path, " "); got != test.path {
				t.Errorf("path = %q, want %q", got, test.path)
			}
		})
	}
}

func TestCompileRefusedElsewhere(t *testing.T) {
	leasing := func(element any) []Rule {
		return []Rule{{Subject: SubjectDynamicSecrets, Actions: Actions{Lease}, Conditions: Conditions{"metadata": op("$elemMatch", element)}}}
	}
	deep := any("x")
	for range maxDepth + 1 {
		deep = map[string]any{"x": deep}
	}
	open := func(c Conditions) []Rule {
		return []Rule{{Subject: "certificates", Actions: Actions{"issue"}, Conditions: c}}
	}
	var heavy []Rule
	for i := range 600 {
		heavy = append(heavy, reading(false, where(nil, op("$glob", fmt.Sprint("/", i, strings.Repeat("*a", 230))), nil)))
	}
	tests := map[string]struct {
		rules []Rule
		kind  fault.Kind
	}{
		"refused/pair is a string":          {leasing("team"), fault.Validation},
		"refused/pair without parts":        {leasing(map[string]any{}), fault.Validation},
		"refused/pair with another part":    {leasing(map[string]any{"colour": "red"}), fault.Validation},
		"refused/pair with a glob":          {leasing(map[string]any{"key": op("$glob", "*")}), fault.Validation},
		"refused/read and what it means":    {[]Rule{allow(SubjectSecrets, Read, ReadValue)}, fault.BadRequest},
		"refused/deep conditions":           {open(Conditions{"x": deep}), fault.Validation},
		"refused/many conditions":           {open(Conditions{"x": make([]any, maxNodes)}), fault.Validation},
		"refused/long text in conditions":   {open(Conditions{"x": strings.Repeat("a", maxText+1)}), fault.Validation},
		"refused/other product, long name":  {[]Rule{allow(Subject("pki-"+strings.Repeat("a", maxName)), Read)}, fault.Validation},
		"refused/other product, no action":  {[]Rule{allow("certificates")}, fault.Validation},
		"refused/other product, empty name": {[]Rule{allow("certificates", "")}, fault.Validation},
		"refused/patterns altogether":       {heavy, fault.Validation},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := CompileProject(test.rules); !fault.Is(err, test.kind) {
				t.Errorf("err = %v, want kind %d", err, test.kind)
			}
		})
	}
	if _, err := Compile(open(nil)); !fault.Is(err, fault.Validation) {
		t.Errorf("an organization knows certificates: %v", err)
	}
}

// Rules on other products are kept and shown, and allow nothing.
func TestOtherProducts(t *testing.T) {
	rule := Rule{Subject: "certificates", Actions: Actions{"issue"}, Conditions: Conditions{"name": op("$glob", "*")}}
	a := mustCompile(t, CompileProject, rule)
	if diff := cmp.Diff([]Rule{rule}, a.Rules()); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if a.Allows("issue", "certificates", nil) {
		t.Error("it allows something")
	}
}

// Rules from any JSON either compile or are refused; what compiles can be checked, filled in and compared.
func FuzzRules(f *testing.F) {
	f.Add([]byte(`[{"subject":"secrets","action":"read","conditions":{"secretPath":{"$glob":"/a/{b,c}/**"},"environment":"{{identity.id}}"}}]`), "dev")
	f.Add([]byte(`[{"subject":"dynamic-secrets","action":["lease"],"conditions":{"metadata":{"$elemMatch":{"key":"a","value":{"$ne":"b"}}}},"inverted":true}]`), "/")
	f.Add([]byte(`[{"subject":"identity","action":["create-token"],"conditions":{"identityId":{"$in":["a","b"]}}}]`), "a")
	f.Fuzz(func(t *testing.T, data []byte, value string) {
		var rules []Rule
		if json.Unmarshal(data, &rules) != nil {
			return
		}
		for _, compile := range []func([]Rule) (*Ability, error){Compile, CompileProject} {
			a, err := compile(rules)
			if err != nil {
				if !fault.Is(err, fault.Validation) && !fault.Is(err, fault.BadRequest) {
					t.Fatalf("err = %v, which is not for the caller", err)
				}
				continue
			}
			for _, r := range rules {
				a.Allows(r.Actions[0], r.Subject, Fields{SecretPath(value), Environment(value), SecretTags([]string{value}), Metadata([]Pair{{value, value}})})
			}
			filled, err := compile(Expand(rules, Vars{"identity.id": value}))
			if err != nil {
				t.Fatalf("with templates filled in: %v", err)
			}
			if err := lasting(a).Covers(Reach{all: filled}, "x"); err != nil && !fault.Is(err, fault.Boundary) {
				t.Fatal(err)
			}
		}
	})
}
