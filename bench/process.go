package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program of ours that serves HTTP.
type process struct {
	cmd   *exec.Cmd
	addr  string
	took  time.Duration // from its start to its first answer
	said  *bytes.Buffer
	ended chan error
}

// startWithin is how long a program may take to its first answer before the run gives up.
const startWithin = 30 * time.Second

// serve starts the server on a database folder and waits for its first answer.
func (b *bench) serve(dataDir string) (*process, error) { return b.serveOn(dataDir, "") }

// serveOn is serve with the database at a URL, empty for SQLite, and with more flags.
func (b *bench) serveOn(dataDir, url string, flags ...string) (*process, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(b.ctx, b.program, "serve", "--listen", addr, "--data-dir", dataDir, "--log-level", "warn", "--drain", "0s",
		"--quota-tokens", "1000000000", "--quota-identities", "1000000000", "--quota-member-identities", "1000000000") // far more than anyone has are measured
	if url != "" {
		cmd.Args = append(cmd.Args, "--database-url", url)
	}
	cmd.Args = append(cmd.Args, flags...)
	return b.launch(cmd, addr)
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// launch starts a program and waits until it answers GET /healthz with 200.
func (b *bench) launch(cmd *exec.Cmd, addr string) (*process, error) {
	p := &process{cmd: cmd, addr: addr, said: &bytes.Buffer{}, ended: make(chan error, 1)}
	cmd.Stdout, cmd.Stderr = p.said, p.said
	cmd.Env = append(os.Environ(), "SALLYPORT_ROOT_KEY=", "SALLYPORT_PROFILE="+b.profile)
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b.running = append(b.running, p)
	go func() { p.ended <- cmd.Wait(); close(p.ended) }()
	for time.Since(begin) < startWithin {
		if p.healthy() {
			p.took = time.Since(begin)
			return p, nil
		}
		select {
		case err := <-p.ended:
			return nil, fmt.Errorf("the server ended: %w: %s", err, p.said)
		case <-time.After(time.Millisecond):
		}
	}
	p.kill()
	return nil, fmt.Errorf("the server gave no answer within %v: %s", startWithin, p.said)
}

func (p *process) healthy() bool {
	c, err := dial(p.addr)
	if err != nil {
		return false
	}
	defer c.conn.Close()
	_, err = c.do(request("GET", "/healthz", "", ""))
	return err == nil
}

// kill ends the program if it still runs.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // an error means that it has ended
	<-p.ended                //nolint:errcheck // it was killed
}

// stop asks the program to end, and waits until it has.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := <-p.ended
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && !exit.Exited() {
		return nil // the floor does not catch the signal
	}
	return err
}

// memory returns the resident memory of the program in MB (10^6 bytes).
func (p *process) memory() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("resident memory is read from /proc, so this part needs Linux: %w", err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	kib, _, _ := strings.Cut(strings.TrimSpace(after), " ")
	n, err := strconv.ParseFloat(kib, 64)
	return n * 1024 / 1e6, err
}

// ticks is how many times a second Linux counts what a program does (USER_HZ, the same on all common machines).
const ticks = 100

// cpu returns the processor time that the program has used so far.
func (p *process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name in parentheses may hold spaces
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0, fmt.Errorf("cannot read /proc/%d/stat", p.cmd.Process.Pid)
	}
	user, errUser := strconv.Atoi(fields[11]) // utime and stime, fields 14 and 15 of proc_pid_stat(5)
	system, errSystem := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticks, errors.Join(errUser, errSystem)
}
