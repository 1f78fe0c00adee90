package token

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/role"
)

// event is what the tests look at of an audit event.
type event struct {
	Type     string `db:"event_type"`
	OrgID    string `db:"org_id"`
	ActorID  string `db:"actor_id"`
	Metadata string `db:"event_metadata"`
}

func (f *fixture) events() (events []event) {
	f.t.Helper()
	err := f.db.Select(f.t.Context(), &events, `SELECT event_type, org_id, actor_id, event_metadata FROM audit_logs ORDER BY created_at, id`)
	if err != nil {
		f.t.Fatal(err)
	}
	return events
}

func TestRevokeIsOneTransaction(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		issued, actor := f.mint(f.grant()), f.actor()
		want(t, f.verify(issued.AccessToken), "")
		before := f.feed.Applied()
		if err := f.Revoke(t.Context(), actor, issued.Row); err != nil {
			t.Fatal(err)
		}
		want(t, f.verify(issued.AccessToken), "revoked")
		want(t, f.restart().verify(issued.AccessToken), "revoked")
		if row := f.row(issued.Row.ID); !row.Revoked || !f.Dead(row) {
			t.Errorf("the row is not revoked: %+v", row)
		}
		if got := f.feed.Applied(); got != before+1 {
			t.Errorf("the log went from %d to %d; want one entry", before, got)
		}
		if until := f.untilOf(feed.TokenRevoked); until != f.clock.Now().Add(time.Hour) {
			t.Errorf("remembered until %v; want the expiry %v", until, f.clock.Now().Add(time.Hour))
		}
		metadata, err := json.Marshal(map[string]string{"identityId": f.ident, "identityAccessTokenId": issued.Row.ID, "authMethod": TokenAuth})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]event{{audit.RevokeIdentityAccessToken.String(), f.org, actor.ID, string(metadata)}}, f.events()); diff != "" {
			t.Error(diff)
		}

		want(t, f.Revoke(t.Context(), actor, issued.Row), "not found")
		if got, events := f.feed.Applied(), len(f.events()); got != before+1 || events != 1 {
			t.Errorf("the second revoke left something: log at %d, %d events", got, events)
		}
	})
}

// TestRevokeThatFailsLeavesNothing has the last part of the transaction, the audit event, fail.
func TestRevokeThatFailsLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		issued := f.mint(f.grant())
		down := errors.New("down")
		err := f.feed.Change(t.Context(), func(tx *feed.Tx) error {
			if _, err := markRevoked(t.Context(), tx.Tx, issued.Row.ID, 1); err != nil {
				return err
			}
			tx.Append(feed.TokenRevoked, feed.Key(issued.Row.ID, f.ident), f.clock.Now().Add(time.Hour))
			return down
		})
		if !errors.Is(err, down) {
			t.Fatal(err)
		}
		want(t, f.verify(issued.AccessToken), "")
		want(t, f.restart().verify(issued.AccessToken), "")
		if row := f.row(issued.Row.ID); row.Revoked || row.UpdatedAt == 1 {
			t.Errorf("half of it was done: %+v", row)
		}
	})
}

// TestRevokeLivesOnThroughACancelledCall: once it is committed, the caller's leaving changes nothing.
func TestRevokeLivesOnThroughACancelledCall(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		issued := f.mint(f.grant())
		ctx, cancel := context.WithCancel(t.Context())
		err := f.feed.Change(ctx, func(tx *feed.Tx) error {
			until, err := markRevoked(ctx, tx.Tx, issued.Row.ID, 1)
			tx.Append(feed.TokenRevoked, feed.Key(issued.Row.ID, f.ident), time.UnixMilli(until))
			cancel()
			return err
		})
		f = f.restart()
		row := f.row(issued.Row.ID)
		if dead := f.verify(issued.AccessToken) != nil; dead != row.Revoked || err == nil && !dead {
			t.Errorf("the call answered %v; row revoked %v, token dead %v", err, row.Revoked, dead)
		}
	})
}

func TestRevokeSelf(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		limited := f.login()
		limited.UsesLimit = 3
		endless := f.login()
		endless.MaxTTL = 0
		periodic := f.login()
		periodic.Period = 600
		for name, c := range map[string]struct {
			grant  Grant
			hasRow bool
			until  time.Duration // from now
		}{
			"by hand":          {f.grant(), true, 24 * time.Hour},
			"login with a row": {limited, true, 24 * time.Hour},
			"login":            {f.login(), false, 24 * time.Hour},
			"without max TTL":  {endless, false, DefaultMaxAge},
			"periodic":         {periodic, false, DefaultMaxAge},
		} {
			t.Run(name, func(t *testing.T) {
				issued, other := f.mint(c.grant), f.mint(c.grant)
				events := len(f.events())
				for range 3 { // the second and third change nothing, and say so with success
					if err := f.RevokeSelf(t.Context(), issued.AccessToken, access.Client{IP: badIP}); err != nil {
						t.Fatal(err)
					}
				}
				if until := f.untilOf(feed.TokenRevoked); until != f.clock.Now().Add(c.until) {
					t.Errorf("remembered for %v; want %v", until.Sub(f.clock.Now()), c.until)
				}
				if c.hasRow && !f.row(issued.Row.ID).Revoked {
					t.Error("the row is not revoked")
				}
				if got := f.events()[events:]; len(got) != 1 || got[0].Type != audit.RevokeIdentityAccessToken.String() || got[0].ActorID != f.ident {
					t.Errorf("events %+v; want one, of the identity itself", got)
				}
				for _, f := range []*fixture{f, f.restart()} {
					want(t, f.verify(issued.AccessToken), "revoked")
					want(t, f.verify(other.AccessToken), "")
				}
			})
		}
	})
}

// TestRevokeOfAPeriodicTokenPastItsMaxTTL: its MaxTTL is void, so it does not tell when the revocation can be forgotten.
func TestRevokeOfAPeriodicTokenPastItsMaxTTL(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		g := f.login()
		g.TTL, g.MaxTTL, g.Period = 0, 7200, 7200
		jwt := f.mint(g).AccessToken
		for range 10 {
			f.clock.advance(time.Hour)
			jwt = f.renew(jwt).AccessToken
		}
		want(t, f.RevokeSelf(t.Context(), jwt, access.Client{}), "")
		f.clock.advance(feed.ClockSlack + time.Minute)
		f.clean(100)
		if _, err := f.feed.Prune(t.Context(), 100); err != nil {
			t.Fatal(err)
		}
		for _, f := range []*fixture{f, f.restart()} {
			want(t, f.verify(jwt), "revoked")
			_, err := f.Renew(t.Context(), jwt, goodIP)
			want(t, err, "revoked")
		}
	})
}

func TestRevokeSelfRefuses(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	issued := f.mint(f.grant())
	want(t, f.RevokeSelf(t.Context(), issued.AccessToken+"x", access.Client{}), "signature")
	want(t, f.RevokeSelf(t.Context(), "", access.Client{}), "malformed")
	f.clock.advance(time.Hour)
	want(t, f.RevokeSelf(t.Context(), issued.AccessToken, access.Client{}), "expired")
}

// TestRevokeSelfAfterARevokeById, and the other way round, leaves the token dead and listed as such.
func TestRevokeSelfAndById(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		first, second := f.mint(f.grant()), f.mint(f.grant())
		if err := f.Revoke(t.Context(), f.actor(), first.Row); err != nil {
			t.Fatal(err)
		}
		want(t, f.RevokeSelf(t.Context(), first.AccessToken, access.Client{}), "")
		want(t, f.RevokeSelf(t.Context(), second.AccessToken, access.Client{}), "")
		want(t, f.Revoke(t.Context(), f.actor(), second.Row), "not found")
		if n := len(f.events()); n != 2 {
			t.Errorf("%d events; want one a token", n)
		}
	})
}

// TestCutOffsReachTheLongestTokens: a replica with a longer ceiling makes tokens that a cut-off of a replica with a
// shorter one must outlast.
func TestCutOffsReachTheLongestTokens(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		short := replica(t, f.db, 24*time.Hour)
		long := replica(t, f.db, 365*24*time.Hour)
		issued, err := long.Mint(t.Context(), Grant{IdentityID: f.ident, OrgID: f.org, Method: "universal-auth", Born: long.Birth()})
		if err != nil {
			t.Fatal(err)
		}
		if err := short.RevokeSelf(t.Context(), issued.AccessToken, access.Client{}); err != nil {
			t.Fatal(err)
		}
		if until := f.untilOf(feed.TokenRevoked); until.Before(f.clock.Now().Add(time.Duration(issued.ExpiresIn) * time.Second)) {
			t.Errorf("remembered for %v; the token lives for %v", until.Sub(f.clock.Now()), time.Duration(issued.ExpiresIn)*time.Second)
		}
	})
}

// administrator returns an actor who may revoke what the fixture has, and has the service ask who may.
func (f *fixture) administrator() *access.Actor {
	f.t.Helper()
	rules, _ := access.OrgRole(role.Admin)
	rights, err := access.Resolve([]access.Grant{{Rules: rules}}, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	apart := feed.New(feed.Options{DB: f.db, Logger: f.logger}) // the one of the fixture has begun, and takes no more followers
	roles := role.New(f.db, apart, f.audit)
	members := member.New(member.Options{DB: f.db, Feed: apart, Audit: f.audit, Roles: roles})
	f.identities = identity.New(identity.Options{DB: f.db, Feed: apart, Roles: roles, Members: members, Audit: f.audit})
	actor := f.actor()
	actor.Rights = rights
	return actor
}

// TestKeysOfRevocations: however a token is taken back, the log names it by two ids of our form. What is read at the start relies
// on it: there a comma parts one revocation from the next.
func TestKeysOfRevocations(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		byRow, bySelf, byID, x := f.mint(f.grant()), f.mint(f.grant()), f.mint(f.grant()), f.session()
		admin := f.administrator()
		want(t, f.Revoke(t.Context(), f.actor(), byRow.Row), "")
		want(t, f.RevokeSelf(t.Context(), bySelf.AccessToken, access.Client{}), "")
		want(t, f.RevokeAny(t.Context(), admin, f.ident, byID.Row.ID), "")
		for _, odd := range []string{"a,b", byID.Row.ID + ",", byID.Row.ID[:35] + ",", byID.Row.ID + " 1,", strings.ToUpper(byID.Row.ID), ""} {
			want(t, f.RevokeAny(t.Context(), admin, f.ident, odd), "not found")
		}
		err := f.feed.Change(t.Context(), func(tx *feed.Tx) error {
			EndSession(tx, x)
			return nil
		})
		want(t, err, "")
		var keys []string
		if err := f.db.Select(t.Context(), &keys, `SELECT key FROM change_log WHERE kind = $1 ORDER BY seq`, feed.TokenRevoked); err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if first, second := feed.Cut(key); !id.Valid(first) || !id.Valid(second) {
				t.Errorf("the log has the key %q", key)
			}
		}
		if n, _ := f.restart().Revocations(); n != 4 || len(keys) != n {
			t.Errorf("%d of %d revocations were read again; want 4", n, len(keys))
		}
	})
}

// TestRevokingWithTheWrongIdentity: a token that is known to be another identity's is not told as revoked, whoever that is; and
// nothing is remembered of it.
func TestRevokingWithTheWrongIdentity(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		const other, stranger, elsewhere = "0199c8a0-0000-7000-8000-00000000000e", "0199c8a0-0000-7000-8000-00000000000f", "0199c8a0-0000-7000-8000-00000000000d"
		f.addIdentity(f.org, other)
		f.addIdentity(elsewhere, stranger)
		f.unlisted = 0 // nothing may count against it
		admin := f.administrator()
		ours, theirs := f.grant(), f.grant()
		ours.IdentityID, theirs.IdentityID, theirs.OrgID = other, stranger, elsewhere
		for _, g := range []Grant{ours, theirs} {
			row := f.mint(g).Row
			want(t, f.RevokeAny(t.Context(), admin, f.ident, row.ID), "not found")
			if f.row(row.ID).Revoked {
				t.Error("the token is revoked")
			}
		}
		if tokens, _ := f.Revocations(); tokens != 0 {
			t.Errorf("%d tokens are remembered; want none", tokens)
		}
	})
}
