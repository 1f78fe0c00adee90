package role

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// Routes mounts the roles of organizations (docs/reference/identity.md section 7.5).
func (s *Service) Routes(api *httpapi.API) {
	route := func(method, suffix, id, summary string, action access.Action) httpapi.Route {
		return httpapi.Route{Method: method, Path: "/api/v1/organization/roles" + suffix, ID: id, Tag: "Organization Roles", Summary: summary,
			Permission: httpapi.Permission{Action: action, Subject: access.SubjectRole}}
	}
	httpapi.Handle(api, route(http.MethodPost, "", "create-org-role", "Create a role", access.Create), s.createRoute)
	httpapi.Handle(api, route(http.MethodGet, "", "list-org-roles", "List the roles, built-in ones first", access.Read), s.listRoute)
	httpapi.Handle(api, route(http.MethodGet, "/{roleId}", "get-org-role", "Read a role", access.Read), s.readRoute)
	httpapi.Handle(api, route(http.MethodGet, "/slug/{slug}", "get-org-role-by-slug", "Read a role by its slug", access.Read), s.slugRoute)
	httpapi.Handle(api, route(http.MethodPatch, "/{roleId}", "update-org-role", "Change a role, for every member who has it", access.Edit), s.updateRoute)
	httpapi.Handle(api, route(http.MethodDelete, "/{roleId}", "delete-org-role", "Delete a role that no member has", access.Delete), s.deleteRoute)
	s.effectiveRoutes(api)
	s.decideRoutes(api)
}

// RuleInput is a rule in a request. Its action is a string or a list of strings.
type RuleInput struct {
	Subject    httpapi.Text   `json:"subject" maxLength:"64"`
	Action     any            `json:"action" doc:"One action, or a list of them"`
	Conditions map[string]any `json:"conditions,omitempty"`
	Inverted   bool           `json:"inverted,omitempty" doc:"Denies instead of allowing"`
}

// ParseRules reads the rules of a request; Validation for an action of another type.
func ParseRules(rules []RuleInput) (parsed []access.Rule, err error) {
	text, err := json.Marshal(rules)
	if err == nil {
		err = json.Unmarshal(text, &parsed)
	}
	if err != nil {
		return nil, fault.Invalid("invalid_type", "Each permission needs an action that is a string or a list of strings.", "permissions")
	}
	return parsed, nil
}

type createInput struct {
	Body struct {
		Slug        httpapi.Name  `json:"slug" minLength:"1" maxLength:"64"`
		Name        httpapi.Name  `json:"name" minLength:"1" maxLength:"255"`
		Description httpapi.Prose `json:"description,omitempty" maxLength:"4096"`
		Permissions []RuleInput   `json:"permissions" maxItems:"500"`
	}
}

type roleOutput struct {
	Body struct {
		Role wireRole `json:"role"`
	}
}

type wireRole struct {
	ID          string        `json:"id"`
	Name        string        `json:"name"`
	Slug        string        `json:"slug"`
	Description string        `json:"description"`
	Permissions []access.Rule `json:"permissions"`
	OrgID       string        `json:"orgId"`
	CreatedAt   httpapi.Time  `json:"createdAt"`
	UpdatedAt   httpapi.Time  `json:"updatedAt"`
}

func wire(r *Role) wireRole {
	return wireRole{r.ID, r.Name, r.Slug, r.Description, append([]access.Rule{}, r.Rules...), r.OrgID, httpapi.Time(r.CreatedAt), httpapi.Time(r.UpdatedAt)}
}

func one(r *Role, err error) (*roleOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &roleOutput{}
	out.Body.Role = wire(r)
	return out, nil
}

func (s *Service) createRoute(ctx context.Context, actor *access.Actor, in *createInput) (*roleOutput, error) {
	rules, err := ParseRules(in.Body.Permissions)
	if err != nil {
		return nil, err
	}
	slug, name, description := in.Body.Slug.Trimmed(), in.Body.Name.Trimmed(), string(in.Body.Description)
	return one(s.Create(ctx, actor, Changes{Slug: &slug, Name: &name, Description: &description, Rules: &rules}))
}

type listOutput struct {
	Body struct {
		Roles []wireRole `json:"roles"`
	}
}

func (s *Service) listRoute(ctx context.Context, actor *access.Actor, _ *httpapi.Empty) (*listOutput, error) {
	roles, err := s.List(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	for i := range roles {
		out.Body.Roles = append(out.Body.Roles, wire(&roles[i]))
	}
	return out, nil
}

type roleInput struct {
	RoleID string `path:"roleId"`
}

func (s *Service) readRoute(ctx context.Context, actor *access.Actor, in *roleInput) (*roleOutput, error) {
	return one(s.Read(ctx, actor, in.RoleID))
}

type slugInput struct {
	Slug string `path:"slug"`
}

func (s *Service) slugRoute(ctx context.Context, actor *access.Actor, in *slugInput) (*roleOutput, error) {
	return one(s.Read(ctx, actor, in.Slug))
}

type updateInput struct {
	RoleID string `path:"roleId"`
	Body   struct {
		Slug        *httpapi.Name  `json:"slug,omitempty" minLength:"1" maxLength:"64"`
		Name        *httpapi.Name  `json:"name,omitempty" minLength:"1" maxLength:"255"`
		Description *httpapi.Prose `json:"description,omitempty" maxLength:"4096"`
		Permissions *[]RuleInput   `json:"permissions,omitempty" maxItems:"500"`
	}
}

func (s *Service) updateRoute(ctx context.Context, actor *access.Actor, in *updateInput) (*roleOutput, error) {
	c := Changes{Description: (*string)(in.Body.Description)}
	if in.Body.Slug != nil {
		slug := in.Body.Slug.Trimmed()
		c.Slug = &slug
	}
	if in.Body.Name != nil {
		name := in.Body.Name.Trimmed()
		c.Name = &name
	}
	if in.Body.Permissions != nil {
		rules, err := ParseRules(*in.Body.Permissions)
		if err != nil {
			return nil, err
		}
		c.Rules = &rules
	}
	return one(s.Update(ctx, actor, in.RoleID, c))
}

func (s *Service) deleteRoute(ctx context.Context, actor *access.Actor, in *roleInput) (*roleOutput, error) {
	return one(s.Delete(ctx, actor, in.RoleID))
}
