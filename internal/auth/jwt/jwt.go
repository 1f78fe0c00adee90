// Package jwt owns JWT Auth: logins with a JWT that a trusted issuer signed, whose keys are fetched or set by hand. How
// JWTs are checked is in assertion; what it shares with other login methods, in auth.
package jwt

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/auth/assertion"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// Slug is the name of the method in paths, claims and the database.
const Slug = "jwt-auth"

// Where the keys of an issuer come from.
const (
	fromJWKS   = "jwks"
	fromStatic = "static"
)

// Method is JWT Auth (docs/reference/identity.md section 10.6). A JWT must expire, be signed with an asymmetric
// algorithm, and keep to the bounds of the configuration. It may be used for any number of logins until it expires, as
// CI systems do, unless the configuration sets oneTimeAssertions: then its jti, which it must have, is good for one
// login, on whatever replica and however many try at once.
func Method(s *assertion.Service) auth.Method[Settings, assertion.Login, *Settings] {
	return auth.Method[Settings, assertion.Login, *Settings]{Slug: Slug, Title: "JWT Auth",
		Check:    func(_ context.Context, settings *Settings) error { return settings.check(s) },
		Identify: assertion.Identify,
		Verify: func(ctx context.Context, settings *Settings, login *assertion.Login, _ access.Client) (auth.Proof, error) {
			c, err := s.Check(ctx, Slug, login, settings.keys(s), &settings.Bounds)
			if err != nil {
				return auth.Proof{}, err
			}
			return auth.Proof{Facts: c.Facts()}, nil
		}}
}

// Settings is the configuration of JWT Auth.
type Settings struct {
	auth.Shared
	assertion.Bounds
	Type       *string         `json:"configurationType" nullable:"false" enum:"jwks,static" doc:"Where the issuer's keys come from. Named with every PATCH too"`
	JWKSURL    *httpapi.Text   `json:"jwksUrl,omitempty" maxLength:"2048" doc:"https URL of the issuer's keys; required for jwks"`
	JWKSCACert *httpapi.Prose  `json:"jwksCaCert,omitempty" maxLength:"32768" doc:"PEM of the CA that signs the certificate of the endpoint. Default: those of the machine"`
	PublicKeys []httpapi.Prose `json:"publicKeys" required:"false" maxItems:"20" doc:"The issuer's public keys in PEM; required for static"`
}

// Key is the name of a configuration in answers.
func (*Settings) Key() string { return "identityJwtAuth" }

// check fills in what is missing, clears what the other type of configuration has, and refuses what cannot work.
func (s *Settings) check(service *assertion.Service) error {
	if s.Type == nil {
		return fault.Invalid("invalid_enum_value", "Choose whether the issuer's keys are fetched (jwks) or given here (static).", "configurationType")
	}
	if err := s.Bounds.Complete(); err != nil {
		return err
	}
	if *s.Type == fromStatic {
		s.JWKSURL, s.JWKSCACert = new(httpapi.Text), new(httpapi.Prose)
		return s.checkStatic()
	}
	s.PublicKeys = []httpapi.Prose{}
	return s.checkJWKS(service)
}

func (s *Settings) checkStatic() error {
	if len(s.PublicKeys) == 0 {
		return fault.Invalid("too_small", "A static configuration needs at least one public key.", "publicKeys")
	}
	for _, text := range s.PublicKeys {
		if err := assertion.CheckPublicKey("publicKeys", string(text)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Settings) checkJWKS(service *assertion.Service) error {
	if s.JWKSURL == nil {
		s.JWKSURL = new(httpapi.Text)
	}
	if s.JWKSCACert == nil {
		s.JWKSCACert = new(httpapi.Prose)
	}
	*s.JWKSURL = httpapi.Text(s.JWKSURL.Trimmed())
	if err := service.CheckURL("jwksUrl", string(*s.JWKSURL)); err != nil {
		return err
	}
	return assertion.CheckCACert("jwksCaCert", string(*s.JWKSCACert))
}

// keys returns what signatures are checked with.
func (s *Settings) keys(service *assertion.Service) assertion.Keys {
	if *s.Type == fromJWKS {
		return service.JWKS(string(*s.JWKSURL), string(*s.JWKSCACert))
	}
	pems := make([]string, len(s.PublicKeys))
	for i, text := range s.PublicKeys {
		pems[i] = string(text)
	}
	return assertion.Static(pems)
}
