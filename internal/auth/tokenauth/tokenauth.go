// Package tokenauth owns Token Auth: access tokens that are made by hand, listed, renamed and revoked one by one. What
// it shares with other login methods is in auth; what a token is, in token.
package tokenauth

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/token"
)

// Method is Token Auth: nobody logs in with it, so it has no Verify.
var Method = auth.Method[Settings, struct{}, *Settings]{Slug: token.TokenAuth, Title: "Token Auth", Check: check}

// Settings is the configuration of Token Auth (docs/reference/identity.md section 1.1).
type Settings struct {
	auth.Shared
	Period *int64 `json:"accessTokenPeriod,omitempty" readOnly:"true" doc:"Always 0: tokens made by hand are not periodic"`
}

// Key is the name of a configuration in answers.
func (*Settings) Key() string { return "identityTokenAuth" }

func check(_ context.Context, s *Settings) error {
	s.Period = new(int64)
	return nil
}

// Options says what the service works with; all are needed.
type Options struct {
	DB         *sqldb.DB
	Audit      *audit.Log
	Orgs       *org.Service
	Identities *identity.Service
	Members    *member.Service
	Configs    *auth.Service
	Tokens     *token.Service
}

// Service makes, lists, renames and revokes tokens by hand.
type Service struct {
	db         *sqldb.DB
	audit      *audit.Log
	orgs       *org.Service
	identities *identity.Service
	members    *member.Service
	configs    *auth.Service
	tokens     *token.Service
}

// New returns a service.
func New(o Options) *Service {
	return &Service{db: o.DB, audit: o.Audit, orgs: o.Orgs, identities: o.Identities, members: o.Members, configs: o.Configs, tokens: o.Tokens}
}

// Create makes a token of an identity. Errors: PermissionDenied, NotFound, Boundary, Forbidden, BadRequest where Token
// Auth is not attached.
func (s *Service) Create(ctx context.Context, actor *access.Actor, identityID string, name *string, orgSlug string) (*token.Issued, error) {
	if err := actor.Check(access.CreateToken, access.SubjectIdentity, nil); err != nil {
		return nil, err
	}
	if err := s.checkSlug(ctx, actor, orgSlug); err != nil {
		return nil, err
	}
	born := s.tokens.Birth() // before anything is checked
	i, err := s.identities.Authorize(ctx, actor, identityID, "The token was not created")
	if err != nil {
		return nil, err
	}
	c, err := s.attached(ctx, identityID)
	if err != nil {
		return nil, err
	}
	issued, err := s.tokens.Mint(ctx, Grant(i, c, name, born))
	if err != nil {
		return nil, err
	}
	s.members.LoggedIn(i.ID, Method.Slug, s.db.Now()) // as the reference counts it
	return issued, s.db.WriteGrouped(ctx, func(tx *sqldb.Tx) error { return s.insert(ctx, tx, actor, issued) })
}

// Grant is what Token Auth hands to the mint for an identity.
func Grant(i *identity.Identity, c *auth.Config, name *string, born token.Birth) token.Grant {
	return token.Grant{IdentityID: i.ID, IdentityName: i.Name, OrgID: i.OrgID, Method: Method.Slug, Name: name,
		Limits: c.Limits(), UsesLimit: *c.Shared().UsesLimit, Born: born}
}

func (s *Service) insert(ctx context.Context, tx *sqldb.Tx, actor *access.Actor, issued *token.Issued) error {
	if err := s.tokens.Insert(ctx, tx, issued.Row); err != nil {
		return err
	}
	return s.audit.Record(ctx, tx, actor, audit.Event{Type: audit.CreateTokenIdentityTokenAuth, Metadata: map[string]any{
		"identityId": issued.Row.IdentityID, "identityAccessTokenId": issued.Row.ID, "name": issued.Row.Name,
	}})
}

// checkSlug accepts the slug of the actor's own organization; there are no sub-organizations here.
func (s *Service) checkSlug(ctx context.Context, actor *access.Actor, slug string) error {
	if slug == "" {
		return nil
	}
	o, err := s.orgs.Find(ctx, actor.OrgID)
	if err == nil && o.Slug != slug {
		err = fault.New(fault.NotFound, "There is no sub-organization with slug %q. Leave organizationSlug out.", slug)
	}
	return err
}

// attached returns the configuration of an identity; BadRequest where there is none.
func (s *Service) attached(ctx context.Context, identityID string) (*auth.Config, error) {
	c, err := s.configs.Find(ctx, identityID, Method.Slug)
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.BadRequest, "The identity has no Token Auth. Attach it first.")
	}
	return c, err
}

// List returns a page of an identity's tokens, newest first, and how many there are in all. Errors: PermissionDenied,
// NotFound, BadRequest where Token Auth is not attached.
func (s *Service) List(ctx context.Context, actor *access.Actor, identityID string, page token.Page) ([]token.Row, int64, error) {
	if err := actor.Check(access.Read, access.SubjectIdentity, nil); err != nil {
		return nil, 0, err
	}
	i, err := s.identities.Find(ctx, actor, identityID)
	if err == nil {
		err = s.members.GuardAdmin(ctx, actor, i.ID)
	}
	if err == nil {
		_, err = s.attached(ctx, identityID)
	}
	if err != nil {
		return nil, 0, err
	}
	return s.tokens.List(ctx, identityID, Method.Slug, page)
}

// Read returns a token. Errors: PermissionDenied, NotFound.
func (s *Service) Read(ctx context.Context, actor *access.Actor, tokenID string) (token.Row, error) {
	if err := actor.Check(access.Read, access.SubjectIdentity, nil); err != nil {
		return token.Row{}, err
	}
	return s.tokens.Find(ctx, actor.OrgID, Method.Slug, tokenID)
}

// Rename gives a token another name; nil leaves it. Errors: PermissionDenied, NotFound, Boundary, Forbidden.
func (s *Service) Rename(ctx context.Context, actor *access.Actor, tokenID string, name *string) (token.Row, error) {
	if err := actor.Check(access.CreateToken, access.SubjectIdentity, nil); err != nil {
		return token.Row{}, err
	}
	row, err := s.tokens.Find(ctx, actor.OrgID, Method.Slug, tokenID)
	if err == nil {
		_, err = s.identities.Authorize(ctx, actor, row.IdentityID, "The token was not renamed")
	}
	if err != nil {
		return row, err
	}
	rows, err := s.tokens.Counted(func() ([]token.Row, error) {
		err := s.db.Write(ctx, func(tx *sqldb.Tx) (err error) {
			row, err = s.rename(ctx, tx, actor, tokenID, name)
			return err
		})
		return []token.Row{row}, err
	})
	if err != nil {
		return row, err
	}
	return rows[0], nil
}

func (s *Service) rename(ctx context.Context, tx *sqldb.Tx, actor *access.Actor, tokenID string, name *string) (token.Row, error) {
	row, err := token.Rename(ctx, tx, tokenID, name)
	if err != nil {
		return row, err
	}
	return row, s.audit.Record(ctx, tx, actor, audit.Event{Type: audit.UpdateTokenIdentityTokenAuth, Metadata: map[string]any{
		"identityId": row.IdentityID, "tokenId": tokenID, "name": row.Name,
	}})
}

// Revoke kills a token: when it returns nil no replica accepts it again, ever. Errors: PermissionDenied; NotFound for a
// token that is unknown, of another organization, of another method, or dead already; Boundary for a token of an
// identity that may do more than the actor, who could otherwise shut it out one token at a time, as detaching cannot
// (the reference asks for no boundary here); Forbidden for a token of an instance administrator.
func (s *Service) Revoke(ctx context.Context, actor *access.Actor, tokenID string) error {
	if err := actor.Check(access.Edit, access.SubjectIdentity, nil); err != nil {
		return err
	}
	row, err := s.tokens.Find(ctx, actor.OrgID, Method.Slug, tokenID)
	if err != nil {
		return err
	}
	if !s.tokens.Dead(row) {
		_, err = s.identities.Take(ctx, actor, row.IdentityID, "The token was not revoked")
	}
	if err != nil {
		return err
	}
	return s.tokens.Revoke(ctx, actor, row)
}
