package org

import (
	"context"
	"net/http"
	"net/mail"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// Routes mounts the bootstrap of the instance, and what a token tells of its organization.
func (s *Service) Routes(api *httpapi.API) {
	httpapi.HandleOpen(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/admin/bootstrap", ID: "bootstrap", Tag: "Instance",
		Summary:     "Set up an empty instance",
		Description: "Creates the first user, organization and identity, and returns the identity's token. Works once.",
		Open:        true, Errors: []int{http.StatusBadRequest}}, s.bootstrapRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/identities/details", ID: "get-own-details", Tag: "Identities",
		Summary: "Read the organization of the calling identity", AnyActor: true}, s.detailsRoute)
	s.readRoutes(api)
}

type bootstrapInput struct {
	Body struct {
		Email        httpapi.Text `json:"email" minLength:"3" maxLength:"320"`
		Password     string       `json:"password" minLength:"1" maxLength:"1024" doc:"At least 12 characters, unless the server's settings say otherwise, and not a common one"`
		Organization httpapi.Text `json:"organization" minLength:"1" maxLength:"255"`
		SetupCode    httpapi.Text `json:"setupCode,omitempty" maxLength:"64" doc:"The code that the server's log shows while it is not set up. Callers on the server's own machine do not need it"`
	}
}

type bootstrapOutput struct {
	Body struct {
		Message      string   `json:"message"`
		User         wireUser `json:"user"`
		Organization wireOrg  `json:"organization"`
		Identity     struct {
			ID          string `json:"id"`
			Name        string `json:"name"`
			Credentials struct {
				Token string `json:"token" doc:"Shown this once"`
			} `json:"credentials"`
		} `json:"identity"`
	}
}

type wireUser struct {
	ID         string `json:"id"`
	Username   string `json:"username"`
	Email      string `json:"email"`
	FirstName  string `json:"firstName"`
	LastName   string `json:"lastName"`
	SuperAdmin bool   `json:"superAdmin"`
}

type wireOrg struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Slug string `json:"slug"`
}

func (s *Service) bootstrapRoute(ctx context.Context, client access.Client, in *bootstrapInput) (*bootstrapOutput, error) {
	email, err := ParseEmail(in.Body.Email.Trimmed(), "email")
	if err != nil {
		return nil, err
	}
	password, name := strings.TrimSpace(in.Body.Password), in.Body.Organization.Trimmed()
	if password == "" {
		return nil, fault.Invalid("too_small", "The password must not be empty.", "password")
	}
	if name == "" {
		return nil, fault.Invalid("too_small", "The organization needs a name.", "organization")
	}
	setup, err := s.Bootstrap(ctx, client, email, password, name, in.Body.SetupCode.Trimmed())
	if err != nil {
		return nil, err
	}
	return setup.wire(), nil
}

// ParseEmail returns an e-mail address as it is stored. The error is a Validation fault about a field.
func ParseEmail(text, field string) (string, error) {
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text {
		return "", fault.Invalid("invalid_string", "This is not an e-mail address such as admin@example.com.", field)
	}
	return strings.ToLower(text), nil
}

func (setup *Setup) wire() *bootstrapOutput {
	out, u := &bootstrapOutput{}, setup.User
	out.Body.Message = "The instance is set up"
	out.Body.User = wireUser{u.ID, u.Email, u.Email, u.FirstName, u.LastName, u.SuperAdmin}
	out.Body.Organization = setup.Organization.wire()
	out.Body.Identity.ID, out.Body.Identity.Name = setup.Admin.ID, setup.Admin.Name
	out.Body.Identity.Credentials.Token = setup.Admin.Token
	return out
}

func (o *Organization) wire() wireOrg { return wireOrg{o.ID, o.Name, o.Slug} }

type detailsOutput struct {
	Body struct {
		Details struct {
			Organization wireOrg `json:"organization"`
		} `json:"identityDetails"`
	}
}

// detailsRoute asks for no permission: a token may always know where it belongs.
func (s *Service) detailsRoute(ctx context.Context, actor *access.Actor, _ *httpapi.Empty) (*detailsOutput, error) {
	o, err := s.Find(ctx, actor.OrgID)
	if err != nil {
		return nil, err
	}
	out := &detailsOutput{}
	out.Body.Details.Organization = o.wire()
	return out, nil
}
