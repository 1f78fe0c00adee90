package crash

import (
	"bytes"
	"database/sql"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/ledger"
)

// host is where the server runs, again and again: its program, its data and its address.
type host struct {
	program, data, log, address string

	opened sync.Once
	db     *sql.DB
}

func newHost(t *testing.T) *host {
	t.Helper()
	program, err := cluster.Build(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	h := &host{program: program, data: filepath.Join(t.TempDir(), "data"), log: filepath.Join(t.TempDir(), "log")}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.address = listener.Addr().String() // free now, and most likely for the next minute
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the server's log:\n%s", h.logTail())
		}
	})
	return h
}

func (h *host) logTail() []byte {
	text, err := os.ReadFile(h.log)
	if err != nil {
		return []byte(err.Error())
	}
	return text[max(0, len(text)-4096):]
}

// server is one life of the program.
type server struct {
	host   *host
	cmd    *exec.Cmd
	ended  chan struct{}
	dying  atomic.Bool // it was told to end: from here on requests may fail
	status error       // how it ended
}

// life is the server as the ledger knows it.
func (s *server) life() *ledger.Server {
	return &ledger.Server{Address: s.host.address, Gone: s.dying.Load}
}

// open opens the database to be read beside the server.
func (h *host) open(t *testing.T) *sql.DB {
	t.Helper()
	h.opened.Do(func() {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(h.data, "sallyport.db")+"?mode=ro&_pragma=busy_timeout(5000)")
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxIdleConns(0) // nothing stays open that keeps the server from folding up its log when it ends
		h.db = db
		t.Cleanup(func() { _ = db.Close() })
	})
	return h.db
}

// start starts the program on the host's data. It does not wait until it answers.
func (h *host) start(t *testing.T) *server {
	t.Helper()
	log, err := os.OpenFile(h.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	s := &server{host: h, ended: make(chan struct{})}
	s.cmd = exec.Command(h.program, "serve", "--listen", h.address, "--data-dir", h.data, "--log-level", "warn")
	s.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.data, "SALLYPORT_DRAIN=0s"}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.status = s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(s.kill)
	return s
}

// kill ends the program as a power cut would, at once.
func (s *server) kill() {
	s.dying.Store(true)
	_ = s.cmd.Process.Kill() // it may have ended by itself, which whoever waits for it notices
	<-s.ended
}

// stop asks the program to end, and returns how it did.
func (s *server) stop() error {
	s.dying.Store(true)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-s.ended
	return s.status
}

// startWithin is how long a start may take, on a machine that is busy with other tests.
const startWithin = 30 * time.Second

// ready waits until the server answers that it can work.
func (s *server) ready() error {
	err := cluster.AwaitReady(s.host.address, s.ended, startWithin)
	if errors.Is(err, cluster.ErrEnded) {
		err = errors.Join(err, s.status)
	}
	return err
}

// sane reports the first line of the server's log that tells of a bug, or "".
func (h *host) sane() string {
	text, err := os.ReadFile(h.log)
	if err != nil {
		return err.Error()
	}
	for _, mark := range []string{"panic", "level=ERROR", "fatal error", "DATA RACE"} {
		if at := bytes.Index(text, []byte(mark)); at >= 0 {
			line := text[bytes.LastIndexByte(text[:at], '\n')+1:]
			end := bytes.IndexByte(line, '\n')
			if end < 0 {
				end = len(line)
			}
			return string(line[:end])
		}
	}
	return ""
}
