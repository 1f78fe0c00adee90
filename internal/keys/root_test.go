package keys_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/keys"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// text is a root key as an operator gives it.
func text(fill byte) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, seal.KeySize))
}

// running is a whole server on some database, started with some root keys.
type running struct {
	harness.Client
	stop func()
}

// start starts a whole server; key is what its operator set as the root key, or "".
func start(t testing.TB, url, dir, key string) (*running, error) {
	t.Helper()
	c := config.Defaults()
	c.DataDir, c.DatabaseURL, c.RootKey, c.SetupCode = dir, url, key, "none"
	a, err := app.New(t.Context(), app.Options{Config: c, Version: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return serve(t, a), nil
}

// secretServer is a server that holds one of everything that is sealed.
type secretServer struct {
	*running
	org, project, clientID, clientSecret, token, identity string
}

func fill(t testing.TB, r *running) secretServer {
	t.Helper()
	s := secretServer{running: r}
	setup := r.Call(t, http.MethodPost, "/api/v1/admin/bootstrap", map[string]any{"email": "a@example.com", "password": "correct horse", "organization": "Acme"}).Want(200)
	s.org, s.token = setup.Text("organization.id"), setup.Text("identity.credentials.token")
	r.Token = s.token
	s.identity = r.Call(t, http.MethodPost, harness.Identities, map[string]any{"name": "x", "organizationId": s.org, "role": "member"}).Want(200).Text("identity.id")
	path := "/api/v1/auth/universal-auth/identities/" + s.identity
	s.clientID = r.Call(t, http.MethodPost, path, map[string]any{}).Want(200).Text("identityUniversalAuth.clientId")
	s.clientSecret = r.Call(t, http.MethodPost, path+"/client-secrets", map[string]any{}).Want(200).Text("clientSecret")
	s.project = r.Call(t, http.MethodPost, "/api/v1/projects", map[string]any{"projectName": "Web shop"}).Want(200).Text("project.id")
	r.Call(t, http.MethodPost, "/api/v4/secrets/A", map[string]any{"projectId": s.project, "environment": "dev", "secretValue": "hush"}).Want(200)
	return s
}

// check sees to it that a server reads all that is sealed, and seals more.
func (s *secretServer) check(t testing.TB, on *running) {
	t.Helper()
	on.Token = s.token
	if got := on.Call(t, http.MethodGet, "/api/v4/secrets/A?environment=dev&projectId="+s.project, nil).Want(200).Text("secret.secretValue"); got != "hush" {
		t.Errorf("the secret reads %q", got)
	}
	on.Call(t, http.MethodPost, "/api/v1/auth/universal-auth/login", map[string]any{"clientId": s.clientID, "clientSecret": s.clientSecret}).Want(200)
	on.Call(t, http.MethodPatch, "/api/v1/auth/universal-auth/identities/"+s.identity, map[string]any{"accessTokenTTL": 100}).Want(200)
	on.Call(t, http.MethodPost, "/api/v1/admin/signing-keys/rotate", map[string]any{}).Want(200)
	made := on.Call(t, http.MethodPost, "/api/v1/projects", map[string]any{"projectName": "more"}).Want(200).Text("project.id")
	on.Call(t, http.MethodPost, "/api/v4/secrets/B", map[string]any{"projectId": made, "environment": "dev", "secretValue": "x"}).Want(200)
}

func (r *running) rotate(t testing.TB) {
	t.Helper()
	for resume := false; ; resume = true {
		if r.Call(t, http.MethodPost, "/api/v1/admin/keys/rotate", map[string]any{"resume": resume}).Want(200).Flag("key.done") {
			return
		}
	}
}

// TestOldRootKeyIsNeededNoMore: after a rotation the new key alone opens everything, and the old one nothing.
func TestOldRootKeyIsNeededNoMore(t *testing.T) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			url, dir := sqldbtest.URL(t, engine), t.TempDir()
			first, err := start(t, url, dir, text(1))
			if err != nil {
				t.Fatal(err)
			}
			s := fill(t, first)
			first.Call(t, http.MethodPost, "/api/v1/admin/keys/rotate", map[string]any{}).WantError(400, "BadRequest") // no new key was given
			first.stop()
			both := mustStart(t, url, dir, text(2)+" "+text(1))
			s.check(t, both)
			both.rotate(t)
			s.check(t, both)
			both.stop()
			alone := mustStart(t, url, dir, text(2))
			s.check(t, alone)
			alone.stop()
			mustSay(t, url, dir, text(1), "does not open this database")
			mustSay(t, url, dir, text(3)+"\n"+text(1), "does not open this database")
		})
	}
}

// TestReplicaWithoutTheNewKey: nothing is sealed with a key that someone who serves does not have.
func TestReplicaWithoutTheNewKey(t *testing.T) {
	url := sqldbtest.URL(t, sqldb.Postgres)
	old := mustStart(t, url, t.TempDir(), text(1))
	s := fill(t, old)
	both := mustStart(t, url, t.TempDir(), text(2)+" "+text(1))
	both.Token = s.token
	refused := both.Call(t, http.MethodPost, "/api/v1/admin/keys/rotate", map[string]any{}).WantError(400, "BadRequest")
	if !strings.Contains(string(refused.Body), "not given the new root key") {
		t.Errorf("%s", refused.Body)
	}
	s.check(t, old)
	mustStart(t, url, t.TempDir(), text(1)).stop() // it may start again, too
	old.stop()
	both.rotate(t)
	s.check(t, both)
	mustSay(t, url, t.TempDir(), text(1), "does not open this database")
}

// TestServerThatMadeItsKeyMakesTheNextOne: one call, and the key file holds the new key alone.
func TestServerThatMadeItsKeyMakesTheNextOne(t *testing.T) {
	dir := t.TempDir()
	first := mustStart(t, "", dir, "")
	s := fill(t, first)
	file := filepath.Join(dir, seal.RootFile)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text(9)), 0o600); err != nil { // someone meddled with it
		t.Fatal(err)
	}
	first.Call(t, http.MethodPost, "/api/v1/admin/keys/rotate", map[string]any{}).WantError(400, "BadRequest")
	if err := os.WriteFile(file, before, 0o600); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if _, err := first.Do(http.MethodPost, "/api/v1/admin/keys/rotate", map[string]any{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	first.rotate(t)
	s.check(t, first)
	after, err := os.ReadFile(file)
	if err != nil || string(after) == string(before) || len(strings.Fields(string(after))) != 1 {
		t.Fatalf("the key file holds %d keys, %v; want the new one", len(strings.Fields(string(after))), err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	first.stop()
	second := mustStart(t, "", dir, "")
	s.check(t, second)
	second.stop()
	mustSay(t, "", dir, string(before), "does not open this database")
}

// TestRootRotationIsTakenUp: each step by a server that has just come up, while organizations' keys are made.
func TestRootRotationIsTakenUp(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		s := newSite(t, db, 1)
		if err := s.write(s.replica, true, "A", "one"); err != nil {
			t.Fatal(err)
		}
		s.root.Become(rootKeys(t, 2, 1)) // as if it had been started with both
		sqldbtest.Exec(t, db, `UPDATE replicas SET root_keys = $1`, strings.Join(s.root.IDs(), " "))
		state, err := s.RotateRoot(t.Context(), s.admin, false)
		if err != nil || state.Done() || state.Active != s.root.IDs()[0] {
			t.Fatalf("%+v, %v; want one step", state, err)
		}
		half := newReplicaError(t, db, 2)
		if half == nil || !strings.Contains(half.Error(), "being rotated") {
			t.Errorf("a server with the new key alone started in the middle: %v", half)
		}
		if err := s.read(s.replica, "A", 0, "one"); err != nil {
			t.Error(err)
		}
		s.finish(func(on *keys.Service, _ bool) (keys.State, error) { return s.rotateRoot(on, true) })
		if err := newReplicaError(t, db, 2); err != nil {
			t.Error(err)
		}
		if _, err := s.RotateRoot(t.Context(), s.admin, false); !fault.Is(err, fault.BadRequest) {
			t.Errorf("rotating without another key: %v", err)
		}
	})
}

// newReplicaError is what starting a server with a root key says.
func newReplicaError(t testing.TB, db *sqldb.DB, fill byte) error {
	t.Helper()
	return keys.New(keys.Options{DB: db, Root: rootKeys(t, fill)}).Start(t.Context())
}

// TestKeyFromBeforeKeysHadNames: a database whose rows name no root key gets its name from the key that opens it.
func TestKeyFromBeforeKeysHadNames(t *testing.T) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			url, dir := sqldbtest.URL(t, engine), t.TempDir()
			first := mustStart(t, url, dir, text(1))
			s := fill(t, first)
			first.stop()
			db := sqldbtest.OpenWith(t, engine, sqldb.Options{URL: url})
			for _, table := range []string{"signing_keys", "auth_configs", "organization_keys", "instance"} {
				sqldbtest.Exec(t, db, `UPDATE `+table+` SET root_key_id = NULL`)
			}
			sqldbtest.Exec(t, db, `DELETE FROM root_keys`)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			mustSay(t, url, dir, text(2), "does not open this database")
			both := mustStart(t, url, dir, text(2)+" "+text(1))
			s.check(t, both)
			both.rotate(t)
			both.stop()
			s.check(t, mustStart(t, url, dir, text(2)))
		})
	}
}

func mustStart(t testing.TB, url, dir, key string) *running {
	t.Helper()
	r, err := start(t, url, dir, key)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// mustSay starts a server that must not start, and say why.
func mustSay(t testing.TB, url, dir, key, words string) {
	t.Helper()
	r, err := start(t, url, dir, key)
	if err == nil {
		r.stop()
		err = errors.New("it started")
	}
	if !strings.Contains(err.Error(), words) {
		t.Errorf("started with another root key: %v; want %q", err, words)
	}
}
