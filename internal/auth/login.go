package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/token"
)

// Proof is what a method found out about a login whose credentials are good.
type Proof struct {
	ClientSecretID string         // of Universal Auth
	Facts          map[string]any // what the audit log is to know of the credentials; no secrets
	IdentityAuth   map[string]any // what the access token says of the credentials, for rules to refer to: {"oidc": {...}}
}

// maxIdentityAuth bounds what a token says of the credentials, in bytes of JSON: it goes along with every request.
const maxIdentityAuth = 2048

// ErrInvalid is the one answer to every login whose credentials do not fit: an unknown identity, a method that is not
// attached, and wrong credentials cannot be told apart.
var ErrInvalid = fault.New(fault.Unauthenticated, "The credentials are not valid, or too many logins from here have failed; in that case wait a few minutes.")

// Refuse makes the error of a login that a method refuses. reason is the code of the audit log, such as
// "claim_mismatch"; the message is for the caller.
func Refuse(reason, message string, args ...any) error {
	f := fault.New(fault.Unauthenticated, message, args...)
	f.Reason = reason
	return f
}

// Forbid is Refuse for good credentials that are not allowed here: 403 instead of 401.
func Forbid(reason, message string, args ...any) error {
	f := fault.New(fault.Forbidden, message, args...)
	f.Reason = reason
	return f
}

// LoginShared are the fields that every login body has beside its credentials. Methods embed it.
type LoginShared struct {
	OrganizationSlug httpapi.Text `json:"organizationSlug,omitempty" maxLength:"64" doc:"The slug of the identity's own organization, or nothing"`
}

// Slug returns the organization that the caller named, or "".
func (l *LoginShared) Slug() string { return l.OrganizationSlug.Trimmed() }

type loginInput[L any] struct {
	Body L
}

type loginOutput struct {
	Body struct {
		AccessToken string `json:"accessToken"`
		ExpiresIn   int64  `json:"expiresIn" doc:"Seconds until this token expires"`
		MaxTTL      int64  `json:"accessTokenMaxTTL" doc:"0 where the token can be renewed without end"`
		TokenType   string `json:"tokenType"`
	}
}

func mountLogin[S, L any, P Settings[S]](s *Service, api *httpapi.API, m Method[S, L, P]) {
	httpapi.HandleOpen(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/auth/" + m.Slug + "/login", ID: "login-" + m.Slug,
		Tag: m.Title, Summary: "Log in with " + m.Title, Open: true, Errors: []int{http.StatusUnauthorized, http.StatusForbidden}},
		func(ctx context.Context, client access.Client, in *loginInput[L]) (*loginOutput, error) {
			issued, err := Login(ctx, s, m, &in.Body, client)
			if err != nil {
				return nil, err
			}
			out := &loginOutput{}
			out.Body.AccessToken, out.Body.ExpiresIn = issued.AccessToken, issued.ExpiresIn
			out.Body.MaxTTL, out.Body.TokenType = issued.MaxTTL, "Bearer"
			return out, nil
		})
}

// Login goes from the body of a login to a token. What it finds out about the identity it tells nobody before the
// credentials were good. Errors: those of the method, DeadToken, Forbidden, RateLimited.
func Login[S, L any, P Settings[S]](ctx context.Context, s *Service, m Method[S, L, P], body *L, client access.Client) (*token.Issued, error) {
	if err := s.feed.Current(ctx); err != nil {
		return nil, err
	}
	born := s.tokens.Birth() // before anything is checked
	i, c, err := s.target(ctx, m.Slug, func() (string, error) { return m.Identify(ctx, body, client) })
	if err != nil {
		return nil, s.failed(ctx, m.Slug, nil, client, err)
	}
	proof, err := m.Verify(ctx, c.own.(P), body, client)
	if err == nil {
		err = s.checkMember(ctx, i)
	}
	if err == nil {
		err = s.checkSlug(ctx, i, body)
	}
	var said json.RawMessage
	if err == nil {
		said, err = identityAuth(proof)
	}
	if err != nil {
		return nil, s.failed(ctx, m.Slug, i, client, err)
	}
	return s.admit(ctx, i, c, proof, said, born, client)
}

// identityAuth returns what the token is to say of the credentials, or nil.
func identityAuth(p Proof) (json.RawMessage, error) {
	if len(p.IdentityAuth) == 0 {
		return nil, nil
	}
	said, err := json.Marshal(p.IdentityAuth)
	if err == nil && len(said) > maxIdentityAuth {
		err = Refuse("claims_too_large", "The mapped claims of the access token have %d bytes, and at most %d fit. Map fewer or shorter claims.",
			len(said), maxIdentityAuth)
	}
	return said, err
}

// target finds the identity that a login is for, and its configuration of the method.
func (s *Service) target(ctx context.Context, method string, identify func() (string, error)) (*identity.Identity, *Config, error) {
	identityID, err := identify()
	if err != nil {
		return nil, nil, err
	}
	c, err := s.config(ctx, identityID, method)
	if err == nil && c == nil {
		err = ErrInvalid
	}
	if err != nil {
		return nil, nil, err
	}
	i, err := s.identities.ByID(ctx, identityID)
	if fault.Is(err, fault.NotFound) {
		err = ErrInvalid
	}
	return i, c, err
}

// checkMember lets members of their organization alone log in. It comes behind the credentials, so that nobody else learns of it.
func (s *Service) checkMember(ctx context.Context, i *identity.Identity) error {
	member, err := s.members.Member(ctx, i.ID, i.OrgID)
	if err == nil && !member {
		err = Refuse("not_a_member", "The identity is not an active member of its organization. Ask an administrator to add it again.")
	}
	return err
}

// checkSlug accepts the slug of the identity's own organization; there are no sub-organizations here.
func (s *Service) checkSlug(ctx context.Context, i *identity.Identity, body any) error {
	named, ok := body.(interface{ Slug() string })
	if !ok || named.Slug() == "" {
		return nil
	}
	o, err := s.orgs.Find(ctx, i.OrgID)
	if err == nil && o.Slug != named.Slug() {
		err = fault.New(fault.NotFound, "There is no sub-organization with slug %q. Leave organizationSlug out.", named.Slug())
	}
	return err
}

// failed leaves an audit event of a refused login and returns the error for its caller. i is nil for an identity that is
// unknown, or that has no such method.
func (s *Service) failed(ctx context.Context, method string, i *identity.Identity, client access.Client, err error) error {
	f := fault.From(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return err
	}
	actor, facts, reason := &access.Actor{Type: access.ActorUnknown, AuthMethod: method, Client: client}, map[string]any{"message": f.Message}, f.Reason
	if i != nil {
		actor, facts["identityId"] = loginActor(i, method, client), i.ID
	} else if reason == "" {
		reason = "unknown_identity"
	}
	return errors.Join(err, s.audit.NoteFailure(ctx, actor, audit.Event{Type: audit.LoginIdentityFailed(method), Metadata: facts}, reason))
}

func loginActor(i *identity.Identity, method string, client access.Client) *access.Actor {
	return &access.Actor{Type: access.ActorIdentity, ID: i.ID, Name: i.Name, OrgID: i.OrgID, AuthMethod: method, Client: client}
}

// admit mints the token of a login whose credentials were good, and records it.
func (s *Service) admit(ctx context.Context, i *identity.Identity, c *Config, proof Proof, said json.RawMessage, born token.Birth, client access.Client) (*token.Issued, error) {
	shared := c.Shared()
	issued, err := s.tokens.Mint(ctx, token.Grant{IdentityID: i.ID, IdentityName: i.Name, OrgID: i.OrgID, Method: c.Method,
		ClientSecretID: proof.ClientSecretID, Limits: c.Limits(), UsesLimit: *shared.UsesLimit, Born: born, IdentityAuth: said})
	if err != nil {
		return nil, err
	}
	if *shared.UsesLimit > 0 {
		err = s.db.WriteGrouped(ctx, func(tx *sqldb.Tx) error { return s.tokens.Insert(ctx, tx, issued.Row) })
		if err != nil {
			return nil, err
		}
	}
	s.members.LoggedIn(i.ID, c.Method, s.db.Now())
	facts := map[string]any{"identityId": i.ID, "identityAccessTokenId": issued.Row.ID, "configId": c.ID}
	for name, value := range proof.Facts {
		facts[name] = value
	}
	return issued, s.audit.Note(ctx, loginActor(i, c.Method, client), audit.Event{Type: audit.LoginIdentity(c.Method), Metadata: facts})
}
