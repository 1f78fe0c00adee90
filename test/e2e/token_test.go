package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

func tokensOf(id string) string { return harness.TokenAuth + id + "/tokens" }

func TestCreateToken(t *testing.T) {
	t.Parallel()
	const days90 = 90 * 24 * 60 * 60
	for name, c := range map[string]struct {
		settings object
		expires  int64
		max      int64
	}{
		"lives its TTL":                             {object{"accessTokenTTL": 60, "accessTokenMaxTTL": 90}, 60, 90},
		"lives its max TTL where no TTL is set":     {object{"accessTokenTTL": 0, "accessTokenMaxTTL": 90}, 90, 90},
		"lives 90 days where nothing is set":        {object{"accessTokenTTL": 0, "accessTokenMaxTTL": 0}, days90, 0},
		"lives 90 days where more is set":           {object{"accessTokenTTL": 315360000, "accessTokenMaxTTL": 0}, days90, 0},
		"lives 30 days where the defaults are left": {object{}, 2592000, 2592000},
	} {
		t.Run(name, func(t *testing.T) {
			id := shared.NewIdentity(t, "no-access")
			shared.Attach(t, id, c.settings)
			a := shared.Admin.Call(t, http.MethodPost, tokensOf(id), object{"name": "ci"}).Want(200)
			if a.Number("expiresIn") != c.expires || a.Number("accessTokenMaxTTL") != c.max || a.Text("tokenType") != "Bearer" {
				t.Errorf("answered %s", a.Body)
			}
			claims := harness.Claims(t, a.Text("accessToken"))
			now := float64(shared.Clock.Now().Unix())
			if claims["iat"] != now || claims["exp"] != now+float64(c.expires) || claims["creationEpoch"] != now {
				t.Errorf("claims %v at %v", claims, now)
			}
			if !shared.As(a.Text("accessToken")).Works(t) {
				t.Error("the token is refused")
			}
		})
	}
}

func TestCreateTokenClaims(t *testing.T) {
	t.Parallel()
	id := create(t, shared, object{"name": "deployer"}).Text("identity.id")
	shared.Attach(t, id, object{"accessTokenTTL": 60, "accessTokenMaxTTL": 120, "accessTokenNumUsesLimit": 9})
	a := shared.Admin.Call(t, http.MethodPost, tokensOf(id), object{"name": "ci"}).Want(200)
	claims := harness.Claims(t, a.Text("accessToken"))
	for name, want := range map[string]any{
		"jti": a.Text("tokenData.id"), "identityAccessTokenId": a.Text("tokenData.id"), "identityId": id, "identityName": "deployer",
		"authTokenType": "identityAccessToken", "authMethod": "token-auth", "orgId": shared.OrgID,
		"accessTokenTTL": 60.0, "accessTokenMaxTTL": 120.0, "numUsesLimit": 9.0,
	} {
		if claims[name] != want {
			t.Errorf("the claim %s is %v, want %v", name, claims[name], want)
		}
	}
}

func TestCreateTokenBodies(t *testing.T) {
	t.Parallel()
	id := shared.NewActor(t, "no-access", nil).ID
	slug := shared.Admin.Call(t, http.MethodGet, harness.Identities+"/details", nil).Text("identityDetails.organization.slug")
	for name, c := range map[string]struct {
		body   any
		status int
		want   any // the token's name
	}{
		"no body":                      {nil, 200, nil},
		"an empty body":                {"", 200, nil},
		"an empty object":              {object{}, 200, nil},
		"a null name":                  {object{"name": nil}, 200, nil},
		"an empty name":                {object{"name": ""}, 200, ""},
		"255 characters":               {object{"name": strings.Repeat("ä", 255)}, 200, strings.Repeat("ä", 255)},
		"the own organization's slug":  {object{"organizationSlug": slug}, 200, nil},
		"refused/256 characters":       {object{"name": strings.Repeat("a", 256)}, 422, nil},
		"refused/control characters":   {object{"name": "a\x00b"}, 422, nil},
		"refused/name of a number":     {object{"name": 5}, 422, nil},
		"refused/unknown organization": {object{"organizationSlug": "other"}, 404, nil},
		"refused/33 characters":        {object{"organizationSlug": strings.Repeat("a", 33)}, 422, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := shared.Admin.Call(t, http.MethodPost, tokensOf(id), c.body).Want(c.status)
			if c.status == 200 && a.At("tokenData.name") != c.want {
				t.Errorf("the name is %v, want %v", a.At("tokenData.name"), c.want)
			}
		})
	}
}

func TestListTokens(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	a := s.NewActor(t, "no-access", nil)
	ids := []string{a.TokenID}
	for i := range 129 {
		if i%2 == 0 {
			s.Clock.Advance(time.Millisecond)
		}
		_, id := s.NewToken(t, a.ID)
		ids = append(ids, id)
	}
	slices.Reverse(ids) // newest first
	s.Admin.Call(t, http.MethodPost, harness.Tokens+ids[1]+"/revoke", nil).Want(200)
	for name, c := range map[string]struct {
		query string
		want  []string
	}{
		"20 newest first, revoked ones too":        {"", ids[:20]},
		"limit":                                    {"?limit=100", ids[:100]},
		"offset":                                   {"?offset=5&limit=10", ids[5:15]},
		"an offset over 100 has no cap":            {"?offset=120&limit=100", ids[120:]},
		"the last one":                             {"?offset=129", ids[129:]},
		"past the end is empty":                    {"?offset=130", []string{}},
		"far past the end is empty":                {"?offset=9223372036854775807", []string{}},
		"empty values count as absent":             {"?offset=&limit=", ids[:20]},
		"parameters that are not known are nobody": {"?page=7", ids[:20]},
	} {
		t.Run(name, func(t *testing.T) {
			list := s.Admin.Call(t, http.MethodGet, tokensOf(a.ID)+c.query, nil).Want(200)
			if got := list.List("tokens", "id"); !cmp.Equal(got, c.want) {
				t.Errorf("listed %v\nwant %v", got, c.want)
			}
			if n := list.Number("totalCount"); n != 130 {
				t.Errorf("totalCount is %d", n)
			}
		})
	}
	for _, query := range []string{"limit=0", "limit=101", "limit=-1", "limit=x", "offset=-1", "offset=x", "offset=1.5", "offset=9223372036854775808", "limit=1e2"} {
		t.Run("refused/"+query, func(t *testing.T) {
			s.Admin.Call(t, http.MethodGet, tokensOf(a.ID)+"?"+query, nil).WantError(422, "ValidationFailure")
		})
	}
}

func TestReadAndRenameToken(t *testing.T) {
	t.Parallel()
	a := shared.NewActor(t, "no-access", nil)
	path := harness.Tokens + a.TokenID
	read := func(path string) any { return shared.Admin.Call(t, http.MethodGet, path, nil).Want(200).At("token") }
	rename := func(body any) *harness.Answer { return shared.Admin.Call(t, http.MethodPatch, path, body).Want(200) }

	t.Run("reads as it was made", func(t *testing.T) {
		if got := read(path).(object); got["id"] != a.TokenID || got["identityId"] != a.ID || got["isAccessTokenRevoked"] != false {
			t.Errorf("reads %v", got)
		}
	})
	t.Run("the deprecated alias reads the same whatever the identity", func(t *testing.T) {
		for _, id := range []string{a.ID, shared.AdminID, "nonsense"} {
			if diff := cmp.Diff(read(path), read(tokensOf(id)+"/"+a.TokenID)); diff != "" {
				t.Error(diff)
			}
		}
	})
	t.Run("renames", func(t *testing.T) {
		if got := rename(object{"name": "nightly"}).Text("token.name"); got != "nightly" {
			t.Errorf("the name became %q", got)
		}
		for _, body := range []any{nil, object{}, object{"name": nil}} {
			if got := rename(body).Text("token.name"); got != "nightly" {
				t.Errorf("%v changed the name to %q", body, got)
			}
		}
		if !a.Works(t) {
			t.Error("a rename killed the token")
		}
	})
	for _, id := range []string{"nonsense", "01890000-0000-7000-8000-000000000000", strings.Repeat("a", 3000), "%20", "a%2Fb"} {
		t.Run("refused/unknown id "+id[:min(len(id), 40)], func(t *testing.T) {
			shared.Admin.Call(t, http.MethodGet, harness.Tokens+id, nil).WantError(404, "NotFound")
			shared.Admin.Call(t, http.MethodPatch, harness.Tokens+id, object{"name": "x"}).WantError(404, "NotFound")
			shared.Admin.Call(t, http.MethodPost, harness.Tokens+id+"/revoke", nil).WantError(404, "NotFound")
			shared.Admin.Call(t, http.MethodGet, tokensOf(a.ID)+"/"+id, nil).WantError(404, "NotFound")
		})
	}
}
