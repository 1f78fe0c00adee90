package member

import (
	"context"
	"net/http"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/role"
)

// privilegeRoutes mounts the additional privileges of identities in projects (docs/reference/identity.md section 4.5).
func (s *Service) privilegeRoutes(api *httpapi.API) {
	route := func(method, tail, id, summary string, action access.Action) httpapi.Route {
		return httpapi.Route{Method: method, Path: "/api/v2/identity-project-additional-privilege" + tail, ID: id, Tag: "Additional Privileges", Summary: summary,
			Permission: httpapi.Permission{Action: action, Subject: access.SubjectIdentity}}
	}
	httpapi.Handle(api, route(http.MethodPost, "", "create-privilege", "Give an identity an additional privilege in a project", access.Edit), s.addPrivilegeRoute)
	httpapi.Handle(api, route(http.MethodGet, "", "list-privileges", "List the privileges of an identity in a project", access.Read), s.privilegesRoute)
	httpapi.Handle(api, route(http.MethodGet, "/{privilegeId}", "get-privilege", "Read a privilege", access.Read), s.privilegeRoute)
	httpapi.Handle(api, route(http.MethodGet, "/slug/{slug}", "get-privilege-by-slug", "Read a privilege by its slug", access.Read), s.privilegeSlugRoute)
	httpapi.Handle(api, route(http.MethodPatch, "/{privilegeId}", "update-privilege", "Change a privilege", access.Edit), s.updatePrivilegeRoute)
	httpapi.Handle(api, route(http.MethodDelete, "/{privilegeId}", "delete-privilege", "Delete a privilege", access.Edit), s.deletePrivilegeRoute)
	s.oldPrivilegeRoutes(api)
}

// spanInput says for how long a privilege is. Fields about time count only with isTemporary.
type spanInput struct {
	Temporary bool          `json:"isTemporary"`
	Mode      *httpapi.Text `json:"temporaryMode,omitempty" doc:"relative"`
	Range     *httpapi.Text `json:"temporaryRange,omitempty" maxLength:"32" doc:"How long, such as 7d"`
	Start     *time.Time    `json:"temporaryAccessStartTime,omitempty"`
}

func (in *spanInput) span() (*Assignment, error) {
	if in == nil {
		return nil, nil
	}
	if !in.Temporary {
		return &Assignment{}, nil
	}
	span, err := Temporary(in.Mode, in.Range, in.Start)
	return &span, err
}

type addPrivilegeInput struct {
	Body struct {
		IdentityID  httpapi.Text     `json:"identityId" minLength:"1" maxLength:"64"`
		ProjectID   httpapi.Text     `json:"projectId" minLength:"1" maxLength:"64"`
		Slug        *httpapi.Name    `json:"slug,omitempty" minLength:"1" maxLength:"60" doc:"Default: a random one"`
		Permissions []role.RuleInput `json:"permissions" maxItems:"500"`
		Type        *spanInput       `json:"type,omitempty" doc:"Default: without an end"`
	}
}

func (s *Service) addPrivilegeRoute(ctx context.Context, actor *access.Actor, in *addPrivilegeInput) (*privilegeOutput, error) {
	rules, err := role.ParseRules(in.Body.Permissions)
	if err != nil {
		return nil, err
	}
	slug := slugOr(in.Body.Slug)
	span, err := in.Body.Type.span()
	if err != nil {
		return nil, err
	}
	return onePrivilege(s.AddPrivilege(ctx, actor, in.Body.ProjectID.Trimmed(), in.Body.IdentityID.Trimmed(), PrivilegeChanges{Slug: &slug, Rules: &rules, Span: span}))
}

// slugOr returns the slug of a new privilege: a random one where none is named.
func slugOr(named *httpapi.Name) string {
	if named == nil || *named == "" {
		return id.Secret(4)
	}
	return named.Trimmed()
}

func trimmed(name *httpapi.Name) *string {
	if name == nil {
		return nil
	}
	text := name.Trimmed()
	return &text
}

type updatePrivilegeInput struct {
	PrivilegeID string `path:"privilegeId"`
	Body        struct {
		Slug        *httpapi.Name     `json:"slug,omitempty" minLength:"1" maxLength:"60"`
		Permissions *[]role.RuleInput `json:"permissions,omitempty" maxItems:"500"`
		Type        *spanInput        `json:"type,omitempty"`
	}
}

func (s *Service) updatePrivilegeRoute(ctx context.Context, actor *access.Actor, in *updatePrivilegeInput) (*privilegeOutput, error) {
	c := PrivilegeChanges{Slug: trimmed(in.Body.Slug)}
	if in.Body.Permissions != nil {
		rules, err := role.ParseRules(*in.Body.Permissions)
		if err != nil {
			return nil, err
		}
		c.Rules = &rules
	}
	var err error
	if c.Span, err = in.Body.Type.span(); err != nil {
		return nil, err
	}
	return onePrivilege(s.UpdatePrivilege(ctx, actor, in.PrivilegeID, c))
}

type privilegeInput struct {
	PrivilegeID string `path:"privilegeId"`
}

func (s *Service) privilegeRoute(ctx context.Context, actor *access.Actor, in *privilegeInput) (*privilegeOutput, error) {
	return onePrivilege(s.ReadPrivilege(ctx, actor, in.PrivilegeID))
}

func (s *Service) deletePrivilegeRoute(ctx context.Context, actor *access.Actor, in *privilegeInput) (*privilegeOutput, error) {
	return onePrivilege(s.DeletePrivilege(ctx, actor, in.PrivilegeID))
}

type privilegeSlugInput struct {
	Slug        string       `path:"slug"`
	IdentityID  httpapi.Text `query:"identityId" required:"true"`
	ProjectSlug httpapi.Text `query:"projectSlug" required:"true"`
}

func (s *Service) privilegeSlugRoute(ctx context.Context, actor *access.Actor, in *privilegeSlugInput) (*privilegeOutput, error) {
	return onePrivilege(s.ReadPrivilegeNamed(ctx, actor, PrivilegeName{in.ProjectSlug.Trimmed(), in.IdentityID.Trimmed(), in.Slug}))
}

// wirePrivilege is an additional privilege. Lists leave out its permissions.
type wirePrivilege struct {
	ID           string         `json:"id"`
	Slug         string         `json:"slug"`
	Name         string         `json:"name" doc:"Same as slug; for older clients"`
	Temporary    bool           `json:"isTemporary"`
	Mode         *string        `json:"temporaryMode"`
	Range        *string        `json:"temporaryRange"`
	Start        *httpapi.Time  `json:"temporaryAccessStartTime"`
	End          *httpapi.Time  `json:"temporaryAccessEndTime"`
	Permissions  *[]access.Rule `json:"permissions,omitempty"`
	IdentityID   string         `json:"identityId"`
	ProjectID    string         `json:"projectId"`
	MembershipID string         `json:"projectMembershipId"`
	CreatedAt    httpapi.Time   `json:"createdAt"`
	UpdatedAt    httpapi.Time   `json:"updatedAt"`
}

func wirePrivilegeOf(v *Privilege) wirePrivilege {
	return wirePrivilege{ID: v.ID, Slug: v.Slug, Name: v.Slug, Temporary: v.Temporary, Mode: v.Mode, Range: v.Range, Start: (*httpapi.Time)(v.AccessStart),
		End: (*httpapi.Time)(v.AccessEnd), IdentityID: v.IdentityID, ProjectID: v.ProjectID, MembershipID: v.MembershipID,
		CreatedAt: httpapi.Time(v.CreatedAt), UpdatedAt: httpapi.Time(v.UpdatedAt)}
}

type privilegeOutput struct {
	Body struct {
		Privilege wirePrivilege `json:"privilege"`
	}
}

func onePrivilege(v *Privilege, err error) (*privilegeOutput, error) {
	if err != nil {
		return nil, err
	}
	rules, err := v.Rules()
	if err != nil {
		return nil, err
	}
	rules = append([]access.Rule{}, rules...)
	out := &privilegeOutput{}
	out.Body.Privilege = wirePrivilegeOf(v)
	out.Body.Privilege.Permissions = &rules
	return out, nil
}

type privilegesInput struct {
	IdentityID httpapi.Text `query:"identityId" required:"true"`
	ProjectID  httpapi.Text `query:"projectId" required:"true"`
}

type privilegesOutput struct {
	Body struct {
		Privileges []wirePrivilege `json:"privileges"`
	}
}

func (s *Service) privilegesRoute(ctx context.Context, actor *access.Actor, in *privilegesInput) (*privilegesOutput, error) {
	found, err := s.Privileges(ctx, actor, in.ProjectID.Trimmed(), in.IdentityID.Trimmed())
	if err != nil {
		return nil, err
	}
	out := &privilegesOutput{}
	out.Body.Privileges = make([]wirePrivilege, len(found))
	for i := range found {
		out.Body.Privileges[i] = wirePrivilegeOf(&found[i])
	}
	return out, nil
}
