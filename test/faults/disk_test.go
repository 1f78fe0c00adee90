package faults

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/pgserver"
)

// TestFullDisk: changes are refused with 503 while there is no room, tokens are still checked, and nothing that was
// acknowledged is lost, not even by a crash meanwhile.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		server := newPostgres(t, pgserver.Options{Preload: fillable(t)})
		mark := filepath.Join(server.Dir, "data", "disk.full")
		s := start(t, cluster.Options{Postgres: server, Replicas: 2})
		s.fillTwice(disk{
			fill: func() error {
				// Begin a segment of the write-ahead log, which has its full size at once. How much of the old one is left
				// depends on what was written before.
				for _, statement := range []string{`SELECT pg_switch_wal()`, `SELECT pg_logical_emit_message(true, 'test', 'fill')`} {
					if err := server.Exec(t.Context(), "postgres", statement); err != nil {
						return err
					}
				}
				return os.WriteFile(mark, nil, 0o600)
			},
			free: func() error { return os.Remove(mark) },
			crash: func() { // no room for its write-ahead log either: PostgreSQL ends itself, and does not start again
				_ = server.Exec(t.Context(), "postgres", "SELECT pg_switch_wal()") // it may end before it answers
				s.awaitNoLease()
				_ = server.Crash() // it may have ended already
			},
			start: func() error { return errors.Join(os.Remove(mark), server.Start()) },
			says:  "disk",
			ready: http.StatusOK, // its write-ahead log has room yet
		})
	})
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		s := start(t, cluster.Options{Replicas: 1})
		s.fillTwice(disk{
			fill:  func() error { return s.limitFiles(0) },
			free:  func() error { return s.limitFiles(unix.RLIM_INFINITY) },
			crash: s.Replicas[0].Kill,
			start: s.Replicas[0].Start, // without the limit, which was the process's
			says:  "database",
			ready: http.StatusServiceUnavailable,
		})
	})
}

// disk is one that can be filled.
type disk struct {
	fill, free func() error
	crash      func()       // of the database
	start      func() error // with room again
	says       string       // what callers are told
	ready      int          // what /readyz says
}

// fillTwice fills a disk, frees it, and has the database crash when it is full again.
func (s *site) fillTwice(d disk) {
	s.t.Helper()
	tokens := s.mint(0, 60)
	for _, token := range tokens[1:10] {
		s.revoke(0, token)
	}
	w := s.watch(tokens, 0)
	must(s.t, d.fill())
	s.useFull(tokens[10:40], d)
	s.wants(0, tokens[0], 200)
	w.rest()
	if n := w.tally()[http.StatusServiceUnavailable]; n > 0 {
		s.t.Errorf("%d checks of tokens were refused with 503, though they need no room", n)
	}
	must(s.t, d.free())
	s.recovered(tokens, d.says)

	must(s.t, d.fill())
	s.useFull(tokens[40:], d)
	d.crash()
	must(s.t, d.start())
	s.recovered(tokens, d.says)
}

// useFull does on a full disk what can be done on one, for longer than a lease.
func (s *site) useFull(tokens []*token, d disk) {
	s.t.Helper()
	began, refused := s.now(), 0
	eventually(s.t, "a change needs more room", func() bool { return !s.change(d.says) })
	for _, token := range tokens {
		answer := s.tryRevoke(0, token)
		s.fits(answer, d.says)
		if answer.Status == http.StatusServiceUnavailable {
			refused++
		}
	}
	if refused == 0 {
		s.t.Error("every revoke found room")
	}
	eventually(s.t, "a lease is over", func() bool { return s.now() > began+2*lease })
	if got := s.call(0, "GET", methodPath+s.AdminID+"/tokens", s.Admin, nil).Status; got != 200 {
		s.t.Errorf("reading was answered with %d", got)
	}
	if got := s.status(0, "/readyz"); got != d.ready {
		s.t.Errorf("/readyz answered %d; want %d", got, d.ready)
	}
	if got := s.status(0, "/healthz"); got != 200 {
		s.t.Errorf("/healthz answered %d; want 200, since the process lives", got)
	}
}

// recovered checks what must be true when there is room again.
func (s *site) recovered(tokens []*token, says string) {
	s.t.Helper()
	s.ready()
	if !s.change(says) {
		s.t.Error("a change is refused although there is room")
	}
	s.agree(tokens)
	s.expect(tokens[0], 200)
}

// change tries to make a token, and reports whether there was room for it.
func (s *site) change(says string) bool {
	s.t.Helper()
	made, answer := s.tryMint(0, s.AdminID, "another")
	s.fits(answer, says)
	return made != nil
}

// fits checks that a change was either made or refused as it must be when there is no room.
func (s *site) fits(a *cluster.Answer, says string) {
	s.t.Helper()
	refused := a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != "" && strings.Contains(a.Text("message"), says)
	if a.Status != http.StatusOK && !refused {
		s.t.Errorf("on a full disk a change was answered with %d %s", a.Status, a.Body)
	}
}

// limitFiles lets no file of the first replica's process reach beyond a size (setrlimit(2), RLIMIT_FSIZE): a write there
// fails, as on a disk that takes no more. The process, like any in Go, ignores the signal that comes with it.
func (s *site) limitFiles(size uint64) error {
	return unix.Prlimit(s.Replicas[0].PID(), unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}, nil)
}

// fillable builds the library that makes a disk look full.
func fillable(t *testing.T) string {
	t.Helper()
	library := filepath.Join(folder, "full.so")
	cmd := exec.Command("cc", "-shared", "-fPIC", "-o", library, filepath.Join("testdata", "full.c"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("this test needs a C compiler (apt-get install gcc libc6-dev): %v\n%s", err, out)
	}
	return library
}
