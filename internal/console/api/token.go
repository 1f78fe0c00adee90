package api

import (
	"context"
	"net/url"
	"strconv"
	"time"
)

// ListedToken is a stored token of the organization.
type ListedToken struct {
	ID           string
	Name         *string
	IdentityID   string
	IdentityName string
	Method       string `json:"authMethod"`
	State        string
	Uses         int64      `json:"accessTokenNumUses"`
	UsesLimit    int64      `json:"accessTokenNumUsesLimit"`
	LastUsedAt   *time.Time `json:"accessTokenLastUsedAt"`
	ExpiresAt    time.Time
	CreatedAt    time.Time
}

// Label is the name of the token, or a word for none.
func (t ListedToken) Label() string {
	if t.Name != nil && *t.Name != "" {
		return *t.Name
	}
	return "unnamed"
}

// TokenFilter chooses stored tokens. The zero value of a field leaves it out.
type TokenFilter struct {
	State, IdentityID, Method, After string
	IdleSince, ExpiresBy             time.Time
	Limit                            int
}

// AllTokens returns a page of the stored tokens of the organization, and the After of the next one; "" for no more.
func (c *Caller) AllTokens(ctx context.Context, f TokenFilter) (list []ListedToken, next string, err error) {
	query := url.Values{"limit": {strconv.Itoa(f.Limit)}}
	for name, value := range map[string]string{"state": f.State, "identityId": f.IdentityID, "authMethod": f.Method, "after": f.After} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for name, at := range map[string]time.Time{"idleSince": f.IdleSince, "expiresBy": f.ExpiresBy} {
		if !at.IsZero() {
			query.Set(name, at.UTC().Format(time.RFC3339))
		}
	}
	var answer struct {
		Tokens []ListedToken
		Next   *string
	}
	err = c.get(ctx, "/api/v1/organization/tokens", query, &answer)
	if answer.Next != nil {
		next = *answer.Next
	}
	return answer.Tokens, next, err
}

// Introspection is what the server tells of a token.
type Introspection struct {
	Active   bool
	Subject  string `json:"sub"`
	Username string
	ID       string `json:"jti"`
	Method   string `json:"authMethod"`
	OrgID    string
	Expires  int64 `json:"exp"`
}

// Introspect tells whether a token is accepted now, and whose it is.
func (c *Caller) Introspect(ctx context.Context, token string) (i Introspection, err error) {
	return i, c.post(ctx, "/api/v1/oauth/introspect", map[string]string{"token": token}, &i)
}
