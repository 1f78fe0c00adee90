package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// revokeContract returns what the reference documents for the revoke route, by status.
func revokeContract(t *testing.T) map[string]schema {
	t.Helper()
	text, err := os.ReadFile("testdata/revoke.json")
	contract := map[string]schema{}
	if err == nil {
		err = json.Unmarshal(text, &contract)
	}
	if err != nil {
		t.Fatal(err)
	}
	return contract
}

// noRequest are the documented statuses that no request can bring about: the route reads no body that could be bad.
var noRequest = []string{"400"}

func TestRevokeAnswersAsTheReferenceDocumentsIt(t *testing.T) {
	s := harness.StartReady(t)
	contract := revokeContract(t)
	produced := map[string]bool{}
	check := func(name string, status int, a *harness.Answer) {
		t.Run(name, func(t *testing.T) {
			a.Want(status)
			if got := a.Header.Get("Content-Type"); got != "application/json" {
				t.Errorf("the content type is %q", got)
			}
			var body any
			if err := json.Unmarshal(a.Body, &body); err != nil {
				t.Fatal(err)
			}
			for _, broken := range contract[strconv.Itoa(status)].check("body", body) {
				t.Error(broken)
			}
			produced[strconv.Itoa(status)] = true
		})
	}
	revoke := func(c harness.Client, tokenID string) *harness.Answer {
		return c.Call(t, http.MethodPost, revokePath(tokenID), nil)
	}
	a, boss := s.NewActor(t, "no-access", nil), s.NewActor(t, "admin", nil)
	other, root := s.NewActor(t, "admin", nil), harness.Claims(t, s.Admin.Token)["jti"].(string)

	check("401 without a token", 401, revoke(s.As(""), a.TokenID))
	check("401 with a dead token", 401, revoke(s.As("nonsense"), a.TokenID))
	check("403 without the permission", 403, revoke(a.Client, a.TokenID))
	check("403 beyond the boundary", 403, revoke(s.NewActor(t, "member", nil).Client, boss.TokenID))
	check("403 for an instance administrator's", 403, revoke(other.Client, root))
	check("403 from an address that is not trusted", 403, revoke(s.NewActor(t, "admin", object{"accessTokenTrustedIps": ips("192.0.2.1")}).Client, a.TokenID))
	check("404 for an unknown token", 404, revoke(s.Admin, "01890000-0000-7000-8000-000000000000"))
	check("404 for an id of another form", 404, revoke(s.Admin, "nope"))
	check("422 for an id that no database takes", 422, revoke(s.Admin, "%00"))
	mend := s.Break(t, "change_log", "INSERT")
	check("500 when the database fails", 500, revoke(s.Admin, a.TokenID))
	mend()
	check("200", 200, revoke(s.Admin, a.TokenID))
	check("404 the second time", 404, revoke(s.Admin, a.TokenID))

	for status := range contract {
		if !produced[status] && !slices.Contains(noRequest, status) {
			t.Errorf("the status %s was not produced", status)
		}
	}
}

func TestRevokeIsPublishedAsTheReferenceDocumentsIt(t *testing.T) {
	t.Parallel()
	d := published(t)
	operation := d.Paths["/api/v1/auth/token-auth/tokens/{tokenId}/revoke"]["post"]
	for status, want := range revokeContract(t) {
		t.Run(status, func(t *testing.T) {
			got := d.answered(operation.Responses[status])
			if diff := cmp.Diff(slices.Sorted(maps.Keys(want.Properties)), names(got)); diff != "" {
				t.Errorf("the fields differ: %s", diff)
			}
			required, _ := got["required"].([]any)
			if len(required) != len(want.Required) {
				t.Errorf("required are %v, want %v", required, want.Required)
			}
			for _, name := range want.Required {
				if !slices.Contains(required, any(name)) {
					t.Errorf("%s is not required", name)
				}
			}
			if got["additionalProperties"] != false {
				t.Errorf("additionalProperties is %v, want false", got["additionalProperties"])
			}
		})
	}
}
