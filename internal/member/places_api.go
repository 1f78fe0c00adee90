package member

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// wirePlace is an identity's place in a project.
type wirePlace struct {
	ID         string       `json:"id" doc:"Of the membership"`
	IdentityID string       `json:"identityId"`
	CreatedAt  httpapi.Time `json:"createdAt"`
	UpdatedAt  httpapi.Time `json:"updatedAt"`
	Roles      []Held       `json:"roles"`
	Identity   struct {
		ID          string   `json:"id"`
		Name        string   `json:"name"`
		AuthMethods []string `json:"authMethods"`

		CreatedAt httpapi.Time `json:"createdAt"`
		UpdatedAt httpapi.Time `json:"updatedAt"`
	} `json:"identity"`
	Project struct {
		ID   string `json:"id"`
		Name string `json:"name"`
		Type string `json:"type"`
	} `json:"project"`
}

type projectsOutput struct {
	Body struct {
		Memberships []wirePlace `json:"identityMemberships"`
	}
}

// projectsRoute answers with the projects of an identity and its roles there.
func (s *Service) projectsRoute(ctx context.Context, actor *access.Actor, in *oneInput) (*projectsOutput, error) {
	m, places, err := s.Places(ctx, actor, in.IdentityID)
	if err != nil {
		return nil, err
	}
	out := &projectsOutput{}
	out.Body.Memberships = make([]wirePlace, len(places))
	for i, p := range places {
		out.Body.Memberships[i] = p.wire(m)
	}
	return out, nil
}

// Place is a membership of an identity in a project. Times are milliseconds UTC.
type Place struct {
	ID        string `db:"id"`
	CreatedAt int64  `db:"created_at"`
	UpdatedAt int64  `db:"updated_at"`
	ProjectID string `db:"project_id"`
	Name      string `db:"name"`
	Type      string `db:"type"`
	Roles     []Held `db:"-"`
}

// Places returns the membership of an identity in the actor's organization, and those in projects by the project's name.
// Errors: PermissionDenied, NotFound.
func (s *Service) Places(ctx context.Context, actor *access.Actor, identityID string) (*Member, []Place, error) {
	m, _, err := s.Read(ctx, actor, InOrganization, identityID)
	if err != nil {
		return nil, nil, err
	}
	var places []Place
	err = s.db.Select(ctx, &places, `SELECT m.id, m.created_at, m.updated_at, p.id AS project_id, p.name, p.type FROM memberships m
		JOIN projects p ON p.id = m.project_id WHERE m.identity_id = $1 AND m.scope = 'project' AND p.deleted_at IS NULL
		ORDER BY p.name, p.id`, identityID)
	if err != nil {
		return nil, nil, err
	}
	ids := make([]string, len(places))
	for i, p := range places {
		ids[i] = p.ID
	}
	held, err := s.HeldBy(ctx, ids)
	for i := range places {
		places[i].Roles = held[places[i].ID]
	}
	return m, places, err
}

func (p *Place) wire(m *Member) wirePlace {
	w := wirePlace{ID: p.ID, IdentityID: m.Identity.ID, CreatedAt: httpapi.Time(p.CreatedAt), UpdatedAt: httpapi.Time(p.UpdatedAt),
		Roles: append([]Held{}, p.Roles...)}
	w.Identity.ID, w.Identity.Name, w.Identity.AuthMethods = m.Identity.ID, m.Identity.Name, append([]string{}, m.Methods...)
	w.Identity.CreatedAt, w.Identity.UpdatedAt = httpapi.Time(m.Identity.CreatedAt), httpapi.Time(m.Identity.UpdatedAt)
	w.Project.ID, w.Project.Name, w.Project.Type = p.ProjectID, p.Name, p.Type
	return w
}
