package crashpoints

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/ledger"
)

// life is one run of the server.
type life struct {
	host  *host
	cmd   *exec.Cmd
	ended chan struct{}
	err   error       // how it ended
	told  atomic.Bool // it was told to
}

// The longest that things may take, on a machine that is busy.
const (
	startWithin = 30 * time.Second
	dieWithin   = time.Minute // under load, once the server answers
)

// start starts the server, to die at a point unless that is "".
func (h *host) start(at string) (*life, error) {
	log, err := os.OpenFile(h.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s := &life{host: h, cmd: h.command(at, "serve", "--listen", h.address, "--log-level", "warn"), ended: make(chan struct{})}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	return s, nil
}

func (h *host) log() string { return filepath.Join(h.dir, "log") }

// ready waits until the server can work, and reports whether it does: else it has died at its point.
func (s *life) ready() (bool, error) {
	err := cluster.AwaitReady(s.host.address, s.ended, startWithin)
	switch {
	case err == nil:
		return true, nil
	case !errors.Is(err, cluster.ErrEnded):
		return false, errors.Join(fmt.Errorf("%w:\n%s", err, s.host.logTail()), s.kill())
	case killed(s.err):
		return false, nil
	}
	return false, fmt.Errorf("%w: %w:\n%s", err, s.err, s.host.logTail())
}

func (h *host) logTail() string {
	text, err := os.ReadFile(h.log())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2048):])
}

// known is the server as the ledger knows it.
func (s *life) known() *ledger.Server {
	return &ledger.Server{Address: s.host.address, MayRefuse: s.host.engine == Postgres, Gone: func() bool {
		if s.told.Load() {
			return true
		}
		wait := time.NewTimer(dieWithin) // the connection is gone a little before the process
		defer wait.Stop()
		select {
		case <-s.ended:
			return true
		case <-wait.C:
			return false
		}
	}}
}

func (s *life) kill() error {
	_ = s.cmd.Process.Kill() // it may be dead
	<-s.ended
	return nil
}

// stop ends the server in order, and returns how it ended.
func (s *life) stop() error {
	s.told.Store(true)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-s.ended
	return s.err
}

// errNotReached is not yet a finding: chance decides what the load does, and the machine may be busy.
var errNotReached = errors.New("the load did not bring the server to the point")

// die waits until the server has died at its point. work goes on meanwhile, until the server is gone.
func (s *life) die(work func()) error {
	over := time.AfterFunc(dieWithin, func() { _ = s.cmd.Process.Signal(syscall.SIGQUIT) })
	work()
	<-s.ended
	if over.Stop(); killed(s.err) {
		return nil
	}
	return fmt.Errorf("%w within %s: %w", errNotReached, dieWithin, s.err)
}
