// Package leaks looks for secrets and tokens where none may be: one run uses every sort of them, rightly and wrongly, and
// then everything that the server has written or said is searched. Its program soak looks for leaks of memory, goroutines
// and files.
package leaks

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/auth/assertion/issuertest"
	"github.com/sallyport/sallyport/internal/testhook/bug"
	"github.com/sallyport/sallyport/test/cluster"
	"github.com/sallyport/sallyport/test/pgserver"
)

// TestSecretsStayWhereTheyBelong uses every sort of secret and then searches logs, errors, audit events, metrics, the
// database, a backup, the log of revocations and what a crash prints, in every encoding that a program may use. The server
// has a bug, by which some requests panic and quote what they hold.
func TestSecretsStayWhereTheyBelong(t *testing.T) {
	binary, err := cluster.Build(t.TempDir(), cluster.Obedient)
	if err != nil {
		t.Fatal(err)
	}
	postgres, err := pgserver.Start(pgserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := postgres.Close(); err != nil {
			t.Error(err)
		}
	})
	for name, p := range map[string]*pgserver.Server{"sqlite": nil, "postgres": postgres} {
		t.Run(name, func(t *testing.T) {
			s := start(t, binary, p)
			s.useTokens()
			s.useLogins()
			s.useSecrets()
			s.useSessions()
			s.misuse()
			s.panics()
			canary := s.secrets.make("a name, which is no secret")
			s.must("POST", "/api/v1/identities", object{"name": canary, "organizationId": s.OrgID, "role": "no-access"})
			places := s.places()
			delete(s.secrets, "a name, which is no secret")
			for _, found := range s.secrets.search(places) {
				t.Error(found)
			}
			shown(t, canary, places)
		})
	}
}

// shown wants what is no secret to be found: else the search looks at nothing.
func shown(t *testing.T, canary string, places map[string][]byte) {
	t.Helper()
	found := strings.Join(vault{"the canary": canary}.search(places), "\n")
	for _, place := range []string{"the audit log of the API", "the database"} {
		if !strings.Contains(found, "lies in "+place) {
			t.Errorf("%s should show the name of an identity: %d bytes were searched", place, len(places[place]))
		}
	}
	if panicked := "panic with a value of type string"; !bytes.Contains(places["the log"], []byte(panicked)) {
		t.Errorf("the log holds no %q", panicked)
	}
	for place, want := range map[string]string{"the log": "regexp.MustCompile", "the crash": "goroutine ", "the refusals": "statusCode", "the metrics": "sallyport_"} {
		if !strings.Contains(string(places[place]), want) {
			t.Errorf("%s holds no %q, so it is not what it should be", place, want)
		}
	}
}

// useTokens makes tokens by hand, renews and revokes some, and rotates the keys.
func (s *site) useTokens() {
	s.t.Helper()
	id := s.identity()
	at := "/api/v1/auth/token-auth/identities/" + id
	s.must("POST", at, object{})
	one := s.secrets.keep("a token made by hand", s.must("POST", at+"/tokens", object{"name": "one"}).Text("accessToken"))
	two := s.secrets.keep("a renewed token", s.must("POST", "/api/v1/auth/token/renew", object{"accessToken": one}).Text("accessToken"))
	limited := object{"accessTokenNumUsesLimit": 1}
	s.must("PATCH", at, limited)
	three := s.secrets.keep("a limited token", s.must("POST", at+"/tokens", object{"name": "three"}).Text("accessToken"))
	for _, jwt := range []string{one, two, three, three} {
		s.send("GET", "/api/v1/identities/details", "", "Authorization", "Bearer "+jwt)
	}
	s.send("POST", "/api/v1/oauth/introspect", "token="+url.QueryEscape(two), "Content-Type", "application/x-www-form-urlencoded", "Authorization", "Bearer "+s.Admin)
	s.must("POST", "/api/v1/auth/token/revoke", object{"accessToken": two})
	for _, jwt := range []string{one, two} {
		s.send("GET", "/api/v1/identities/details", "", "Authorization", "Bearer "+jwt)
	}
	s.run("keys", "rotate", "organization")
}

// useLogins logs in with a client secret, and with what other issuers signed.
func (s *site) useLogins() {
	s.t.Helper()
	id := s.identity()
	at := "/api/v1/auth/universal-auth/identities/" + id
	clientID := s.must("POST", at, object{}).Text("identityUniversalAuth.clientId")
	secret := s.secrets.keep("a client secret", s.must("POST", at+"/client-secrets", object{"description": "leaks"}).Text("clientSecret"))
	login := object{"clientId": clientID, "clientSecret": secret}
	s.secrets.keep("a token of a client secret", s.must("POST", "/api/v1/auth/universal-auth/login", login).Text("accessToken"))
	wrong := s.secrets.make("a wrong client secret")
	s.send("POST", "/api/v1/auth/universal-auth/login", fmt.Sprintf(`{"clientId":%q,"clientSecret":%q}`, clientID, wrong), "Content-Type", "application/json")
	s.send("POST", "/api/v1/auth/universal-auth/login", fmt.Sprintf(`{"clientId":%q,"clientSecret":%q}`, secret, clientID), "Content-Type", "application/json")

	issuer := issuertest.Start(s.t)
	for slug, settings := range map[string]object{
		"jwt-auth":  {"configurationType": "static", "publicKeys": []string{issuer.PublicKey(s.t)}, "boundIssuer": issuer.URL, "boundAudiences": "sallyport"},
		"oidc-auth": {"oidcDiscoveryUrl": issuer.URL, "caCert": issuer.CACert, "boundIssuer": issuer.URL, "boundAudiences": "sallyport", "boundSubject": "job"},
		"kubernetes-auth": {"kubernetesHost": issuer.URL, "caCert": issuer.CACert,
			"tokenReviewerJwt": s.secrets.make("the token of a reviewer"), "allowedNamespaces": "prod"},
	} {
		own := s.identity()
		s.must("POST", "/api/v1/auth/"+slug+"/identities/"+own, settings)
		s.must("GET", "/api/v1/auth/"+slug+"/identities/"+own, nil)
		for _, subject := range []string{"job", "somebody else"} {
			jwt := s.secrets.keep("an assertion for "+slug+" of "+subject, issuer.Sign(s.t, claims(issuer.URL, subject)))
			a := s.send("POST", "/api/v1/auth/"+slug+"/login", fmt.Sprintf(`{"identityId":%q,"jwt":%q}`, own, jwt), "Content-Type", "application/json")
			if made := a.Text("accessToken"); made != "" {
				s.secrets.keep("a token of "+slug+" for "+subject, made)
			}
		}
	}
}

// useSecrets writes secrets with all that is sealed in them, reads, changes and deletes them.
func (s *site) useSecrets() {
	s.t.Helper()
	s.project = s.must("POST", "/api/v1/projects", object{"projectName": "Leaks"}).Text("project.id")
	for n := range 3 {
		at := object{"projectId": s.project, "environment": "dev", "secretPath": "/"}
		at["secretValue"] = s.secrets.make(fmt.Sprintf("value %d", n))
		at["secretComment"] = s.secrets.make(fmt.Sprintf("comment %d", n))
		at["secretMetadata"] = []object{{"key": "note", "value": s.secrets.make(fmt.Sprintf("metadata %d", n)), "isEncrypted": true}}
		path := fmt.Sprintf("/api/v4/secrets/NAME_%d", n)
		s.must("POST", path, at)
		at["secretValue"] = s.secrets.make(fmt.Sprintf("new value %d", n))
		s.must("PATCH", path, at)
		s.must("GET", path+"?projectId="+s.project+"&environment=dev&secretPath=/", nil)
		at["projectId"] = "00000000-0000-4000-8000-000000000000"
		s.send("POST", path, fmt.Sprintf(`{"projectId":"x","environment":"dev","secretValue":%q,"secretValue":7}`, at["secretValue"]), "Content-Type", "application/json", "Authorization", "Bearer "+s.Admin)
	}
	s.must("DELETE", "/api/v4/secrets/NAME_0", object{"projectId": s.project, "environment": "dev", "secretPath": "/"})
	s.run("keys", "rotate", "project", s.project)
}

// useSessions logs a user in, refreshes the session and ends it.
func (s *site) useSessions() {
	s.t.Helper()
	a := s.send("POST", "/api/v3/auth/login", `{"email":"admin@example.com","password":"correct horse"}`, "Content-Type", "application/json")
	plain := s.secrets.keep("a token of a login", a.Text("accessToken"))
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		s.cookie = s.secrets.keep("a refresh token", c.Value)
	}
	a = s.send("POST", "/api/v3/auth/select-organization", fmt.Sprintf(`{"organizationId":%q}`, s.OrgID), "Content-Type", "application/json", "Authorization", "Bearer "+plain)
	session := s.secrets.keep("a token of a session", a.Text("token"))
	if session == "" || s.cookie == "" {
		s.t.Fatalf("a user could not log in: %d %s", a.Status, a.Body)
	}
	a = s.send("POST", "/api/v1/auth/token", "", "Cookie", "jid="+s.cookie)
	s.secrets.keep("a refreshed token", a.Text("token"))
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		s.secrets.keep("a newer refresh token", c.Value)
	}
	wrong := s.secrets.make("a wrong password")
	s.send("POST", "/api/v3/auth/login", fmt.Sprintf(`{"email":%q,"password":"x"}`, wrong), "Content-Type", "application/json")
	s.send("POST", "/api/v3/auth/login", fmt.Sprintf(`{"email":"admin@example.com","password":%q}`, wrong), "Content-Type", "application/json")
	s.send("POST", "/api/v1/auth/logout", "", "Authorization", "Bearer "+session, "Cookie", "jid="+s.cookie)
}

// misuse puts every secret where it does not belong, as people do by mistake.
func (s *site) misuse() {
	s.t.Helper()
	for _, secret := range s.secrets {
		plain, auth := []string{"Content-Type", "application/json"}, []string{"Content-Type", "application/json", "Authorization", "Bearer " + s.Admin}
		for path, body := range map[string]string{
			"/api/v1/auth/universal-auth/login": `{"clientId":%q,"clientSecret":%q}`, "/api/v1/auth/token/renew": `{"accessToken":%q,"x":%q}`,
			"/api/v1/auth/token/revoke":   `{"accessToken":"x%s","y":%q}`,
			"/api/v1/auth/jwt-auth/login": `{"identityId":%q,"jwt":%q}`, "/api/v1/auth/oidc-auth/login": `{"identityId":%q,"jwt":"a.%s.b"}`,
			"/api/v1/admin/bootstrap": `{"email":%q,"password":%q`,
		} {
			s.send("POST", path, fmt.Sprintf(body, secret, secret), plain...)
		}
		for path, body := range map[string]string{
			"/api/v1/identities":               `{"name":{"%s":%q}}`,
			"/api/v1/projects":                 `{"projectName":[%q,%q]}`,
			"/api/v4/secrets/X":                `{"projectId":"p","environment":"e","secretValue":{"a":%q},"secretComment":[%q]}`,
			"/api/v1/oauth/introspect":         "token=%s&token=%s",
			"/api/v1/organization/roles":       `{"slug":"a","name":"b","permissions":%q,"description":%q`,
			"/api/v1/admin/keys/rotate":        `{"resume":%q,"x":%q}`,
			"/api/v1/identities/search":        `{"search":%q,"orderBy":%q}`,
			"/api/v1/organization/identities/": `"%s%s`,
		} {
			s.send("POST", path, fmt.Sprintf(body, secret, secret), auth...)
		}
		bad := strings.ReplaceAll(secret, "é", "")
		s.send("GET", "/api/v1/identities/details", "", "Authorization", "Bearer x"+bad)
		s.send("GET", "/api/v1/identities/details", "", "Authorization", "Basic "+bad)
		s.send("GET", "/api/v1/identities/details", "", "Cookie", "jid="+url.QueryEscape(secret), "X-Forwarded-For", url.QueryEscape(secret))
		s.send("POST", "/api/v1/auth/token", "", "Cookie", "jid="+url.QueryEscape(secret))
		// A 404 repeats the id of the path to whoever sent it, and to nobody else: so that answer alone is not searched.
		s.quiet = true
		s.send("GET", "/api/v1/identities/"+url.PathEscape(secret), "", auth...)
		s.quiet = false
		s.send("GET", "/api/v4/secrets/X?projectId=x&access_token="+url.QueryEscape(secret), "", auth...)
	}
}

// panics has requests panic, by a bug that quotes their token and body in what it panics with.
func (s *site) panics() {
	s.t.Helper()
	for name, secret := range s.secrets {
		body := fmt.Sprintf(`{"projectId":%q,"environment":"dev","secretValue":%q}`, s.project, secret)
		a := s.send("POST", "/api/v4/secrets/PANIC", body, "Content-Type", "application/json", "Authorization", "Bearer "+s.Admin, "User-Agent", bug.Panicker)
		if a.Status != http.StatusInternalServerError {
			s.t.Fatalf("a panic with %s in hand was answered %d %s", name, a.Status, a.Body)
		}
	}
}

// places ends the server in the middle of its work, and returns all that it has left.
func (s *site) places() map[string][]byte {
	s.t.Helper()
	places := map[string][]byte{"the commands": s.run("doctor")}
	if s.Postgres == nil {
		path := filepath.Join(s.t.TempDir(), "backup")
		s.run("backup", "--to", path)
		files(s.t, filepath.Dir(path), places)
	}
	places["the audit log of the API"] = s.must("GET", "/api/v1/organization/audit-logs?limit=1000", nil).Body
	places["the metrics"] = s.send("GET", "/metrics", "").Body
	s.crash()
	log, err := os.ReadFile(s.Log)
	if err != nil {
		s.t.Fatal(err)
	}
	before, crash, _ := strings.Cut(string(log), "SIGQUIT")
	places["the log"], places["the crash"], places["the refusals"] = []byte(before), []byte(crash), s.refused.Bytes()
	if s.Postgres != nil {
		places["the database"] = s.dump()
	}
	files(s.t, s.Data, places)
	if s.Postgres == nil {
		places["the database"] = append(places["sallyport.db"], places["sallyport.db-wal"]...)
	}
	path := filepath.Join(s.t.TempDir(), "revocations")
	places["the commands"] = append(places["the commands"], s.run("backup", "--revocations", path)...)
	files(s.t, filepath.Dir(path), places)
	return places
}

// claims are those of a token that an issuer has just made.
func claims(issuer, subject string) object {
	now := time.Now().Unix()
	return object{"iss": issuer, "sub": subject, "aud": "sallyport", "iat": now, "exp": now + 600}
}
