package secret

import (
	"context"
	"net/http"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// dialect is what differs between the versions of the API: where it is, and what it does when it is not told.
type dialect struct {
	version string // ends the ids of its routes
	path    string // of secrets, by name
	batch   string // of changes of several
	expand  bool
	imports bool
	both    bool // lists have personal secrets beside the shared ones
}

// dialects are the versions (docs/reference/secrets.md section 1.12).
var dialects = []dialect{
	{version: "v4", path: "/api/v4/secrets", batch: "/api/v4/secrets/batch", expand: true, imports: true},
	{version: "v3", path: "/api/v3/secrets/raw", batch: "/api/v3/secrets/batch/raw", both: true},
}

const tag = "Secrets"

// Routes mounts the routes of secrets (docs/reference/secrets.md section 1). The versions of the API differ in defaults
// and in the words for a project; each takes the words of all.
func (s *Service) Routes(api *httpapi.API) {
	for _, d := range dialects {
		route := func(method, path, id, summary string, action access.Action) httpapi.Route {
			return httpapi.Route{Method: method, Path: d.path + path, ID: id + "-" + d.version, Tag: tag, Summary: summary,
				Permission: httpapi.Permission{Action: action, Subject: access.SubjectSecrets}}
		}
		const one = "/{secretName}"
		httpapi.Handle(api, route(http.MethodGet, "", "list-secrets", "List the secrets of a folder", access.DescribeSecret), d.listRoute(s))
		httpapi.Handle(api, route(http.MethodGet, one, "get-secret", "Read a secret", access.ReadValue), d.getRoute(s))
		httpapi.Handle(api, route(http.MethodPost, one, "create-secret", "Create a secret", access.Create), s.createRoute)
		httpapi.Handle(api, route(http.MethodPatch, one, "update-secret", "Change a secret, which makes a new version", access.Edit), s.updateRoute)
		httpapi.Handle(api, route(http.MethodDelete, one, "delete-secret", "Delete a secret with its versions", access.Delete), s.deleteRoute)
		httpapi.Handle(api, route(http.MethodGet, "/id/{secretId}", "get-secret-by-id", "Read a secret by its id", access.ReadValue), s.getByIDRoute)
		s.batchRoutes(api, d)
	}
	s.tagRoutes(api)
	s.moveRoute(api)
	s.importRoutes(api)
}

// listInput chooses secrets of a folder.
type listInput struct {
	PlaceQuery
	ViewQuery
	Recursive string `query:"recursive" enum:"true,false" doc:"Whether to list the folders below, too; default false"`
	Overrides string `query:"includePersonalOverrides" enum:"true,false" doc:"Whether your personal secrets override the shared ones; default false"`
	TagSlugs  string `query:"tagSlugs" maxLength:"4096" doc:"Only secrets with one of these tags; slugs with commas between"`
	Filter    string `query:"metadataFilter" maxLength:"4096" doc:"Only secrets with this metadata: key=k1,value=v1|key=k2,value=v2"`
}

type listOutput struct {
	Body struct {
		Secrets []wireSecret  `json:"secrets"`
		Imports []wireImports `json:"imports" doc:"One entry for each import of the folder, in the order of their positions"`
	}
}

func (in *listInput) query(d dialect) (Query, error) {
	q := Query{View: in.view(d), Below: in.Recursive == "true", Overrides: in.Overrides == "true"}
	q.Both = d.both && !q.Overrides
	for slug := range strings.SplitSeq(in.TagSlugs, ",") {
		if slug = strings.TrimSpace(slug); slug != "" {
			q.TagSlugs = append(q.TagSlugs, slug)
		}
	}
	var err error
	q.Filter, err = ParseFilter(in.Filter)
	return q, err
}

func (d dialect) listRoute(s *Service) func(context.Context, *access.Actor, *listInput) (*listOutput, error) {
	return func(ctx context.Context, actor *access.Actor, in *listInput) (*listOutput, error) {
		q, err := in.query(d)
		if err != nil {
			return nil, err
		}
		q.Reuse = true
		l, err := s.List(ctx, actor, in.place(), q)
		if err != nil {
			return nil, err
		}
		out := &listOutput{}
		if l.reuse.answer(ctx) {
			return out, nil
		}
		out.Body.Secrets, out.Body.Imports = wireAll(l.Secrets), make([]wireImports, len(l.Imports))
		for i, m := range l.Imports {
			out.Body.Imports[i] = wireImports{m.Path, m.Environment, m.FolderID, wireAll(m.Secrets)}
		}
		return out, nil
	}
}

// answer has the request answered as the same question was answered before, if it was, or else has the answer kept.
func (r *Reuse) answer(ctx context.Context) bool {
	switch {
	case r == nil:
		return false
	case r.Found():
		httpapi.Reuse(ctx, r.Tag(), r.Body)
		return true
	}
	httpapi.Keep(ctx, r.Keep)
	return false
}

type getInput struct {
	Name string `path:"secretName"`
	PlaceQuery
	ViewQuery
	Version int64  `query:"version" minimum:"1" doc:"An older version; default the latest"`
	Type    string `query:"type" enum:"shared,personal" doc:"personal: your own instead of the shared one; default shared"`
}

type secretOutput struct {
	Body struct {
		Secret wireSecret `json:"secret"`
	}
}

func output(found *Secret, err error) (*secretOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &secretOutput{}
	out.Body.Secret = wire(found)
	return out, nil
}

const personal = "personal"

func (d dialect) getRoute(s *Service) func(context.Context, *access.Actor, *getInput) (*secretOutput, error) {
	return func(ctx context.Context, actor *access.Actor, in *getInput) (*secretOutput, error) {
		found, err := s.Get(ctx, actor, in.place(), Find{Name: strings.TrimSpace(in.Name), Version: in.Version, Personal: in.Type == personal, View: in.view(d), Reuse: true})
		if err == nil && found.reuse.answer(ctx) {
			return &secretOutput{}, nil
		}
		return output(found, err)
	}
}

type getByIDInput struct {
	ID string `path:"secretId"`
}

func (s *Service) getByIDRoute(ctx context.Context, actor *access.Actor, in *getByIDInput) (*secretOutput, error) {
	return output(s.GetByID(ctx, actor, in.ID))
}

type createInput struct {
	Name string `path:"secretName"`
	Body struct {
		PlaceBody
		FieldsBody
		Value string `json:"secretValue" doc:"Any text. White space around it is removed, except a line feed at its end"`
		Type  string `json:"type,omitempty" enum:"shared,personal" default:"shared"`
	}
}

func (s *Service) createRoute(ctx context.Context, actor *access.Actor, in *createInput) (*secretOutput, error) {
	c := in.Body.changes(in.Name, &in.Body.Value)
	c.Personal = in.Body.Type == personal
	return output(s.Create(ctx, actor, in.Body.PlaceBody.place(), c))
}

type updateInput struct {
	Name string `path:"secretName"`
	Body struct {
		PlaceBody
		FieldsBody
		Value   *string       `json:"secretValue,omitempty"`
		NewName *httpapi.Name `json:"newSecretName,omitempty" minLength:"1" maxLength:"512"`
		Type    string        `json:"type,omitempty" enum:"shared,personal" default:"shared"`
	}
}

func (s *Service) updateRoute(ctx context.Context, actor *access.Actor, in *updateInput) (*secretOutput, error) {
	c := in.Body.changes(in.Name, in.Body.Value)
	c.Personal, c.NewName = in.Body.Type == personal, (*string)(in.Body.NewName)
	return output(s.Update(ctx, actor, in.Body.PlaceBody.place(), c))
}

type deleteInput struct {
	Name string `path:"secretName"`
	Body struct {
		PlaceBody
		Type string `json:"type,omitempty" enum:"shared,personal" default:"shared"`
	}
}

func (s *Service) deleteRoute(ctx context.Context, actor *access.Actor, in *deleteInput) (*secretOutput, error) {
	return output(s.Delete(ctx, actor, in.Body.PlaceBody.place(), in.Name, in.Body.Type == personal))
}
