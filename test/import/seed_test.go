package importing

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// object is a JSON object to send.
type object = map[string]any

// seeded is what tests need to know of a source.
type seeded struct {
	*harness.Server
	identities map[string]string // ids by name; twins: twin 1 and twin 2
	project    string            // id of payments
}

func (s *seeded) post(t testing.TB, path string, body any) *harness.Answer {
	t.Helper()
	return s.Admin.Call(t, http.MethodPost, path, body).Want(200)
}

func (s *seeded) patch(t testing.TB, path string, body any) {
	t.Helper()
	s.Admin.Call(t, http.MethodPatch, path, body).Want(200)
}

// start returns a server that is set up and empty.
func start(t testing.TB) *harness.Server { return harness.StartReady(t, harness.Unswept) }

// What a source has more than one of everything.
const (
	many  = 1 << iota // secrets in a folder, more than a batch holds
	large             // secrets, and more of them than a request holds
)

// seed returns a server that has one of everything that can be imported, and more if it is asked for.
func seed(t testing.TB, more int) *seeded {
	t.Helper()
	s := &seeded{Server: start(t), identities: map[string]string{}}
	s.seedOrganization(t)
	s.project = s.post(t, "/api/v1/projects", object{"projectName": "Payments", "slug": "payments", "projectDescription": "line one\nline two"}).Text("project.id")
	s.patch(t, "/api/v1/projects/"+s.project, object{"pitVersionLimit": 7, "autoCapitalization": false, "secretDetectionIgnoreValues": []string{"changeme"},
		"hasDeleteProtection": true})
	s.Admin.Call(t, http.MethodPut, "/api/v1/projects/"+s.project+"/audit-logs-retention", object{"auditLogsRetentionDays": 12}).Want(200)
	s.seedFolders(t)
	s.seedSecrets(t)
	if more&many != 0 {
		s.seedMany(t)
	}
	if more&large != 0 {
		s.seedLarge(t)
	}
	s.seedLinks(t)
	s.seedMembers(t)
	short := s.post(t, "/api/v1/projects", object{"projectName": "Short", "slug": "short-slug", "shouldCreateDefaultEnvs": false}).Text("project.id")
	s.patch(t, "/api/v1/projects/"+short, object{"slug": "s"})
	return s
}

const (
	temporary = "temporaryAccessStartTime"
	publicKey = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\nq9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n-----END PUBLIC KEY-----\n"
)

func (s *seeded) identity(t testing.TB, key string, body object) string {
	t.Helper()
	body["organizationId"] = s.OrgID
	s.identities[key] = s.post(t, "/api/v1/identities", body).Text("identity.id")
	return s.identities[key]
}

func (s *seeded) seedOrganization(t testing.TB) {
	ci := s.identity(t, "ci", object{"name": "ci", "role": "member", "hasDeleteProtection": true, "metadata": []object{{"key": "team", "value": "payments ✓"}, {"key": "a", "value": "b"}}})
	s.post(t, "/api/v1/organization/roles", object{"slug": "auditor", "name": "Auditor", "description": "reads\nand reads", "permissions": []object{
		{"subject": "audit-logs", "action": "read"},
		{"subject": "identity", "action": []string{"read", "edit"}},
		{"subject": "identity", "action": "edit", "inverted": true}}})
	s.post(t, "/api/v1/organization/roles", object{"slug": "unused", "name": "Nobody has it", "permissions": []object{}})
	s.post(t, "/api/v1/auth/universal-auth/identities/"+ci, object{"accessTokenTTL": 600, "accessTokenMaxTTL": 1200, "lockoutThreshold": 5,
		"clientSecretTrustedIps": []object{{"ipAddress": "10.0.0.0/8"}}, "accessTokenTrustedIps": []object{{"ipAddress": "127.0.0.1"}, {"ipAddress": "::/0"}}})
	s.post(t, "/api/v1/auth/universal-auth/identities/"+ci+"/client-secrets", object{"description": "of the build"})
	night := s.identity(t, "night", object{"name": "night", "role": "auditor"})
	s.patch(t, "/api/v1/organization/identity-memberships/"+night, object{"roles": []object{{"role": "no-access"},
		{"role": "auditor", "isTemporary": true, "temporaryMode": "relative", "temporaryRange": "7d", temporary: "2026-01-02T03:04:05.678Z"}}})
	s.post(t, "/api/v1/auth/jwt-auth/identities/"+night, object{"configurationType": "static", "publicKeys": []string{publicKey}, "boundIssuer": "https://issuer.example.com",
		"boundClaims": object{"ref": "refs/heads/*"}})
	s.post(t, "/api/v1/auth/kubernetes-auth/identities/"+night, object{"kubernetesHost": "https://k8s.example.com", "allowedNamespaces": "prod-*"})
	s.post(t, "/api/v1/auth/oidc-auth/identities/"+night, object{"oidcDiscoveryUrl": "https://id.example.com", "boundIssuer": "https://id.example.com", "boundSubject": "repo:*"})
	for n, team := range []string{"one", "two"} {
		twin := s.identity(t, fmt.Sprint("twin ", n+1), object{"name": "twin", "role": "member", "metadata": []object{{"key": "team", "value": team}}})
		s.Attach(t, twin, object{"accessTokenTTL": 100 * (n + 1)})
		s.NewToken(t, twin)
	}
}

func (s *seeded) seedFolders(t testing.TB) {
	envs := "/api/v1/projects/" + s.project + "/environments"
	s.post(t, envs, object{"name": "Quality 🧪", "slug": "qa", "position": 2})
	for _, f := range []object{{"environment": "dev", "path": "/", "name": "apps", "description": "all\napps"}, {"environment": "dev", "path": "/apps", "name": "web"},
		{"environment": "dev", "path": "/apps/web/a/b/c", "name": "deep"}, {"environment": "dev", "path": "/", "name": "apps-old"},
		{"environment": "prod", "path": "/", "name": "apps"}, {"environment": "qa", "path": "/", "name": "empty"}} {
		f["projectId"] = s.project
		s.post(t, "/api/v2/folders", f)
	}
}

func (s *seeded) batch(t testing.TB, env, path string, secrets ...object) {
	t.Helper()
	s.post(t, "/api/v4/secrets/batch", object{"projectId": s.project, "environment": env, "secretPath": path, "secrets": secrets})
}

func (s *seeded) seedSecrets(t testing.TB) {
	tags := "/api/v1/projects/" + s.project + "/tags"
	red, plain := s.post(t, tags, object{"slug": "red", "color": "#ff0000"}).Text("tag.id"), s.post(t, tags, object{"slug": "plain"}).Text("tag.id")
	s.batch(t, "dev", "/",
		object{"secretKey": "URL", "secretValue": "https://${HOST}/${prod.apps.PATH}?x=$1&y=${missing}", "secretComment": "two\nlines", "tagIds": []string{red, plain}},
		object{"secretKey": "HOST", "secretValue": "example.com", "secretMetadata": []object{{"key": "z", "value": "plain"}, {"key": "a", "value": "hidden", "isEncrypted": true}}},
		object{"secretKey": "CERT", "secretValue": "-----BEGIN-----\nabc\n\ndef\n", "skipMultilineEncoding": true},
		object{"secretKey": "EMPTY", "secretValue": ""}, object{"secretKey": "clé 🔑.v1 %2F", "secretValue": "ünï✓ \"quoted\" \\ <html> & \u2028"},
		object{"secretKey": "REMIND", "secretValue": "x", "secretReminderNote": "soon", "secretReminderRepeatDays": 30})
	s.batch(t, "prod", "/apps", object{"secretKey": "PATH", "secretValue": "p", "tagIds": []string{plain}})
	s.batch(t, "dev", "/apps/web/a/b/c/deep", object{"secretKey": "DEEP", "secretValue": "${dev.URL}"})
}

func (s *seeded) seedMany(t testing.TB) {
	var many []object
	for n := range 230 {
		many = append(many, object{"secretKey": fmt.Sprintf("KEY_%03d", n), "secretValue": fmt.Sprint(n)})
	}
	s.batch(t, "dev", "/apps/web", many...)
}

// request is how many bytes of secrets imports send at once.
const request = 64 << 10

// seedLarge adds the largest value that there may be, and several that do not fit into one request.
func (s *seeded) seedLarge(t testing.TB) {
	s.batch(t, "dev", "/", object{"secretKey": "BIG", "secretValue": strings.Repeat("0123456789abcdef", 1<<16)})
	for range 6 {
		s.batch(t, "qa", "/empty", object{"secretKey": harness.RandomName(), "secretValue": strings.Repeat("y", request/4)})
	}
}

func (s *seeded) seedLinks(t testing.TB) {
	add := func(env, path, fromEnv, fromPath string) string {
		return s.post(t, "/api/v2/secret-imports", object{"projectId": s.project, "environment": env, "path": path, "import": object{"environment": fromEnv, "path": fromPath}}).Text("secretImport.id")
	}
	add("prod", "/", "dev", "/apps")
	add("prod", "/", "qa", "/not-there-yet")
	last := add("prod", "/", "dev", "/")
	s.patch(t, "/api/v2/secret-imports/"+last, object{"projectId": s.project, "environment": "prod", "path": "/", "import": object{"position": 1}})
	add("dev", "/apps", "dev", "/apps/web/a")
}

func (s *seeded) seedMembers(t testing.TB) {
	project := "/api/v1/projects/" + s.project
	rules := []object{
		{"subject": "secrets", "action": []string{"describeSecret", "readValue"}, "conditions": object{"environment": object{"$in": []string{"dev", "qa"}}, "secretPath": object{"$glob": "/apps/**"}}},
		{"subject": "secrets", "action": "readValue", "inverted": true, "conditions": object{"secretTags": object{"$in": []string{"red"}}}},
		{"subject": "secrets", "action": "edit", "conditions": object{"secretPath": "/{{identity.metadata.team}}"}},
		{"subject": "identity", "action": "edit", "conditions": object{"identityId": "{{identity.id}}"}},
		{"subject": "identity", "action": "read", "conditions": object{"identityId": object{"$in": []string{s.identities["ci"], s.identities["night"]}}}}}
	s.post(t, project+"/roles", object{"slug": "deploy", "name": "Deploy", "description": "deploys", "permissions": rules})
	s.post(t, project+"/memberships/identities/"+s.identities["ci"], object{"roles": []object{{"role": "deploy"}, {"role": "viewer"},
		{"role": "admin", "isTemporary": true, "temporaryMode": "relative", "temporaryRange": "1h", temporary: "2026-05-06T07:08:09.000Z"}}})
	s.post(t, project+"/memberships/identities/"+s.identities["twin 2"], object{"role": "member"})
	s.post(t, "/api/v2/identity-project-additional-privilege", object{"identityId": s.identities["ci"], "projectId": s.project, "slug": "more", "permissions": rules[:1]})
	s.post(t, "/api/v2/identity-project-additional-privilege", object{"identityId": s.identities["ci"], "projectId": s.project, "slug": "for-a-time", "permissions": rules[1:],
		"type": object{"isTemporary": true, "temporaryMode": "relative", "temporaryRange": "2d", temporary: "2026-05-06T07:08:09.000Z"}})
	owned := s.post(t, project+"/identities", object{"name": "robot", "metadata": []object{{"key": "k", "value": "v"}}, "roles": []object{{"role": "deploy"}}}).Text("identity.id")
	s.Attach(t, owned, object{"accessTokenTTL": 77})
}
