package leaks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/pgserver"
)

const rootKey = "bGVha3MgdGVzdHMgbmVlZCBhIHJvb3Qga2V5ICEhISE="

// site is a server, what was told to it, and what it said.
type site struct {
	*cluster.Cluster
	*cluster.Replica
	t       *testing.T
	secrets vault
	refused bytes.Buffer // every answer that is an error
	quiet   bool         // but for the next ones
	project string
	cookie  string
}

type object = map[string]any

// start starts a server that logs all that it can.
func start(t *testing.T, binary string, postgres *pgserver.Server) *site {
	t.Helper()
	c, err := cluster.Start(t.Context(), cluster.Options{Binary: binary, Postgres: postgres, Replicas: 1, Lease: time.Second,
		Env: []string{"SALLYPORT_ROOT_KEY=" + rootKey, "SALLYPORT_LOG_LEVEL=debug", "GOTRACEBACK=all",
			"SALLYPORT_ALLOW_PRIVATE_NETWORKS=127.0.0.0/8", "SALLYPORT_PLANTED_BUG=panic-with-secret"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &site{Cluster: c, Replica: c.Replicas[0], t: t, secrets: vault{}}
	s.secrets.keep("the root key", rootKey)
	s.secrets.keep("the bootstrap token", c.Admin)
	s.secrets.keep("the bootstrap password", "correct horse")
	return s
}

// send makes a request and keeps the answer if it is an error. header are names and values.
func (s *site) send(method, path, body string, header ...string) *cluster.Answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.Addr+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if response.StatusCode >= 400 && !s.quiet {
		_ = response.Header.Write(&s.refused) // a buffer takes everything
		s.refused.Write(text)
	}
	return &cluster.Answer{Status: response.StatusCode, Header: response.Header, Body: text}
}

// must sends JSON as the administrator, or as who holds the token that follows, and wants a 200.
func (s *site) must(method, path string, body any, token ...string) *cluster.Answer {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	header := []string{"Content-Type", "application/json", "Authorization", "Bearer " + append(token, s.Admin)[0]}
	a := s.send(method, path, string(text), header...)
	if a.Status != http.StatusOK {
		s.t.Fatalf("%s %s answered %d %s", method, path, a.Status, a.Body)
	}
	return a
}

// identity makes one.
func (s *site) identity() string {
	s.t.Helper()
	return s.must("POST", "/api/v1/identities", object{"name": "leaks", "organizationId": s.OrgID, "role": "admin"}).Text("identity.id")
}

// run runs a command on the database of the server.
func (s *site) run(args ...string) []byte {
	s.t.Helper()
	cmd := exec.Command(s.Options.Binary, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SALLYPORT_DATA_DIR=" + s.Data, "SALLYPORT_ROOT_KEY=" + rootKey, "SALLYPORT_TOKEN=" + s.Admin,
		"SALLYPORT_DOMAIN=http://" + s.Addr}
	if s.Postgres != nil {
		cmd.Env = append(cmd.Env, "SALLYPORT_DATABASE_URL=postgres:///"+s.Database+"?"+url.Values{"host": {s.Postgres.Dir}, "user": {"postgres"}}.Encode())
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("sallyport %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return out
}

// crash has the server end with a print of all its goroutines, and returns when it has. Its memory stays nowhere.
func (s *site) crash() {
	s.t.Helper()
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", s.PID()))
	if err != nil || !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
		s.t.Errorf("the server would leave a core file: %v\n%s", err, limits)
	}
	if err := syscall.Kill(s.PID(), syscall.SIGQUIT); err != nil {
		s.t.Fatal(err)
	}
	poll, deadline := time.NewTicker(5*time.Millisecond), time.After(20*time.Second)
	defer poll.Stop()
	for s.Running() {
		select {
		case <-poll.C:
		case <-deadline:
			s.t.Fatal("the server did not end")
		}
	}
}

// files adds every file below a folder to places. There may be no folder: with PostgreSQL a server needs none.
func files(t *testing.T, dir string, places map[string][]byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) && path == dir {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		places[filepath.Base(path)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// dump returns every row of every table of the PostgreSQL database as text.
func (s *site) dump() []byte {
	s.t.Helper()
	ctx := context.WithoutCancel(s.t.Context())
	conn, err := s.Postgres.Connect(ctx, s.Database)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var all bytes.Buffer
	var tables []string
	err = conn.QueryRow(ctx, `SELECT array_agg(tablename::text) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables)
	for _, table := range tables {
		if err != nil {
			break
		}
		var rows *string
		if err = conn.QueryRow(ctx, fmt.Sprintf(`SELECT string_agg(t::text, chr(10)) FROM %q AS t`, table)).Scan(&rows); err == nil && rows != nil {
			fmt.Fprintf(&all, "%s\n%s\n", table, *rows)
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return all.Bytes()
}
