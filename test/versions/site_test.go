// Package versions tests two versions side by side: real server processes of this version, of the one before its newest step of the
// schema, and of later ones that do not exist, on real databases, going up and down, under load. It asks for one thing above all: no
// answer is wrong, whoever gives it.
package versions

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/pgserver"
)

// lease is short, so that whatever waits for its end is soon done.
const lease = 500 * time.Millisecond

// within bounds whatever has to happen by itself. It is long, since other tests may keep the machine busy.
const within = 30 * time.Second

// guard is the step that brought the version guard. Programs from before it cannot be told to end.
const guard = steps + "/0019_guard.sql"

// The programs, and what all tests on PostgreSQL share.
var (
	settable  string // this version, or with SALLYPORT_NEXT_SCHEMA up to three steps of the schema later
	previous  string // the version before the newest step of the schema
	guardless string // the last version without the version guard
	noHistory error  // why there is neither
	postgres  *pgserver.Server
)

// The settings that make settable a later version.
const (
	today = "SALLYPORT_NEXT_SCHEMA=0"
	next  = "SALLYPORT_NEXT_SCHEMA=1" // its step states that today's version may run next to it,
	after = "SALLYPORT_NEXT_SCHEMA=2" // the next one may, and today's may not,
	later = "SALLYPORT_NEXT_SCHEMA=3" // none may
)

func TestMain(m *testing.M) {
	cluster.Main(m, func(dir string) (tearDown func() error, err error) {
		err = buildHistory(dir)
		if errors.Is(err, errNoHistory) {
			noHistory, err = err, nil
		}
		if err == nil {
			settable, err = cluster.Build(dir, cluster.Obedient)
		}
		if err == nil {
			postgres, err = pgserver.Start(pgserver.Options{})
		}
		if err != nil {
			return nil, err
		}
		return postgres.Close, nil
	})
}

// buildHistory builds what was before: the version before the newest step of the schema, and the last one without the guard.
func buildHistory(dir string) error {
	newest, err := newestStep()
	if err != nil {
		return err
	}
	if previous, err = buildBefore(dir, newest); err != nil {
		return err
	}
	guardless, err = buildBefore(dir, guard)
	return err
}

// site is a cluster with a project and tokens.
type site struct {
	*cluster.Cluster
	t       *testing.T
	project string
	loads   int // that were run
}

// start starts replicas of a program on a new database: on PostgreSQL, or if it is one alone on SQLite.
func start(t *testing.T, program string, replicas int) *site {
	t.Helper()
	if program == "" {
		t.Skipf("The server cannot be built as it was before: %v", noHistory) //nolint:forbidigo // a copy without history has nothing to build
	}
	o := cluster.Options{Binary: program, Replicas: replicas, Lease: lease, Env: []string{"SALLYPORT_RATE_LIMITS=false"}}
	if replicas > 1 {
		o.Postgres = postgres
	}
	c, err := cluster.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{Cluster: c, t: t}
	t.Cleanup(func() {
		for _, r := range c.Replicas {
			if t.Failed() {
				t.Logf("the end of the log of %s:\n%s", r.Name, r.Tail(12))
			}
			_ = r.Thaw() // most are gone, or not frozen
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	s.project = s.wants(0, 200, "POST", "/api/v1/projects", s.Admin, map[string]any{"projectName": "P"}).Text("project.id")
	return s
}

// call asks a replica. The answer has status 0 if none came.
func (s *site) call(replica int, method, path, token string, body any) *cluster.Answer {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	answer, err := s.Replicas[replica].Call(ctx, method, path, token, body)
	if err != nil {
		return &cluster.Answer{Header: http.Header{}, Body: []byte(err.Error())}
	}
	return answer
}

// wants asks a replica for an answer with this status.
func (s *site) wants(replica, status int, method, path, token string, body any) *cluster.Answer {
	s.t.Helper()
	answer := s.call(replica, method, path, token, body)
	if answer.Status != status {
		s.t.Fatalf("%s answered %s %s with %d %s; want %d", s.Replicas[replica].Name, method, path, answer.Status, answer.Body, status)
	}
	return answer
}

const (
	details = "/api/v1/identities/details"
	revoke  = "/api/v1/auth/token/revoke"
)

// token makes a token of the administrator.
func (s *site) token(replica int) string {
	s.t.Helper()
	return s.wants(replica, 200, "POST", "/api/v1/auth/token-auth/identities/"+s.AdminID+"/tokens", s.Admin, map[string]any{}).Text("accessToken")
}

// secret is the path of a secret, for reading and, without the query, for writing.
func (s *site) secret(name string) string {
	return "/api/v3/secrets/raw/" + name + "?environment=dev&secretPath=/&workspaceId=" + s.project
}

func (s *site) written(value string) map[string]any {
	return map[string]any{"workspaceId": s.project, "environment": "dev", "secretPath": "/", "secretValue": value}
}

// write makes a secret whose value is its name.
func (s *site) write(replica int, name string) {
	s.t.Helper()
	s.wants(replica, 200, "POST", strings.Split(s.secret(name), "?")[0], s.Admin, s.written(name))
}

// reads checks that a replica knows secrets, each by its name and all in a list.
func (s *site) reads(replica int, names ...string) {
	s.t.Helper()
	for _, name := range names {
		if got := s.wants(replica, 200, "GET", s.secret(name), s.Admin, nil).Text("secret.secretValue"); got != name {
			s.t.Errorf("the secret %s is %q on %s", name, got, s.Replicas[replica].Name)
		}
	}
	list := string(s.wants(replica, 200, "GET", strings.Replace(s.secret(""), "raw/", "raw", 1), s.Admin, nil).Body)
	for _, name := range names {
		if !strings.Contains(list, `"secretValue":"`+name+`"`) {
			s.t.Errorf("the list of %s lacks the secret %s", s.Replicas[replica].Name, name)
		}
	}
}
