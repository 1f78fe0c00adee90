package crashpoints

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/sallyport/sallyport/test/ledger"
)

// host is where a server runs, again and again: its data, its address, and what it has acknowledged.
type host struct {
	*lane
	dir      string
	database string // its name in PostgreSQL
	address  string
	db       *sql.DB
	ledger   *ledger.Ledger // nil until the instance is set up
}

// newHost makes an empty host.
func (l *lane) newHost() (*host, error) {
	h := &host{lane: l}
	var err error
	if h.dir, err = os.MkdirTemp("", "sallyport-crashpoints-"); err != nil {
		return nil, err
	}
	driver, source := "sqlite", "file:"+h.file()+"?mode=ro&_pragma=busy_timeout(5000)"
	if l.engine == Postgres {
		if h.database, err = l.postgres.NewDatabase(context.Background()); err != nil {
			return nil, err
		}
		driver, source = "pgx", h.url()
	}
	if h.db, err = sql.Open(driver, source); err != nil {
		return nil, err
	}
	h.db.SetMaxIdleConns(0) // nothing stays open between two lives
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h.address = listener.Addr().String() // free now, and most likely for the next minute
	return h, listener.Close()
}

// close takes everything away.
func (h *host) close() error {
	err := errors.Join(h.db.Close(), os.RemoveAll(h.dir))
	if h.database != "" {
		err = errors.Join(err, h.postgres.Exec(context.Background(), "postgres", "DROP DATABASE "+h.database+" WITH (FORCE)"))
	}
	return err
}

func (h *host) data() string { return filepath.Join(h.dir, "data") }

func (h *host) file() string { return filepath.Join(h.data(), "sallyport.db") }

func (h *host) url() string {
	return "postgres:///" + h.database + "?" + url.Values{"host": {h.postgres.Dir}, "user": {"postgres"}}.Encode()
}

// command returns a command of the program on the host's data, which dies at a point unless that is "".
func (h *host) command(at string, args ...string) *exec.Cmd {
	cmd := exec.Command(h.program, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SALLYPORT_DATA_DIR=" + h.data(), "SALLYPORT_LEASE=200ms", "SALLYPORT_DRAIN=0s",
		"SALLYPORT_CRASHPOINT=" + at, "SALLYPORT_CRASHPOINT_PACE=40ms", "GOGC=400", "SALLYPORT_PLANTED_BUG=" + h.bug}
	if h.engine == Postgres {
		cmd.Env = append(cmd.Env, "SALLYPORT_DATABASE_URL="+h.url())
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// does runs a command that must succeed.
func (h *host) does(args ...string) error {
	if out, err := h.command("", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("sallyport %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// diesAt runs a command that must be killed by itself at the point.
func (h *host) diesAt(d Death, args ...string) error { return dies(h.command(d.at(), args...)) }

func dies(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if !killed(err) {
		return fmt.Errorf("sallyport %s did not come to the point: %w: %s", strings.Join(cmd.Args[1:], " "), err, out)
	}
	return nil
}

// killed reports whether a process ended by SIGKILL.
func killed(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

func (d Death) at() string { return fmt.Sprintf("%s:%d", d.Plan.Point, d.N) }

// addRootKey puts a new root key before those in the key file, as an operator does who rotates it.
func (h *host) addRootKey() error {
	path := filepath.Join(h.data(), "root.key")
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return os.WriteFile(path, append([]byte(base64.StdEncoding.EncodeToString(key)+"\n"), old...), 0o600)
}
