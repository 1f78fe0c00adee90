package user

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/token"
)

// field returns a string of a JSON object.
func field(text, name string) string {
	var object map[string]any
	if json.Unmarshal([]byte(text), &object) != nil {
		return ""
	}
	value, _ := object[name].(string)
	return value
}

func TestSelectOrg(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		made := f.session(f.ada)
		actor := f.actor(made.Access)
		f.advance(time.Hour)
		jwt := must[string](t)(f.SelectOrg(t.Context(), actor, f.org))
		before, after := must[*token.Claims](t)(f.claims(f.Service, made.Access)), must[*token.Claims](t)(f.claims(f.Service, jwt))
		if after.OrgID != f.org || after.ID != before.ID || after.ExpiresAt != before.ExpiresAt || after.Born != before.Born {
			t.Errorf("the token reads %+v, before the choice %+v", after, before)
		}
		next := must[*Pair](t)(f.Refresh(t.Context(), made.Refresh, home))
		if next.OrgID != f.org {
			t.Errorf("refreshing forgets the choice: %q", next.OrgID)
		}
		_, err := f.SelectOrg(t.Context(), actor, id.New())
		want(t, err, fault.NotFound)
		_, err = f.SelectOrg(t.Context(), &access.Actor{Type: access.ActorIdentity, ID: f.ada}, f.org)
		want(t, err, fault.Forbidden)
		if err := f.Logout(t.Context(), actor); err != nil {
			t.Fatal(err)
		}
		_, err = f.SelectOrg(t.Context(), actor, f.org)
		wantDead(t, err, "revoked")
	})
}

// TestRefresh walks through the life of refresh tokens: 1 is replaced by 2, and so on.
func TestRefresh(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		refresh := func(jwt string) *Pair { t.Helper(); return must[*Pair](t)(f.Refresh(t.Context(), jwt, home)) }
		version := func(made *Pair) int64 {
			t.Helper()
			return must[*token.UserClaims](t)(f.tokens.ReadRefresh(t.Context(), made.Refresh)).RefreshVersion
		}
		one := f.session(f.ada)
		f.advance(time.Hour)
		two := refresh(one.Refresh)
		if version(two) != 2 {
			t.Errorf("version %d follows 1", version(two))
		}
		f.advance(refreshGrace)
		if same := refresh(one.Refresh); version(same) != 2 { // two tabs of a browser
			t.Errorf("within the grace version 1 got %d", version(same))
		}
		three := refresh(two.Refresh)
		f.advance(refreshGrace + time.Second)
		_, err := f.Refresh(t.Context(), two.Refresh, away)
		wantDead(t, err, "reused")
		for name, made := range map[string]*Pair{"first": one, "second": two, "third": three} {
			if _, err := f.claims(f.Service, made.Access); !fault.Is(err, fault.DeadToken) {
				t.Errorf("the %s access token outlived the reuse: %v", name, err)
			}
			_, err := f.Refresh(t.Context(), made.Refresh, home)
			wantDead(t, err, "revoked")
		}
		if diff := cmp.Diff([]string{audit.RevokeUserSession.String()}, f.events("revoke-%")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRefreshEndsTheSessionOfATokenTwoBack(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		one := f.session(f.ada)
		two := must[*Pair](t)(f.Refresh(t.Context(), one.Refresh, home))
		three := must[*Pair](t)(f.Refresh(t.Context(), two.Refresh, home))
		for _, s := range f.replicas() {
			must[*token.Claims](t)(f.claims(s, three.Access))
		}
		_, err := f.Refresh(t.Context(), one.Refresh, home) // at once, so the grace is not over
		wantDead(t, err, "reused")
		_, err = f.claims(f.Service, three.Access)
		wantDead(t, err, "revoked")
	})
}

func TestRefreshAtOnceGivesEverybodyTheSame(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		one := f.session(f.ada)
		replicas := f.replicas()
		var versions sync.Map
		var group sync.WaitGroup
		for n := range 12 {
			group.Go(func() {
				made, err := replicas[n%len(replicas)].Refresh(t.Context(), one.Refresh, home)
				if err != nil {
					t.Error(err)
					return
				}
				c, err := f.tokens.ReadRefresh(t.Context(), made.Refresh)
				if err != nil || c.RefreshVersion != 2 {
					t.Errorf("got version %v, %v", c, err)
				}
				versions.Store(made.Access, true)
			})
		}
		group.Wait()
		versions.Range(func(jwt, _ any) bool {
			must[*token.Claims](t)(f.claims(f.Service, jwt.(string)))
			return true
		})
	})
}

func TestRefreshRefuses(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		made := f.session(f.ada)
		for name, jwt := range map[string]string{"malformed": "nonsense", "type": made.Access} {
			_, err := f.Refresh(t.Context(), jwt, home)
			wantDead(t, err, name)
		}
		f.advance(f.tokens.SessionLife())
		_, err := f.Refresh(t.Context(), made.Refresh, home)
		wantDead(t, err, "expired")
	})
}

// TestEndings: whatever ends sessions ends exactly those, on every replica, when it returns.
func TestEndings(t *testing.T) {
	for name, c := range map[string]struct {
		end   func(f *fixture, own, other *access.Actor) error
		spare string // "other": the user's other session lives on
		event string
	}{
		"logout":  {func(f *fixture, own, _ *access.Actor) error { return f.Logout(f.t.Context(), own) }, "other", audit.RevokeUserSession.String()},
		"one":     {func(f *fixture, own, other *access.Actor) error { return f.EndOwn(f.t.Context(), other, own.TokenID) }, "other", audit.RevokeUserSession.String()},
		"all own": {func(f *fixture, own, _ *access.Actor) error { return f.EndAllOwn(f.t.Context(), own) }, "", audit.RevokeUserSessions.String()},
		"all, by an administrator": {func(f *fixture, own, _ *access.Actor) error {
			return f.EndAll(f.t.Context(), f.in(f.user("admin")), own.ID)
		}, "", audit.RevokeUserSessions.String()},
		"all, by an instance administrator elsewhere": {func(f *fixture, own, _ *access.Actor) error {
			root := f.in(f.ada)
			root.OrgID = id.New()
			return f.EndAll(f.t.Context(), root, own.ID)
		}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, f *fixture) {
				userID := f.user("member")
				ended, kept, stranger := f.session(userID), f.session(userID), f.session(f.ada)
				replicas := f.replicas()
				for _, s := range replicas {
					must[*token.Claims](t)(f.claims(s, ended.Access))
				}
				if err := c.end(f, f.actor(ended.Access), f.actor(kept.Access)); err != nil {
					t.Fatal(err)
				}
				for _, s := range replicas {
					_, err := f.claims(s, ended.Access)
					wantDead(t, err, "revoked")
					_, err = s.Refresh(t.Context(), ended.Refresh, home)
					wantDead(t, err, "revoked")
					must[*token.Claims](t)(f.claims(s, stranger.Access))
					if _, err := f.claims(s, kept.Access); (err == nil) != (c.spare == "other") {
						t.Errorf("the user's other session: %v", err)
					}
				}
				left := must[[]Session](t)(f.sessionsOf(t.Context(), userID, f.db.Now()))
				if c.spare == "" && len(left) != 0 || c.spare != "" && len(left) != 1 {
					t.Errorf("there are %d rows of sessions", len(left))
				}
				if events := f.events("revoke-user%"); c.event != "" && (len(events) != 1 || events[0] != c.event) {
					t.Errorf("the events are %v, want one %s", events, c.event)
				}
				must[*token.Claims](t)(f.claims(f.Service, f.session(userID).Access)) // who logs in again is let in
			})
		})
	}
}

func TestEndingsRefuse(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		admin, member := f.in(f.user("admin")), f.in(f.user("member"))
		identity := &access.Actor{Type: access.ActorIdentity, ID: id.New(), OrgID: f.org, TokenID: id.New()}
		stranger := f.user("member")
		f.exec(`DELETE FROM memberships WHERE user_id = $1`, stranger)
		for name, c := range map[string]struct {
			err  error
			kind fault.Kind
		}{
			"refused/logout of an identity":            {f.Logout(t.Context(), identity), fault.Forbidden},
			"refused/all sessions of an identity":      {f.EndAllOwn(t.Context(), identity), fault.Forbidden},
			"refused/a session of an identity":         {f.EndOwn(t.Context(), identity, id.New()), fault.Forbidden},
			"refused/an unknown session":               {f.EndOwn(t.Context(), member, id.New()), fault.NotFound},
			"refused/a session of no form":             {f.EndOwn(t.Context(), member, "x"), fault.NotFound},
			"refused/a session of somebody else":       {f.EndOwn(t.Context(), member, admin.TokenID), fault.NotFound},
			"refused/without the permission":           {f.EndAll(t.Context(), member, admin.ID), fault.PermissionDenied},
			"refused/an unknown user":                  {f.EndAll(t.Context(), admin, id.New()), fault.NotFound},
			"refused/a user id of no form":             {f.EndAll(t.Context(), admin, "x"), fault.NotFound},
			"refused/a user of another organization":   {f.EndAll(t.Context(), admin, stranger), fault.NotFound},
			"refused/an administrator of the instance": {f.EndAll(t.Context(), admin, f.ada), fault.Forbidden},
		} {
			t.Run(name, func(t *testing.T) { want(t, c.err, c.kind) })
		}
		t.Run("refused/a user who may do more", func(t *testing.T) {
			half := *admin
			half.Ability = must[*access.Ability](t)(access.Compile([]access.Rule{{Subject: access.SubjectMember, Actions: []access.Action{access.Edit}}}))
			want(t, f.EndAll(t.Context(), &half, admin.ID), fault.Boundary)
		})
		for _, a := range []*access.Actor{admin, member} {
			if len(must[[]Session](t)(f.Sessions(t.Context(), a))) != 1 {
				t.Error("a refused call ended a session")
			}
		}
	})
}

// TestLoginsRacingAnEnd: of sessions that begin while all are ended, those that are listed live, and the others are dead.
func TestLoginsRacingAnEnd(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		userID := f.user("member")
		actor := f.actor(f.session(userID).Access)
		var mu sync.Mutex
		var made []string
		var group sync.WaitGroup
		var failed atomic.Bool
		for range 30 {
			group.Go(func() {
				x, err := f.begin(t.Context(), &account{User: User{ID: userID, Email: email}, OrgID: &f.org}, f.tokens.Birth(), home)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					made = append(made, x.Access)
				case !fault.Is(err, fault.DeadToken): // it was cut off before it had its tokens
					failed.Store(true)
				}
			})
		}
		group.Go(func() {
			if f.EndAllOwn(t.Context(), actor) != nil {
				failed.Store(true)
			}
		})
		group.Wait()
		listed := map[string]bool{}
		for _, x := range must[[]Session](t)(f.Sessions(t.Context(), actor)) {
			listed[x.ID] = true
		}
		if failed.Load() {
			t.Fatal("a login or the end failed")
		}
		for _, jwt := range made {
			if c, err := f.claims(f.Service, jwt); err == nil && !listed[c.ID] {
				t.Errorf("session %s lives and is not listed", c.ID)
			} else if err == nil {
				delete(listed, c.ID)
			}
		}
		if len(listed) != 0 {
			t.Errorf("%d sessions are listed that are dead", len(listed))
		}
	})
}

func TestUsesAreWrittenAndOldSessionsGo(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		actor := f.actor(f.session(f.ada).Access)
		f.advance(time.Hour)
		f.Used(actor.TokenID, f.db.Now())
		f.Used("nonsense", f.db.Now())
		if err := f.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		sessions := must[[]Session](t)(f.Sessions(t.Context(), actor))
		if len(sessions) != 1 || sessions[0].LastUsedAt != f.ms.Load() {
			t.Errorf("the sessions are %+v", sessions)
		}
		f.advance(f.tokens.SessionLife() - time.Hour - time.Millisecond)
		if n := must[int64](t)(f.Clean(t.Context(), 10)); n != 0 {
			t.Errorf("%d live sessions were deleted", n)
		}
		f.advance(time.Millisecond)
		if n := must[int64](t)(f.Clean(t.Context(), 10)); n != 1 {
			t.Errorf("%d expired sessions were deleted, want 1", n)
		}
	})
}
