package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

const detailsPath = harness.Identities + "/details"

func TestAuthorizationHeader(t *testing.T) {
	t.Parallel()
	a := shared.NewActor(t, "no-access", nil)
	nobody := shared.As("")
	for name, c := range map[string]struct {
		header string
		status int
	}{
		"accepted/Bearer":          {"Bearer " + a.Token, 200},
		"accepted/in any case":     {"bEARER " + a.Token, 200},
		"accepted/more space":      {"Bearer   " + a.Token, 200},
		"refused/no scheme":        {a.Token, 401},
		"refused/Basic":            {"Basic " + a.Token, 401},
		"refused/Bearer alone":     {"Bearer", 401},
		"refused/Bearer and space": {"Bearer ", 401},
		"refused/glued":            {"Bearer" + a.Token, 401},
		"refused/empty":            {"", 401},
		"refused/two in one":       {"Bearer " + a.Token + " " + a.Token, 401},
	} {
		t.Run(name, func(t *testing.T) {
			answer := nobody.With("Authorization", c.header).Call(t, http.MethodGet, detailsPath, nil).Want(c.status)
			if c.status == 401 && !strings.HasPrefix(answer.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("WWW-Authenticate is %q", answer.Header.Get("WWW-Authenticate"))
			}
		})
	}
	t.Run("refused/two headers", func(t *testing.T) {
		client := nobody.With("Authorization", "Bearer "+a.Token)
		client.Header.Add("Authorization", "Bearer "+a.Token)
		client.Call(t, http.MethodGet, detailsPath, nil).WantError(401, "UnauthorizedError")
	})
	t.Run("refused/none, and says that Bearer is wanted", func(t *testing.T) {
		answer := nobody.Call(t, http.MethodGet, detailsPath, nil).WantError(401, "UnauthorizedError")
		if got := answer.Header.Get("WWW-Authenticate"); got != "Bearer" {
			t.Errorf("WWW-Authenticate is %q", got)
		}
	})
	t.Run("a stale header does not shut open routes", func(t *testing.T) {
		stale := nobody.With("Authorization", "Bearer nonsense")
		stale.Call(t, http.MethodGet, "/api/status", nil).Want(200)
		stale.Call(t, http.MethodPost, renewPath, object{"accessToken": a.Token}).Want(200)
	})
}

func TestDeadTokensSayWhy(t *testing.T) {
	t.Parallel()
	for _, dead := range shared.DeadTokens(t) {
		t.Run("refused/"+dead.Name, func(t *testing.T) {
			answer := shared.As(dead.JWT).Call(t, http.MethodGet, detailsPath, nil).WantError(401, "TokenError")
			challenge := answer.Header.Get("WWW-Authenticate")
			if !strings.HasPrefix(challenge, `Bearer error="invalid_token", error_description="`) {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
		})
	}
}

func TestDifferentReasonsAreToldApart(t *testing.T) {
	t.Parallel()
	reasons := map[string]string{}
	for _, dead := range shared.DeadTokens(t) {
		header := shared.As(dead.JWT).Call(t, http.MethodGet, detailsPath, nil).Want(401).Header.Get("WWW-Authenticate")
		_, reason, _ := strings.Cut(header, `error_description="`)
		reasons[dead.Name] = strings.TrimSuffix(reason, `"`)
	}
	for name, want := range map[string]string{
		"expired": "expired", "revoked": "revoked", "cut off by a detach": "revoked", "of a deleted identity": "revoked",
		"used up": "used-up", "not a JWT": "malformed", "signed by another key": "signature", "of another type": "type",
		"with algorithm none": "algorithm", "with an HMAC of the public key": "algorithm", "very long": "malformed",
	} {
		if reasons[name] != want {
			t.Errorf("a token %s is refused as %q, want %q", name, reasons[name], want)
		}
	}
}

func TestATokenWorksUntilTheLastSecondOfItsLife(t *testing.T) {
	t.Parallel()
	a := shared.NewActor(t, "no-access", nil)
	now := shared.Clock.Now().Unix()
	for exp, works := range map[int64]bool{now + 1: true, now: false, now - 1: false} {
		if got := shared.As(shared.Sign(t, a.Token, object{"exp": exp})).Works(t); got != works {
			t.Errorf("with %d s left it works: %v", exp-now, got)
		}
	}
}
