package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

const renewPath = "/api/v1/auth/token/renew"

func renew(t *testing.T, s *harness.Server, jwt string) *harness.Answer {
	t.Helper()
	return s.As("").Call(t, http.MethodPost, renewPath, object{"accessToken": jwt})
}

func TestRenewingNeverDestroysATokenAndNeverOutlivesMaxTTL(t *testing.T) {
	s := harness.StartReady(t)
	a := s.NewActor(t, "no-access", object{"accessTokenTTL": 100, "accessTokenMaxTTL": 250})
	jwt := a.Token
	for _, step := range []struct{ wait, want int64 }{{0, 100}, {99, 100}, {99, 52}, {51, 1}, {0, 1}} {
		s.Clock.Advance(time.Duration(step.wait) * time.Second)
		answer := renew(t, s, jwt).Want(200)
		if got := answer.Number("expiresIn"); got != step.want {
			t.Errorf("renewed for %d s, want %d", got, step.want)
		}
		if answer.Number("accessTokenMaxTTL") != 250 || answer.Text("tokenType") != "Bearer" {
			t.Errorf("answered %s", answer.Body)
		}
		if !s.As(jwt).Works(t) {
			t.Error("renewing destroyed the old JWT")
		}
		jwt = answer.Text("accessToken")
		if !s.As(jwt).Works(t) {
			t.Error("the new JWT is refused")
		}
		if claims := harness.Claims(t, jwt); claims["jti"] != a.TokenID || claims["born"] != harness.Claims(t, a.Token)["born"] {
			t.Errorf("renewing changed who the token is: %v", claims)
		}
	}
	s.Clock.Advance(time.Second)
	if s.As(jwt).Works(t) {
		t.Error("the token outlived its max TTL")
	}
	renew(t, s, jwt).WantError(401, "TokenError")
}

func TestRenewWhereTTLIsMaxTTL(t *testing.T) {
	s := harness.StartReady(t)
	a := s.NewActor(t, "no-access", object{"accessTokenTTL": 100, "accessTokenMaxTTL": 100})
	s.Clock.Advance(40 * time.Second)
	if got := renew(t, s, a.Token).Want(200).Number("expiresIn"); got != 60 {
		t.Errorf("renewed for %d s, want the 60 that are left", got)
	}
	if !a.Works(t) {
		t.Error("renewing destroyed the token")
	}
}

func TestTheRowOfARenewedTokenStaysListedAndRevocable(t *testing.T) {
	s := harness.StartReady(t)
	a := s.NewActor(t, "no-access", object{"accessTokenTTL": 100, "accessTokenMaxTTL": 0})
	renewed := a.Token
	for range 3 {
		s.Clock.Advance(99 * time.Second)
		renewed = renew(t, s, renewed).Want(200).Text("accessToken")
	}
	list := s.Admin.Call(t, http.MethodGet, tokensOf(a.ID), nil).Want(200)
	if list.Text("tokens.0.id") != a.TokenID || list.Flag("tokens.0.isAccessTokenRevoked") {
		t.Errorf("listed %s", list.Body)
	}
	if got, want := list.Text("tokens.0.accessTokenLastRenewedAt"), s.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"); got != want {
		t.Errorf("last renewed at %s, want %s", got, want)
	}
	if !s.As(renewed).Works(t) {
		t.Fatal("the renewed JWT is refused")
	}
	s.Admin.Call(t, http.MethodPost, revokePath(a.TokenID), nil).Want(200)
	if s.As(renewed).Works(t) {
		t.Error("the renewed JWT outlived the revoke")
	}
	s.Clock.Advance(50 * time.Second)
	s.Restart(t)
	if s.As(renewed).Works(t) {
		t.Error("the renewed JWT works again after a restart")
	}
}

func TestRenewGivesNoMoreThanTheTokenWasMadeWith(t *testing.T) {
	t.Parallel()
	a := shared.NewActor(t, "no-access", object{"accessTokenTTL": 100, "accessTokenMaxTTL": 1000, "accessTokenNumUsesLimit": 5})
	for _, step := range []struct{ ttl, want int64 }{{7, 7}, {900, 100}} {
		shared.Admin.Call(t, http.MethodPatch, harness.TokenAuth+a.ID, object{"accessTokenTTL": step.ttl}).Want(200)
		if got := renew(t, shared, a.Token).Want(200).Number("expiresIn"); got != step.want {
			t.Errorf("with a TTL of %d s now: renewed for %d s, want %d", step.ttl, got, step.want)
		}
	}
}

func TestRenewRefused(t *testing.T) {
	t.Parallel()
	a := shared.NewActor(t, "no-access", nil)
	for _, dead := range shared.DeadTokens(t) {
		t.Run("refused/"+dead.Name, func(t *testing.T) {
			if dead.Name == "of another type" {
				renew(t, shared, dead.JWT).WantError(400, "BadRequest")
				return
			}
			renew(t, shared, dead.JWT).WantError(401, "TokenError")
		})
	}
	for name, body := range map[string]any{"nothing": nil, "no token": object{}, "a null token": object{"accessToken": nil}, "an empty token": object{"accessToken": ""}, "a number": object{"accessToken": 1}} {
		t.Run("refused/"+name, func(t *testing.T) {
			a.Call(t, http.MethodPost, renewPath, body).WantError(422, "ValidationFailure")
		})
	}
	t.Run("a token in the header alone does not do", func(t *testing.T) {
		a.Call(t, http.MethodPost, renewPath, object{}).Want(422)
	})
}

// TestRenewingObeysTheConfigurationOfNow: a configuration that was lowered holds for the tokens that are out when they are
// renewed; one that was raised gives them no more than they were made with.
func TestRenewingObeysTheConfigurationOfNow(t *testing.T) {
	s := harness.StartReady(t)
	id := s.NewIdentity(t, "no-access")
	path := "/api/v1/auth/universal-auth/identities/" + id
	client := s.Admin.Call(t, http.MethodPost, path, object{"accessTokenPeriod": 3600}).Want(200).Text("identityUniversalAuth.clientId")
	secret := s.Admin.Call(t, http.MethodPost, path+"/client-secrets", object{}).Want(200).Text("clientSecret")
	login := s.As("").Call(t, http.MethodPost, "/api/v1/auth/universal-auth/login", object{"clientId": client, "clientSecret": secret}).Want(200)
	if got := login.Number("accessTokenMaxTTL"); got != 0 {
		t.Errorf("a periodic token answers accessTokenMaxTTL %d; want 0", got)
	}
	for _, step := range []struct {
		name              string
		change            object
		expiresIn, maxTTL int64
	}{
		{"unchanged", object{}, 3600, 0},
		{"longer period", object{"accessTokenPeriod": 7200}, 3600, 0},
		{"shorter period", object{"accessTokenPeriod": 60}, 60, 0},
		{"no period", object{"accessTokenPeriod": 0, "accessTokenTTL": 600, "accessTokenMaxTTL": 900}, 600, 900},
		{"no limits", object{"accessTokenTTL": 0, "accessTokenMaxTTL": 0}, 3600, 0},
		{"lower max TTL", object{"accessTokenTTL": 100, "accessTokenMaxTTL": 100}, 100, 100},
	} {
		s.Admin.Call(t, http.MethodPatch, path, step.change).Want(200)
		answer := renew(t, s, login.Text("accessToken")).Want(200)
		if expiresIn, maxTTL := answer.Number("expiresIn"), answer.Number("accessTokenMaxTTL"); expiresIn != step.expiresIn || maxTTL != step.maxTTL {
			t.Errorf("%s: renewed for %d s with max TTL %d; want %d and %d", step.name, expiresIn, maxTTL, step.expiresIn, step.maxTTL)
		}
	}
	s.Clock.Advance(100 * time.Second)
	renew(t, s, login.Text("accessToken")).WantError(401, "UnauthorizedError")
	if !s.As(login.Text("accessToken")).Works(t) {
		t.Error("the refused renewal destroyed the token")
	}
}
