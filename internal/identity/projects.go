package identity

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/role"
)

// wirePlace is an identity's place in a project.
type wirePlace struct {
	ID         string       `json:"id" doc:"Of the membership"`
	IdentityID string       `json:"identityId"`
	CreatedAt  httpapi.Time `json:"createdAt"`
	UpdatedAt  httpapi.Time `json:"updatedAt"`
	Roles      []role.Held  `json:"roles"`
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
	m, err := s.Read(ctx, actor, in.IdentityID)
	if err != nil {
		return nil, err
	}
	places, err := s.places(ctx, in.IdentityID)
	if err != nil {
		return nil, err
	}
	for i := range places {
		places[i].IdentityID = m.Identity.ID
		w := &places[i].Identity
		w.ID, w.Name, w.AuthMethods = m.Identity.ID, m.Name, m.Methods
		w.CreatedAt, w.UpdatedAt = httpapi.Time(m.Identity.CreatedAt), httpapi.Time(m.Identity.UpdatedAt)
	}
	out := &projectsOutput{}
	out.Body.Memberships = places
	return out, nil
}

// places returns the memberships of an identity in projects, by the project's name.
func (s *Service) places(ctx context.Context, identityID string) ([]wirePlace, error) {
	var rows []struct {
		ID        string `db:"id"`
		CreatedAt int64  `db:"created_at"`
		UpdatedAt int64  `db:"updated_at"`
		ProjectID string `db:"project_id"`
		Name      string `db:"name"`
		Type      string `db:"type"`
	}
	err := s.DB.Select(ctx, &rows, `SELECT m.id, m.created_at, m.updated_at, p.id AS project_id, p.name, p.type FROM memberships m
		JOIN projects p ON p.id = m.project_id WHERE m.identity_id = $1 AND m.scope = 'project' AND p.deleted_at IS NULL ORDER BY p.name, p.id`, identityID)
	if err != nil {
		return nil, err
	}
	ids, places := make([]string, len(rows)), make([]wirePlace, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
		places[i] = wirePlace{ID: r.ID, CreatedAt: httpapi.Time(r.CreatedAt), UpdatedAt: httpapi.Time(r.UpdatedAt)}
		places[i].Project.ID, places[i].Project.Name, places[i].Project.Type = r.ProjectID, r.Name, r.Type
	}
	held, err := role.HeldBy(ctx, s.DB, ids)
	for i := range places {
		places[i].Roles = append([]role.Held{}, held[places[i].ID]...)
	}
	return places, err
}
