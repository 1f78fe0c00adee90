package importer

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/access"
)

// wireRole is a custom role of an organization or of a project. Lists may leave out the permissions.
type wireRole struct {
	ID          string  `json:"id"`
	Slug        string  `json:"slug"`
	Name        string  `json:"name"`
	Description *string `json:"description"`
	Permissions []rule  `json:"permissions"`
}

// rule is a rule of a role. It is carried over as it is.
type rule struct {
	Subject    string         `json:"subject"`
	Actions    actions        `json:"action"`
	Conditions map[string]any `json:"conditions,omitempty"`
	Inverted   bool           `json:"inverted,omitempty"`
}

// actions are read from one action or a list of them.
type actions []string

// UnmarshalJSON reads a string or a list of strings.
func (a *actions) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = actions{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// sameRules compares rules in their order.
func sameRules(a, b []rule) bool {
	return slices.EqualFunc(a, b, func(x, y rule) bool {
		return x.Subject == y.Subject && slices.Equal(x.Actions, y.Actions) && x.Inverted == y.Inverted &&
			(len(x.Conditions)+len(y.Conditions) == 0 || alike(x.Conditions, y.Conditions))
	})
}

// allowsAfterDenial reports whether the order of the rules may matter at the source.
func allowsAfterDenial(rules []rule) bool {
	same := make([]access.Rule, len(rules))
	for i, r := range rules {
		same[i] = access.Rule{Subject: access.Subject(r.Subject), Inverted: r.Inverted}
		for _, a := range r.Actions {
			same[i].Actions = append(same[i].Actions, access.Action(a))
		}
	}
	return access.AllowsAfterDenial(same)
}

// builtIn are the roles that every server has, in organizations or in projects.
var builtIn = []string{"admin", "member", "no-access", "viewer", "cryptographic-operator", "custom"}

// roleSet is where the roles of one organization or one project lie, on both sides.
type roleSet struct {
	kind     Kind
	where    string
	from, to string // paths; to is empty where nothing can be yet
	ours     bool
}

const orgRolesPath = "/api/v1/organization/roles"

// organizationRole brings over one role of the organization, once in a run.
func (r *run) organizationRole(ctx context.Context, slug string) error {
	if r.orgRoles[slug] || slices.Contains(builtIn, slug) {
		return nil
	}
	r.orgRoles[slug] = true
	return r.role(ctx, roleSet{kind: OrgRoles, where: slug, from: orgRolesPath, to: orgRolesPath}, slug)
}

// roles brings over the custom roles of the project.
func (p *place) roles(ctx context.Context) error {
	set := roleSet{kind: Roles, where: p.from.Slug, from: projectsPath + "/" + p.from.ID + "/roles", ours: p.ours}
	if p.to.ID != "" {
		set.to = projectsPath + "/" + p.to.ID + "/roles"
	}
	all, err := list[wireRole](ctx, p.source, set.from, nil, "roles")
	if err != nil {
		return p.fail(Roles, p.from.Slug, err)
	}
	for _, role := range all {
		if slices.Contains(builtIn, role.Slug) {
			continue
		}
		set.where = p.from.Slug + " " + role.Slug
		if err := p.role(ctx, set, role.Slug); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) role(ctx context.Context, set roleSet, slug string) error {
	from, err := one[wireRole](ctx, r.source, set.from+"/slug/"+url.PathEscape(slug), nil, "role")
	if err != nil {
		return r.fail(set.kind, set.where, err)
	}
	if unknown, err := r.translate(ctx, from.Permissions); err != nil || unknown != "" {
		if unknown != "" {
			r.failed(set.kind, set.where, "a condition names the identity "+unknown+", which is not at the target")
		}
		return err
	}
	if allowsAfterDenial(from.Permissions) {
		r.note(set.kind, set.where, "an allow rule comes after a denial of the same action: here the denial wins, in any order")
	}
	there := &wireRole{}
	if set.to != "" {
		there, err = one[wireRole](ctx, r.target, set.to+"/slug/"+url.PathEscape(slug), nil, "role")
		if err != nil && !refused(err, http.StatusNotFound) {
			return r.fail(set.kind, set.where, err)
		}
	}
	_, err = r.settle(r.compareRoles(ctx, set, from, there))
	return err
}

func (r *run) compareRoles(ctx context.Context, set roleSet, from, there *wireRole) thing {
	body := map[string]any{"slug": from.Slug, "name": from.Name, "description": text(from.Description), "permissions": append([]rule{}, from.Permissions...)}
	t := thing{kind: set.kind, where: set.where, ours: set.ours, make: func() error {
		_, err := r.target.send(ctx, http.MethodPost, set.to, body)
		return err
	}}
	if there == nil || there.ID == "" {
		return t
	}
	t.there, t.apart = true, cmp.Or(apart("permissions", !sameRules(from.Permissions, there.Permissions)),
		apart("name", from.Name != there.Name), apart("description", text(from.Description) != text(there.Description)))
	t.change = func() error {
		_, err := r.target.send(ctx, http.MethodPatch, set.to+"/"+there.ID, body)
		return err
	}
	return t
}

// translate puts the ids of the target into conditions that name identities by the ids of the source. It returns one
// that has none.
func (r *run) translate(ctx context.Context, rules []rule) (unknown string, err error) {
	for i := range rules {
		condition, there := rules[i].Conditions["identityId"]
		if !there {
			continue
		}
		rules[i].Conditions["identityId"], err = r.translated(ctx, condition, &unknown)
		if err != nil {
			return "", err
		}
	}
	return unknown, nil
}

// translated returns a condition with ids of the target: an id, a list of ids, or an object of operators with either.
func (r *run) translated(ctx context.Context, condition any, unknown *string) (_ any, err error) {
	switch c := condition.(type) {
	case string:
		if strings.Contains(c, "{{") {
			return c, nil // a template, which servers fill in
		}
		id, err := r.identity(ctx, c)
		if id == "" && !r.DryRun {
			*unknown = brief(c, 64)
		}
		return id, err
	case []any:
		for i := range c {
			if c[i], err = r.translated(ctx, c[i], unknown); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for operator := range c {
			if c[operator], err = r.translated(ctx, c[operator], unknown); err != nil {
				return nil, err
			}
		}
	}
	return condition, nil
}

// held is a role of a membership as answers have it.
type held struct {
	Role       string     `json:"role"`
	CustomSlug *string    `json:"customRoleSlug"`
	Temporary  bool       `json:"isTemporary"`
	Range      *string    `json:"temporaryRange"`
	Start      *time.Time `json:"temporaryAccessStartTime"`
}

// assignment is a role of a membership as requests have it.
type assignment struct {
	Role      string `json:"role,omitempty"`
	Temporary bool   `json:"isTemporary"`
	Mode      string `json:"temporaryMode,omitempty"`
	Range     string `json:"temporaryRange,omitempty"`
	Start     string `json:"temporaryAccessStartTime,omitempty"`
}

func assignments(all []held) []assignment {
	asked := make([]assignment, len(all))
	for i, h := range all {
		asked[i] = assignment{Role: h.Role, Temporary: h.Temporary}
		if h.CustomSlug != nil {
			asked[i].Role = *h.CustomSlug
		}
		if h.Temporary && h.Start != nil {
			asked[i].Mode, asked[i].Range, asked[i].Start = "relative", text(h.Range), h.Start.UTC().Format("2006-01-02T15:04:05.000Z")
		}
	}
	return asked
}
