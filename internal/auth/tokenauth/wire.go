package tokenauth

import (
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/token"
)

type tokenInput struct {
	TokenID string `path:"tokenId" doc:"The token's id: jti of its JWT, id in lists"`
}

type oldTokenInput struct {
	IdentityID string `path:"identityId"`
	TokenID    string `path:"tokenId"`
}

type createInput struct {
	IdentityID string `path:"identityId"`
	Body       *struct {
		Name             *httpapi.Name `json:"name,omitempty" maxLength:"255"`
		OrganizationSlug httpapi.Text  `json:"organizationSlug,omitempty" maxLength:"32" doc:"The slug of your own organization, or nothing"`
	}
}

func (in *createInput) named() (name *string, slug string) {
	if in.Body == nil {
		return nil, ""
	}
	if in.Body.Name != nil {
		text := string(*in.Body.Name)
		name = &text
	}
	return name, in.Body.OrganizationSlug.Trimmed()
}

type listInput struct {
	IdentityID string `path:"identityId"`
	Offset     int64  `query:"offset" minimum:"0" default:"0"`
	Limit      int64  `query:"limit" minimum:"1" maximum:"100" default:"20"`
}

type renameInput struct {
	TokenID string `path:"tokenId"`
	Body    *struct {
		Name *httpapi.Name `json:"name,omitempty" maxLength:"255"`
	}
}

// wireToken is IdentityAccessToken of docs/reference/identity.md section 1.1.
type wireToken struct {
	ID             string        `json:"id"`
	TTL            int64         `json:"accessTokenTTL" doc:"Lifetime of its first JWT in seconds"`
	MaxTTL         int64         `json:"accessTokenMaxTTL"`
	Uses           int64         `json:"accessTokenNumUses" doc:"Without a limit, uses at other replicas may be up to 10 s behind"`
	UsesLimit      int64         `json:"accessTokenNumUsesLimit"`
	LastUsedAt     *httpapi.Time `json:"accessTokenLastUsedAt" doc:"Without a limit of uses, uses at other replicas may be up to 10 s behind"`
	LastRenewedAt  *httpapi.Time `json:"accessTokenLastRenewedAt"`
	Revoked        bool          `json:"isAccessTokenRevoked" doc:"Also true if it was revoked together with others"`
	ClientSecretID *string       `json:"identityUAClientSecretId"`
	IdentityID     string        `json:"identityId"`
	CreatedAt      httpapi.Time  `json:"createdAt"`
	UpdatedAt      httpapi.Time  `json:"updatedAt"`
	Name           *string       `json:"name"`
	Method         string        `json:"authMethod"`
	Period         int64         `json:"accessTokenPeriod"`
	SubOrgID       *string       `json:"subOrganizationId"`
}

func (s *Service) wire(r token.Row) wireToken {
	return wireToken{
		ID: r.ID, TTL: r.TTL, MaxTTL: r.MaxTTL, Uses: r.Uses, UsesLimit: r.UsesLimit, LastUsedAt: (*httpapi.Time)(r.LastUsedAt),
		LastRenewedAt: (*httpapi.Time)(r.LastRenewedAt), Revoked: s.tokens.Dead(r), ClientSecretID: r.ClientSecretID,
		IdentityID: r.IdentityID, CreatedAt: httpapi.Time(r.CreatedAt), UpdatedAt: httpapi.Time(r.UpdatedAt), Name: r.Name,
		Method: r.Method, Period: r.Period,
	}
}
