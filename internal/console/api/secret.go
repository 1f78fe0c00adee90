package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Environment is one of a project's.
type Environment struct{ ID, Name, Slug string }

// Project is a project that the user is a member of.
type Project struct {
	ID, Name, Slug string
	Description    *string
	Environments   []Environment
	CreatedAt      time.Time
}

// Environment returns the environment with a slug.
func (p Project) Environment(slug string) (Environment, bool) {
	for _, e := range p.Environments {
		if e.Slug == slug {
			return e, true
		}
	}
	return Environment{}, false
}

// Projects lists them.
func (c *Caller) Projects(ctx context.Context) ([]Project, error) {
	var answer struct{ Projects []Project }
	err := c.get(ctx, "/api/v1/projects", nil, &answer)
	return answer.Projects, err
}

// ProjectBySlug reads one.
func (c *Caller) ProjectBySlug(ctx context.Context, slug string) (p Project, err error) {
	return p, c.get(ctx, path("api", "v1", "projects", "slug", slug), nil, &p)
}

// CreateProject makes one with the usual environments.
func (c *Caller) CreateProject(ctx context.Context, name string) (Project, error) {
	var answer struct{ Project Project }
	err := c.post(ctx, "/api/v1/projects", map[string]string{"projectName": name}, &answer)
	return answer.Project, err
}

// Secret is a secret of a folder.
type Secret struct {
	ID        string
	Key       string `json:"secretKey"`
	Value     string `json:"secretValue"`
	Hidden    bool   `json:"secretValueHidden"`
	Comment   string `json:"secretComment"`
	Version   int64
	UpdatedAt time.Time
}

// Imported is what a folder gets from another one.
type Imported struct {
	Environment string
	Path        string `json:"secretPath"`
	Secrets     []Secret
}

// Place is a folder of an environment.
type Place struct{ ProjectID, Environment, Path string }

func (p Place) query() url.Values {
	return url.Values{"projectId": {p.ProjectID}, "environment": {p.Environment}, "secretPath": {p.Path}, "expandSecretReferences": {"false"}}
}

func (p Place) body(more map[string]any) map[string]any {
	body := map[string]any{"projectId": p.ProjectID, "environment": p.Environment, "secretPath": p.Path}
	for name, value := range more {
		body[name] = value
	}
	return body
}

// Secrets lists the secrets of a folder. Values are read, and the reading recorded, only if asked for.
func (c *Caller) Secrets(ctx context.Context, p Place, values bool) ([]Secret, []Imported, error) {
	query := p.query()
	query.Set("viewSecretValue", strconv.FormatBool(values))
	query.Set("includeImports", strconv.FormatBool(!values))
	var answer struct {
		Secrets []Secret
		Imports []Imported
	}
	err := c.get(ctx, "/api/v4/secrets", query, &answer)
	return answer.Secrets, answer.Imports, err
}

// Secret reads one version of a secret, 0 for the latest one.
func (c *Caller) Secret(ctx context.Context, p Place, key string, version int64, value bool) (Secret, error) {
	query := p.query()
	query.Set("viewSecretValue", strconv.FormatBool(value))
	query.Set("includeImports", "false")
	if version > 0 {
		query.Set("version", strconv.FormatInt(version, 10))
	}
	var answer struct{ Secret Secret }
	err := c.get(ctx, path("api", "v4", "secrets", key), query, &answer)
	return answer.Secret, err
}

// CreateSecret makes a secret.
func (c *Caller) CreateSecret(ctx context.Context, p Place, key, value, comment string) error {
	return c.post(ctx, path("api", "v4", "secrets", key), p.body(map[string]any{"secretValue": value, "secretComment": comment}), nil)
}

// UpdateSecret gives a secret another value, and a comment unless it is nil.
func (c *Caller) UpdateSecret(ctx context.Context, p Place, key, value string, comment *string) error {
	more := map[string]any{"secretValue": value}
	if comment != nil {
		more["secretComment"] = *comment
	}
	return c.call(ctx, http.MethodPatch, path("api", "v4", "secrets", key), p.body(more), nil)
}

// DeleteSecret deletes a secret with its versions.
func (c *Caller) DeleteSecret(ctx context.Context, p Place, key string) error {
	return c.call(ctx, http.MethodDelete, path("api", "v4", "secrets", key), p.body(nil), nil)
}

// Upsert creates secrets, or changes those that exist: all or none.
func (c *Caller) Upsert(ctx context.Context, p Place, pairs []Pair) error {
	list := make([]map[string]string, len(pairs))
	for i, one := range pairs {
		list[i] = map[string]string{"secretKey": one.Key, "secretValue": one.Value}
	}
	return c.call(ctx, http.MethodPatch, "/api/v4/secrets/batch", p.body(map[string]any{"mode": "upsert", "secrets": list}), nil)
}

// Folders lists the names of the folders in a folder.
func (c *Caller) Folders(ctx context.Context, p Place) ([]string, error) {
	var answer struct{ Folders []struct{ Name string } }
	err := c.get(ctx, "/api/v2/folders", url.Values{"projectId": {p.ProjectID}, "environment": {p.Environment}, "path": {p.Path}}, &answer)
	names := make([]string, len(answer.Folders))
	for i, f := range answer.Folders {
		names[i] = f.Name
	}
	return names, err
}

// CreateFolder makes a folder.
func (c *Caller) CreateFolder(ctx context.Context, p Place, name string) error {
	return c.post(ctx, "/api/v2/folders", map[string]string{"projectId": p.ProjectID, "environment": p.Environment, "path": p.Path, "name": name}, nil)
}
