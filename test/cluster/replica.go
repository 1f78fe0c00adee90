package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Replica is one server process, and the link that it reaches PostgreSQL by. It keeps its address when it comes back.
type Replica struct {
	Name string
	Addr string
	Link *Link  // nil on SQLite
	Data string // its data folder
	Log  string // the file that it logs to

	program string
	env     []string
	cmd     *exec.Cmd
	ended   chan struct{}
}

func newReplica(c *Cluster, name string) (*Replica, error) {
	r := &Replica{Name: name, program: c.Binary, Data: filepath.Join(c.dir, name), Log: filepath.Join(c.dir, name+".log")}
	if err := os.MkdirAll(r.Data, 0o700); err != nil { // with PostgreSQL the server makes none, and tests put files there
		return nil, err
	}
	var err error
	if r.Addr, err = freePort(); err != nil {
		return nil, err
	}
	if c.Postgres != nil {
		if r.Link, err = NewLink(c.Postgres.Dial); err != nil {
			return nil, err
		}
	}
	r.env = c.environment(clusterKey, r)
	return r, nil
}

var clusterKey = rootKey()

// SetEnv adds a setting, NAME=value, that holds from the next start.
func (r *Replica) SetEnv(setting string) { r.env = append(r.env, setting) }

// SetProgram has another server run from the next start on; see Build.
func (r *Replica) SetProgram(path string) { r.program = path }

// Env returns the settings that the process runs with, for commands.
func (r *Replica) Env() []string { return slices.Clone(r.env) }

// Start starts the process and returns when it answers.
func (r *Replica) Start() error {
	if err := r.Launch(); err != nil {
		return err
	}
	return r.Await()
}

// Launch starts the process and returns at once. It dies with ours.
func (r *Replica) Launch() error {
	log, err := os.OpenFile(r.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	r.cmd = exec.Command(r.program, "serve")
	r.cmd.Env, r.cmd.Stdout, r.cmd.Stderr = r.env, log, log
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		return err
	}
	cmd, ended := r.cmd, make(chan struct{})
	r.ended = ended
	go func() {
		defer close(ended)
		_ = cmd.Wait() // most of them are killed
	}()
	return nil
}

// startWithin is how long a process may take to answer, on a machine that is busy.
const startWithin = time.Minute

// Await returns when the process answers, or says why it does not. Without its database it cannot work, and answers all the same.
func (r *Replica) Await() error {
	if err := await(r.Addr, "/healthz", r.ended, startWithin); err != nil {
		return fmt.Errorf("replica %s: %w\n%s", r.Name, err, r.Tail(30))
	}
	return nil
}

// AwaitEnd returns nil when the process has ended by itself, or why not.
func (r *Replica) AwaitEnd(within time.Duration) error {
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	select {
	case <-r.ended:
		return nil
	case <-deadline.C:
		return fmt.Errorf("replica %s is still running after %s\n%s", r.Name, within, r.Tail(30))
	}
}

// Running reports whether the process is there, frozen or not.
func (r *Replica) Running() bool {
	if r.ended == nil {
		return false
	}
	select {
	case <-r.ended:
		return false
	default:
		return true
	}
}

// Kill ends the process at once, and returns when it is gone. A process that is gone already stays so.
func (r *Replica) Kill() { r.end(syscall.SIGKILL) }

// Stop asks the process to end, and returns when it has.
func (r *Replica) Stop() { r.end(syscall.SIGTERM) }

func (r *Replica) end(signal syscall.Signal) {
	if r.Running() {
		_ = r.cmd.Process.Signal(signal)
		<-r.ended
	}
}

// Freeze stops the process where it stands.
func (r *Replica) Freeze() error { return r.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (r *Replica) Thaw() error { return r.cmd.Process.Signal(syscall.SIGCONT) }

// PID returns the id of the process.
func (r *Replica) PID() int { return r.cmd.Process.Pid }

// Tail returns the last lines of the process's log.
func (r *Replica) Tail(lines int) string { return tail(r.Log, lines) }

// tail returns the last lines of a log file.
func tail(path string, lines int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
