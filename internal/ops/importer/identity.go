package importer

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
)

// wireMember is an identity in its organization or in a project.
type wireMember struct {
	IdentityID string `json:"identityId"`
	Role       string `json:"role"`
	CustomRole *struct {
		Slug string `json:"slug"`
	} `json:"customRole"`
	Roles    []held `json:"roles"`
	Metadata []pair `json:"metadata"`
	Identity struct {
		ID            string   `json:"id"`
		Name          string   `json:"name"`
		ProjectID     *string  `json:"projectId"`
		HasProtection bool     `json:"hasDeleteProtection"`
		Methods       []string `json:"authMethods"`
		Metadata      []pair   `json:"metadata"`
	} `json:"identity"`
}

// pair is a pair of an identity's metadata.
type pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func samePairs(a, b []pair) bool {
	order := func(x, y pair) int { return cmp.Or(cmp.Compare(x.Key, y.Key), cmp.Compare(x.Value, y.Value)) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), order), slices.SortedFunc(slices.Values(b), order))
}

// assigned returns the roles of the membership. Servers that show only one role show it beside the identity.
func (m *wireMember) assigned() []assignment {
	if len(m.Roles) > 0 {
		return assignments(m.Roles)
	}
	if m.CustomRole != nil {
		return []assignment{{Role: m.CustomRole.Slug}}
	}
	return []assignment{{Role: cmp.Or(m.Role, "no-access")}}
}

const (
	identitiesPath  = "/api/v1/identities"
	membershipsPath = "/api/v1/organization/identity-memberships"
)

// chartNames notes which names identities have on both sides: over there ids differ, so names are what they are known by.
func (r *run) chartNames(ctx context.Context) error {
	r.names, r.taken = map[string]int{}, map[string][]string{}
	err := pages(ctx, r.source, identitiesPath, url.Values{"orgId": {r.from.OrgID}}, "identities", func(m *wireMember) error {
		r.names[m.Identity.Name]++
		return nil
	})
	if err == nil && len(r.Projects) == 0 {
		for _, n := range r.names {
			r.progress.Of += int64(n)
		}
	}
	if err == nil || refused(err) { // who may not list them may still read projects
		err = pages(ctx, r.target, identitiesPath, url.Values{"orgId": {r.to.OrgID}}, "identities", func(m *wireMember) error {
			r.taken[m.Identity.Name] = append(r.taken[m.Identity.Name], m.Identity.ID)
			return nil
		})
	}
	return err
}

// organization brings over all roles and identities of the organization.
func (r *run) organization(ctx context.Context) error {
	roles, err := list[wireRole](ctx, r.source, orgRolesPath, nil, "roles")
	if err = r.failUnless(OrgRoles, err); err != nil {
		return err
	}
	for _, role := range roles {
		if err := r.organizationRole(ctx, role.Slug); err != nil {
			return err
		}
	}
	err = pages(ctx, r.source, identitiesPath, url.Values{"orgId": {r.from.OrgID}}, "identities", func(m *wireMember) error {
		defer r.step("identity " + m.Identity.Name)
		_, err := r.identity(ctx, m.Identity.ID)
		return err
	})
	return r.failUnless(Identities, err)
}

// failUnless is fail for an error that may be nil.
func (r *run) failUnless(kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return r.fail(kind, "of the organization", err)
}

// identity brings over one identity of the organization with its login methods and its roles there, once in a run, and
// returns its id at the target: "" where it could not be brought over, or would only be made in a dry run.
func (r *run) identity(ctx context.Context, id string) (there string, err error) {
	if there, done := r.settled[id]; done {
		return there, nil
	}
	r.settled[id] = ""
	from, err := r.readIdentity(ctx, r.source, id)
	if err != nil {
		return "", r.fail(Identities, id, err)
	}
	for _, a := range from.assigned() {
		if err := r.organizationRole(ctx, a.Role); err != nil {
			return "", err
		}
	}
	m := &machine{run: r, from: from, path: identitiesPath, rolesPath: membershipsPath, kind: OrgMembers,
		read: func(ctx context.Context, id string) (*wireMember, error) { return r.readIdentity(ctx, r.target, id) }}
	r.settled[id], err = m.bring(ctx, r.taken[m.name()], r.names[m.name()] > 1)
	return r.settled[id], err
}

// readIdentity reads an identity with its metadata and, where the server shows them, all its roles.
func (r *run) readIdentity(ctx context.Context, c *client, id string) (*wireMember, error) {
	m, err := one[wireMember](ctx, c, identitiesPath+"/"+url.PathEscape(id), nil, "identity")
	if err != nil {
		return nil, err
	}
	m.IdentityID = id
	if c == r.source && r.oneRole {
		return m, nil
	}
	all, err := one[wireMember](ctx, c, membershipsPath+"/"+url.PathEscape(id), nil, "identityMembership")
	if refused(err, http.StatusUnauthorized) { // some servers let only users ask; then the token is good for all else
		_, err = meet(ctx, c)
		all = m
	}
	switch {
	case err == nil && len(all.Roles) > 0:
		m.Roles = all.Roles
	case err != nil && !refused(err):
		return nil, err
	case c == r.source:
		r.oneRole = true
		r.note(OrgMembers, "all", "the source shows only one role of each identity to this token; check whether some have more")
	}
	return m, nil
}
