package faults

import (
	"os"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/cluster"
)

// TestDatabaseAwayAtBoot: a replica that starts before its database can be reached waits for it, tells alive and ready
// apart, and serves as soon as the database is there.
func TestDatabaseAwayAtBoot(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]func(*cluster.Link){
		"connections refused": (*cluster.Link).Cut,
		"connections silent":  func(l *cluster.Link) { l.Drop(cluster.ToServer, cluster.ToReplica) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, cluster.Options{Postgres: postgres, Replicas: 2})
			live, late := s.mint(0, 1)[0], s.Replicas[1]
			late.Stop()
			cut(late.Link)
			if err := late.Start(); err != nil { // it answers /healthz
				t.Fatal(err)
			}
			if got := s.status(1, "/healthz"); got != 200 {
				t.Errorf("/healthz answered %d while the database was away; want 200", got)
			}
			for _, path := range []string{"/readyz", "/api/status", detailsPath, "/no/such/route"} {
				a := s.call(1, "GET", path, live.jwt, nil)
				if a.Status != 503 || a.Header.Get("Retry-After") != "1" || a.Text("error") != "ServiceUnavailable" {
					t.Errorf("%s answered %d %s while the database was away; want 503 with Retry-After", path, a.Status, a.Body)
				}
			}
			if log := late.Tail(30); !strings.Contains(log, "waiting for the database") {
				t.Errorf("the log does not say what the replica waits for:\n%s", log)
			}
			late.Link.Heal()
			s.ready()
			s.expect(live, 200)
			s.revoke(1, live)
			s.expect(live, 401)
		})
	}
}

// TestDatabaseAwayForLonger: after --database-wait the replica ends, and says why; at once when waiting cannot help.
func TestDatabaseAwayForLonger(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Postgres: postgres, Replicas: 2})
	late := s.Replicas[1]
	late.Stop()
	late.Link.Cut()
	late.SetEnv("SALLYPORT_DATABASE_WAIT=200ms")
	s.endsWith(late, "cannot be reached")
	late.Link.Heal()
	late.SetEnv("SALLYPORT_DATABASE_WAIT=1h")
	late.SetEnv("SALLYPORT_DATABASE_URL=postgres://postgres@" + late.Link.Addr + "/nowhere?sslmode=disable")
	s.endsWith(late, `has no database "nowhere"`)
}

// endsWith starts a replica that has to end by itself, with an error that holds some words.
func (s *site) endsWith(r *cluster.Replica, words string) {
	s.t.Helper()
	if err := os.Truncate(r.Log, 0); err != nil {
		s.t.Fatal(err)
	}
	if err := r.Launch(); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, r.Name+" ends", func() bool { return !r.Running() })
	if log := r.Tail(30); !strings.Contains(log, "sallyport: ") || !strings.Contains(log, words) {
		s.t.Errorf("the log does not tell why the replica ended, %q:\n%s", words, log)
	}
}
