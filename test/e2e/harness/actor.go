package harness

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"testing"
)

// The paths of Token Auth.
const (
	Identities = "/api/v1/identities"
	TokenAuth  = "/api/v1/auth/token-auth/identities/"
	Tokens     = "/api/v1/auth/token-auth/tokens/"
)

// Actor is a machine identity with Token Auth and one token of it.
type Actor struct {
	ID      string // of the identity
	TokenID string
	Client
}

// NewIdentity makes an identity in the first organization and returns its id.
func (s *Server) NewIdentity(t testing.TB, role string) string {
	t.Helper()
	return s.Admin.Call(t, http.MethodPost, Identities,
		map[string]any{"name": RandomName(), "organizationId": s.OrgID, "role": role}).Want(200).Text("identity.id")
}

// Attach configures Token Auth for an identity; nil settings mean the defaults.
func (s *Server) Attach(t testing.TB, identityID string, settings map[string]any) {
	t.Helper()
	if settings == nil {
		settings = map[string]any{}
	}
	s.Admin.Call(t, http.MethodPost, TokenAuth+identityID, settings).Want(200)
}

// NewToken makes a token of an identity that has Token Auth.
func (s *Server) NewToken(t testing.TB, identityID string) (jwt, tokenID string) {
	t.Helper()
	answer := s.Admin.Call(t, http.MethodPost, TokenAuth+identityID+"/tokens", map[string]any{}).Want(200)
	return answer.Text("accessToken"), answer.Text("tokenData.id")
}

// NewActor makes an identity with a role, Token Auth with the given settings, and a token.
func (s *Server) NewActor(t testing.TB, role string, settings map[string]any) Actor {
	t.Helper()
	id := s.NewIdentity(t, role)
	s.Attach(t, id, settings)
	jwt, tokenID := s.NewToken(t, id)
	return Actor{ID: id, TokenID: tokenID, Client: s.As(jwt)}
}

// Works reports whether the server accepts the client's token; it fails the test on any other refusal than a 401.
func (c Client) Works(t testing.TB) bool {
	t.Helper()
	answer := c.Call(t, http.MethodGet, Identities+"/details", nil)
	if answer.Status == http.StatusUnauthorized {
		return false
	}
	answer.Want(200)
	return true
}

// RandomName returns a name that nothing else has.
func RandomName() string {
	b := make([]byte, 6)
	_, _ = rand.Read(b) // never fails
	return "n-" + hex.EncodeToString(b)
}
