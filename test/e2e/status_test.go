package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

func TestHealthAndReadiness(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	s.As("").Call(t, http.MethodGet, "/healthz", nil).Want(200)
	s.As("").Call(t, http.MethodGet, "/readyz", nil).Want(200)
	unlock := s.Lock(t)
	s.As("").Call(t, http.MethodGet, "/healthz", nil).Want(200)
	unready := s.As("").Call(t, http.MethodGet, "/readyz", nil).WantError(503, "ServiceUnavailable")
	if unready.Header.Get("Retry-After") == "" {
		t.Errorf("answered %v %s", unready.Header, unready.Body)
	}
	unlock()
	s.As("").Call(t, http.MethodGet, "/readyz", nil).Want(200)
}

func TestMetricsAndDocumentationAreServedWithoutAnythingFromOutside(t *testing.T) {
	t.Parallel()
	metrics := shared.As("").Call(t, http.MethodGet, "/metrics", nil).Want(200)
	for _, name := range []string{"sallyport_revoked_tokens", "sallyport_cutoffs", "sallyport_feed_applied", "sallyport_http_requests_total", "go_goroutines",
		`sallyport_build_info{schema="`, `sallyport_replicas{schema="`} {
		if !strings.Contains(string(metrics.Body), name) {
			t.Errorf("the metrics lack %s", name)
		}
	}
	docs := shared.As("").Call(t, http.MethodGet, "/api/docs", nil).Want(200)
	if outside := regexp.MustCompile(`(?i)(src|href|url)\s*[=(]\s*["']?(https?:)?//[^"' )]+`).FindAll(docs.Body, -1); outside != nil {
		t.Errorf("the page loads %q", outside)
	}
	if !strings.Contains(string(docs.Body), "/api/v1/auth/token-auth/tokens/{tokenId}/revoke") {
		t.Error("the page lacks the revoke route")
	}
}

func TestRegisterTellsVersions(t *testing.T) {
	t.Parallel()
	const path = "/api/v1/admin/replicas"
	answer := shared.Admin.Call(t, http.MethodGet, path, nil).Want(200)
	schema, oldest := answer.Number("schema"), answer.Number("oldest")
	if schema < 19 || oldest < 19 || oldest > schema || answer.Number("replicas.0.schema") != schema || answer.Text("replicas.0.version") != "test" {
		t.Errorf("the register is %s; want the schema, the oldest version that can serve it, and what this server runs", answer.Body)
	}
	shared.NewActor(t, "admin", nil).Call(t, http.MethodGet, path, nil).WantError(403, "ForbiddenError")
}

func TestFailuresOfTheDatabaseStayInTheLog(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	s.Break(t, "identities", "INSERT")
	failed := create(t, s, nil).WantError(500, "InternalServerError")
	for _, word := range []string{"broken on purpose", "SQL", "INSERT", "identities"} {
		if strings.Contains(string(failed.Body), word) {
			t.Errorf("the answer tells %q: %s", word, failed.Body)
		}
	}
}

func TestATokenOfWhoIsNoActiveMemberIsDead(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	inactive, left := s.NewActor(t, "admin", nil), s.NewActor(t, "admin", nil)
	s.Exec(t, `UPDATE memberships SET active = FALSE WHERE identity_id = ?`, inactive.ID)
	s.Restart(t) // a server that was not told knows it from its start on
	inactive.URL, left.URL = s.URL, s.URL
	inactive.Call(t, http.MethodGet, detailsPath, nil).WantError(401, "TokenError")

	s.Admin.Call(t, http.MethodDelete, membershipsPath+"/"+left.ID, nil).Want(200)
	left.Call(t, http.MethodGet, detailsPath, nil).WantError(401, "TokenError")
	s.Admin.Call(t, http.MethodPost, membershipsPath+"/"+left.ID, assignments).Want(200)
	left.Call(t, http.MethodGet, detailsPath, nil).WantError(401, "TokenError") // joining again brings no token back
}
