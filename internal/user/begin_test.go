package user

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/token"
)

func TestBeginMakesASessionThatEndsNoLater(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		made := f.session(f.ada)
		parent := f.actor(must[string](t)(f.SelectOrg(t.Context(), f.actor(made.Access), f.org)))
		f.advance(time.Hour)
		x, jwt, err := f.Begin(t.Context(), parent, "cli")
		if err != nil {
			t.Fatal(err)
		}
		before, after := must[*token.Claims](t)(f.claims(f.Service, made.Access)), must[*token.Claims](t)(f.claims(f.Service, jwt))
		if after.OrgID != f.org || after.ID != x.ID || after.ID == before.ID || after.ExpiresAt > before.ExpiresAt || after.Born != before.Born {
			t.Errorf("the token reads %+v, the parent's %+v", after, before)
		}
		if all := must[[]Session](t)(f.Sessions(t.Context(), parent)); len(all) != 2 || all[0].UserAgent != "cli" {
			t.Errorf("the sessions are %+v", all)
		}
		if err := f.EndOwn(t.Context(), parent, x.ID); err != nil {
			t.Fatal(err)
		}
		_, err = f.claims(f.Service, jwt)
		wantDead(t, err, "revoked")
		_, _, err = f.Begin(t.Context(), &access.Actor{Type: access.ActorIdentity, ID: f.ada}, "cli")
		want(t, err, fault.Forbidden)
		if err := f.Logout(t.Context(), parent); err != nil {
			t.Fatal(err)
		}
		_, _, err = f.Begin(t.Context(), parent, "cli")
		wantDead(t, err, "revoked")
	})
}

func TestBegunSessionsEndWithAllOthers(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		parent := f.actor(must[string](t)(f.SelectOrg(t.Context(), f.actor(f.session(f.ada).Access), f.org)))
		_, jwt, err := f.Begin(t.Context(), parent, "cli")
		if err != nil {
			t.Fatal(err)
		}
		if err := f.EndAllOwn(t.Context(), parent); err != nil {
			t.Fatal(err)
		}
		if _, err := f.claims(f.Service, jwt); !fault.Is(err, fault.DeadToken) {
			t.Errorf("the session of a program outlived all sessions: %v", err)
		}
	})
}

func TestCodesLogInOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		code, email, err := f.MakeCode(t.Context())
		if err != nil || email == "" {
			t.Fatal(email, err)
		}
		if _, err := f.LoginWithCode(t.Context(), code+"x", home); !fault.Is(err, fault.BadRequest) {
			t.Errorf("another code: %v", err)
		}
		made := must[*Pair](t)(f.LoginWithCode(t.Context(), code, home))
		if c := must[*token.Claims](t)(f.claims(f.Service, made.Access)); c.IdentityID != f.ada {
			t.Errorf("the code is of %s", c.IdentityID)
		}
		if _, err := f.LoginWithCode(t.Context(), code, home); !fault.Is(err, fault.BadRequest) {
			t.Errorf("the code works twice: %v", err)
		}
		late, _, err := f.MakeCode(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f.advance(CodeLife)
		if _, err := f.LoginWithCode(t.Context(), late, home); !fault.Is(err, fault.BadRequest) {
			t.Errorf("the code works late: %v", err)
		}
	})
}

func TestOldCodesMakeWay(t *testing.T) {
	var c codes
	for n := range mostCodes + 1 {
		c.add(code{hash: [32]byte{byte(n)}})
	}
	if len(c.list) != mostCodes || c.list[0].hash[0] != 1 {
		t.Errorf("%d codes, the oldest %d", len(c.list), c.list[0].hash[0])
	}
}
