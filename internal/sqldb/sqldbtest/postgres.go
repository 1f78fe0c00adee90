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

// The one server of a test binary, started when it is first needed. It ends with the binary, however that ends.
var (
	server    = sync.OnceValues(startServer)
	databases atomic.Int64
)

// postgresURL makes a database from the migrated template and returns its URL.
func postgresURL(t testing.TB) string {
	t.Helper()
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("test_%d", databases.Add(1))
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

// template is the database that all others are copies of.
const template = "sallyport"

// postgres is a running server.
type postgres struct {
	dir   string // its data, its socket and its log
	admin *sql.DB
	input io.Closer // of the supervisor; held so that it is not closed as garbage
}

// url returns the URL of a database of the server. There is no network: the server listens on a socket in its folder.
func (s *postgres) url(name string) string {
	return "postgres:///" + name + "?" + url.Values{"host": {s.dir}, "user": {"postgres"}}.Encode()
}

func (s *postgres) exec(text string) error {
	_, err := s.admin.Exec(text)
	return err
}

// supervise makes a server, says so on its output, and takes it away again when its input ends: that is when the
// test binary is gone, for whatever reason. Nothing is synced to disk; no test needs to survive a power cut.
const supervise = `
dir=$1 bin=$2
"$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --wal-segsize=1 --no-sync >"$dir/log" 2>&1 &&
"$bin/pg_ctl" start -w -s -D "$dir/data" -l "$dir/log" -o "-k '$dir' -c listen_addresses= -c fsync=off \
	-c full_page_writes=off -c autovacuum=off -c max_connections=400 -c shared_buffers=64MB" >>"$dir/log" 2>&1 &&
echo ready || echo failed
exec >/dev/null
cat >/dev/null
"$bin/pg_ctl" stop -s -m immediate -D "$dir/data" >/dev/null 2>&1
rm -rf "$dir"
`

// startServer starts a server in a temporary folder, as a user other than root, which PostgreSQL insists on.
func startServer() (*postgres, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "sallyport-postgres-")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/bin/sh", "-c", supervise, "supervise", dir, bin)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is for the tests
	if os.Getuid() == 0 {
		if cmd.SysProcAttr.Credential, err = hand(dir); err != nil {
			return nil, err
		}
	}
	s := &postgres{dir: dir}
	if s.input, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := await(cmd, dir); err != nil {
		return nil, err
	}
	if s.admin, err = sql.Open("pgx", s.url("postgres")); err != nil {
		return nil, err
	}
	return s, s.makeTemplate()
}

// await starts the supervisor and returns when the server is ready.
func await(cmd *exec.Cmd, dir string) error {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return fmt.Errorf("PostgreSQL did not start:\n%s", log)
	}
	return nil
}

// makeTemplate makes the migrated database that those of the tests are copies of.
func (s *postgres) makeTemplate() error {
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
