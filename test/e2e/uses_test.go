package e2e

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

func TestUseLimitIsExactUnderConcurrency(t *testing.T) {
	s := harness.StartReady(t)
	a := s.NewActor(t, "no-access", object{"accessTokenNumUsesLimit": 50})
	var passed, refused atomic.Int64
	atOnce(200, func(int) {
		switch answer := a.Call(t, http.MethodGet, harness.Identities+"/details", nil); answer.Status {
		case 200:
			passed.Add(1)
		case 401:
			refused.Add(1)
		default:
			t.Errorf("answered %d %s", answer.Status, answer.Body)
		}
	})
	if passed.Load() != 50 || refused.Load() != 150 {
		t.Errorf("%d passed and %d were refused, want 50 and 150", passed.Load(), refused.Load())
	}
	if n := s.Admin.Call(t, http.MethodGet, harness.Tokens+a.TokenID, nil).Number("token.accessTokenNumUses"); n != 50 {
		t.Errorf("%d uses are counted", n)
	}
	s.Restart(t)
	if s.As(a.Token).Works(t) {
		t.Error("a restart gave the token new uses")
	}
	renew(t, s, a.Token).WantError(401, "TokenError")
}

func TestUseLimitHoldsAcrossRenewals(t *testing.T) {
	t.Parallel()
	a := shared.NewActor(t, "no-access", object{"accessTokenNumUsesLimit": 3})
	renewed := shared.As(renew(t, shared, a.Token).Want(200).Text("accessToken"))
	for i, c := range []harness.Client{a.Client, renewed, a.Client} {
		if !c.Works(t) {
			t.Fatalf("use %d is refused", i+1)
		}
	}
	if a.Works(t) || renewed.Works(t) {
		t.Error("a fourth use passed")
	}
}

func TestRefusedCallsSpendNoUse(t *testing.T) {
	t.Parallel()
	a := shared.NewActor(t, "no-access", object{"accessTokenNumUsesLimit": 1, "accessTokenTrustedIps": ips("192.0.2.1")})
	for range 3 {
		a.Call(t, http.MethodGet, harness.Identities+"/details", nil).WantError(403, "ForbiddenError")
		shared.As(shared.Sign(t, a.Token, object{"exp": 1})).Call(t, http.MethodGet, harness.Identities+"/details", nil).WantError(401, "TokenError")
	}
	shared.Admin.Call(t, http.MethodPatch, harness.TokenAuth+a.ID, object{"accessTokenTrustedIps": ips("0.0.0.0/0")}).Want(200)
	if !a.Works(t) {
		t.Error("refused calls used the token up")
	}
}

func TestLastUseAndNumberOfUsesAreTrue(t *testing.T) {
	s := harness.StartReady(t)
	unlimited, limited := s.NewActor(t, "no-access", nil), s.NewActor(t, "no-access", object{"accessTokenNumUsesLimit": 100})
	unused := s.NewActor(t, "no-access", nil)
	var last string
	for range 3 {
		s.Clock.Advance(time.Minute)
		last = s.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z")
		unlimited.Works(t)
		limited.Works(t)
	}
	s.Clock.Advance(time.Hour)
	s.Restart(t) // a clean stop writes what was counted
	for name, a := range map[string]harness.Actor{"without a limit": unlimited, "with a limit": limited} {
		read := s.Admin.Call(t, http.MethodGet, harness.Tokens+a.TokenID, nil).Want(200)
		if n := read.Number("token.accessTokenNumUses"); n != 3 {
			t.Errorf("%s: %d uses, want 3", name, n)
		}
		if got := read.Text("token.accessTokenLastUsedAt"); got != last {
			t.Errorf("%s: last used at %s, want %s", name, got, last)
		}
	}
	read := s.Admin.Call(t, http.MethodGet, harness.Tokens+unused.TokenID, nil).Want(200)
	if read.Number("token.accessTokenNumUses") != 0 || read.At("token.accessTokenLastUsedAt") != nil {
		t.Errorf("an unused token reads %s", read.Body)
	}
}
