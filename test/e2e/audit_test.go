package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

const auditPath = "/api/v1/organization/audit-logs"

func TestEveryChangeLeavesAnAuditEvent(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	s.Admin = s.Admin.With("User-Agent", "terraform")
	id := create(t, s, object{"name": "worker"}).Want(200).Text("identity.id")
	admin := s.Admin
	admin.Call(t, http.MethodPatch, identityPath(id), object{"name": "miner"}).Want(200)
	admin.Call(t, http.MethodPost, harness.TokenAuth+id, object{}).Want(200)
	admin.Call(t, http.MethodPatch, harness.TokenAuth+id, object{"accessTokenTTL": 60}).Want(200)
	made := admin.Call(t, http.MethodPost, tokensOf(id), object{"name": "ci"}).Want(200)
	token := made.Text("tokenData.id")
	admin.Call(t, http.MethodPatch, harness.Tokens+token, object{"name": "cd"}).Want(200)
	revoked := admin.Call(t, http.MethodPost, revokePath(token), nil).Want(200)
	own, _ := s.NewToken(t, id)
	s.As("").Call(t, http.MethodPost, selfRevokePath, object{"accessToken": own}).Want(200)
	admin.Call(t, http.MethodDelete, harness.TokenAuth+id, nil).Want(200)
	admin.Call(t, http.MethodDelete, identityPath(id), nil).Want(200)

	logs := admin.Call(t, http.MethodGet, auditPath+"?limit=1000", nil).Want(200)
	want := []string{
		"delete-identity", "revoke-identity-token-auth", "revoke-identity-access-token", "create-token-identity-token-auth",
		"revoke-identity-access-token", "update-token-identity-token-auth", "create-token-identity-token-auth",
		"update-identity-token-auth", "add-identity-token-auth", "update-identity", "create-identity", "bootstrap-instance",
	}
	if diff := cmp.Diff(want, logs.List("auditLogs", "event.type")); diff != "" {
		t.Fatalf("newest first: %s", diff)
	}
	t.Run("says who did what from where in which request", func(t *testing.T) {
		for place, want := range map[string]any{
			"actor.type": "identity", "actor.metadata.identityId": s.AdminID, "event.metadata.identityId": id,
			"event.metadata.identityAccessTokenId": token, "ipAddress": "127.0.0.1", "userAgent": "terraform",
			"userAgentType": "terraform", "orgId": s.OrgID, "reqId": revoked.Header.Get("X-Request-Id"), "projectId": nil,
		} {
			if got := logs.At("auditLogs.4." + place); got != want {
				t.Errorf("%s is %v, want %v", place, got, want)
			}
		}
	})
	t.Run("says that a holder revoked its own token", func(t *testing.T) {
		if got := logs.Text("auditLogs.2.actor.metadata.identityId"); got != id {
			t.Errorf("the actor is %s, want %s", got, id)
		}
	})
	t.Run("holds no token", func(t *testing.T) {
		for _, jwt := range []string{made.Text("accessToken"), own, s.Admin.Token} {
			if signature := jwt[strings.LastIndex(jwt, ".")+1:]; strings.Contains(strings.Join(s.Rows(t, "audit_logs"), "\n"), signature) {
				t.Error("an event holds a token")
			}
		}
	})
}

func TestRefusalsAndReadsOfTheLogAreRecorded(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	a := s.NewActor(t, "no-access", nil)
	refused := a.Call(t, http.MethodGet, harness.Identities, nil).WantError(403, "PermissionDenied")
	s.Admin.Call(t, http.MethodGet, auditPath, nil).Want(200)
	s.Admin.Call(t, http.MethodGet, auditPath+"?offset=1", nil).Want(200) // each page is a look
	s.Restart(t)                                                          // a clean stop writes what was noted
	logs := s.Admin.Call(t, http.MethodGet, auditPath+"?eventType=permission-denied,view-audit-logs", nil).Want(200)
	if diff := cmp.Diff([]string{"view-audit-logs", "view-audit-logs", "permission-denied"}, logs.List("auditLogs", "event.type")); diff != "" {
		t.Fatal(diff)
	}
	for place, want := range map[string]string{
		"actor.metadata.identityId": a.ID, "reqId": refused.Header.Get("X-Request-Id"),
		"event.metadata.permissionAction": "read", "event.metadata.permissionSubject": "identity",
	} {
		if got := logs.Text("auditLogs.2." + place); got != want {
			t.Errorf("%s is %s, want %s", place, got, want)
		}
	}
}

func TestRefusedChangesLeaveNoEventOfTheChange(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	id := create(t, s, object{"hasDeleteProtection": true}).Text("identity.id")
	events := s.Count(t, `SELECT count(*) FROM audit_logs`)
	s.Admin.Call(t, http.MethodDelete, identityPath(id), nil).Want(400)
	s.Admin.Call(t, http.MethodPost, harness.TokenAuth+id, object{"accessTokenTTL": -1}).Want(422)
	s.Admin.Call(t, http.MethodDelete, harness.TokenAuth+id, nil).Want(400)
	s.Admin.Call(t, http.MethodPost, revokePath("nope"), nil).Want(404)
	if n := s.Count(t, `SELECT count(*) FROM audit_logs`) - events; n != 0 {
		t.Errorf("%d events tell of changes that did not happen", n)
	}
}

func TestFilterAuditLogs(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	first, second := create(t, s, object{"name": "a,b"}).Text("identity.id"), create(t, s, object{"name": "100%"}).Text("identity.id")
	now := s.Clock.Now().UTC()
	at := func(days int) string { return now.AddDate(0, 0, days).Format("2006-01-02T15:04:05Z") }
	for query, want := range map[string]int{
		"?limit=1000": 3,
		"?eventType=create-identity,bootstrap-instance&limit=2":        2,
		"?eventType=create-identity,bootstrap-instance&offset=2":       1,
		"?eventType=create-identity":                                   2,
		"?eventType=create-identity,nope":                              2,
		"?eventType=nope":                                              0,
		"?eventMetadata=identityId=" + first:                           1,
		"?eventMetadata=identityId=" + first + ",identityId=" + second: 0,
		"?eventMetadata=name=100%25":                                   1,
		"?environment=prod":                                            0,
		"?secretPath=/a/":                                              0,
		"?secretKey=A":                                                 0,
		"?eventMetadata=name=10_%25":                                   0,
		"?limit=1000&actorType=identity":                               2,
		"?actorType=platform":                                          1,
		"?actorType=user":                                              0,
		"?limit=1000&actor=" + s.AdminID:                               2,
		"?actor=nope":                                                  0,
		"?limit=1000&startDate=" + at(-1):                              3,
		"?startDate=" + at(-2) + "&endDate=" + at(-1):                  0,
		"?limit=1000&endDate=" + at(1) + "&startDate=" + at(-80):       3,
		"?projectId=nope":                                              0,
		"?limit=1000&userAgentType=other":                              3,
	} {
		t.Run("finds"+query, func(t *testing.T) {
			got := s.Admin.Call(t, http.MethodGet, auditPath+query, nil).Want(200).List("auditLogs", "event.type")
			// The looks of this very test are recorded too, some time later.
			got = slices.DeleteFunc(got, func(event string) bool { return event == "view-audit-logs" })
			if len(got) != want {
				t.Errorf("found %d events, want %d", len(got), want)
			}
		})
	}
	for query, status := range map[string]int{
		"after=-1": 422, "after=x": 422, "after=0&offset=1": 422, "after=1000000": 422,
		"limit=0": 422, "limit=1001": 422, "offset=-1": 422, "actorType=king": 422, "startDate=yesterday": 422, "endDate=2026": 422,
		"startDate=" + at(1) + "&endDate=" + at(-1): 422, "startDate=" + at(-94): 422, "eventMetadata=name": 422,
		"actorType=platform&actor=x":                     400,
		"eventMetadata=" + strings.Repeat("a=b,", 1000):  422,
		"eventMetadata=a=" + strings.Repeat("b", 51_000): 422,
		"eventType=" + strings.Repeat("a,", 32_700):      422,
		"actor=%00": 422, "eventType=%FF": 422, "eventType=%zz": 400,
	} {
		t.Run("refused/"+query[:min(len(query), 40)], func(t *testing.T) {
			s.Admin.Call(t, http.MethodGet, auditPath+"?"+query, nil).Want(status)
		})
	}
	t.Run("has nothing of another organization", func(t *testing.T) {
		_, other := s.OtherOrg(t)
		if got := other.Call(t, http.MethodGet, auditPath, nil).Want(200).List("auditLogs", "orgId"); len(got) != 1 || got[0] == s.OrgID {
			t.Errorf("found events of %v", got)
		}
	})
}

// TestFollowTheAuditLog: whoever goes on from the next of each answer sees each event once, also those of logins.
func TestFollowTheAuditLog(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	u := newUniversal(t, s)
	after, seen := int64(0), map[string]int{}
	follow := func() (more bool) {
		a := s.Admin.Call(t, http.MethodGet, fmt.Sprintf("%s?after=%d&limit=3&eventType=create-identity,login-identity-universal-auth", auditPath, after), nil).Want(200)
		for _, id := range a.List("auditLogs", "id") {
			seen[id]++
		}
		next := a.Number("next")
		more, after = next > after && len(a.List("auditLogs", "id")) == 3, next
		return more
	}
	const rounds = 10
	for range rounds {
		s.As("").Call(t, http.MethodPost, "/api/v1/auth/universal-auth/login", object{"clientId": u.ClientID, "clientSecret": u.Secret}).Want(200)
		s.NewIdentity(t, "no-access")
		for follow() {
		}
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("the event %s came %d times", id, n)
		}
	}
	if len(seen) != 2*rounds+1 {
		t.Errorf("%d events came, want %d", len(seen), 2*rounds+1)
	}
}
