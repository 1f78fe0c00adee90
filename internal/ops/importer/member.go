package importer

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
)

// members brings over the custom roles of the project, then who has them: the identities that it owns, memberships of
// identities of the organization, and additional privileges.
func (p *place) members(ctx context.Context) error {
	if err := p.roles(ctx); err != nil {
		return err
	}
	err := pages(ctx, p.source, projectsPath+"/"+p.from.ID+"/memberships/identities", nil, "identityMemberships", func(m *wireMember) error {
		if m.Identity.ProjectID != nil && *m.Identity.ProjectID != "" {
			return p.owned(ctx, m)
		}
		return p.member(ctx, m)
	})
	return p.failUnless(Members, err)
}

func (p *place) member(ctx context.Context, m *wireMember) error {
	where := p.from.Slug + " " + m.Identity.Name
	id, err := p.identity(ctx, m.Identity.ID)
	if err != nil {
		return err
	}
	if id == "" && !p.DryRun {
		p.failed(Members, where, "the identity is not at the target")
		return nil
	}
	path := projectsPath + "/" + p.to.ID + "/memberships/identities/" + id
	there, err := p.memberThere(ctx, path, id)
	if err != nil {
		return p.fail(Members, where, err)
	}
	asked := func(method string) func() error {
		return func() error {
			_, err := p.target.send(ctx, method, path, map[string]any{"roles": assignments(m.Roles)})
			return err
		}
	}
	t := thing{kind: Members, where: where, ours: p.ours, make: asked(http.MethodPost)}
	if there != nil {
		t.there, t.apart, t.change = true, apart("set of roles", !slices.Equal(assignments(m.Roles), assignments(there.Roles))), asked(http.MethodPatch)
		if t.apart != "" && id == p.run.to.IdentityID {
			p.note(Members, where, "this import runs as that identity, so its roles are left alone")
			return nil
		}
	}
	if ok, err := p.settle(t); err != nil || !ok {
		return err
	}
	return p.privileges(ctx, m.Identity.ID, id, where)
}

// memberThere returns the membership at a path of the target, nil where there is none.
func (p *place) memberThere(ctx context.Context, path, id string) (*wireMember, error) {
	switch {
	case p.to.ID == "" && id != "" && id == p.run.to.IdentityID:
		return &wireMember{Roles: []held{{Role: "admin"}}}, nil // whoever makes a project is its administrator
	case p.to.ID == "" || id == "":
		return nil, nil
	}
	there, err := one[wireMember](ctx, p.target, path, nil, "identityMembership")
	if refused(err, http.StatusNotFound, http.StatusBadRequest) {
		return nil, nil
	}
	return there, err
}

// owned brings over an identity that the project owns.
func (p *place) owned(ctx context.Context, listed *wireMember) error {
	const members = "/memberships/identities/"
	from, err := one[wireMember](ctx, p.source, projectsPath+"/"+p.from.ID+members+url.PathEscape(listed.Identity.ID), nil, "identityMembership")
	if err != nil {
		return p.fail(Identities, p.from.Slug+" "+listed.Identity.Name, err)
	}
	from.IdentityID, from.Metadata = listed.Identity.ID, from.Identity.Metadata
	path := projectsPath + "/" + p.to.ID + "/identities"
	var candidates []string
	if p.to.ID != "" {
		err = pages(ctx, p.target, path, nil, "identities", func(i *namedIdentity) error {
			if i.Name == from.Identity.Name {
				candidates = append(candidates, i.ID)
			}
			return nil
		})
	}
	if err != nil {
		return p.fail(Identities, p.from.Slug+" "+from.Identity.Name, err)
	}
	m := &machine{run: p.run, from: from, path: path, rolesPath: path, kind: Members, read: func(ctx context.Context, id string) (*wireMember, error) {
		there, err := one[wireMember](ctx, p.target, projectsPath+"/"+p.to.ID+members+id, nil, "identityMembership")
		if err == nil {
			there.Metadata = there.Identity.Metadata
		}
		return there, err
	}}
	id, err := m.bring(ctx, candidates, false)
	if err != nil || id == "" && !p.DryRun {
		return err
	}
	return p.privileges(ctx, from.IdentityID, id, p.from.Slug+" "+from.Identity.Name)
}

type namedIdentity struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// wirePrivilege is an additional privilege of an identity in a project.
type wirePrivilege struct {
	held
	ID          string `json:"id"`
	Slug        string `json:"slug"`
	Permissions []rule `json:"permissions"`
}

const privilegesPath = "/api/v2/identity-project-additional-privilege"

// privileges brings over the additional privileges of one identity, by their slugs.
func (p *place) privileges(ctx context.Context, fromID, toID, where string) error {
	all, err := list[wirePrivilege](ctx, p.source, privilegesPath, url.Values{"identityId": {fromID}, "projectId": {p.from.ID}}, "privileges")
	if err != nil {
		return p.fail(Privileges, where, err)
	}
	for _, v := range all {
		if err := p.privilege(ctx, v.ID, toID, where+" "+v.Slug); err != nil {
			return err
		}
	}
	return nil
}

func (p *place) privilege(ctx context.Context, id, toID, where string) error {
	v, err := one[wirePrivilege](ctx, p.source, privilegesPath+"/"+url.PathEscape(id), nil, "privilege")
	if err != nil {
		return p.fail(Privileges, where, err)
	}
	if unknown, err := p.translate(ctx, v.Permissions); err != nil || unknown != "" {
		if unknown != "" {
			p.failed(Privileges, where, "a condition names the identity "+unknown+", which is not at the target")
		}
		return err
	}
	span := assignments([]held{v.held})[0]
	body := map[string]any{"identityId": toID, "projectId": p.to.ID, "slug": v.Slug, "permissions": append([]rule{}, v.Permissions...), "type": span}
	t := thing{kind: Privileges, where: where, ours: p.ours, make: func() error {
		_, err := p.target.send(ctx, http.MethodPost, privilegesPath, body)
		return err
	}}
	there, err := p.privilegeThere(ctx, toID, v.Slug)
	if err != nil {
		return p.fail(Privileges, where, err)
	}
	if there != nil {
		t.there, t.apart = true, cmp.Or(apart("permissions", !sameRules(v.Permissions, there.Permissions)), apart("time", span != assignments([]held{there.held})[0]))
		t.change = func() error {
			_, err := p.target.send(ctx, http.MethodPatch, privilegesPath+"/"+there.ID, map[string]any{"permissions": body["permissions"], "type": span})
			return err
		}
	}
	_, err = p.settle(t)
	return err
}

func (p *place) privilegeThere(ctx context.Context, identityID, slug string) (*wirePrivilege, error) {
	if p.to.ID == "" || identityID == "" {
		return nil, nil
	}
	there, err := one[wirePrivilege](ctx, p.target, privilegesPath+"/slug/"+url.PathEscape(slug), url.Values{"identityId": {identityID}, "projectSlug": {p.to.Slug}}, "privilege")
	if refused(err, http.StatusNotFound) {
		return nil, nil
	}
	return there, err
}
