package secret

import (
	"context"
	"net/http"
	"slices"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// maxTags is how many tags one secret has at most.
const maxTags = 100

// Attach adds tags, named by slugs, to those of a secret, and makes a new version of it. Errors: those of Update; NotFound
// for an unknown slug; Validation for more than 100 tags.
func (s *Service) Attach(ctx context.Context, actor *access.Actor, p Place, name string, personal bool, slugs []string) (*Secret, error) {
	return s.retag(ctx, actor, p, name, personal, slugs, func(held, named []string) []string { return append(held, named...) })
}

// Detach takes tags from those of a secret; otherwise it is as Attach.
func (s *Service) Detach(ctx context.Context, actor *access.Actor, p Place, name string, personal bool, slugs []string) (*Secret, error) {
	return s.retag(ctx, actor, p, name, personal, slugs, func(held, named []string) []string {
		return slices.DeleteFunc(held, func(tagID string) bool { return slices.Contains(named, tagID) })
	})
}

// retag gives a secret the tags that change makes of those it has and those that are named, by their ids.
func (s *Service) retag(ctx context.Context, actor *access.Actor, p Place, name string, personal bool, slugs []string, change func(held, named []string) []string) (*Secret, error) {
	at, err := s.at(ctx, actor, p)
	if err != nil {
		return nil, err
	}
	return s.write(ctx, at, audit.UpdateSecret, func(tx *sqldb.Tx) (*Secret, error) {
		next, err := at.take(ctx, tx, access.Edit, name, personal)
		if err != nil {
			return nil, err
		}
		named, err := at.tagsNamed(slugs)
		if err != nil {
			return nil, err
		}
		held := make([]string, len(next.Tags))
		for i, t := range next.Tags {
			held[i] = t.ID
		}
		all := change(held, named)
		slices.Sort(all)
		if all = slices.Compact(all); len(all) > maxTags {
			return nil, fault.Invalid("too_big", "A secret has at most 100 tags.", "tagSlugs")
		}
		return next, at.change(ctx, tx, next, Changes{TagIDs: &all})
	})
}

// tagsNamed returns the ids of the tags of the project with the slugs; NotFound if there is none with one of them.
func (r *projectScope) tagsNamed(slugs []string) ([]string, error) {
	bySlug := make(map[string]string, len(r.tags.byID))
	for tagID, t := range r.tags.byID {
		bySlug[t.Slug] = tagID
	}
	ids := make([]string, len(slugs))
	for i, slug := range slugs {
		if ids[i] = bySlug[slug]; ids[i] == "" {
			return nil, fault.New(fault.NotFound, "The project has no tag with the slug %q. Read its tags to see which ones exist.", shortened(slug))
		}
	}
	return ids, nil
}

// tagRoutes mounts the routes that change the tags of a secret by their slugs (docs/reference/secrets.md section 1.13).
func (s *Service) tagRoutes(api *httpapi.API) {
	route := func(method, id, summary string) httpapi.Route {
		return httpapi.Route{Method: method, Path: "/api/v3/secrets/tags/{secretName}", ID: id, Tag: tag, Summary: summary, Deprecated: true,
			Permission: httpapi.Permission{Action: access.Edit, Subject: access.SubjectSecrets}}
	}
	httpapi.Handle(api, route(http.MethodPost, "attach-secret-tags", "Add tags to a secret, by their slugs"), tagsRoute(s.Attach))
	httpapi.Handle(api, route(http.MethodDelete, "detach-secret-tags", "Remove tags from a secret, by their slugs"), tagsRoute(s.Detach))
}

type tagsInput struct {
	Name string `path:"secretName"`
	Body struct {
		PlaceBody
		Type  string         `json:"type,omitempty" enum:"shared,personal" default:"shared"`
		Slugs []httpapi.Text `json:"tagSlugs" minItems:"1" maxItems:"100"`
	}
}

type retagging func(ctx context.Context, actor *access.Actor, p Place, name string, personal bool, slugs []string) (*Secret, error)

func tagsRoute(change retagging) func(context.Context, *access.Actor, *tagsInput) (*secretOutput, error) {
	return func(ctx context.Context, actor *access.Actor, in *tagsInput) (*secretOutput, error) {
		slugs := make([]string, len(in.Body.Slugs))
		for i, t := range in.Body.Slugs {
			slugs[i] = t.Trimmed()
		}
		return output(change(ctx, actor, in.Body.place(), in.Name, in.Body.Type == personal, slugs))
	}
}
