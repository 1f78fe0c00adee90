package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// silent are the routes that change nothing, though their method is not GET: they leave no event.
var silent = []string{"check-auth", "search-identities", "find-project-user", "find-project-user-old", "oauth-introspect",
	"rotate-root-key", // of the request here, which only takes up a rotation that has begun
}

// recordedReads are the routes with GET that leave an event: those that show values of secrets, those whose reading the
// reference records, and the log itself.
var recordedReads = []string{"list-secrets-v4", "get-secret-v4", "get-secret-by-id-v4", "list-secrets-v3", "get-secret-v3", "get-secret-by-id-v3",
	"list-secret-imports", "get-secret-import", "list-secret-imports-old", "get-secret-import-old",
	"get-slug-environment", "get-any-environment", "get-environment", "get-environment-old", "list-audit-logs"}

// doubled are the routes whose request here does two things: it begins and ends a rotation, or accepts an invitation and logs in.
var doubled = []string{"rotate-organization-key", "rotate-project-key", "accept-invitation"}

// openChanges are the routes that change something for a caller who needs no token; the other open ones leave no event.
var openChanges = []string{"renew-token", "revoke-own-token", "oauth-revoke", "refresh-user-token", "reset-password"}

// untried are the routes that no walk gets a 200 from: their events have tests of their own, or they never do anything.
var untried = []string{"bootstrap", "refresh-user-token", "srp-login-1", "srp-login-2", "get-service-token", "post-service-token"}

// wantEvents is how many events a good request of a route leaves.
func wantEvents(r httpapi.Route) int {
	switch {
	case slices.Contains(silent, r.ID):
		return 0
	case slices.Contains(doubled, r.ID):
		return 2
	case slices.Contains(recordedReads, r.ID):
		return 1
	case r.Open && !strings.HasPrefix(r.ID, "login-") && !slices.Contains(openChanges, r.ID):
		return 0
	case r.Method == http.MethodGet:
		return 0
	}
	return 1
}

// recordedEvent is an event as the log has it.
type recordedEvent struct{ Type, ActorType, ActorID, OrgID, ProjectID, IP, Agent string }

// eventsOf returns the events of one request. reader reads the log, which writes what waits.
func eventsOf(t *testing.T, s *harness.Server, reader harness.Client, a *harness.Answer) (events []recordedEvent) {
	t.Helper()
	reader.Call(t, http.MethodGet, auditPath+"?limit=1", nil).Want(200)
	rows, err := s.DB.Query(`SELECT event_type, actor_type, coalesce(actor_id, ''), org_id, coalesce(project_id, ''), ip, user_agent
		FROM audit_logs WHERE request_id = ?`, a.Header.Get("X-Request-Id"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var e recordedEvent
		if err := rows.Scan(&e.Type, &e.ActorType, &e.ActorID, &e.OrgID, &e.ProjectID, &e.IP, &e.Agent); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

// TestEveryRouteTellsTheAuditLog: each change, login and read of a value leaves exactly one event that says who did what from
// where in which organization and project, and nothing else leaves one.
func TestEveryRouteTellsTheAuditLog(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t, harness.Unswept)
	admin := s.Admin
	s.Admin = s.Admin.With("User-Agent", "walker/1")
	walk := func(t *testing.T, s *harness.Server, r httpapi.Route, actorID string) {
		good := requestOf(t, s, r)
		a := s.Admin.With("User-Agent", "walker/1").Call(t, r.Method, good.path, good.body)
		if slices.Contains(untried, r.ID) {
			return
		}
		a.Want(200)
		events := eventsOf(t, s, admin, a)
		if len(events) != wantEvents(r) {
			t.Fatalf("it leaves %+v; want %d events", events, wantEvents(r))
		}
		for _, e := range events {
			if r.Open {
				actorID = e.ActorID // of the credentials in the body
			}
			if e.ActorID != actorID || e.ActorID == "" || e.OrgID != s.OrgID || e.IP != "127.0.0.1" || e.Agent != "walker/1" {
				t.Errorf("the event is %+v", e)
			}
			if inProject(r) && e.ProjectID == "" {
				t.Errorf("the event %+v is of no project", e)
			}
		}
	}
	eachRoute(t, s, func(t *testing.T, r httpapi.Route) { walk(t, s, r, s.AdminID) })
	eachUserRoute(t, s, func(t *testing.T, s *harness.Server, r httpapi.Route) {
		user := login(t, s, adminEmail)
		walk(t, s, r, user.UserID)
	})
}

// TestEveryRefusalTellsTheAuditLog: each route leaves one event of a caller without rights, and one of a token that is used
// from an address that is not trusted.
func TestEveryRefusalTellsTheAuditLog(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t, harness.Unswept)
	nobody := s.NewActor(t, "no-access", nil)
	eachRoute(t, s, func(t *testing.T, r httpapi.Route) {
		if r.Open || r.AnyActor && !inProject(r) && !slices.Contains(instanceAdmin, r.ID) {
			return
		}
		good := requestOf(t, s, r)
		away := s.NewActor(t, "admin", object{"accessTokenTrustedIps": ips("192.0.2.1")})
		for name, a := range map[string]harness.Actor{"without rights": nobody, "from elsewhere": away} {
			refused := a.Call(t, r.Method, good.path, good.body).Want(403)
			want := []recordedEvent{{Type: "permission-denied", ActorType: "identity", ActorID: a.ID, OrgID: s.OrgID, IP: "127.0.0.1"}}
			got := eventsOf(t, s, s.Admin, refused)
			for i := range got {
				got[i].Agent, got[i].ProjectID = "", ""
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	})
	away := s.NewActor(t, "admin", object{"accessTokenTrustedIps": ips("192.0.2.1")})
	refused := s.As("").Call(t, http.MethodPost, renewPath, object{"accessToken": away.Token}).Want(403)
	if got := eventsOf(t, s, s.Admin, refused); len(got) != 1 || got[0].ActorID != away.ID {
		t.Errorf("a renewal from elsewhere leaves %+v", got)
	}
}

// TestEveryFailedLoginTellsTheAuditLog, also that of somebody who is unknown, whom no event names.
func TestEveryFailedLoginTellsTheAuditLog(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t, harness.Unswept)
	const unknown = "01890000-0000-7000-8000-000000000000"
	for _, r := range s.App.API().Routes() {
		if !strings.HasPrefix(r.ID, "login-") {
			continue
		}
		t.Run(r.ID, func(t *testing.T) {
			a := s.As("").With("User-Agent", "walker/1").Call(t, r.Method, r.Path, object{"clientId": unknown, "clientSecret": "x", "identityId": unknown,
				"jwt": "x.y.z", "code": "x", "email": "nobody@example.com", "password": "x"})
			if a.Status != 401 && a.Status != 400 {
				t.Fatalf("the answer is %d %s", a.Status, a.Body)
			}
			got := eventsOf(t, s, s.Admin, a)
			if len(got) != 1 || !strings.HasSuffix(got[0].Type, "-failed") {
				t.Fatalf("it leaves %+v", got)
			}
			want := recordedEvent{Type: got[0].Type, ActorType: "unknownUser", OrgID: s.OrgID, IP: "127.0.0.1", Agent: "walker/1"}
			if diff := cmp.Diff(want, got[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("known", func(t *testing.T) {
		u := newUniversal(t, s)
		a := s.As("").Call(t, http.MethodPost, "/api/v1/auth/universal-auth/login", object{"clientId": u.ClientID, "clientSecret": "x"}).Want(401)
		if got := eventsOf(t, s, s.Admin, a); len(got) != 1 || got[0].ActorID != u.ID || got[0].Type != "login-identity-universal-auth-failed" {
			t.Errorf("it leaves %+v", got)
		}
		a = s.As("").Call(t, http.MethodPost, loginPath, object{"email": adminEmail, "password": "wrong"}).Want(400)
		if got := eventsOf(t, s, s.Admin, a); len(got) != 1 || got[0].ActorType != "user" || got[0].Type != "user-login-failed" {
			t.Errorf("it leaves %+v", got)
		}
	})
}
