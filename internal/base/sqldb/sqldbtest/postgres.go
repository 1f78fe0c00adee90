package sqldbtest

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/test/pgserver"
)

// shared is the one server of a test binary, started when it is first needed. It ends with the binary, however that ends.
var shared = sync.OnceValues(start)

// postgresURL returns the URL of a new database of the shared server.
func postgresURL(t testing.TB) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s.URL(t)
}

// template is the database that all others are copies of.
const template = "sallyport"

// Server is a PostgreSQL server whose databases have the current schema.
type Server struct {
	server    *pgserver.Server
	admin     *sql.DB
	databases atomic.Int64
}

// StartServer starts a server for t alone, for tests that crash it. It ends with t.
func StartServer(t testing.TB) *Server {
	t.Helper()
	s, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.admin.Close()
		_ = s.server.Close()
	})
	return s
}

// URL returns the URL of a new database with the current schema. It is removed when t ends.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.databases.Add(1))
	must(t, s.exec("CREATE DATABASE "+name+" TEMPLATE "+template))
	t.Cleanup(func() {
		if err := s.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return s.server.URL(name)
}

// Crash ends the server without letting it finish anything, and starts it again, which makes it recover.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	must(t, s.server.Crash())
	must(t, s.server.Start())
}

// Standby starts the server again as one that only follows another and can only be read.
func (s *Server) Standby(t testing.TB) {
	t.Helper()
	must(t, s.server.Crash())
	must(t, s.server.Follow())
	must(t, s.server.Start())
}

// Promote makes a standby a primary again.
func (s *Server) Promote(t testing.TB) {
	t.Helper()
	must(t, s.server.Promote())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// exec runs a statement as the administrator, once more if the server was restarted since the last one.
func (s *Server) exec(text string) error {
	_, err := s.admin.Exec(text)
	if err != nil {
		_, err = s.admin.Exec(text)
	}
	return err
}

// start starts a server. No test of a package survives a power cut, so nothing is synced to disk.
func start() (*Server, error) {
	server, err := pgserver.Start(pgserver.Options{Dir: inMemory(), NoSync: true})
	if err != nil {
		return nil, err
	}
	s := &Server{server: server}
	if s.admin, err = sql.Open("pgx", server.URL("postgres")); err != nil {
		return nil, err
	}
	return s, s.makeTemplate()
}

// inMemory returns a folder of files in memory, if there is one with 4 GB free, or "". A database is three hundred files, and
// each test has one.
func inMemory() string {
	const folder = "/dev/shm"
	var about syscall.Statfs_t
	if err := syscall.Statfs(folder, &about); err != nil || int64(about.Bavail)*int64(about.Bsize) < 4<<30 {
		return ""
	}
	return folder
}

// makeTemplate makes the migrated database that those of the tests are copies of.
func (s *Server) makeTemplate() error {
	if err := s.exec("CREATE DATABASE " + template); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := sqldb.Open(ctx, sqldb.Options{URL: s.server.URL(template)})
	if err != nil {
		return err
	}
	return db.Close()
}
