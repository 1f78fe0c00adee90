package console

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

func TestAuditPage(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	for range 60 {
		s.NewIdentity(t, "no-access")
	}
	s.Admin.With("User-Agent", "=cmd()").Call(t, http.MethodPost, harness.Identities, object{"name": "<b>bold</b>", "organizationId": s.OrgID}).Want(200)
	b := signIn(t, s)
	b.goTo(b.inOrg("/audit")).shows("create-identity", "user-login", "1–50").inspect("audit")
	b.click("[rel=next]").shows("51–").click("[rel=prev]").shows("1–50")
	b.fill("[name=type]", "user-login").click(".filter .button").shows("user-login").hides(">create-identity<")
	b.goTo(b.inOrg("/audit?from=2001-01-01&to=2001-01-02")).shows("No event matches")
	b.expect("422 (Unprocessable Entity)")
	b.goTo(b.inOrg("/audit?from=yesterday")).shows("Write a day")

	c, base := signedIn(t, s), b.inOrg("/audit/export?type=create-identity&format=")
	answer, text := send(t, c, http.MethodGet, s.URL+base+"csv", http.NoBody)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 62 || answer.Header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasPrefix(answer.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the CSV has %d rows, %v, %v", len(rows), err, answer.Header)
	}
	if rows[1][5] != "'=cmd()" {
		t.Errorf("a cell may be a formula: %q", rows[1][5])
	}
	if _, text := send(t, c, http.MethodGet, s.URL+base+"ndjson", http.NoBody); strings.Count(text, "\n") != 61 {
		t.Errorf("the NDJSON has %d lines", strings.Count(text, "\n"))
	}
}
