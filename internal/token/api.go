package token

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

const tag = "Access Tokens"

// Routes mounts what the holder of a token can do with it (docs/reference/identity.md sections 2.7 and 2.8), and the
// public keys.
func (s *Service) Routes(api *httpapi.API) {
	httpapi.HandleOpen(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/auth/token/renew", ID: "renew-token", Tag: tag,
		Summary:     "Renew an access token",
		Description: "Returns a new JWT of the same token, for as long as its own limits and the present configuration of its login method allow. The old JWT stays valid until it expires.",
		Open:        true, Errors: []int{http.StatusUnauthorized, http.StatusForbidden}}, s.renewRoute)
	httpapi.HandleOpen(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/auth/token/revoke", ID: "revoke-own-token", Tag: tag,
		Summary:     "Revoke the access token that you hold",
		Description: "After the 200 no replica accepts the token again. Revoking it again also answers 200.",
		Open:        true, Errors: []int{http.StatusUnauthorized}}, s.revokeRoute)
	httpapi.HandleOpen(api, httpapi.Route{Method: http.MethodGet, Path: "/.well-known/jwks.json", ID: "get-jwks", Tag: tag,
		Summary: "The public keys that verify access tokens (RFC 7517)", Open: true}, s.jwksRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/admin/signing-keys/rotate", ID: "rotate-signing-keys", Tag: "Instance",
		Summary: "Make a new signing key", Description: "Existing tokens stay valid. For instance administrators.",
		AnyActor: true}, s.rotateRoute)
	s.cutOffRoutes(api)
	s.allRoutes(api)
}

type heldInput struct {
	Body struct {
		AccessToken httpapi.Text `json:"accessToken" minLength:"1" doc:"The token itself; no Authorization header is needed"`
	}
}

type renewOutput struct {
	Body struct {
		AccessToken string `json:"accessToken"`
		ExpiresIn   int64  `json:"expiresIn" doc:"Seconds until this token expires"`
		MaxTTL      int64  `json:"accessTokenMaxTTL" doc:"0 where the token can be renewed without end"`
		TokenType   string `json:"tokenType"`
	}
}

func (s *Service) renewRoute(ctx context.Context, client access.Client, in *heldInput) (*renewOutput, error) {
	issued, err := s.Renew(ctx, in.Body.AccessToken.Trimmed(), client.IP)
	if err != nil {
		return nil, err
	}
	out := &renewOutput{}
	out.Body.AccessToken, out.Body.ExpiresIn = issued.AccessToken, issued.ExpiresIn
	out.Body.MaxTTL, out.Body.TokenType = issued.MaxTTL, "Bearer"
	return out, nil
}

type revokeOutput struct {
	Body struct {
		Message string `json:"message"`
	}
}

func (s *Service) revokeRoute(ctx context.Context, client access.Client, in *heldInput) (*revokeOutput, error) {
	if err := s.RevokeSelf(ctx, in.Body.AccessToken.Trimmed(), client); err != nil {
		return nil, err
	}
	out := &revokeOutput{}
	out.Body.Message = "The access token is revoked"
	return out, nil
}

type jwksOutput struct {
	Body struct {
		Keys []jwk `json:"keys"`
	}
}

func (s *Service) jwksRoute(ctx context.Context, _ access.Client, _ *httpapi.Empty) (*jwksOutput, error) {
	keys, err := s.PublicKeys(ctx)
	if err != nil {
		return nil, err
	}
	out := &jwksOutput{}
	out.Body.Keys = keys
	return out, nil
}

type rotateOutput struct {
	Body struct {
		KeyID string `json:"keyId" doc:"The kid of tokens that are signed from one minute on"`
	}
}

func (s *Service) rotateRoute(ctx context.Context, actor *access.Actor, _ *httpapi.Empty) (*rotateOutput, error) {
	keyID, err := s.RotateKeys(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := &rotateOutput{}
	out.Body.KeyID = keyID
	return out, nil
}
