package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// The tests of the files checklist_CLIENT_test.go send what each client sends, row by row of the table "Clients" in
// docs/compatibility.md, and look at what it reads of the answer. The subtests are named after the rows.

// workload is what clients work as: an identity with Universal Auth that administers a new project.
type workload struct {
	harness.Client // with the token of its login
	project
	universal
}

// newWorkload sets one up and logs it in, as a client that names itself so.
func newWorkload(t *testing.T, s *harness.Server, userAgent string) workload {
	t.Helper()
	w := workload{project: newProject(t, s), universal: newUniversal(t, s)}
	s.Admin.Call(t, http.MethodPost, "/api/v2/workspace/"+w.project.ID+"/identity-memberships/"+w.universal.ID, object{"role": "admin"}).Want(200)
	plain := s.As("").With("User-Agent", userAgent)
	login := plain.Call(t, http.MethodPost, loginUniversal, object{"clientId": w.ClientID, "clientSecret": w.universal.Secret}).Want(200)
	w.Client = s.As(login.Text("accessToken")).With("User-Agent", userAgent)
	return w
}

const loginUniversal = "/api/v1/auth/universal-auth/login"

// send sends a request that is to work, and checks the shape of the answer.
func (w workload) send(t *testing.T, method, path string, body any, want shape) *harness.Answer {
	t.Helper()
	a := w.Call(t, method, path, body).Want(200)
	for _, wrong := range want.fits("body", a.JSON()) {
		t.Errorf("%s %s: %s", method, path, wrong)
	}
	return a
}

// at names the root of dev as older clients do, with more fields.
func (w workload) at(more object) object {
	body := object{"workspaceId": w.project.ID, "environment": "dev", "secretPath": "/"}
	for name, value := range more {
		body[name] = value
	}
	return body
}

var (
	secretShape = shape{"id": "uuid", "_id": "uuid", "workspace": "uuid", "environment": "string", "version": "int", "type": "string", "secretKey": "string",
		"secretValue": "string", "secretComment": "string", "secretPath": "string", "createdAt": "time", "updatedAt": "time", "tags": "list",
		"skipMultilineEncoding": "bool?", "secretReminderNote": "string?", "secretReminderRepeatDays": "int?", "secretMetadata": "list"}
	oneSecret    = shape{"secret": secretShape}
	secretsShape = shape{"secrets": "list", "imports": "list"}
	folderShape  = shape{"id": "uuid", "name": "string", "envId": "uuid", "version": "int", "parentId": "string?", "isReserved": "bool", "createdAt": "time", "updatedAt": "time"}
	oneFolder    = shape{"folder": folderShape}
	projectShape = shape{"_id": "uuid", "id": "uuid", "name": "string", "slug": "string", "orgId": "uuid", "type": "string", "description": "string?", "version": "int",
		"autoCapitalization": "bool", "environments": "list", "hasDeleteProtection": "bool", "createdAt": "time", "updatedAt": "time"}
	environmentShape = shape{"id": "uuid", "name": "string", "slug": "string", "position": "int", "projectId": "uuid", "createdAt": "time", "updatedAt": "time"}
	tagShape         = shape{"id": "uuid", "slug": "string", "name": "string", "color": "string?", "projectId": "uuid"}
	importShape      = shape{"id": "uuid", "secretPath": "string", "importPath": "string", "position": "int", "folderId": "uuid", "createdAt": "time", "updatedAt": "time",
		"importEnv": shape{"id": "uuid", "name": "string", "slug": "string"}}
	joinedShape = shape{"identityMembership": shape{"id": "uuid", "projectId": "uuid", "identityId": "uuid", "createdAt": "time", "updatedAt": "time"}}
)

// leftOut are the families of routes that clients know and that are not built; each has its reason in
// docs/compatibility.md. A client must find a clean 404 there.
var leftOut = map[string][]string{
	"dynamic secrets":   {"GET /api/v1/dynamic-secrets", "POST /api/v1/dynamic-secrets", "POST /api/v1/dynamic-secrets/leases", "DELETE /api/v1/dynamic-secrets/leases/x"},
	"KMS":               {"GET /api/v1/kms/keys", "POST /api/v1/kms/keys", "POST /api/v1/kms/keys/x/encrypt"},
	"secret rotations":  {"GET /api/v2/secret-rotations", "POST /api/v2/secret-rotations/postgres-credentials", "POST /api/v1/secret-rotations"},
	"secret syncs":      {"GET /api/v1/secret-syncs", "POST /api/v1/secret-syncs/github"},
	"app connections":   {"GET /api/v1/app-connections", "POST /api/v1/app-connections/aws"},
	"approvals":         {"GET /api/v1/secret-approvals", "POST /api/v1/secret-approvals", "POST /api/v1/access-approvals/policies"},
	"groups":            {"GET /api/v1/groups/x", "POST /api/v1/groups", "POST /api/v2/workspace/x/groups/y", "POST /api/v1/projects/x/groups/y"},
	"project templates": {"GET /api/v1/project-templates", "POST /api/v1/project-templates"},
	"webhooks":          {"GET /api/v1/webhooks", "POST /api/v1/webhooks"},
	"event stream":      {"POST /api/v1/events/subscribe/project-events"},
	"cloud logins":      {"POST /api/v1/auth/aws-auth/login", "POST /api/v1/auth/gcp-auth/login", "POST /api/v1/auth/azure-auth/login", "POST /api/v1/auth/ldap-auth/login"},
	"sign-up":           {"POST /api/v1/admin/signup"},
	"encrypted secrets": {"GET /api/v3/secrets", "POST /api/v3/secrets/DB"},
}

func TestLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorkload(t, shared, "terraform")
	for family, routes := range leftOut {
		t.Run(strings.ReplaceAll(family, " ", "_"), func(t *testing.T) {
			for _, route := range routes {
				method, path, _ := strings.Cut(route, " ")
				a := w.Call(t, method, path, object{"projectId": w.project.ID}).WantError(404, "NotFound")
				if wellFormed(t, a); strings.Contains(string(a.Body), "not available on your current plan") {
					t.Errorf("%s tells clients to give up: %s", route, a.Body)
				}
			}
		})
	}
}

// TestNoMessageMisleadsTheCLI: it explains some words of errors in a way of its own, which would be wrong here.
func TestNoMessageMisleadsTheCLI(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir("../../internal", func(path string, entry os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, words := range []string{"bot_not_found_error", "failed to find bot key", "bot is not active"} {
			if strings.Contains(string(source), words) {
				t.Errorf("%s says %q", path, words)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
