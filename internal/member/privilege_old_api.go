package member

import (
	"context"
	"net/http"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/role"
)

// oldPrivilegeRoutes mounts version 1 of additional privileges (docs/reference/people.md section 2.1). It names a
// privilege by project, identity and slug. Terraform deletes privileges here whichever version it made them with.
func (s *Service) oldPrivilegeRoutes(api *httpapi.API) {
	route := func(method, tail, id, summary string, action access.Action) httpapi.Route {
		return httpapi.Route{Method: method, Path: "/api/v1/additional-privilege/identity" + tail, ID: id, Tag: "Additional Privileges", Summary: summary,
			Deprecated: true, Permission: httpapi.Permission{Action: action, Subject: access.SubjectIdentity}}
	}
	httpapi.Handle(api, route(http.MethodPost, "/permanent", "create-privilege-old", "Give an identity an additional privilege in a project", access.Edit), s.addOldPrivilegeRoute)
	httpapi.Handle(api, route(http.MethodPost, "/temporary", "create-temporary-privilege-old", "Give an identity an additional privilege in a project, temporarily", access.Edit), s.addOldSpanRoute)
	httpapi.Handle(api, route(http.MethodGet, "", "list-privileges-old", "List the privileges of an identity in a project", access.Read), s.oldPrivilegesRoute)
	httpapi.Handle(api, route(http.MethodGet, "/{slug}", "get-privilege-old", "Read a privilege", access.Read), s.privilegeSlugRoute)
	httpapi.Handle(api, route(http.MethodPatch, "", "update-privilege-old", "Change a privilege", access.Edit), s.updateOldPrivilegeRoute)
	httpapi.Handle(api, route(http.MethodDelete, "", "delete-privilege-old", "Delete a privilege", access.Edit), s.deleteOldPrivilegeRoute)
}

// OldRules are the two ways in which version 1 says what a privilege allows. It is exported since huma looks into no other.
type OldRules struct {
	Permissions *[]role.RuleInput `json:"permissions,omitempty" maxItems:"500" doc:"Rules"`
	Secrets     *struct {
		Actions    []httpapi.Text `json:"actions" minItems:"1" maxItems:"4" doc:"create, edit, delete, read"`
		Subject    string         `json:"subject" enum:"secrets"`
		Conditions struct {
			Environment httpapi.Text `json:"environment" minLength:"1" maxLength:"64" doc:"Slug"`
			Path        *struct {
				Glob httpapi.Text `json:"$glob" minLength:"1" maxLength:"2048"`
			} `json:"secretPath,omitempty"`
		} `json:"conditions"`
	} `json:"privilegePermission,omitempty" doc:"What may be done to secrets, in place of permissions"`
}

// rules returns what the privilege is to allow, one rule an action in the order that was sent: Terraform reads the first
// action of each. It is nil where nothing is said; permissions count before privilegePermission.
func (in *OldRules) rules() (*[]access.Rule, error) {
	if in.Permissions == nil && in.Secrets == nil {
		return nil, nil
	}
	if in.Permissions == nil {
		return in.ofSecrets(), nil
	}
	parsed, err := role.ParseRules(*in.Permissions)
	single := []access.Rule{}
	for _, r := range parsed {
		if len(r.Actions) == 0 {
			single = append(single, r) // to be refused as on the newer routes, instead of being left out
		}
		for _, action := range r.Actions {
			single = append(single, access.Rule{Subject: r.Subject, Actions: access.Actions{action}, Conditions: r.Conditions, Inverted: r.Inverted})
		}
	}
	return &single, err
}

func (in *OldRules) ofSecrets() *[]access.Rule {
	where := access.Conditions{"environment": in.Secrets.Conditions.Environment.Trimmed()}
	if path := in.Secrets.Conditions.Path; path != nil {
		where["secretPath"] = map[string]any{"$glob": path.Glob.Trimmed()}
	}
	rules := make([]access.Rule, len(in.Secrets.Actions))
	for i, action := range in.Secrets.Actions {
		rules[i] = access.Rule{Subject: access.SubjectSecrets, Actions: access.Actions{access.Action(action)}, Conditions: where}
	}
	return &rules
}

// OldPlace is whom a new privilege is for.
type OldPlace struct {
	IdentityID  httpapi.Text  `json:"identityId" minLength:"1" maxLength:"64"`
	ProjectSlug httpapi.Text  `json:"projectSlug" minLength:"1" maxLength:"64"`
	Slug        *httpapi.Name `json:"slug,omitempty" maxLength:"60" doc:"Default: a random one"`
}

type addOldPrivilegeInput struct {
	Body struct {
		OldPlace
		OldRules
	}
}

func (s *Service) addOldPrivilegeRoute(ctx context.Context, actor *access.Actor, in *addOldPrivilegeInput) (*privilegeOutput, error) {
	return s.addOld(ctx, actor, in.Body.OldPlace, in.Body.OldRules, Assignment{})
}

type addOldSpanInput struct {
	Body struct {
		OldPlace
		OldRules
		Mode  httpapi.Text `json:"temporaryMode" maxLength:"32" doc:"relative"`
		Range httpapi.Text `json:"temporaryRange" maxLength:"32" doc:"How long, such as 7d"`
		Start time.Time    `json:"temporaryAccessStartTime"`
	}
}

func (s *Service) addOldSpanRoute(ctx context.Context, actor *access.Actor, in *addOldSpanInput) (*privilegeOutput, error) {
	span, err := Temporary(&in.Body.Mode, &in.Body.Range, &in.Body.Start)
	if err != nil {
		return nil, err
	}
	return s.addOld(ctx, actor, in.Body.OldPlace, in.Body.OldRules, span)
}

func (s *Service) addOld(ctx context.Context, actor *access.Actor, at OldPlace, said OldRules, span Assignment) (*privilegeOutput, error) {
	rules, err := said.rules()
	if err == nil && rules == nil {
		err = fault.Invalid("invalid_type", "Send permissions or privilegePermission.", "permissions")
	}
	if err != nil {
		return nil, err
	}
	slug := slugOr(at.Slug)
	return onePrivilege(s.AddPrivilegeAt(ctx, actor, at.ProjectSlug.Trimmed(), at.IdentityID.Trimmed(), PrivilegeChanges{Slug: &slug, Rules: rules, Span: &span}))
}

// OldName is which privilege a request is about.
type OldName struct {
	Slug        httpapi.Text `json:"privilegeSlug" minLength:"1" maxLength:"60"`
	IdentityID  httpapi.Text `json:"identityId" minLength:"1" maxLength:"64"`
	ProjectSlug httpapi.Text `json:"projectSlug" minLength:"1" maxLength:"64"`
}

func (n OldName) name() PrivilegeName {
	return PrivilegeName{n.ProjectSlug.Trimmed(), n.IdentityID.Trimmed(), n.Slug.Trimmed()}
}

type updateOldPrivilegeInput struct {
	Body struct {
		OldName
		Details struct {
			OldRules
			Slug      *httpapi.Name `json:"slug,omitempty" minLength:"1" maxLength:"60"`
			Temporary *bool         `json:"isTemporary,omitempty"`
			Mode      *httpapi.Text `json:"temporaryMode,omitempty" doc:"relative"`
			Range     *httpapi.Text `json:"temporaryRange,omitempty" maxLength:"32" doc:"How long, such as 7d"`
			Start     *time.Time    `json:"temporaryAccessStartTime,omitempty"`
		} `json:"privilegeDetails"`
	}
}

func (s *Service) updateOldPrivilegeRoute(ctx context.Context, actor *access.Actor, in *updateOldPrivilegeInput) (*privilegeOutput, error) {
	d := &in.Body.Details
	rules, err := d.rules()
	c := PrivilegeChanges{Slug: trimmed(d.Slug), Rules: rules}
	if err == nil && d.Temporary != nil {
		c.Span, err = (&spanInput{*d.Temporary, d.Mode, d.Range, d.Start}).span()
	}
	if err != nil {
		return nil, err
	}
	return onePrivilege(s.UpdatePrivilegeNamed(ctx, actor, in.Body.name(), c))
}

type deleteOldPrivilegeInput struct{ Body OldName }

func (s *Service) deleteOldPrivilegeRoute(ctx context.Context, actor *access.Actor, in *deleteOldPrivilegeInput) (*privilegeOutput, error) {
	return onePrivilege(s.DeletePrivilegeNamed(ctx, actor, in.Body.name()))
}

type oldPrivilegesInput struct {
	IdentityID  httpapi.Text `query:"identityId" required:"true"`
	ProjectSlug httpapi.Text `query:"projectSlug" required:"true"`
}

func (s *Service) oldPrivilegesRoute(ctx context.Context, actor *access.Actor, in *oldPrivilegesInput) (*privilegesOutput, error) {
	found, err := s.PrivilegesAt(ctx, actor, in.ProjectSlug.Trimmed(), in.IdentityID.Trimmed())
	if err != nil {
		return nil, err
	}
	out := &privilegesOutput{}
	out.Body.Privileges = make([]wirePrivilege, len(found))
	for i := range found {
		one, err := onePrivilege(&found[i], nil)
		if err != nil {
			return nil, err
		}
		out.Body.Privileges[i] = one.Body.Privilege
	}
	return out, nil
}
