package token

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

const revokeTag = "Revocation"

// cutOffRoutes mounts what revokes more than one token, or one whatever made it. The reference API has none of it.
func (s *Service) cutOffRoutes(api *httpapi.API) {
	can := httpapi.Permission{Action: access.DeleteToken, Subject: access.SubjectIdentity}
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/identities/{identityId}/revoke-tokens", ID: "revoke-identity-tokens",
		Tag: revokeTag, Summary: "Revoke every token of an identity, or those of one login method", Permission: can}, s.identityRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/identities/{identityId}/tokens/{tokenId}/revoke", ID: "revoke-any-token",
		Tag: revokeTag, Summary: "Revoke a token of any login method by its id",
		Description: "Tokens of logins leave no row, so an id that no token has gets the same answer. One caller can revoke only a limited number of such ids.",
		Permission:  can}, s.anyRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/organization/revoke-tokens", ID: "revoke-organization-tokens",
		Tag: revokeTag, Summary: "Revoke every token of your organization, yours included", Permission: can,
		Description: "For an emergency. Log in again afterwards: tokens that were created by hand are revoked too."}, s.orgRoute)
}

type identityTokensInput struct {
	IdentityID string `path:"identityId"`
	Body       *struct {
		Method httpapi.Text `json:"authMethod,omitempty" maxLength:"64" doc:"Such as universal-auth; leave it out for all methods"`
	}
}

func revoked(message string, err error) (*revokeOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &revokeOutput{}
	out.Body.Message = message
	return out, nil
}

func (s *Service) identityRoute(ctx context.Context, actor *access.Actor, in *identityTokensInput) (*revokeOutput, error) {
	method := ""
	if in.Body != nil {
		method = in.Body.Method.Trimmed()
	}
	return revoked("The access tokens are revoked", s.RevokeIdentity(ctx, actor, in.IdentityID, method))
}

type anyTokenInput struct {
	IdentityID string `path:"identityId"`
	TokenID    string `path:"tokenId" doc:"The jti of the token's JWT"`
}

func (s *Service) anyRoute(ctx context.Context, actor *access.Actor, in *anyTokenInput) (*revokeOutput, error) {
	return revoked("The access token is revoked", s.RevokeAny(ctx, actor, in.IdentityID, in.TokenID))
}

type orgTokensInput struct {
	Body struct {
		Slug httpapi.Text `json:"organizationSlug" maxLength:"64" doc:"The slug of your organization, as confirmation"`
	}
}

func (s *Service) orgRoute(ctx context.Context, actor *access.Actor, in *orgTokensInput) (*revokeOutput, error) {
	return revoked("The access tokens are revoked", s.RevokeOrg(ctx, actor, in.Body.Slug.Trimmed()))
}
