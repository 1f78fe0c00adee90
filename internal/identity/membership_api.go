package identity

import (
	"context"
	"net/http"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/fault"
	"github.com/sallyport/sallyport/internal/httpapi"
	"github.com/sallyport/sallyport/internal/role"
)

// membershipRoutes mounts the memberships of identities in the caller's organisation (identity.md section 4.3).
func (s *Service) membershipRoutes(api *httpapi.API) {
	route := func(method, suffix, id, summary string, action access.Action) httpapi.Route {
		return httpapi.Route{Method: method, Path: "/api/v1/organization/identity-memberships" + suffix, ID: id, Tag: tag,
			Summary: summary, Permission: can(action)}
	}
	httpapi.Handle(api, route(http.MethodGet, "", "list-identity-memberships", "List the memberships of identities", access.Read), s.membersRoute)
	httpapi.Handle(api, route(http.MethodGet, "/{identityId}", "get-identity-membership", "Read the membership of an identity", access.Read), s.memberRoute)
	httpapi.Handle(api, route(http.MethodPost, "/{identityId}", "create-identity-membership", "Make an identity a member again", access.Edit), s.joinRoute)
	httpapi.Handle(api, route(http.MethodPatch, "/{identityId}", "update-identity-membership", "Give an identity other roles, also for a time", access.Edit), s.rolesRoute)
	httpapi.Handle(api, route(http.MethodDelete, "/{identityId}", "delete-identity-membership", "Take an identity out and kill its tokens", access.Delete), s.leaveRoute)
}

// assignment is a role in a request.
type assignment struct {
	Role      httpapi.Text  `json:"role" minLength:"1" maxLength:"64" doc:"Slug or id"`
	Temporary *bool         `json:"isTemporary,omitempty" doc:"Default: false"`
	Mode      *httpapi.Text `json:"temporaryMode,omitempty" doc:"relative"`
	Range     *httpapi.Text `json:"temporaryRange,omitempty" maxLength:"32" doc:"How long, such as 7d"`
	Start     *time.Time    `json:"temporaryAccessStartTime,omitempty"`
}

type rolesInput struct {
	IdentityID string `path:"identityId"`
	Body       struct {
		Roles []assignment `json:"roles" minItems:"1" maxItems:"50"`
	}
}

// assignments resolves the roles of a request.
func (s *Service) assignments(ctx context.Context, actor *access.Actor, in []assignment) ([]role.Assignment, error) {
	all := make([]role.Assignment, len(in))
	for i, a := range in {
		r, err := s.Roles.Find(ctx, actor.OrgID, a.Role.Trimmed())
		if err != nil {
			return nil, err
		}
		all[i].Role = r
		if a.Temporary == nil || !*a.Temporary {
			continue
		}
		if all[i], err = a.temporary(r); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (a assignment) temporary(r *role.Role) (role.Assignment, error) {
	if a.Range == nil || a.Start == nil || a.Mode == nil || *a.Mode != "relative" {
		return role.Assignment{}, fault.New(fault.BadRequest, "A role for a time needs temporaryMode relative, temporaryRange and temporaryAccessStartTime.")
	}
	span, err := role.ParseSpan(string(*a.Range))
	if year := a.Start.Year(); err == nil && (year < 1970 || year > 9999) {
		err = fault.Invalid("invalid_date", "The start must lie between the years 1970 and 9999.", "temporaryAccessStartTime")
	}
	return role.Assignment{Role: r, Temporary: true, Range: a.Range.Trimmed(), Start: a.Start.UnixMilli(), End: a.Start.Add(span).UnixMilli()}, err
}

type shortOutput struct {
	Body struct {
		Membership struct {
			ID         string       `json:"id"`
			OrgID      string       `json:"orgId"`
			IdentityID string       `json:"identityId"`
			CreatedAt  httpapi.Time `json:"createdAt"`
			UpdatedAt  httpapi.Time `json:"updatedAt"`
		} `json:"identityMembership"`
	}
}

func short(m *member, err error) (*shortOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &shortOutput{}
	w := &out.Body.Membership
	w.ID, w.OrgID, w.IdentityID = m.ID, m.OrgID, m.Identity.ID
	w.CreatedAt, w.UpdatedAt = httpapi.Time(m.CreatedAt), httpapi.Time(m.UpdatedAt)
	return out, nil
}

func (s *Service) joinRoute(ctx context.Context, actor *access.Actor, in *rolesInput) (*shortOutput, error) {
	roles, err := s.assignments(ctx, actor, in.Body.Roles)
	if err != nil {
		return nil, err
	}
	return short(s.Join(ctx, actor, in.IdentityID, roles))
}

func (s *Service) leaveRoute(ctx context.Context, actor *access.Actor, in *oneInput) (*shortOutput, error) {
	return short(s.Leave(ctx, actor, in.IdentityID))
}

type rolesOutput struct {
	Body struct {
		Roles []wireAssignment `json:"roles"`
	}
}

func (s *Service) rolesRoute(ctx context.Context, actor *access.Actor, in *rolesInput) (*rolesOutput, error) {
	roles, err := s.assignments(ctx, actor, in.Body.Roles)
	if err == nil {
		err = s.SetRoles(ctx, actor, in.IdentityID, roles)
	}
	if err != nil {
		return nil, err
	}
	out := &rolesOutput{}
	out.Body.Roles, err = s.rolesOf(ctx, actor.OrgID, in.IdentityID)
	return out, err
}

// wireAssignment is a role of a membership.
type wireAssignment struct {
	ID         string        `json:"id"`
	Role       string        `json:"role"`
	CustomID   *string       `json:"customRoleId"`
	CustomName *string       `json:"customRoleName"`
	CustomSlug *string       `json:"customRoleSlug"`
	Temporary  bool          `json:"isTemporary"`
	Mode       *string       `json:"temporaryMode"`
	Range      *string       `json:"temporaryRange"`
	Start      *httpapi.Time `json:"temporaryAccessStartTime"`
	End        *httpapi.Time `json:"temporaryAccessEndTime"`
}

type memberOutput struct {
	Body struct {
		Membership wireMembership `json:"identityMembership"`
	}
}

func (s *Service) memberRoute(ctx context.Context, actor *access.Actor, in *oneInput) (*memberOutput, error) {
	m, err := s.Read(ctx, actor, in.IdentityID)
	if err != nil {
		return nil, err
	}
	out := &memberOutput{}
	out.Body.Membership = wireMember(m)
	out.Body.Membership.Roles, err = s.rolesOf(ctx, actor.OrgID, in.IdentityID)
	return out, err
}

type membersInput struct {
	Offset int64        `query:"offset" minimum:"0" default:"0"`
	Limit  int64        `query:"limit" minimum:"1" maximum:"100" default:"20"`
	Name   httpapi.Text `query:"identityName" maxLength:"255" doc:"Part of the name"`
}

type membersOutput struct {
	Body struct {
		Memberships []wireMembership `json:"identityMemberships"`
		TotalCount  int64            `json:"totalCount"`
	}
}

func (s *Service) membersRoute(ctx context.Context, actor *access.Actor, in *membersInput) (*membersOutput, error) {
	q := Search{OrderBy: "name", Offset: in.Offset, Limit: in.Limit}
	if in.Name != "" {
		q.AnyOf = [][]Match{{{"name", "$contains", []string{string(in.Name)}}}}
	}
	members, total, err := s.Search(ctx, actor, q)
	if err != nil {
		return nil, err
	}
	out := &membersOutput{}
	out.Body.TotalCount, out.Body.Memberships = total, make([]wireMembership, len(members))
	for i := range members {
		out.Body.Memberships[i] = wireMember(&members[i])
		if out.Body.Memberships[i].Roles, err = s.rolesOf(ctx, actor.OrgID, members[i].Identity.ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// rolesOf returns the roles of a member, oldest first.
func (s *Service) rolesOf(ctx context.Context, orgID, identityID string) ([]wireAssignment, error) {
	var rows []struct {
		ID         string  `db:"id"`
		Role       string  `db:"role"`
		CustomID   *string `db:"custom_role_id"`
		CustomName *string `db:"name"`
		CustomSlug *string `db:"slug"`
		Temporary  bool    `db:"temporary"`
		Mode       *string `db:"temporary_mode"`
		Range      *string `db:"temporary_range"`
		Start      *int64  `db:"access_start"`
		End        *int64  `db:"access_end"`
	}
	err := s.DB.Select(ctx, &rows, `SELECT r.id, r.role, r.custom_role_id, c.name, c.slug, r.temporary, r.temporary_mode, r.temporary_range,
		r.access_start, r.access_end FROM memberships m JOIN membership_roles r ON r.membership_id = m.id
		LEFT JOIN custom_roles c ON c.id = r.custom_role_id
		WHERE m.scope = 'organization' AND m.org_id = $1 AND m.identity_id = $2 ORDER BY r.created_at, r.id`, orgID, identityID)
	roles := make([]wireAssignment, len(rows))
	for i, r := range rows {
		roles[i] = wireAssignment{r.ID, r.Role, r.CustomID, r.CustomName, r.CustomSlug, r.Temporary, r.Mode, r.Range,
			(*httpapi.Time)(r.Start), (*httpapi.Time)(r.End)}
	}
	return roles, err
}
