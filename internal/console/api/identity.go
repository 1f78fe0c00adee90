package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Role is a role that a member has.
type Role struct {
	Slug      string     `json:"role"`
	Custom    *string    `json:"customRoleSlug"`
	Name      *string    `json:"customRoleName"`
	Temporary bool       `json:"isTemporary"`
	End       *time.Time `json:"temporaryAccessEndTime"`
}

// Label is what people call the role.
func (r Role) Label() string {
	if r.Name != nil {
		return *r.Name
	}
	return r.Slug
}

// Identity is a machine identity with what it is in the organization.
type Identity struct {
	ID         string
	Name       string
	Methods    []string
	LockedOut  []string
	Protected  bool
	CreatedAt  time.Time
	Roles      []Role
	LastMethod *string
	LastLogin  *time.Time
	Metadata   []Pair
}

// Pair is a piece of metadata.
type Pair struct{ Key, Value string }

// Has reports whether a login method is attached.
func (i Identity) Has(method string) bool { return slices.Contains(i.Methods, method) }

type wireMembership struct {
	CreatedAt time.Time
	Identity  struct {
		ID, Name            string
		AuthMethods         []string
		ActiveLockouts      []string `json:"activeLockoutAuthMethods"`
		HasDeleteProtection bool
		CreatedAt           time.Time
	}
	LastLoginAuthMethod *string
	LastLoginTime       *time.Time
	Metadata            []Pair
	Roles               []Role
}

func (w wireMembership) identity() Identity {
	i := w.Identity
	return Identity{i.ID, i.Name, i.AuthMethods, i.ActiveLockouts, i.HasDeleteProtection, i.CreatedAt, w.Roles, w.LastLoginAuthMethod, w.LastLoginTime, w.Metadata}
}

// IdentitySearch chooses identities. The zero value of a field leaves it out.
type IdentitySearch struct {
	Name, Role    string
	OrderBy       string
	Descending    bool
	Offset, Limit int
}

// Identities returns a page of them, and how many match in all.
func (c *Caller) Identities(ctx context.Context, q IdentitySearch) ([]Identity, int64, error) {
	search := map[string]any{}
	if q.Name != "" {
		search["name"] = map[string]string{"$contains": q.Name}
	}
	if q.Role != "" {
		search["role"] = map[string]string{"$eq": q.Role}
	}
	direction := "asc"
	if q.Descending {
		direction = "desc"
	}
	body := map[string]any{"offset": q.Offset, "limit": q.Limit, "orderBy": q.OrderBy, "orderDirection": direction, "search": search}
	var answer struct {
		Identities []wireMembership
		TotalCount int64
	}
	err := c.post(ctx, "/api/v1/identities/search", body, &answer)
	list := make([]Identity, len(answer.Identities))
	for i, w := range answer.Identities {
		list[i] = w.identity()
	}
	return list, answer.TotalCount, err
}

// Identity reads one.
func (c *Caller) Identity(ctx context.Context, id string) (Identity, error) {
	var answer struct{ Identity wireMembership }
	err := c.get(ctx, path("api", "v1", "identities", id), nil, &answer)
	return answer.Identity.identity(), err
}

// CreateIdentity makes an identity with a role and returns its id.
func (c *Caller) CreateIdentity(ctx context.Context, orgID, name, role string) (id string, err error) {
	var answer struct{ Identity struct{ ID string } }
	err = c.post(ctx, "/api/v1/identities", map[string]string{"name": name, "organizationId": orgID, "role": role}, &answer)
	return answer.Identity.ID, err
}

// DeleteIdentity deletes one and revokes its tokens.
func (c *Caller) DeleteIdentity(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, path("api", "v1", "identities", id), nil, nil)
}

// Attach attaches a login method with settings.
func (c *Caller) Attach(ctx context.Context, method, id string, settings map[string]any) error {
	return c.post(ctx, path("api", "v1", "auth", method, "identities", id), settings, nil)
}

// Detach detaches a login method, which revokes the tokens that it issued.
func (c *Caller) Detach(ctx context.Context, method, id string) error {
	return c.call(ctx, http.MethodDelete, path("api", "v1", "auth", method, "identities", id), nil, nil)
}

// RevokeTokens revokes every token of an identity.
func (c *Caller) RevokeTokens(ctx context.Context, id string) error {
	return c.post(ctx, path("api", "v1", "identities", id, "revoke-tokens"), map[string]string{}, nil)
}

// RevokeOrganization revokes every token of the organization, those of the caller's sessions too. The slug confirms it.
func (c *Caller) RevokeOrganization(ctx context.Context, slug string) error {
	return c.post(ctx, "/api/v1/organization/revoke-tokens", map[string]string{"organizationSlug": slug}, nil)
}

// RevokeToken revokes one token of an identity, whatever login method made it.
func (c *Caller) RevokeToken(ctx context.Context, id, tokenID string) error {
	return c.post(ctx, path("api", "v1", "identities", id, "tokens", tokenID, "revoke"), nil, nil)
}

// Token is an access token that is stored.
type Token struct {
	ID            string
	IdentityID    string
	Method        string `json:"authMethod"`
	Name          *string
	TTL           int64      `json:"accessTokenTTL"`
	Uses          int64      `json:"accessTokenNumUses"`
	UsesLimit     int64      `json:"accessTokenNumUsesLimit"`
	LastUsedAt    *time.Time `json:"accessTokenLastUsedAt"`
	LastRenewedAt *time.Time `json:"accessTokenLastRenewedAt"`
	Revoked       bool       `json:"isAccessTokenRevoked"`
	CreatedAt     time.Time
}

// ExpiresAt is when its newest JWT expires.
func (t Token) ExpiresAt() time.Time {
	from := t.CreatedAt
	if t.LastRenewedAt != nil {
		from = *t.LastRenewedAt
	}
	return from.Add(time.Duration(t.TTL) * time.Second)
}

// Label is the name of the token, or a word for none.
func (t Token) Label() string {
	if t.Name != nil && *t.Name != "" {
		return *t.Name
	}
	return "unnamed"
}

// Tokens returns the newest tokens that were made for an identity by hand, and how many there are.
func (c *Caller) Tokens(ctx context.Context, id string, limit int) ([]Token, int64, error) {
	var answer struct {
		Tokens     []Token
		TotalCount int64
	}
	err := c.get(ctx, path("api", "v1", "auth", "token-auth", "identities", id, "tokens"), url.Values{"limit": {strconv.Itoa(limit)}}, &answer)
	return answer.Tokens, answer.TotalCount, err
}

// CreateToken makes a token by hand and returns it, this once.
func (c *Caller) CreateToken(ctx context.Context, id, name string) (token string, expires time.Duration, err error) {
	var answer struct {
		AccessToken string
		ExpiresIn   int64
	}
	err = c.post(ctx, path("api", "v1", "auth", "token-auth", "identities", id, "tokens"), map[string]string{"name": name}, &answer)
	return answer.AccessToken, time.Duration(answer.ExpiresIn) * time.Second, err
}

// ClientSecret is one half of what Universal Auth logs in with.
type ClientSecret struct {
	ID          string
	Description string
	Prefix      string `json:"clientSecretPrefix"`
	Uses        int64  `json:"clientSecretNumUses"`
	UsesLimit   int64  `json:"clientSecretNumUsesLimit"`
	TTL         int64  `json:"clientSecretTTL"`
	CreatedAt   time.Time
}

// ExpiresAt is when it can no longer be used; the zero time for never.
func (s ClientSecret) ExpiresAt() time.Time {
	if s.TTL == 0 {
		return time.Time{}
	}
	return s.CreatedAt.Add(time.Duration(s.TTL) * time.Second)
}

func clientSecrets(id string) string {
	return path("api", "v1", "auth", "universal-auth", "identities", id, "client-secrets")
}

// ClientSecrets lists the live ones of an identity.
func (c *Caller) ClientSecrets(ctx context.Context, id string) ([]ClientSecret, error) {
	var answer struct{ ClientSecretData []ClientSecret }
	err := c.get(ctx, clientSecrets(id), nil, &answer)
	return answer.ClientSecretData, err
}

// CreateClientSecret makes one, and returns it this once with the client id. A ttl in seconds and a limit of 0 mean none.
func (c *Caller) CreateClientSecret(ctx context.Context, id, description string, ttl, uses int64) (clientID, secret string, err error) {
	var answer struct{ ClientSecret string }
	if err = c.post(ctx, clientSecrets(id), map[string]any{"description": description, "ttl": ttl, "numUsesLimit": uses}, &answer); err != nil {
		return "", "", err
	}
	var method struct{ IdentityUniversalAuth struct{ ClientID string } }
	err = c.get(ctx, path("api", "v1", "auth", "universal-auth", "identities", id), nil, &method)
	return method.IdentityUniversalAuth.ClientID, answer.ClientSecret, err
}

// RevokeClientSecret revokes one, with every token that was issued for it.
func (c *Caller) RevokeClientSecret(ctx context.Context, id, secretID string) error {
	return c.post(ctx, clientSecrets(id)+path(secretID, "revoke"), nil, nil)
}

// ProjectMembership is a project that an identity is a member of.
type ProjectMembership struct {
	Project struct{ ID, Name string }
	Roles   []Role
}

// ProjectsOf lists them.
func (c *Caller) ProjectsOf(ctx context.Context, id string) ([]ProjectMembership, error) {
	var answer struct{ IdentityMemberships []ProjectMembership }
	err := c.get(ctx, path("api", "v1", "identities", id, "identity-memberships"), nil, &answer)
	return answer.IdentityMemberships, err
}

// OrgRole is a role of the organization.
type OrgRole struct {
	ID, Slug, Name, Description string
	Permissions                 []Rule
}

// OrgRoles lists them, built-in ones first.
func (c *Caller) OrgRoles(ctx context.Context) ([]OrgRole, error) {
	var answer struct{ Roles []OrgRole }
	err := c.get(ctx, "/api/v1/organization/roles", nil, &answer)
	return answer.Roles, err
}
