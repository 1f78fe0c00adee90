package org

import (
	"context"
	"errors"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// joined are the organizations that an identity or a user is an active member of.
const joined = `SELECT o.id, o.name, o.slug, o.created_at, o.updated_at FROM organizations o WHERE o.id IN
	(SELECT m.org_id FROM memberships m WHERE (m.identity_id = $1 OR m.user_id = $1) AND m.scope = 'organization' AND m.active)`

// Of returns the organizations that the actor is a member of, by name. It asks for no permission: everyone may know
// where they belong.
func (s *Service) Of(ctx context.Context, actor *access.Actor) (all []Organization, err error) {
	return all, s.db.Select(ctx, &all, joined+` ORDER BY o.name, o.id`, actor.ID)
}

// Read returns an organization that the actor is a member of; NotFound for every other one.
func (s *Service) Read(ctx context.Context, actor *access.Actor, orgID string) (*Organization, error) {
	o := &Organization{}
	err := s.db.Get(ctx, o, joined+` AND o.id = $2`, actor.ID, orgID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = fault.New(fault.NotFound, "There is no organization with ID %q that you are a member of.", orgID)
	}
	return o, err
}

// readRoutes mounts what the log-in of a user asks for: the instance's settings, and the user's organizations.
func (s *Service) readRoutes(api *httpapi.API) {
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/organization", ID: "list-organizations", Tag: tag,
		Summary: "List the organizations that you are a member of", AnyActor: true, NoOrg: true}, s.listRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/organization/{organizationId}", ID: "get-organization", Tag: tag,
		Summary: "Read an organization that you are a member of", AnyActor: true, NoOrg: true}, s.readRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/organization/accessible-with-sub-orgs", ID: "list-organizations-with-sub-orgs", Tag: tag,
		Summary: "List the organizations that you are a member of, each with no sub-organizations", AnyActor: true, NoOrg: true}, s.listNestedRoute)
	httpapi.HandleOpen(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/admin/config", ID: "get-instance-config", Tag: "Instance",
		Summary: "Read what a user needs to know about the instance to log in", Open: true}, s.configRoute)
}

const tag = "Organizations"

// wireOrganization is an organization with its times.
type wireOrganization struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Slug      string       `json:"slug"`
	CreatedAt httpapi.Time `json:"createdAt"`
	UpdatedAt httpapi.Time `json:"updatedAt"`
}

func (o *Organization) full() wireOrganization {
	return wireOrganization{o.ID, o.Name, o.Slug, httpapi.Time(o.CreatedAt), httpapi.Time(o.UpdatedAt)}
}

type listOutput struct {
	Body struct {
		Organizations []wireOrganization `json:"organizations"`
	}
}

func (s *Service) listRoute(ctx context.Context, actor *access.Actor, _ *httpapi.Empty) (*listOutput, error) {
	all, err := s.Of(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Organizations = make([]wireOrganization, len(all))
	for i := range all {
		out.Body.Organizations[i] = all[i].full()
	}
	return out, nil
}

type nestedOutput struct {
	Body struct {
		Organizations []nestedOrganization `json:"organizations"`
	}
}

type nestedOrganization struct {
	ID        string             `json:"id"`
	Name      string             `json:"name"`
	Slug      string             `json:"slug"`
	CreatedAt httpapi.Time       `json:"createdAt"`
	UpdatedAt httpapi.Time       `json:"updatedAt"`
	Sub       []wireOrganization `json:"subOrganizations" doc:"Always empty"`
}

func (s *Service) listNestedRoute(ctx context.Context, actor *access.Actor, _ *httpapi.Empty) (*nestedOutput, error) {
	all, err := s.Of(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := &nestedOutput{}
	out.Body.Organizations = make([]nestedOrganization, len(all))
	for i, o := range all {
		out.Body.Organizations[i] = nestedOrganization{o.ID, o.Name, o.Slug, httpapi.Time(o.CreatedAt), httpapi.Time(o.UpdatedAt), []wireOrganization{}}
	}
	return out, nil
}

type readInput struct {
	OrganizationID string `path:"organizationId"`
}

type readOutput struct {
	Body struct {
		Organization wireOrganization `json:"organization"`
	}
}

func (s *Service) readRoute(ctx context.Context, actor *access.Actor, in *readInput) (*readOutput, error) {
	o, err := s.Read(ctx, actor, in.OrganizationID)
	if err != nil {
		return nil, err
	}
	out := &readOutput{}
	out.Body.Organization = o.full()
	return out, nil
}

// wireConfig is the instance's public settings (docs/reference/identity.md section 8.3). Who administers it is nobody's
// business.
type wireConfig struct {
	ID                  string   `json:"id" doc:"Always the same: there is one instance"`
	Initialized         bool     `json:"initialized" doc:"Whether it was set up"`
	AllowSignUp         bool     `json:"allowSignUp" doc:"Always false"`
	AllowedSignUpDomain *string  `json:"allowedSignUpDomain" doc:"Always null"`
	EnabledLoginMethods []string `json:"enabledLoginMethods"`
	DefaultAuthOrgID    *string  `json:"defaultAuthOrgId" doc:"Always null"`
	TrustSAMLEmails     bool     `json:"trustSamlEmails" doc:"Always false"`
	TrustLDAPEmails     bool     `json:"trustLdapEmails" doc:"Always false"`
	TrustOIDCEmails     bool     `json:"trustOidcEmails" doc:"Always false"`
	MigrationMode       bool     `json:"isMigrationModeOn" doc:"Always false"`
	NoSecretScanning    bool     `json:"isSecretScanningDisabled" doc:"Always true"`
	NeedsSetupCode      bool     `json:"setupCodeRequired" doc:"Whether a set-up that you begin must show the setup code"`
}

// instanceID names the one instance, as clients know it.
const instanceID = "00000000-0000-0000-0000-000000000000"

type configOutput struct {
	Body struct {
		Config wireConfig `json:"config"`
	}
}

func (s *Service) configRoute(ctx context.Context, _ access.Client, _ *httpapi.Empty) (*configOutput, error) {
	done, err := s.Initialized(ctx)
	if err != nil {
		return nil, err
	}
	out := &configOutput{}
	out.Body.Config = wireConfig{ID: instanceID, Initialized: done, EnabledLoginMethods: []string{"email"}, NoSecretScanning: true, NeedsSetupCode: !done && s.needsSetupCode(ctx)}
	return out, nil
}
