package sqldbtest

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/sallyport/sallyport/internal/sqldb"
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

// Server is a PostgreSQL server.
type Server struct {
	dir       string // its data, its socket and its log
	admin     *sql.DB
	databases atomic.Int64

	mu     sync.Mutex
	orders io.WriteCloser // to the supervisor, which ends when it is closed, be it as garbage
	words  *bufio.Reader  // from the supervisor
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
		_ = s.orders.Close()
		_, _ = io.Copy(io.Discard, s.words) // until everything is gone
	})
	return s
}

// URL returns the URL of a new database with the current schema. It is removed when t ends.
func (s *Server) URL(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.databases.Add(1))
	if err := s.exec("CREATE DATABASE " + name + " TEMPLATE " + template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return s.url(name)
}

// Crash ends the server without letting it finish anything, and starts it again, which makes it recover.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	s.mustOrder(t, "crash")
	s.mustOrder(t, "start")
}

// Standby starts the server again as one that only follows another and can only be read.
func (s *Server) Standby(t testing.TB) {
	t.Helper()
	s.mustOrder(t, "crash")
	s.mustOrder(t, "follow")
	s.mustOrder(t, "start")
}

// Promote makes a standby a primary again.
func (s *Server) Promote(t testing.TB) {
	t.Helper()
	s.mustOrder(t, "promote")
}

func (s *Server) mustOrder(t testing.TB, word string) {
	t.Helper()
	if err := s.order(word); err != nil {
		t.Fatal(err)
	}
}

// url returns the URL of a database of the server. There is no network: the server listens on a socket in its folder.
func (s *Server) url(name string) string {
	return "postgres:///" + name + "?" + url.Values{"host": {s.dir}, "user": {"postgres"}}.Encode()
}

// exec runs a statement as the administrator, once more if the server was restarted since the last one.
func (s *Server) exec(text string) error {
	_, err := s.admin.Exec(text)
	if err != nil {
		_, err = s.admin.Exec(text)
	}
	return err
}

// supervise follows orders, one a line, and answers each. When its input ends, that is when the test binary is gone, for
// whatever reason, it takes the server and all its files away. Nothing is synced to disk: no test survives a power cut.
const supervise = `
trap '' PIPE # nobody may be there to hear an answer
dir=$1 bin=$2
create() { "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US --wal-segsize=1 --no-sync; }
start() {
	"$bin/pg_ctl" start -w -s -D "$dir/data" -l "$dir/log" -o "-k '$dir' -c listen_addresses= -c fsync=off \
		-c full_page_writes=off -c autovacuum=off -c max_connections=400 -c shared_buffers=64MB"
}
crash() { "$bin/pg_ctl" stop -s -m immediate -D "$dir/data"; }
follow() { touch "$dir/data/standby.signal"; }
promote() { "$bin/pg_ctl" promote -s -w -D "$dir/data"; }
while read -r order; do
	if "$order" </dev/null >>"$dir/log" 2>&1; then echo done; else echo failed; fi
done
crash >/dev/null 2>&1
rm -rf "$dir"
`

// start starts a server in a temporary folder, as a user other than root, which PostgreSQL insists on.
func start() (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	s := &Server{}
	if s.dir, err = os.MkdirTemp(inMemory(), "sallyport-postgres-"); err != nil {
		return nil, err
	}
	if err := s.supervise(bin); err != nil {
		return nil, err
	}
	for _, word := range []string{"create", "start"} {
		if err := s.order(word); err != nil {
			return nil, err
		}
	}
	if s.admin, err = sql.Open("pgx", s.url("postgres")); err != nil {
		return nil, err
	}
	return s, s.makeTemplate()
}

// inMemory returns a folder of files in memory, if there is one with room for 4 GB, or "". A database is three hundred files, and
// each test has one.
func inMemory() string {
	const folder = "/dev/shm"
	var about syscall.Statfs_t
	if err := syscall.Statfs(folder, &about); err != nil || int64(about.Bavail)*int64(about.Bsize) < 4<<30 {
		return ""
	}
	return folder
}

// supervise starts the supervisor.
func (s *Server) supervise(bin string) (err error) {
	cmd := exec.Command("/bin/sh", "-c", supervise, "supervise", s.dir, bin)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is for the tests
	if os.Getuid() == 0 {
		if cmd.SysProcAttr.Credential, err = hand(s.dir); err != nil {
			return err
		}
	}
	if s.orders, err = cmd.StdinPipe(); err != nil {
		return err
	}
	words, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	s.words = bufio.NewReader(words)
	return cmd.Start()
}

// order has the supervisor do something and returns when it is done.
func (s *Server) order(word string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.orders, word+"\n"); err != nil {
		return err
	}
	if answer, _ := s.words.ReadString('\n'); answer != "done\n" {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Errorf("PostgreSQL: %s failed:\n%s", word, log)
	}
	return nil
}

// makeTemplate makes the migrated database that those of the tests are copies of.
func (s *Server) makeTemplate() error {
	if err := s.exec("CREATE DATABASE " + template); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := sqldb.Open(ctx, sqldb.Options{URL: s.url(template)})
	if err != nil {
		return err
	}
	return db.Close()
}

// binaries returns the folder of PostgreSQL's programs: that of initdb on the path, or else the newest one of Debian's.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	best, newest := "", 0
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	for _, path := range found {
		dir := filepath.Dir(path)
		if version, _ := strconv.Atoi(strings.Split(dir, "/")[4]); version > newest {
			best, newest = dir, version
		}
	}
	if best == "" {
		return "", errors.New("PostgreSQL is not installed, and these tests need it: apt-get install postgresql")
	}
	return best, nil
}

// hand gives a folder to an unprivileged user and returns who that is.
func hand(dir string) (*syscall.Credential, error) {
	who, err := user.Lookup("postgres")
	if err != nil {
		if who, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, _ := strconv.Atoi(who.Uid)
	gid, _ := strconv.Atoi(who.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, uid, gid)
}
