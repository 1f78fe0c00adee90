package faults

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/pgserver"
)

// TestPostgresRestart: while PostgreSQL is away nothing is decided, what was acknowledged stays true, and service comes
// back by itself.
func TestPostgresRestart(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*pgserver.Server) error{"in order": (*pgserver.Server).Stop, "crash": (*pgserver.Server).Crash} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newPostgres(t, pgserver.Options{})
			s := start(t, cluster.Options{Postgres: server, Replicas: 2})
			s.storm(func() {
				must(t, stop(server))
				s.awaitNoLease()
				must(t, server.Start())
			})
		})
	}
}

// TestFailOver: the machine of the primary is lost and its synchronous standby takes over. Nothing that was acknowledged is
// lost, and no server is restarted.
func TestFailOver(t *testing.T) {
	t.Parallel()
	primary := newPostgres(t, pgserver.Options{})
	standby := newPostgres(t, pgserver.Options{Primary: primary})
	s := start(t, cluster.Options{Postgres: primary, Replicas: 2})
	synchronous(t, primary)
	s.storm(func() {
		must(t, primary.Kill())
		s.awaitNoLease()
		must(t, standby.Promote())
		for _, r := range s.Replicas {
			r.Link.Switch(standby.Dial)
		}
	})
}

// synchronous has a primary wait for its standby with each commit, and returns once it does.
func synchronous(t *testing.T, primary *pgserver.Server) {
	t.Helper()
	must(t, primary.Exec(t.Context(), "postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'"))
	must(t, primary.Exec(t.Context(), "postgres", "SELECT pg_reload_conf()"))
	conn, err := primary.Connect(t.Context(), "postgres")
	must(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	eventually(t, "the standby is synchronous", func() (yes bool) {
		err := conn.QueryRow(t.Context(), `SELECT count(*) = 1 AND current_setting('synchronous_standby_names') = '*'
			FROM pg_stat_replication WHERE sync_state = 'sync'`).Scan(&yes)
		return err == nil && yes
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// awaitNoLease waits until every replica has been without its database for so long that it decides nothing.
func (s *site) awaitNoLease() {
	s.t.Helper()
	for i, r := range s.Replicas {
		eventually(s.t, r.Name+" is without a lease", func() bool { return s.leaseLeft(i) <= 0 })
		if got := s.status(i, "/readyz"); got != 503 {
			s.t.Errorf("/readyz of %s answered %d without a database; want 503", r.Name, got)
		}
		if got := s.status(i, "/healthz"); got != 200 {
			s.t.Errorf("/healthz of %s answered %d; want 200, since the process lives", r.Name, got)
		}
	}
}

// How many tokens are taken back before and after an outage, at least, and how many there are in all.
const (
	revokesBefore = 20
	revokesAfter  = 20
	stormTokens   = 200
)

// storm has tokens taken back and used at all replicas while the outage comes and goes. In the end every revoke that was
// acknowledged is true, and every other one is either true everywhere or nowhere.
func (s *site) storm(outage func()) {
	s.t.Helper()
	tokens := s.mint(0, stormTokens)
	r := &revokers{site: s, tokens: tokens[1:]} // the first one lives on
	ctx, stop := context.WithCancel(s.t.Context())
	defer stop()
	var all sync.WaitGroup
	w := s.watch(tokens, 0, 1)
	for i := range s.Replicas {
		all.Go(func() { r.run(ctx, i) })
	}
	r.await("before the outage", revokesBefore)
	outage()
	s.ready()
	r.await("after the outage", r.done.Load()+revokesAfter)
	stop()
	all.Wait()
	w.rest()
	if w.tally()[http.StatusServiceUnavailable] == 0 {
		s.t.Error("no use was refused with 503 during the outage")
	}
	s.agree(tokens)
	s.expect(tokens[0], http.StatusOK)
	s.rememberedBy(1, tokens)
}

// rememberedBy starts a replica anew, so that it knows nothing but what the database holds, and checks all tokens there.
func (s *site) rememberedBy(replica int, tokens []*token) {
	s.t.Helper()
	s.Replicas[replica].Kill()
	must(s.t, s.Replicas[replica].Start())
	for _, token := range tokens {
		s.wants(replica, token, map[bool]int{true: http.StatusUnauthorized, false: http.StatusOK}[token.acked.Load() > 0])
	}
}

// revokers take tokens back at several replicas. Of two tokens whose revoke is refused with 503, one is tried again until
// it is acknowledged, and one is left as it is.
type revokers struct {
	site   *site
	tokens []*token
	next   atomic.Int64
	done   atomic.Int64 // acknowledged
}

func (r *revokers) run(ctx context.Context, replica int) {
	n, again := 0, false
	for ok := true; ok; ok = pause(ctx, 20*time.Millisecond) {
		if !again {
			n = int(r.next.Add(1)) - 1
		}
		if n >= len(r.tokens) {
			return
		}
		a := r.site.tryRevoke(replica, r.tokens[n])
		switch {
		case r.tokens[n].acked.Load() > 0:
			again = false
			r.done.Add(1)
		case a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != "":
			again = n%2 == 0
		default:
			r.site.t.Errorf("a revoke was answered with %d %s; want 200, or 503 and Retry-After", a.Status, a.Body)
		}
	}
}

func (r *revokers) await(when string, n int64) {
	r.site.t.Helper()
	eventually(r.site.t, "tokens are taken back "+when, func() bool { return r.done.Load() >= n })
}

// agree checks that no revoke which was acknowledged is lost, and that repeating the others makes them true.
func (s *site) agree(tokens []*token) {
	s.t.Helper()
	unknown := 0
	for _, token := range tokens {
		switch {
		case token.acked.Load() > 0:
			s.expect(token, http.StatusUnauthorized)
		case token.asked.Load() > 0:
			unknown++
			s.expect(token, s.use(0, token)) // by now, one lease after the outage, all know the same
			s.revoke(len(s.Replicas)-1, token)
			s.expect(token, http.StatusUnauthorized)
		}
	}
	s.t.Logf("%d revokes were not acknowledged", unknown)
}
