package token

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/feed"
)

// session begins a session of a user.
func (f *fixture) session() Session {
	birth := f.Birth()
	return Session{ID: id.New(), UserID: id.New(), Method: "email", OrgID: f.org, Born: birth.Seq, RefreshedAt: birth.At,
		ExpiresAt: birth.At.Add(f.SessionLife())}
}

// held signs both tokens of a session.
func (f *fixture) held(x Session) (access, refresh string) {
	f.t.Helper()
	access, err := f.UserAccess(f.t.Context(), x, f.clock.Now())
	if err == nil {
		refresh, err = f.UserRefresh(f.t.Context(), x, 7, f.clock.Now())
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return access, refresh
}

func TestUserTokensSayWhoseTheyAre(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		x := f.session()
		jwt, refresh := f.held(x)
		c, err := f.Verify(t.Context(), jwt, badIP) // people come from everywhere
		want(t, err, "")
		if c.Type != UserType || c.ID != x.ID || c.IdentityID != x.UserID || c.OrgID != x.OrgID || c.Born != x.Born || c.Method != "email" {
			t.Errorf("the access token reads %+v", c)
		}
		u, err := f.ReadRefresh(t.Context(), refresh)
		want(t, err, "")
		if u.SessionID != x.ID || u.UserID != x.UserID || u.RefreshVersion != 7 || u.AccessVersion != 0 || u.ExpiresAt != x.ExpiresAt.Unix() {
			t.Errorf("the refresh token reads %+v", u)
		}
	})
}

func TestUserTokensAreNotTakenForOthers(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		jwt, refresh := f.held(f.session())
		identity := f.mint(f.grant()).AccessToken
		want(t, f.verify(refresh), "type")
		for name, jwt := range map[string]string{"access": jwt, "identity": identity} {
			_, err := f.ReadRefresh(t.Context(), jwt)
			if got := reason(err); got != "type" {
				t.Errorf("refreshing with %s: got %q", name, got)
			}
		}
		for name, jwt := range map[string]string{"access": jwt, "refresh": refresh} {
			_, renew := f.Renew(t.Context(), jwt, goodIP)
			revoke := f.RevokeSelf(t.Context(), jwt, access.Client{})
			_, inspect := f.Inspect(t.Context(), jwt)
			if reason(renew) != "bad request" || reason(revoke) != "bad request" || reason(inspect) != "type" {
				t.Errorf("%s: renew %v, revoke %v, inspect %v", name, renew, revoke, inspect)
			}
		}
		want(t, f.verify(jwt), "")
	})
}

// TestUserTokensDie of everything that takes them back, on every replica, and so do those that are made afterwards.
func TestUserTokensDie(t *testing.T) {
	for name, kill := range map[string]func(f *fixture, x Session) func(tx *feed.Tx) error{
		"session": func(_ *fixture, x Session) func(tx *feed.Tx) error {
			return func(tx *feed.Tx) error { EndSession(tx, x); return nil }
		},
		"user": func(f *fixture, x Session) func(tx *feed.Tx) error {
			return func(tx *feed.Tx) error { return f.EndSessions(f.t.Context(), tx, x.UserID) }
		},
		"org":      func(f *fixture, x Session) func(tx *feed.Tx) error { return f.appending(feed.CutOrg, x.OrgID) },
		"instance": func(f *fixture, _ Session) func(tx *feed.Tx) error { return f.appending(feed.CutInstance, "") },
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, f *fixture) {
				x, other := f.session(), f.session()
				other.OrgID = id.New()
				jwt, refresh := f.held(x)
				spared, _ := f.held(other)
				replicas := f.replicas()
				for _, r := range replicas {
					want(t, r.verify(jwt), "")
				}
				if err := f.feed.Change(t.Context(), kill(f, x)); err != nil {
					t.Fatal(err)
				}
				for _, r := range append(replicas, f.restart()) {
					want(t, r.verify(jwt), "revoked")
					_, err := r.ReadRefresh(t.Context(), refresh)
					want(t, err, "revoked")
					_, err = r.UserAccess(t.Context(), x, f.clock.Now())
					want(t, err, "revoked")
					if !r.SessionDead(x) {
						t.Error("the session counts as alive")
					}
					if name != "instance" {
						want(t, r.verify(spared), "")
					}
				}
				if name != "session" { // a cut-off ends what was, not what comes
					jwt, _ := f.held(Session{ID: id.New(), UserID: x.UserID, Method: "email", OrgID: x.OrgID, Born: f.Birth().Seq, RefreshedAt: x.RefreshedAt, ExpiresAt: x.ExpiresAt})
					want(t, f.verify(jwt), "")
				}
			})
		})
	}
}

func (f *fixture) appending(kind feed.Kind, key string) func(*feed.Tx) error {
	return func(tx *feed.Tx) error {
		tx.Append(kind, key, f.clock.Now().Add(f.maxAge))
		return nil
	}
}

func TestUserTokensExpire(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		x := f.session()
		jwt, refresh := f.held(x)
		f.clock.advance(userAccessLife - time.Second)
		want(t, f.verify(jwt), "")
		f.clock.advance(time.Second)
		want(t, f.verify(jwt), "expired")
		_, err := f.ReadRefresh(t.Context(), refresh)
		want(t, err, "")
		_, err = f.UserAccess(t.Context(), x, f.clock.Now()) // choosing an organization does not prolong it
		want(t, err, "expired")

		x.RefreshedAt = x.ExpiresAt.Add(-time.Minute)
		f.clock.advance(sessionLife - userAccessLife - time.Minute)
		jwt, refresh = f.held(x)
		f.clock.advance(time.Minute - time.Second)
		want(t, f.verify(jwt), "")
		f.clock.advance(time.Second)
		want(t, f.verify(jwt), "expired")
		_, err = f.ReadRefresh(t.Context(), refresh)
		want(t, err, "expired")
	})
}

func TestUserTokensLiveNoLongerThanTheServerAllows(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.Service = replica(t, f.db, time.Hour)
		x := f.session()
		jwt, refresh := f.held(x)
		f.clock.advance(time.Hour)
		want(t, f.verify(jwt), "expired")
		_, err := f.ReadRefresh(t.Context(), refresh)
		want(t, err, "expired")
	})
}

// FuzzReadClaims: whatever a payload says, it is refused as a dead token, or has the ids that checks go by.
func FuzzReadClaims(f *testing.F) {
	x := Session{ID: id.New(), UserID: id.New(), Method: "email"}
	for _, claims := range []any{goodClaims(), x.claims(UserType, time.Unix(1, 0), time.Unix(2, 0)), x.claims(RefreshType, time.Unix(1, 0), time.Unix(2, 0)),
		map[string]any{"authTokenType": UserType, "userId": 5}, nil, []int{}} {
		f.Add(encode(f, claims))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := readClaims(payload)
		if err != nil {
			if !fault.Is(err, fault.DeadToken) || fault.From(err).Reason == "" {
				t.Fatalf("refused with %v; want a dead token with a reason", err)
			}
			return
		}
		if c.Type != Type && c.Type != UserType || c.id.String() != c.ID || c.identity.String() != c.IdentityID || c.ExpiresAt == 0 || c.cuts != cutScopes(c) {
			t.Fatalf("accepted %+v", c)
		}
	})
}
