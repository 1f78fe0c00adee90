// Package storage tests what happens when storage fails or is lost, with real server processes, real commands and real
// files: backup, restore, and every kind of damage that docs/reliability.md lists. It asks for one thing above all: a token
// that was taken back is never accepted.
package storage

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/pgserver"
)

const lease = 500 * time.Millisecond

var binary string // the server

func TestMain(m *testing.M) {
	cluster.Main(m, func(dir string) (tearDown func() error, err error) {
		binary, err = cluster.Build(dir, "")
		return nil, err
	})
}

const rootKey = "c3RvcmFnZSB0ZXN0cyBuZWVkIGEgcm9vdCBrZXkgISE="

// site is one server on one data folder.
type site struct {
	*cluster.Cluster
	*cluster.Replica
	t   *testing.T
	dir string // for files of the test
}

// start starts a server on a new data folder, or on a new database of a PostgreSQL.
func start(t *testing.T, postgres *pgserver.Server) *site {
	t.Helper()
	c, err := cluster.Start(t.Context(), cluster.Options{Binary: binary, Postgres: postgres, Replicas: 1, Lease: lease,
		Env: []string{"SALLYPORT_ROOT_KEY=" + rootKey}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the server's log:\n%s", c.Replicas[0].Tail(15))
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return &site{c, c.Replicas[0], t, t.TempDir()}
}

// file is where the database is.
func (s *site) file() string { return filepath.Join(s.Data, "sallyport.db") }

// path is a file of the test.
func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

// command returns a command on a data folder, with the root key.
func command(data string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SALLYPORT_DATA_DIR=" + data, "SALLYPORT_ROOT_KEY=" + rootKey}
	return cmd
}

// does runs a command that must succeed, and returns what it says.
func (s *site) does(data string, args ...string) string {
	s.t.Helper()
	out, err := command(data, args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("sallyport %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// refuses runs a command that must fail with status 1 and these words.
func (s *site) refuses(words, data string, args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	cmd := command(data, args...)
	bound := exec.CommandContext(ctx, cmd.Path, cmd.Args[1:]...)
	bound.Env = cmd.Env
	out, err := bound.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), words) {
		s.t.Errorf("sallyport %s: %v, %q; want status 1 and %q", strings.Join(args, " "), err, out, words)
	}
}

// refusesToServe starts a server that must end by itself with these words.
func (s *site) refusesToServe(words string) {
	s.t.Helper()
	s.refuses(words, s.Data, "serve", "--listen", "127.0.0.1:0")
}

// on returns the site with another data folder, its server not started.
func (s *site) on(data string) *site {
	other := *s.Replica
	other.Data = data
	other.SetEnv("SALLYPORT_DATA_DIR=" + data)
	return &site{s.Cluster, &other, s.t, s.dir}
}

// serve starts the server until the test ends.
func (s *site) serve() {
	s.t.Helper()
	if err := s.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.Kill)
}

// ask sends a request with the administrator's token, and returns the answer whatever it is.
func (s *site) ask(method, path string, body any) *cluster.Answer {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	answer, err := s.Call(ctx, method, path, s.Admin, body)
	if err != nil {
		return &cluster.Answer{Header: http.Header{}, Body: []byte(err.Error())}
	}
	return answer
}

// must sends a request that must be answered with 200.
func (s *site) must(method, path string, body any) *cluster.Answer {
	s.t.Helper()
	a := s.ask(method, path, body)
	if a.Status != http.StatusOK {
		s.t.Fatalf("%s %s was answered with %d %s", method, path, a.Status, a.Body)
	}
	return a
}

const methodPath = "/api/v1/auth/token-auth/"

// token is one of the administrator's tokens.
type token struct{ id, jwt string }

func (s *site) mint() token {
	s.t.Helper()
	a := s.must("POST", methodPath+"identities/"+s.AdminID+"/tokens", map[string]any{"name": "storage"})
	return token{a.Text("tokenData.id"), a.Text("accessToken")}
}

func (s *site) revoke(k token) {
	s.t.Helper()
	s.must("POST", methodPath+"tokens/"+k.id+"/revoke", nil)
}

// wants checks what the server answers to a token.
func (s *site) wants(status int, name, jwt string) {
	s.t.Helper()
	a, err := s.Call(s.t.Context(), "GET", "/api/v1/identities/details", jwt, nil)
	if err != nil || a.Status != status {
		s.t.Errorf("the token %s was answered with %+v, %v; want %d", name, a, err, status)
	}
}
