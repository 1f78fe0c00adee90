package e2e

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

const allTokensPath = "/api/v1/organization/tokens"

// TestAllTokensOfAnOrganization walks the list page by page, with each filter.
func TestAllTokensOfAnOrganization(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	a := s.NewActor(t, "no-access", nil) // its token is the oldest
	var made []string
	for range 6 {
		_, tokenID := s.NewToken(t, a.ID)
		made = append(made, tokenID)
	}
	list := func(query string) []string {
		t.Helper()
		return s.Admin.Call(t, http.MethodGet, allTokensPath+"?identityId="+a.ID+query, nil).Want(200).List("tokens", "id")
	}
	newest := append([]string{a.TokenID}, made...)
	slices.Reverse(newest)
	var walked []string
	for after, pages := "", 0; pages == 0 || after != ""; pages++ {
		page := s.Admin.Call(t, http.MethodGet, allTokensPath+"?limit=3&identityId="+a.ID+"&after="+after, nil).Want(200)
		walked = append(walked, page.List("tokens", "id")...)
		after, _ = page.At("next").(string)
	}
	if diff := cmp.Diff(newest, walked); diff != "" {
		t.Errorf("page by page (- want): %s", diff)
	}

	s.Admin.Call(t, http.MethodPost, "/api/v1/auth/token-auth/tokens/"+made[0]+"/revoke", nil).Want(200)
	if diff := cmp.Diff([]string{made[0]}, list("&state=revoked")); diff != "" {
		t.Errorf("revoked: %s", diff)
	}
	if got := list("&state=live"); len(got) != 6 || slices.Contains(got, made[0]) {
		t.Errorf("live: %v", got)
	}
	s.Clock.Advance(time.Hour)
	a.Works(t)
	s.Clock.Advance(time.Minute)
	idle := list("&state=live&idleSince=" + s.Clock.Now().Add(-2*time.Minute).Format(time.RFC3339))
	if len(idle) != 5 || slices.Contains(idle, a.TokenID) {
		t.Errorf("idle: %v", idle)
	}
	s.Admin.Call(t, http.MethodPost, identityPath(a.ID)+"/revoke-tokens", nil).Want(200)
	if got := list("&state=live"); len(got) != 0 {
		t.Errorf("live after a cutoff: %v", got)
	}
	if got := list("&state=revoked"); len(got) != 7 {
		t.Errorf("revoked with others: %v", got)
	}
}

func TestAllTokensHideThoseOfTheInstance(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	_, stranger := s.OtherOrg(t)
	plain := s.NewActor(t, "admin", nil)
	owners := func(c harness.Client) []string {
		t.Helper()
		return c.Call(t, http.MethodGet, allTokensPath, nil).Want(200).List("tokens", "identityId")
	}
	if got := owners(s.Admin); !slices.Contains(got, s.AdminID) || !slices.Contains(got, plain.ID) {
		t.Errorf("an instance administrator sees the tokens of %v", got)
	}
	if got := owners(plain.Client); slices.Contains(got, s.AdminID) || !slices.Contains(got, plain.ID) {
		t.Errorf("an administrator of the organization sees the tokens of %v", got)
	}
	if got := owners(stranger); slices.Contains(got, s.AdminID) || slices.Contains(got, plain.ID) {
		t.Errorf("another organization sees the tokens of %v", got)
	}
	s.Admin.Call(t, http.MethodGet, allTokensPath+"?limit=101", nil).WantError(422, "ValidationFailure")
	s.Admin.Call(t, http.MethodGet, allTokensPath+"?state=dead", nil).WantError(422, "ValidationFailure")
}
