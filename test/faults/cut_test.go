package faults

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/cluster"
)

// TestReplicaCutOff: a replica that PostgreSQL cannot be reached from refuses everything after its lease, says so, and
// mends itself.
func TestReplicaCutOff(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(*cluster.Link){
		"connections refused": (*cluster.Link).Cut,
		"connections silent":  func(l *cluster.Link) { l.Drop(cluster.ToServer, cluster.ToReplica) },
		"not heard":           func(l *cluster.Link) { l.Drop(cluster.ToServer) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, cluster.Options{Postgres: postgres, Replicas: 2})
			tokens := s.mint(0, 8)
			live, away := tokens[:2], s.Replicas[1]
			for _, token := range tokens {
				s.expect(token, 200) // so that nothing has to be read for it any more
			}
			w := s.watch(tokens, 0, 1)

			cut(away.Link)
			from := s.now()
			for _, token := range tokens[len(live):] { // the first waits until the lease is over, the others do not
				s.revoke(0, token)
			}
			s.expectClosed(1)
			eventually(t, "the replica is used while it has no lease", func() bool { return len(w.between(1, from+lease, s.now())) > 3 })
			closed := s.now()

			away.Link.Heal()
			s.ready()
			for i, token := range tokens {
				s.expect(token, map[bool]int{true: 200, false: 401}[i < len(live)])
			}
			again := s.mint(1, 1)[0]
			s.revoke(1, again)
			s.expect(again, 401)
			w.rest()

			for _, u := range w.between(1, from+lease, closed) {
				if u.status != http.StatusServiceUnavailable || u.to-u.from > within {
					t.Fatalf("cut off at %s, the replica answered %d from %s to %s; want 503 after one lease", from, u.status, u.from, u.to)
				}
			}
		})
	}
}

// TestCutOffInARequest: a request that was let in from memory, and then waits for a database that has fallen silent, is
// refused as well, in time.
func TestCutOffInARequest(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Postgres: postgres, Replicas: 1})
	s.expect(s.mint(0, 1)[0], 200)
	s.Replicas[0].Link.Drop(cluster.ToServer, cluster.ToReplica)
	from := s.now()
	a := s.call(0, "GET", methodPath+s.AdminID+"/tokens", s.Admin, nil)
	if took := s.now() - from; a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" || took > within {
		t.Errorf("answered %d %s after %s; want 503 and Retry-After within %s", a.Status, a.Body, took, within)
	}
	s.Replicas[0].Link.Heal()
	s.ready()
}

// expectClosed calls every route of a replica that cannot decide, with a token that lives.
func (s *site) expectClosed(replica int) {
	s.t.Helper()
	if got := s.status(replica, "/healthz"); got != 200 {
		s.t.Errorf("/healthz answered %d; want 200, since the process lives", got)
	}
	routes := append(s.guardedRoutes(replica), route{"GET", "/readyz"}, route{"POST", "/api/v1/auth/token/renew"}, route{"POST", "/api/v1/auth/token/revoke"})
	if len(routes) < 30 {
		s.t.Errorf("found only %d routes", len(routes))
	}
	answers := make(chan string, len(routes))
	for _, r := range routes {
		go func() {
			a := s.call(replica, r.method, r.path, s.Admin, map[string]any{"accessToken": s.Admin})
			if a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != "" && a.Text("error") == "ServiceUnavailable" {
				a.Body = nil
			}
			answers <- strings.Join([]string{r.method, r.path, string(a.Body)}, " ")
		}()
	}
	for range routes {
		if answer := <-answers; !strings.HasSuffix(answer, " ") {
			s.t.Errorf("not refused with 503 and Retry-After: %s", answer)
		}
	}
}

type route struct{ method, path string }

// guardedRoutes lists the routes that ask for a token, by the replica's own document.
func (s *site) guardedRoutes(replica int) (routes []route) {
	s.t.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string
		}
	}
	if err := json.Unmarshal(s.call(replica, "GET", "/api/docs/json", "", nil).Body, &document); err != nil {
		s.t.Fatal(err)
	}
	for path, operations := range document.Paths {
		for method, operation := range operations {
			if len(operation.Security) > 0 {
				routes = append(routes, route{strings.ToUpper(method), path})
			}
		}
	}
	return routes
}
