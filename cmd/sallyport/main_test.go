package main

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sallyport": main})
}

// TestScripts runs what a user could have typed. Beside testscript's own commands there are exits, await, signal, certs, notified,
// halfway and sql, described where they are defined.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("SALLYPORT_DRAIN", "0s") // unless a script is about that
			e.Setenv("XDG_CONFIG_HOME", e.WorkDir+"/settings")
			return nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "await": await, "signal": signalServer, "halfway": halfway, "sql": sqlite,
			"certs": certs, "notified": notified,
		},
	})
}

// exits runs a program and compares its exit status: exits STATUS PROGRAM ARGS...
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, not %d", got, want)
	}
}

// patience bounds how long a script waits for another process.
const patience = 30 * time.Second

// await waits until a file matches, and sets the variables that named groups stand for: await FILE REGEXP
func await(ts *testscript.TestScript, _ bool, args []string) {
	wanted := regexp.MustCompile("(?m)" + args[1])
	look, late := time.NewTicker(5*time.Millisecond), time.After(patience)
	defer look.Stop()
	for {
		text, _ := os.ReadFile(ts.MkAbs(args[0])) // not there yet
		if found := wanted.FindSubmatch(text); found != nil {
			for i, name := range wanted.SubexpNames() {
				ts.Setenv(name, string(found[i]))
			}
			return
		}
		select {
		case <-look.C:
		case <-late:
			ts.Fatalf("%s does not come to match %s:\n%s", args[0], args[1], text)
		}
	}
}

// signalServer sends a signal to the newest program in the background: signal TERM
func signalServer(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]os.Signal{"TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP}
	running := ts.BackgroundCmds()
	ts.Check(running[len(running)-1].Process.Signal(signals[args[0]]))
}

// halfway sends half of a request that makes an identity, stops the server, sends the other half, and wants a 200:
// halfway URL TOKEN ORGANIZATION LOGFILE
func halfway(ts *testscript.TestScript, _ bool, args []string) {
	server, err := url.Parse(args[0])
	ts.Check(err)
	conn, err := net.Dial("tcp", server.Host)
	ts.Check(err)
	defer conn.Close()
	body := fmt.Sprintf(`{"name":"late","organizationId":%q}`, args[2])
	_, err = fmt.Fprintf(conn, "POST /api/v1/identities HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n"+
		"Expect: 100-continue\r\nConnection: close\r\n\r\n", args[1], len(body))
	ts.Check(err)
	hundred := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	_, err = io.ReadFull(conn, hundred) // the server reads the body now: the request is in flight
	ts.Check(err)
	signalServer(ts, false, []string{"TERM"})
	await(ts, false, []string{args[3], "stopping"})
	_, err = io.WriteString(conn, body)
	ts.Check(err)
	answer, err := io.ReadAll(conn)
	ts.Check(err)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 200 ") {
		ts.Fatalf("the request in flight was answered %q", answer)
	}
}

// sqlite runs a statement on a SQLite file that no server has open: sql FILE STATEMENT
func sqlite(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = db.Exec(args[1])
	ts.Check(errors.Join(err, db.Close()))
}
