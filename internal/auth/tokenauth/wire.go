package tokenauth

import (
	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/httpapi"
	"github.com/sallyport/sallyport/internal/token"
)

type identityInput struct {
	IdentityID string `path:"identityId"`
}

type tokenInput struct {
	TokenID string `path:"tokenId" doc:"The token's id: jti of its JWT, id in lists"`
}

type oldTokenInput struct {
	IdentityID string `path:"identityId"`
	TokenID    string `path:"tokenId"`
}

type trustedIP struct {
	IPAddress httpapi.Text `json:"ipAddress" maxLength:"64" doc:"IPv4 or IPv6 address, or CIDR block"`
}

type attachInput struct {
	IdentityID string `path:"identityId"`
	Body       *struct {
		TTL        *int64      `json:"accessTokenTTL,omitempty" minimum:"0" maximum:"315360000" doc:"Seconds; 0 for no limit of its own. Default: 30 days"`
		MaxTTL     *int64      `json:"accessTokenMaxTTL,omitempty" minimum:"0" maximum:"315360000" doc:"Seconds over all renewals; 0 for no limit. Default: 30 days"`
		UsesLimit  *int64      `json:"accessTokenNumUsesLimit,omitempty" minimum:"0" doc:"0 for no limit. Default: 0"`
		TrustedIPs []trustedIP `json:"accessTokenTrustedIps,omitempty" minItems:"1" maxItems:"1000" doc:"Default: every address"`
	}
}

// Defaults of an attached configuration (identity.md section 1.3): 30 days, from everywhere.
const defaultTTL = 2_592_000

var everywhere = []string{"0.0.0.0/0", "::/0"}

func (in *attachInput) settings() auth.Settings {
	ttl, maxTTL, uses := int64(defaultTTL), int64(defaultTTL), int64(0)
	set := auth.Settings{TTL: &ttl, MaxTTL: &maxTTL, UsesLimit: &uses, TrustedIPs: everywhere}
	if in.Body == nil {
		return set
	}
	for _, f := range []struct{ to, from *int64 }{{&ttl, in.Body.TTL}, {&maxTTL, in.Body.MaxTTL}, {&uses, in.Body.UsesLimit}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if in.Body.TrustedIPs != nil {
		set.TrustedIPs = addresses(in.Body.TrustedIPs)
	}
	return set
}

type updateInput struct {
	IdentityID string `path:"identityId"`
	Body       *struct {
		TTL        *int64      `json:"accessTokenTTL,omitempty" minimum:"0" maximum:"315360000"`
		MaxTTL     *int64      `json:"accessTokenMaxTTL,omitempty" minimum:"0" maximum:"315360000"`
		UsesLimit  *int64      `json:"accessTokenNumUsesLimit,omitempty" minimum:"0"`
		TrustedIPs []trustedIP `json:"accessTokenTrustedIps,omitempty" minItems:"1" maxItems:"1000"`
	}
}

func (in *updateInput) settings() auth.Settings {
	if in.Body == nil {
		return auth.Settings{}
	}
	set := auth.Settings{TTL: in.Body.TTL, MaxTTL: in.Body.MaxTTL, UsesLimit: in.Body.UsesLimit}
	if in.Body.TrustedIPs != nil {
		set.TrustedIPs = addresses(in.Body.TrustedIPs)
	}
	return set
}

func addresses(ips []trustedIP) []string {
	texts := make([]string, len(ips))
	for i, ip := range ips {
		texts[i] = ip.IPAddress.Trimmed()
	}
	return texts
}

type createInput struct {
	IdentityID string `path:"identityId"`
	Body       *struct {
		Name             *httpapi.Text `json:"name,omitempty" maxLength:"255"`
		OrganizationSlug httpapi.Text  `json:"organizationSlug,omitempty" maxLength:"32" doc:"Your own organization's, or nothing"`
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
		Name *httpapi.Text `json:"name,omitempty" maxLength:"255"`
	}
}

// wireConfig is IdentityTokenAuth of identity.md section 1.1.
type wireConfig struct {
	ID         string          `json:"id"`
	TTL        int64           `json:"accessTokenTTL"`
	MaxTTL     int64           `json:"accessTokenMaxTTL"`
	UsesLimit  int64           `json:"accessTokenNumUsesLimit"`
	TrustedIPs []access.IPRule `json:"accessTokenTrustedIps"`
	Period     int64           `json:"accessTokenPeriod"`
	CreatedAt  httpapi.Time    `json:"createdAt"`
	UpdatedAt  httpapi.Time    `json:"updatedAt"`
	IdentityID string          `json:"identityId"`
}

func wireConfigOf(c *auth.Config) wireConfig {
	return wireConfig{c.ID, c.TTL, c.MaxTTL, c.UsesLimit, c.TrustedIPs, c.Period, httpapi.Time(c.CreatedAt), httpapi.Time(c.UpdatedAt), c.IdentityID}
}

// wireToken is IdentityAccessToken of identity.md section 1.1.
type wireToken struct {
	ID             string        `json:"id"`
	TTL            int64         `json:"accessTokenTTL" doc:"Seconds that its first JWT really lived"`
	MaxTTL         int64         `json:"accessTokenMaxTTL"`
	Uses           int64         `json:"accessTokenNumUses" doc:"Without a limit, up to 10 s behind"`
	UsesLimit      int64         `json:"accessTokenNumUsesLimit"`
	LastUsedAt     *httpapi.Time `json:"accessTokenLastUsedAt" doc:"Without a limit of uses, up to 10 s behind"`
	LastRenewedAt  *httpapi.Time `json:"accessTokenLastRenewedAt"`
	Revoked        bool          `json:"isAccessTokenRevoked" doc:"Also true when it was cut off together with others"`
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
		LastRenewedAt: (*httpapi.Time)(r.LastRenewedAt), Revoked: s.Tokens.Dead(r), ClientSecretID: r.ClientSecretID,
		IdentityID: r.IdentityID, CreatedAt: httpapi.Time(r.CreatedAt), UpdatedAt: httpapi.Time(r.UpdatedAt), Name: r.Name,
		Method: r.Method, Period: r.Period,
	}
}
