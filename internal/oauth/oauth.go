// Package oauth owns the standard ways in which other services ask about our tokens: introspection, revocation and
// server metadata. It decides nothing itself: token does.
package oauth

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/token"
)

// maxForm is the largest request in bytes: a token and a hint.
const maxForm = 64 << 10

// Service answers for the tokens of an issuer.
type Service struct {
	tokens *token.Service
	issuer string // URL without a slash at its end
}

// New returns a service for the server that clients reach at issuer.
func New(tokens *token.Service, issuer string) *Service { return &Service{tokens, issuer} }

// Routes mounts RFC 7009, RFC 7662 and RFC 8414.
func (s *Service) Routes(api *httpapi.API) {
	const tag = "OAuth"
	httpapi.HandleOpen(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/oauth/revoke", ID: "oauth-revoke", Tag: tag,
		Summary:     "Revoke the token that you hold (RFC 7009)",
		Description: "Answers 200 also for a token that is unknown or dead. After it no replica accepts the token.",
		Open:        true, Form: true, MaxBody: maxForm, Errors: []int{http.StatusBadRequest}}, s.revokeRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/oauth/introspect", ID: "oauth-introspect", Tag: tag,
		Summary:     "Check whether a token is accepted now, and whose it is (RFC 7662)",
		Description: "Authenticate with an access token of your own. A token of another organization is answered like a dead one.",
		AnyActor:    true, Form: true, MaxBody: maxForm, Errors: []int{http.StatusBadRequest}}, s.introspectRoute)
	httpapi.HandleOpen(api, httpapi.Route{Method: http.MethodGet, Path: metadataPath, ID: "oauth-metadata", Tag: tag,
		Summary: "List the endpoints (RFC 8414)", Open: true}, s.metadataRoute)
	if path := s.path(); path != "" {
		httpapi.HandleOpen(api, httpapi.Route{Method: http.MethodGet, Path: metadataPath + path, ID: "oauth-metadata-of-path", Tag: tag,
			Summary: "List the endpoints, for an issuer with a path (RFC 8414 section 3.1)", Open: true}, s.metadataRoute)
	}
}

const metadataPath = "/.well-known/oauth-authorization-server"

// path returns the path of the issuer, which clients append to that of the metadata, or "".
func (s *Service) path() string {
	u, err := url.Parse(s.issuer)
	if err != nil {
		return "" // config has checked it
	}
	return u.EscapedPath()
}

// tokenInput may hold any text: what is no token is answered like a dead one, and nothing of it is kept.
type tokenInput struct {
	Body struct {
		Token string `json:"token,omitempty" doc:"The access token"`
		Hint  string `json:"token_type_hint,omitempty" doc:"Not needed: there are only access tokens"`
	}
}

// named returns the token of a request, or the error that RFC 6749 section 5.2 names.
func (in *tokenInput) named() (string, error) {
	jwt := strings.TrimSpace(in.Body.Token)
	if jwt == "" {
		return "", fault.New(fault.BadRequest, "The request has no token. Send it as token=... in a form.").Named("invalid_request")
	}
	return jwt, nil
}

type revokeOutput struct {
	Body struct{}
}

func (s *Service) revokeRoute(ctx context.Context, client access.Client, in *tokenInput) (*revokeOutput, error) {
	jwt, err := in.named()
	if err == nil {
		err = s.tokens.RevokeSelf(ctx, jwt, client)
	}
	if fault.Is(err, fault.DeadToken) || fault.Is(err, fault.Unauthenticated) {
		err = nil // what cannot be used needs no revoking (RFC 7009 section 2.2)
	}
	return &revokeOutput{}, err
}

type introspection struct {
	Active    bool   `json:"active"`
	Subject   string `json:"sub,omitempty" doc:"Id of the identity"`
	ClientID  string `json:"client_id,omitempty" doc:"Id of the identity"`
	Username  string `json:"username,omitempty" doc:"Name of the identity"`
	TokenID   string `json:"jti,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	IssuedAt  int64  `json:"iat,omitempty"`
	ExpiresAt int64  `json:"exp,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	OrgID     string `json:"orgId,omitempty"`
	Method    string `json:"authMethod,omitempty"`
}

type introspectOutput struct {
	Body introspection
}

func (s *Service) introspectRoute(ctx context.Context, actor *access.Actor, in *tokenInput) (*introspectOutput, error) {
	jwt, err := in.named()
	if err != nil {
		return nil, err
	}
	c, err := s.tokens.Inspect(ctx, jwt)
	if fault.Is(err, fault.DeadToken) || err == nil && c.OrgID != actor.OrgID {
		return &introspectOutput{}, nil
	}
	if err != nil {
		return nil, err
	}
	return &introspectOutput{introspection{Active: true, Subject: c.IdentityID, ClientID: c.IdentityID, Username: c.IdentityName,
		TokenID: c.ID, TokenType: "Bearer", IssuedAt: c.IssuedAt, ExpiresAt: c.ExpiresAt, Issuer: cmp.Or(c.Issuer, s.issuer), OrgID: c.OrgID, Method: c.Method}}, nil
}

type metadataOutput struct {
	Body struct {
		Issuer            string   `json:"issuer"`
		JWKS              string   `json:"jwks_uri"`
		Introspection     string   `json:"introspection_endpoint"`
		IntrospectionAuth []string `json:"introspection_endpoint_auth_methods_supported"`
		Revocation        string   `json:"revocation_endpoint"`
		RevocationAuth    []string `json:"revocation_endpoint_auth_methods_supported"`
		ResponseTypes     []string `json:"response_types_supported" doc:"None: there is no authorization endpoint"`
		GrantTypes        []string `json:"grant_types_supported" doc:"None: tokens come from the logins of /api/v1/auth"`
		Documentation     string   `json:"service_documentation"`
	}
}

func (s *Service) metadataRoute(context.Context, access.Client, *httpapi.Empty) (*metadataOutput, error) {
	out := &metadataOutput{}
	b := &out.Body
	b.Issuer, b.JWKS, b.Documentation = s.issuer, s.issuer+"/.well-known/jwks.json", s.issuer+"/api/docs"
	b.Introspection, b.IntrospectionAuth = s.issuer+"/api/v1/oauth/introspect", []string{"bearer"}
	b.Revocation, b.RevocationAuth = s.issuer+"/api/v1/oauth/revoke", []string{"none"}
	b.ResponseTypes, b.GrantTypes = []string{}, []string{}
	return out, nil
}
