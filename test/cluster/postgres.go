package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
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

	"github.com/jackc/pgx/v5"
)

// Postgres is a private PostgreSQL server with its usual durability. It listens on a socket in its folder and on no
// network, and it ends with this process, however that ends.
type Postgres struct {
	Dir string // its socket, its log, and its data in "data"

	databases atomic.Int64
	mu        sync.Mutex
	orders    io.WriteCloser // to the supervisor, which ends when it is closed
	words     *bufio.Reader  // from the supervisor
}

// PostgresOptions says how to make a server.
type PostgresOptions struct {
	Dir      string            // where its folder is made; "" means the folder for temporary files
	Settings map[string]string // of postgresql.conf, values quoted as there
	Primary  *Postgres         // makes a streaming standby of this server
	Preload  string            // a library that its programs load first (ld.so(8), LD_PRELOAD); "" for none
}

// NewPostgres makes a server and starts it. Close it after use.
func NewPostgres(o PostgresOptions) (*Postgres, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	p := &Postgres{}
	if p.Dir, err = os.MkdirTemp(o.Dir, "sallyport-postgres-"); err != nil {
		return nil, err
	}
	if err := p.supervise(bin, o.Preload); err != nil {
		return nil, errors.Join(err, os.RemoveAll(p.Dir))
	}
	make := "create"
	if o.Primary != nil {
		make = "copy " + o.Primary.Dir
	}
	err = p.order(make)
	if err == nil {
		err = p.Set(o.Settings)
	}
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Set adds settings to postgresql.conf. They hold from the next start.
func (p *Postgres) Set(settings map[string]string) error {
	f, err := os.OpenFile(filepath.Join(p.Dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for name, value := range settings {
		if _, err := fmt.Fprintf(f, "%s = %s\n", name, value); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}

// Start starts a stopped server and returns when it answers.
func (p *Postgres) Start() error { return p.order("start") }

// Crash ends the server without letting it finish anything; it recovers at its next start.
func (p *Postgres) Crash() error { return p.order("stop immediate") }

// Stop ends the server in order, without waiting for its clients: their transactions are undone.
func (p *Postgres) Stop() error { return p.order("stop fast") }

// Kill ends every process of the server at once, as the loss of its machine would.
func (p *Postgres) Kill() error { return p.order("signal KILL") }

// Promote makes a standby a primary and returns when it is one.
func (p *Postgres) Promote() error { return p.order("promote") }

// Close ends the server and removes its files.
func (p *Postgres) Close() error {
	err := p.orders.Close()
	_, _ = io.Copy(io.Discard, p.words) // until everything is gone
	return err
}

// Freeze stops every process of the server, as a hanging machine would.
func (p *Postgres) Freeze() error { return p.order("signal STOP") }

// Thaw lets a frozen server go on.
func (p *Postgres) Thaw() error { return p.order("signal CONT") }

// Dial connects to the server's socket.
func (p *Postgres) Dial() (net.Conn, error) {
	return net.Dial("unix", filepath.Join(p.Dir, ".s.PGSQL.5432"))
}

// NewDatabase makes an empty database and returns its name.
func (p *Postgres) NewDatabase(ctx context.Context) (name string, err error) {
	name = fmt.Sprintf("run_%d", p.databases.Add(1))
	return name, p.Exec(ctx, "postgres", "CREATE DATABASE "+name)
}

// Connect opens a connection to a database of the server, past every link.
func (p *Postgres) Connect(ctx context.Context, database string) (*pgx.Conn, error) {
	return pgx.Connect(ctx, "postgres:///"+database+"?"+url.Values{"host": {p.Dir}, "user": {"postgres"}}.Encode())
}

// Exec runs one statement in a database.
func (p *Postgres) Exec(ctx context.Context, database, statement string, args ...any) error {
	conn, err := p.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement, args...)
	return err
}

// supervisor follows orders, one a line, and answers each. Its input ends when the process that made it is gone, for
// whatever reason; then it takes the server and all its files away.
const supervisor = `
dir=$1 bin=$2
create() { "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync; }
copy() { "$bin/pg_basebackup" -D "$dir/data" -h "$1" -U postgres -R -c fast --no-sync; }
start() {
	"$bin/pg_ctl" start -w -t 120 -s -D "$dir/data" -l "$dir/log" -o "-k '$dir' -c listen_addresses= -c max_connections=300"
}
stop() { "$bin/pg_ctl" stop -w -t 120 -s -m "$1" -D "$dir/data"; }
promote() { "$bin/pg_ctl" promote -w -t 120 -s -D "$dir/data"; }
signal() {
	master=$(head -n 1 "$dir/data/postmaster.pid")
	kill -"$1" "$master" $(ps -o pid= --ppid "$master")
}
while read -r order argument; do
	if "$order" $argument </dev/null >>"$dir/log" 2>&1; then echo done; else echo failed; fi
done
signal CONT >/dev/null 2>&1
stop immediate >/dev/null 2>&1
cd /
rm -rf "$dir"
`

// supervise starts the supervisor, as a user other than root, which PostgreSQL insists on.
func (p *Postgres) supervise(bin, preload string) (err error) {
	cmd := exec.Command("/bin/sh", "-c", supervisor, "supervisor", p.Dir, bin)
	cmd.Env = append(os.Environ(), "LD_PRELOAD="+preload)
	cmd.Dir = p.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is for the tests
	if os.Getuid() == 0 {
		if cmd.SysProcAttr.Credential, err = giveAway(p.Dir); err != nil {
			return err
		}
	}
	if p.orders, err = cmd.StdinPipe(); err != nil {
		return err
	}
	words, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p.words = bufio.NewReader(words)
	return cmd.Start()
}

// order has the supervisor do something and returns when it is done.
func (p *Postgres) order(line string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := io.WriteString(p.orders, line+"\n"); err != nil {
		return err
	}
	if answer, _ := p.words.ReadString('\n'); answer != "done\n" {
		return fmt.Errorf("PostgreSQL: %s failed:\n%s", line, tail(filepath.Join(p.Dir, "log"), 30))
	}
	return nil
}

// postgresPrograms returns the folder of PostgreSQL's programs: that of initdb on the path, or else Debian's newest.
func postgresPrograms() (string, error) {
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

// giveAway gives a folder to an unprivileged user and returns who that is.
func giveAway(dir string) (*syscall.Credential, error) {
	who, err := user.Lookup("postgres")
	if err != nil {
		if who, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(who.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(who.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, int(uid), int(gid))
}
