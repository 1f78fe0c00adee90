package sqldb_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// cutter stands between a program and PostgreSQL and cuts the connection when the program says something.
type cutter struct {
	dir    string // of the server's socket
	listen net.Listener
	done   sync.WaitGroup

	mu   sync.Mutex
	word []byte        // what to wait for
	cut  func(*link)   // what to do then, once; nil passes it on
	asks chan struct{} // somebody asks what became of a commit
}

// link is one connection through a cutter.
type link struct {
	program, server net.Conn
	muted           atomic.Bool
	ended           chan struct{} // the server has closed its side
}

// newCutter returns a cutter in front of a server, and the URL that leads through it.
func newCutter(t *testing.T, serverURL string) (*cutter, string) {
	t.Helper()
	u, err := url.Parse(serverURL)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	c := &cutter{dir: query.Get("host"), asks: make(chan struct{}, 100)}
	query.Set("host", t.TempDir())
	query.Set("default_query_exec_mode", "cache_describe") // each question comes with its text
	u.RawQuery = query.Encode()
	if c.listen, err = net.Listen("unix", filepath.Join(query.Get("host"), ".s.PGSQL.5432")); err != nil {
		t.Fatal(err)
	}
	c.done.Go(c.accept)
	t.Cleanup(func() {
		_ = c.listen.Close()
		c.done.Wait()
	})
	return c, u.String()
}

// next sets what happens when the program says word for the next time.
func (c *cutter) next(word []byte, cut func(*link)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.word, c.cut = word, cut
}

func (c *cutter) accept() {
	for {
		program, err := c.listen.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", filepath.Join(c.dir, ".s.PGSQL.5432"))
		if err != nil {
			_ = program.Close()
			continue
		}
		l := &link{program: program, server: server, ended: make(chan struct{})}
		c.done.Go(func() { c.forward(l) })
		c.done.Go(l.answer)
	}
}

// forward passes on what the program says, until it says the word.
func (c *cutter) forward(l *link) {
	defer l.server.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := l.program.Read(buffer)
		if err != nil {
			return
		}
		said := buffer[:n]
		if bytes.Contains(said, []byte("pg_xact_status")) {
			c.asks <- struct{}{}
		}
		if cut := c.take(said); cut != nil {
			cut(l)
			return
		}
		if _, err := l.server.Write(said); err != nil {
			return
		}
	}
}

// take returns what to do about what was said, if anything.
func (c *cutter) take(said []byte) func(*link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !bytes.Contains(said, c.word) {
		return nil
	}
	cut := c.cut
	c.cut = nil
	return cut
}

// commitMessage is a simple query of the PostgreSQL protocol.
var commitMessage = []byte("Q\x00\x00\x00\x0bCOMMIT\x00")

// answer passes on what the server says, its end too, unless the link is muted.
func (l *link) answer() {
	defer close(l.ended)
	defer func() {
		if !l.muted.Load() {
			_ = l.program.Close()
		}
	}()
	buffer := make([]byte, 1<<16)
	for {
		n, err := l.server.Read(buffer)
		if err != nil {
			return
		}
		if !l.muted.Load() {
			_, _ = l.program.Write(buffer[:n])
		}
	}
}

// silence keeps the server's answers from the program, which meets a closed connection instead.
func (l *link) silence() { _ = l.program.Close() }

// deliver hands the server the COMMIT and returns when it is carried out, or will not be: then the test finds no row.
func (l *link) deliver(watch *sqldb.DB, id string) {
	_, _ = l.server.Write(commitMessage)
	for end := time.Now().Add(20 * time.Second); present(watch, id) != 1 && time.Now().Before(end); {
		runtime.Gosched()
	}
}

func present(db *sqldb.DB, id string) (n int) {
	_ = db.Get(context.Background(), &n, "SELECT COUNT(*) FROM organizations WHERE id = $1", id)
	return n
}

// TestLostCommit cuts the connection around a COMMIT in every way. What the caller is told must be what the database holds.
func TestLostCommit(t *testing.T) {
	direct := sqldbtest.URL(t, sqldb.Postgres)
	watch := sqldbtest.OpenWith(t, sqldb.Postgres, sqldb.Options{URL: direct}) // closed after the cutter, which asks it
	cutter, through := newCutter(t, direct)
	const short, long = "&idle_in_transaction_session_timeout=300ms", "&idle_in_transaction_session_timeout=10s"
	for name, c := range map[string]struct {
		settings  string
		cut       func(id string) func(*link)
		committed bool
	}{
		"not committed/server sees the end": {long, func(string) func(*link) {
			return func(l *link) { l.silence() }
		}, false},
		"not committed/server sees nothing": {short, func(string) func(*link) {
			return func(l *link) { l.silence(); <-l.ended }
		}, false},
		"committed/answer lost": {long, func(id string) func(*link) {
			return func(l *link) { l.silence(); l.deliver(watch, id) }
		}, true},
		"committed/delivered late": {long, func(id string) func(*link) {
			return func(l *link) { l.silence(); <-cutter.asks; <-cutter.asks; l.deliver(watch, id) }
		}, true},
	} {
		for _, way := range []string{"Write", "WriteGrouped"} {
			t.Run(name+"/"+way, func(t *testing.T) {
				id := name + way
				write := writes(sqldbtest.OpenWith(t, sqldb.Postgres, sqldb.Options{URL: through + c.settings}))[way]
				cutter.next(commitMessage, c.cut(id))
				err := write(t.Context(), add(t.Context(), id))
				if (err == nil) != c.committed || errors.Is(err, sqldb.ErrOutcomeUnknown) {
					t.Errorf("told %v", err)
				}
				if there := present(watch, id) == 1; there != c.committed {
					t.Errorf("in the database: %v", there)
				}
				if err := write(t.Context(), add(t.Context(), id+" after")); err != nil {
					t.Errorf("the next write: %v", err)
				}
			})
		}
	}
}

// TestLostCommitThatNobodyKnows has PostgreSQL unreachable, or crashed, when it is asked.
func TestLostCommitThatNobodyKnows(t *testing.T) {
	server := sqldbtest.StartServer(t)
	direct := server.URL(t)
	watch := sqldbtest.OpenWith(t, sqldb.Postgres, sqldb.Options{URL: direct}) // closed after the cutter, which asks it
	cutter, through := newCutter(t, direct)
	db := sqldbtest.OpenWith(t, sqldb.Postgres, sqldb.Options{URL: through})
	for name, c := range map[string]struct {
		cut     func(l *link, id string)
		unknown bool
	}{
		"crash before": {func(l *link, _ string) { server.Crash(t); l.silence() }, false},
		"crash after":  {func(l *link, id string) { l.muted.Store(true); l.deliver(watch, id); server.Crash(t); l.silence() }, true},
	} {
		for way, write := range writes(db) {
			t.Run(name+"/"+way, func(t *testing.T) {
				id := name + way
				cutter.next(commitMessage, func(l *link) { c.cut(l, id) })
				err := write(t.Context(), add(t.Context(), id))
				if err == nil || errors.Is(err, sqldb.ErrOutcomeUnknown) != c.unknown {
					t.Errorf("told %v", err)
				}
			})
		}
	}
	t.Run("unreachable", func(t *testing.T) {
		db.SetLookup(100 * time.Millisecond)
		cutter.next(commitMessage, func(l *link) { _ = cutter.listen.Close(); l.silence() })
		if err := db.Write(t.Context(), add(t.Context(), "x")); !errors.Is(err, sqldb.ErrOutcomeUnknown) {
			t.Errorf("told %v", err)
		}
	})
}

// TestCallerLeavesASilentServer has a server that does not answer the first statement of a group.
func TestCallerLeavesASilentServer(t *testing.T) {
	cutter, through := newCutter(t, sqldbtest.URL(t, sqldb.Postgres))
	db := sqldbtest.OpenWith(t, sqldb.Postgres, sqldb.Options{URL: through})
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan struct{})
	cutter.next([]byte("BEGIN ISOLATION LEVEL READ COMMITTED"), func(l *link) {
		go func() { <-left; _ = l.program.SetReadDeadline(time.Unix(1, 0)) }()
		cancel()
		if _, err := l.program.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the caller waited until the group gave up: %v", err)
		}
	})
	if err := db.WriteGrouped(ctx, add(ctx, "x")); !errors.Is(err, context.Canceled) {
		t.Errorf("told %v", err)
	}
	close(left)
	if err := db.WriteGrouped(t.Context(), add(t.Context(), "after")); err != nil {
		t.Errorf("the next write: %v", err)
	}
	expect(t, db, "after")
}
