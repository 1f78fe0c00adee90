package transfer_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/ops/transfer"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// filled is what a full installation has, by its meaning.
type filled struct {
	installation
	admin        string // a live token of the administrator
	live         harness.Actor
	dead         []harness.NamedToken
	clientID     string
	clientSecret string
	login        string // a live token of that secret
	lists        map[string][]byte
}

const universal = "/api/v1/auth/universal-auth/"

// fill has the real server make something of every sort, so that every table has rows.
func fill(t testing.TB) *filled {
	t.Helper()
	f := &filled{lists: map[string][]byte{}}
	f.installation = install(t, func(s *harness.Server) {
		f.admin, f.live = s.Admin.Token, s.NewActor(t, "member", nil)
		f.dead = s.DeadTokens(t)
		f.secrets(t, s)
		s.OtherOrg(t)
		s.Admin.Call(t, http.MethodPost, "/api/v1/admin/signing-keys/rotate", nil).Want(200)
		oddRows(t, s)
		s.Restart(t) // what was only counted is written
		for _, path := range f.paths(s.OrgID) {
			f.lists[path] = s.Admin.Call(t, http.MethodGet, path, nil).Want(200).Body
		}
	})
	return f
}

// secrets makes client secrets, one of them revoked after a login with it.
func (f *filled) secrets(t testing.TB, s *harness.Server) {
	at := universal + "identities/" + f.live.ID
	f.clientID = s.Admin.Call(t, http.MethodPost, at, map[string]any{}).Want(200).Text("identityUniversalAuth.clientId")
	secret := func() (plain, id string) {
		made := s.Admin.Call(t, http.MethodPost, at+"/client-secrets", map[string]any{"description": "🔑 'quoted' \"twice\""}).Want(200)
		return made.Text("clientSecret"), made.Text("clientSecretData.id")
	}
	login := func(plain string) string {
		return s.As("").Call(t, http.MethodPost, universal+"login", map[string]any{"clientId": f.clientID, "clientSecret": plain}).Want(200).Text("accessToken")
	}
	f.clientSecret, _ = secret()
	f.login = login(f.clientSecret)
	revoked, id := secret()
	f.dead = append(f.dead, harness.NamedToken{Name: "of a revoked client secret", JWT: login(revoked)})
	s.Admin.Call(t, http.MethodPost, at+"/client-secrets/"+id+"/revoke", nil).Want(200)
	s.As("").Call(t, http.MethodPost, universal+"login", map[string]any{"clientId": f.clientID, "clientSecret": "wrong"}).Want(401)
	s.Admin.Call(t, http.MethodPost, "/api/v1/organization/roles", map[string]any{"slug": "odd", "name": "Ödd",
		"permissions": []any{map[string]any{"subject": "identity", "action": []string{"read"}}}}).Want(200)
	s.Admin.Call(t, http.MethodPost, "/api/v1/projects", map[string]any{"projectName": "Ödd"}).Want(200)
	s.As("").Call(t, http.MethodPost, "/api/v3/auth/login", map[string]any{"email": "admin@example.com", "password": "correct horse"}).Want(200)
}

// paths are what the administrator reads on both sides.
func (f *filled) paths(orgID string) []string {
	return []string{
		"/.well-known/jwks.json",
		"/api/v1/identities?orgId=" + orgID,
		"/api/v1/identities/" + f.live.ID,
		"/api/v1/auth/token-auth/identities/" + f.live.ID + "/tokens",
		universal + "identities/" + f.live.ID + "/client-secrets",
		"/api/v1/projects",
	}
}

// oddRows adds values that are easily lost on the way. Nobody serves them.
func oddRows(t testing.TB, s *harness.Server) {
	const odd = "Ω 🦜 '\"\\ \n\t\r\u2028 %s $1 {null}"
	for i, settings := range [][]byte{{}, {0}, bytes.Repeat([]byte{0, 255, '\'', 0x80}, 256<<10)} {
		s.Exec(t, `INSERT INTO auth_configs (id, identity_id, method, ttl, max_ttl, uses_limit, trusted_ips, settings, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, 0, '[]', ?, 0, 0)`, odd+strings.Repeat("x", i), s.AdminID, odd+strings.Repeat("y", i),
			int64(-1<<63), int64(1<<63-1), settings)
	}
	for i := range 7 {
		s.Exec(t, `INSERT INTO unlisted_revocations (actor_id, total, since) VALUES (?, 3, ?)`, strings.Repeat("é", i), i)
		s.Exec(t, `INSERT INTO lockouts (method, target, caller, failures, last_at, locked_until) VALUES (?, ?, '', ?, -1, 0)`,
			odd, strings.Repeat("é", i), -i)
	}
	s.Exec(t, `INSERT INTO identity_metadata (id, identity_id, key, value) VALUES ('m', ?, '', ?)`, s.AdminID, strings.Repeat("ü🦜", 1<<18))
	s.Exec(t, `INSERT INTO tags (id, project_id, slug, created_by_type, created_at, updated_at) SELECT 't', id, ?, '', 0, 0 FROM projects`, odd)
	s.Exec(t, `INSERT INTO privileges (id, membership_id, slug, permissions, temporary, created_at, updated_at)
		SELECT 'p', id, ?, '[]', FALSE, 0, 0 FROM memberships WHERE scope = 'project'`, odd)
	s.Exec(t, `INSERT INTO secrets (id, folder_id, key, version, value, created_at) SELECT f.id, f.id, ?, 2, ?, 0 FROM folders f`,
		odd, []byte(odd))
	s.Exec(t, `INSERT INTO secret_versions (secret_id, version, value, metadata, tags, skip_multiline, created_at)
		SELECT s.id, 1, ?, '[]', '', FALSE, 0 FROM secrets s`, bytes.Repeat([]byte{0, 255, '\'', 0x80}, 256<<10))
	s.Exec(t, `INSERT INTO secret_imports (id, folder_id, environment_id, path, position, version, created_at, updated_at)
		SELECT f.id, f.id, f.environment_id, ?, 1, 1, 0, 0 FROM folders f`, odd)
	s.Exec(t, `INSERT INTO user_links (hash, user_id, purpose, expires_at, created_at) SELECT id, id, ?, 0, 0 FROM users`, odd)
	s.Exec(t, manyEvents, 2500)
}

func TestMove(t *testing.T) {
	f, to := fill(t), target(t)
	result := f.mustMove(t, to)
	for _, sum := range result.Tables {
		if sum.Rows == 0 && sum.Table != "assertions" { // an identity provider would be needed
			t.Errorf("the test has no rows for %s", sum.Table)
		}
	}
	t.Run("refused/serving the source", func(t *testing.T) {
		mustSay(t, f.servable(t, "", false), "was moved to the target on", "docs/migration.md")
	})
	t.Run("accepted/moving again tells that it is done", func(t *testing.T) {
		again := f.mustMove(t, to)
		if again.Already.IsZero() || again.InUse {
			t.Errorf("again: %+v", again)
		}
		if diff := cmp.Diff(result.Tables, again.Tables); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("accepted/serving the target", func(t *testing.T) { f.check(t, f.serve(t, to)) })
	t.Run("accepted/moving again after use", func(t *testing.T) {
		if again := f.mustMove(t, to); again.Already.IsZero() || !again.InUse {
			t.Errorf("again: %+v", again)
		}
	})
	t.Run("refused/moving to another target", func(t *testing.T) {
		_, err := f.move(t.Context(), t, target(t))
		mustSay(t, err, "was moved to the target on", "not this target")
	})
}

// check asks a server on the target for everything that it must know.
func (f *filled) check(t *testing.T, s *harness.Server) {
	admin := s.As(f.admin)
	for path, want := range f.lists {
		got := admin.Call(t, http.MethodGet, path, nil).Want(200).Body
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s: was (-), is (+):\n%s", path, diff)
		}
	}
	for name, jwt := range map[string]string{"by hand": f.live.Token, "login": f.login} {
		if !s.As(jwt).Works(t) {
			t.Errorf("the live token %q is dead", name)
		}
	}
	for _, token := range f.dead {
		if s.As(token.JWT).Works(t) {
			t.Errorf("the dead token %q works", token.Name)
		}
	}
	s.As("").Call(t, http.MethodPost, universal+"login", map[string]any{"clientId": f.clientID, "clientSecret": f.clientSecret}).Want(200)
	admin.Call(t, http.MethodPost, harness.Tokens+f.live.TokenID+"/revoke", nil).Want(200)
	if s.As(f.live.Token).Works(t) {
		t.Error("a token that was revoked on the target works")
	}
}

// TestGoingBack takes the source into service again, as the documentation says.
func TestGoingBack(t *testing.T) {
	i, to := small(t, 10), target(t)
	i.mustMove(t, to)
	mustSay(t, i.servable(t, to, true), "<nil>")
	o := app.Options{Config: config.Defaults(), Version: "test", Logger: discard, Recovering: true}
	o.Config.DataDir = i.dir
	a, err := app.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	mustSay(t, i.servable(t, "", false), "<nil>")
	if r := i.mustMove(t, target(t)); !r.Already.IsZero() {
		t.Errorf("the second move did nothing: %+v", r)
	}
}

func TestMoveTellsItsProgress(t *testing.T) {
	i := small(t, 3500)
	last, done := map[transfer.Step]transfer.Progress{}, map[transfer.Step]int{}
	r, err := i.move(t.Context(), t, target(t), report(func(p transfer.Progress) {
		if p.All < last[p.Step].All {
			t.Errorf("went back: %+v", p)
		}
		last[p.Step] = p
		if p.Done {
			done[p.Step]++
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	var rows int64
	for _, sum := range r.Tables {
		rows += sum.Rows
	}
	for _, step := range []transfer.Step{transfer.Copying, transfer.Comparing} {
		if p := last[step]; p.All != rows || p.AllOf != rows || done[step] != len(r.Tables) {
			t.Errorf("%s ended with %+v and %d tables; want %d rows, %d tables", step, p, done[step], rows, len(r.Tables))
		}
	}
}
