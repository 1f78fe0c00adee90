package project

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// tagRoutes mounts tags under projects, and under workspaces as projects were once called
// (docs/reference/secrets.md section 3.4).
func (s *Service) tagRoutes(api *httpapi.API) {
	at := func(base, suffix string, old bool) func(method, tail, id, summary string, action access.Action) httpapi.Route {
		return func(method, tail, id, summary string, action access.Action) httpapi.Route {
			return httpapi.Route{Method: method, Path: base + "/{projectId}/tags" + tail, ID: id + suffix, Tag: "Secret Tags", Summary: summary,
				Yields: true, Deprecated: old, Permission: httpapi.Permission{Action: action, Subject: access.SubjectTags}}
		}
	}
	mountTags(s, api, at("/api/v1/projects", "", false), func(t *Tag) *tagOutput {
		out := &tagOutput{}
		out.Body.Tag = wireTagOf(t)
		return out
	}, func(tags []wireTag) *tagsOutput {
		out := &tagsOutput{}
		out.Body.Tags = tags
		return out
	})
	mountTags(s, api, at("/api/v1/workspace", "-old", true), func(t *Tag) *oldTagOutput {
		out := &oldTagOutput{}
		out.Body.Tag = wireTagOf(t)
		return out
	}, func(tags []wireTag) *oldTagsOutput {
		out := &oldTagsOutput{}
		out.Body.Tags = tags
		return out
	})
}

// mountTags mounts the routes of tags under one name; one and all wrap answers as it does.
func mountTags[O, L any](s *Service, api *httpapi.API, at func(method, tail, id, summary string, action access.Action) httpapi.Route,
	one func(*Tag) *O, all func([]wireTag) *L) {
	answer := func(t *Tag, err error) (*O, error) {
		if err != nil {
			return nil, err
		}
		return one(t), nil
	}
	httpapi.Handle(api, at(http.MethodGet, "", "list-tags", "List the tags of a project", access.Read), func(ctx context.Context, actor *access.Actor, in *projectInput) (*L, error) {
		tags, err := s.Tags(ctx, actor, in.ProjectID)
		if err != nil {
			return nil, err
		}
		found := make([]wireTag, len(tags))
		for i := range tags {
			found[i] = wireTagOf(&tags[i])
		}
		return all(found), nil
	})
	httpapi.Handle(api, at(http.MethodPost, "", "create-tag", "Create a tag", access.Create), func(ctx context.Context, actor *access.Actor, in *addTagInput) (*O, error) {
		return answer(s.AddTag(ctx, actor, in.ProjectID, in.Body.Slug.Trimmed(), trimmed(in.Body.Color)))
	})
	httpapi.Handle(api, at(http.MethodGet, "/{tagId}", "get-tag", "Read a tag", access.Read), func(ctx context.Context, actor *access.Actor, in *tagInput) (*O, error) {
		return answer(s.ReadTag(ctx, actor, in.ProjectID, in.TagID, false))
	})
	httpapi.Handle(api, at(http.MethodGet, "/slug/{slug}", "get-tag-by-slug", "Read a tag by its slug", access.Read), func(ctx context.Context, actor *access.Actor, in *tagSlugInput) (*O, error) {
		return answer(s.ReadTag(ctx, actor, in.ProjectID, in.Slug, true))
	})
	httpapi.Handle(api, at(http.MethodPatch, "/{tagId}", "update-tag", "Change a tag", access.Edit), func(ctx context.Context, actor *access.Actor, in *updateTagInput) (*O, error) {
		return answer(s.UpdateTag(ctx, actor, in.ProjectID, in.TagID, trimmed(in.Body.Slug), trimmed(in.Body.Color)))
	})
	httpapi.Handle(api, at(http.MethodDelete, "/{tagId}", "delete-tag", "Delete a tag, also from all secrets", access.Delete), func(ctx context.Context, actor *access.Actor, in *tagInput) (*O, error) {
		return answer(s.DeleteTag(ctx, actor, in.ProjectID, in.TagID))
	})
}

type tagInput struct {
	ProjectID string `path:"projectId"`
	TagID     string `path:"tagId"`
}

type tagSlugInput struct {
	ProjectID string `path:"projectId"`
	Slug      string `path:"slug"`
}

type addTagInput struct {
	ProjectID string `path:"projectId"`
	Body      struct {
		Slug  httpapi.Name  `json:"slug" minLength:"1" maxLength:"64"`
		Color *httpapi.Text `json:"color,omitempty" maxLength:"64" doc:"For people, such as #ff0000"`
	}
}

type updateTagInput struct {
	ProjectID string `path:"projectId"`
	TagID     string `path:"tagId"`
	Body      struct {
		Slug  *httpapi.Name `json:"slug,omitempty" minLength:"1" maxLength:"64"`
		Color *httpapi.Text `json:"color,omitempty" maxLength:"64"`
	}
}

// wireTag is a tag as every route answers it.
type wireTag struct {
	ID            string       `json:"id"`
	Slug          string       `json:"slug"`
	Name          string       `json:"name" doc:"Same as slug; for older clients"`
	Color         *string      `json:"color"`
	CreatedAt     httpapi.Time `json:"createdAt"`
	UpdatedAt     httpapi.Time `json:"updatedAt"`
	CreatedBy     *string      `json:"createdBy"`
	CreatedByType string       `json:"createdByActorType"`
	ProjectID     string       `json:"projectId"`
}

func wireTagOf(t *Tag) wireTag {
	return wireTag{t.ID, t.Slug, t.Slug, t.Color, httpapi.Time(t.CreatedAt), httpapi.Time(t.UpdatedAt), t.CreatedBy, t.CreatedByType, t.ProjectID}
}

type tagOutput struct {
	Body struct {
		Tag wireTag `json:"tag"`
	}
}

type tagsOutput struct {
	Body struct {
		Tags []wireTag `json:"tags"`
	}
}

type oldTagOutput struct {
	Body struct {
		Tag wireTag `json:"workspaceTag"`
	}
}

type oldTagsOutput struct {
	Body struct {
		Tags []wireTag `json:"workspaceTags"`
	}
}
