// Package oidc owns OIDC Auth: logins with an ID token of an OpenID Connect issuer, whose keys its discovery document
// leads to. How tokens are checked is in assertion; what it shares with other login methods, in auth.
package oidc

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/auth/assertion"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// Slug is the name of the method in paths, claims and the database.
const Slug = "oidc-auth"

// Method is OIDC Auth (docs/reference/identity.md section 10.5). Tokens are checked as JWT Auth checks them, and may be
// used as often, unless the configuration sets oneTimeAssertions. The claims of claimMetadataMapping go along in the
// access token, as identityAuth.oidc.claims.
func Method(s *assertion.Service) auth.Method[Settings, assertion.Login, *Settings] {
	return auth.Method[Settings, assertion.Login, *Settings]{Slug: Slug, Title: "OIDC Auth",
		Check:    func(_ context.Context, settings *Settings) error { return settings.check(s) },
		Identify: assertion.Identify,
		Verify: func(ctx context.Context, settings *Settings, login *assertion.Login, _ access.Client) (auth.Proof, error) {
			keys := s.Discovered(string(*settings.DiscoveryURL), string(*settings.CACert), settings.Issuer.Trimmed())
			c, err := s.Check(ctx, Slug, login, keys, &settings.Bounds, settings.mapped)
			if err != nil {
				return auth.Proof{}, err
			}
			return auth.Proof{Facts: c.Facts(), IdentityAuth: settings.carried(c)}, nil
		}}
}

// Settings is the configuration of OIDC Auth.
type Settings struct {
	auth.Shared
	assertion.Bounds
	DiscoveryURL *httpapi.Text     `json:"oidcDiscoveryUrl,omitempty" maxLength:"2048" doc:"https URL of the issuer, with or without /.well-known/openid-configuration; required"`
	CACert       *httpapi.Prose    `json:"caCert,omitempty" maxLength:"32768" doc:"PEM of the CA that signs the certificate of the issuer's endpoints. Default: those of the machine"`
	Mapping      map[string]string `json:"claimMetadataMapping" required:"false" doc:"Claims to copy into the access token: the name there, and the claim by its name or by a path with dots"`
}

// Key is the name of a configuration in answers.
func (*Settings) Key() string { return "identityOidcAuth" }

// check fills in what is missing, and refuses what cannot work.
func (s *Settings) check(service *assertion.Service) error {
	if err := s.Bounds.Complete(); err != nil {
		return err
	}
	if s.DiscoveryURL == nil {
		return fault.Invalid("required", "Give the URL of the issuer.", "oidcDiscoveryUrl")
	}
	if s.Issuer.Trimmed() == "" {
		return fault.Invalid("required", "Give the issuer exactly as in the iss claim of the tokens.", "boundIssuer")
	}
	if s.CACert == nil {
		s.CACert = new(httpapi.Prose)
	}
	if s.Mapping == nil {
		s.Mapping = map[string]string{}
	}
	*s.DiscoveryURL = httpapi.Text(s.DiscoveryURL.Trimmed())
	if err := service.CheckURL("oidcDiscoveryUrl", string(*s.DiscoveryURL)); err != nil {
		return err
	}
	if err := assertion.CheckCACert("caCert", string(*s.CACert)); err != nil {
		return err
	}
	return assertion.CheckNames("claimMetadataMapping", s.Mapping, func(name, claim string) error {
		if claim == "" {
			return fault.Invalid("too_small", "Name a claim.", "claimMetadataMapping", name)
		}
		return nil
	})
}

// mapped refuses a token that lacks a claim which the access token is to carry.
func (s *Settings) mapped(c *assertion.Claims) error {
	for _, claim := range s.Mapping {
		if c.Value(claim) == nil {
			return auth.Refuse("missing_claim", "The JWT has no claim %s, which this login method maps.", claim)
		}
	}
	return nil
}

// carried returns what the access token says of the login.
func (s *Settings) carried(c *assertion.Claims) map[string]any {
	if len(s.Mapping) == 0 {
		return nil
	}
	claims := map[string]any{}
	for name, claim := range s.Mapping {
		claims[name] = c.Value(claim)
	}
	return map[string]any{"oidc": map[string]any{"claims": claims}}
}
