package tokenauth

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/token"
)

const (
	tag          = "Token Auth"
	identityPath = "/api/v1/auth/token-auth/identities/{identityId}"
	tokenPath    = "/api/v1/auth/token-auth/tokens/{tokenId}"
)

func can(action access.Action) httpapi.Permission {
	return httpapi.Permission{Action: action, Subject: access.SubjectIdentity}
}

// Routes mounts the routes of Token Auth (docs/reference/identity.md section 1).
func (s *Service) Routes(api *httpapi.API) {
	auth.Mount(s.configs, api, Method)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: identityPath + "/tokens", ID: "create-token-auth-token", Tag: tag,
		Summary: "Create an access token", Permission: can(access.CreateToken)}, s.createRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: identityPath + "/tokens", ID: "list-token-auth-tokens", Tag: tag,
		Summary: "List access tokens, newest first", Permission: can(access.Read)}, s.listRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: tokenPath, ID: "get-token-auth-token", Tag: tag,
		Summary: "Read an access token", Permission: can(access.Read)}, s.readRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: identityPath + "/tokens/{tokenId}", ID: "get-token-auth-token-of-identity",
		Tag: tag, Summary: "Read an access token (the identity in the path is ignored)", Permission: can(access.Read),
		Hidden: true, Deprecated: true}, s.readOldRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPatch, Path: tokenPath, ID: "update-token-auth-token", Tag: tag,
		Summary: "Rename an access token", Permission: can(access.CreateToken)}, s.renameRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: tokenPath + "/revoke", ID: "revoke-token-auth-token", Tag: tag,
		Summary:     "Revoke an access token",
		Description: "After the 200 no replica accepts the token again, not even after a crash.",
		Permission:  can(access.Edit)}, s.revokeRoute)
}

type createOutput struct {
	Body struct {
		AccessToken string    `json:"accessToken"`
		ExpiresIn   int64     `json:"expiresIn" doc:"Seconds until this token expires"`
		MaxTTL      int64     `json:"accessTokenMaxTTL"`
		TokenType   string    `json:"tokenType"`
		TokenData   wireToken `json:"tokenData"`
	}
}

func (s *Service) createRoute(ctx context.Context, actor *access.Actor, in *createInput) (*createOutput, error) {
	name, slug := in.named()
	issued, err := s.Create(ctx, actor, in.IdentityID, name, slug)
	if err != nil {
		return nil, err
	}
	out := &createOutput{}
	out.Body.AccessToken, out.Body.ExpiresIn, out.Body.MaxTTL = issued.AccessToken, issued.ExpiresIn, issued.MaxTTL
	out.Body.TokenType, out.Body.TokenData = "Bearer", s.wire(issued.Row)
	return out, nil
}

type listOutput struct {
	Body struct {
		Tokens     []wireToken `json:"tokens"`
		TotalCount int64       `json:"totalCount"`
	}
}

func (s *Service) listRoute(ctx context.Context, actor *access.Actor, in *listInput) (*listOutput, error) {
	rows, total, err := s.List(ctx, actor, in.IdentityID, token.Page{Offset: in.Offset, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Tokens, out.Body.TotalCount = make([]wireToken, len(rows)), total
	for i, row := range rows {
		out.Body.Tokens[i] = s.wire(row)
	}
	return out, nil
}

type tokenOutput struct {
	Body struct {
		Token wireToken `json:"token"`
	}
}

func (s *Service) one(row token.Row, err error) (*tokenOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &tokenOutput{}
	out.Body.Token = s.wire(row)
	return out, nil
}

func (s *Service) readRoute(ctx context.Context, actor *access.Actor, in *tokenInput) (*tokenOutput, error) {
	return s.one(s.Read(ctx, actor, in.TokenID))
}

func (s *Service) readOldRoute(ctx context.Context, actor *access.Actor, in *oldTokenInput) (*tokenOutput, error) {
	return s.one(s.Read(ctx, actor, in.TokenID))
}

func (s *Service) renameRoute(ctx context.Context, actor *access.Actor, in *renameInput) (*tokenOutput, error) {
	var name *string
	if in.Body != nil && in.Body.Name != nil {
		text := string(*in.Body.Name)
		name = &text
	}
	return s.one(s.Rename(ctx, actor, in.TokenID, name))
}

type messageOutput struct {
	Body struct {
		_       struct{} `additionalProperties:"false"` // as the reference documents this answer
		Message string   `json:"message"`
	}
}

func (s *Service) revokeRoute(ctx context.Context, actor *access.Actor, in *tokenInput) (*messageOutput, error) {
	if err := s.Revoke(ctx, actor, in.TokenID); err != nil {
		return nil, err
	}
	out := &messageOutput{}
	out.Body.Message = "The access token is revoked"
	return out, nil
}
