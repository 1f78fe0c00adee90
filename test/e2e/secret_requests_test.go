package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// The paths of secrets in both versions of the API.
const (
	secretsV4 = "/api/v4/secrets"
	secretsV3 = "/api/v3/secrets/raw"
	batchV4   = secretsV4 + "/batch"
	batchV3   = "/api/v3/secrets/batch/raw"
)

// secretRequests are the requests of routes of secrets. Each makes a project of its own.
var secretRequests = map[string]func(*testing.T, *harness.Server) request{
	"list-secrets-v4": listSecretsRequest(secretsV4), "list-secrets-v3": listSecretsRequest(secretsV3),
	"get-secret-v4": getSecretRequest(secretsV4), "get-secret-v3": getSecretRequest(secretsV3),
	"create-secret-v4": writeSecretRequest(secretsV4, "NEW", secretBody), "create-secret-v3": writeSecretRequest(secretsV3, "NEW", secretBody),
	"update-secret-v4": writeSecretRequest(secretsV4, "OLD", secretChanges), "update-secret-v3": writeSecretRequest(secretsV3, "OLD", secretChanges),
	"delete-secret-v4": writeSecretRequest(secretsV4, "OLD", secretPlace), "delete-secret-v3": writeSecretRequest(secretsV3, "OLD", secretPlace),

	"get-secret-by-id-v4": getSecretByIDRequest(secretsV4), "get-secret-by-id-v3": getSecretByIDRequest(secretsV3),
	"create-secrets-v4": batchSecretsRequest(batchV4, createItem), "create-secrets-v3": batchSecretsRequest(batchV3, createItem),
	"update-secrets-v4": batchSecretsRequest(batchV4, updateItem), "update-secrets-v3": batchSecretsRequest(batchV3, updateItem),
	"move-secrets": func(t *testing.T, s *harness.Server) request {
		v := newVault(t, s)
		made := v.put(t, s, "prod", "/", "A", "x")
		return request{secretsV4 + "/move", object{"projectId": v.ID, "workspaceId": v.ID, "projectSlug": v.Slug, "sourceEnvironment": "prod", "sourceSecretPath": "/",
			"destinationEnvironment": "dev", "destinationSecretPath": "/", "secretIds": []string{made.Text("secret.id")}, "shouldOverwrite": true}}
	},
	"attach-secret-tags": writeSecretRequest("/api/v3/secrets/tags", "OLD", tagsBody), "detach-secret-tags": writeSecretRequest("/api/v3/secrets/tags", "OLD", tagsBody),
	"delete-secrets-v4": batchSecretsRequest(batchV4, deleteItem), "delete-secrets-v3": batchSecretsRequest(batchV3, deleteItem),
}

// importRequests are the requests of routes of secret imports.
var importRequests = map[string]func(*testing.T, *harness.Server) request{
	"create-secret-import": importRequest(importsV2, false, importBody), "create-secret-import-old": importRequest(importsV1, false, importBody),
	"update-secret-import": importRequest(importsV2, true, importChanges), "update-secret-import-old": importRequest(importsV1, true, importChanges),
	"delete-secret-import": importRequest(importsV2, true, importPlace), "delete-secret-import-old": importRequest(importsV1, true, importPlace),
	"get-secret-import": importRequest(importsV2, true, nil), "get-secret-import-old": importRequest(importsV1, true, nil),
	"list-secret-imports": listImportsRequest(importsV2), "list-secret-imports-old": listImportsRequest(importsV1),
}

// The paths of secret imports in both versions of the API.
const (
	importsV2 = "/api/v2/secret-imports"
	importsV1 = "/api/v1/secret-imports"
)

func importPlace(v vault) object {
	return object{"projectId": v.ID, "workspaceId": v.ID, "projectSlug": v.Slug, "environment": "dev", "path": "/"}
}

func importBody(v vault) object {
	body := importPlace(v)
	body["import"], body["isReplication"] = object{"environment": "prod", "path": "/"}, false
	return body
}

func importChanges(v vault) object {
	body := importPlace(v)
	body["import"] = object{"environment": "staging", "path": "/", "position": 1}
	return body
}

// importRequest is about an import of a new project, or about none yet.
func importRequest(path string, existing bool, body func(vault) object) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		v, r := newVault(t, s), request{path: path}
		if existing {
			r.path += "/" + s.Admin.Call(t, http.MethodPost, importsV2, importBody(v)).Want(200).Text("secretImport.id")
		}
		if body != nil {
			r.body = body(v)
		}
		return r
	}
}

func listImportsRequest(path string) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		return request{path + strings.Replace(newVault(t, s).query(), "secretPath", "path", 1), nil}
	}
}

// vault is a project with a secret OLD in the root of dev, and a tag.
type vault struct {
	project
	tagID string
}

func newVault(t testing.TB, s *harness.Server) vault {
	t.Helper()
	v := vault{newProject(t, s), "0192a3b4-0000-7000-8000-" + harness.RandomName()[2:]}
	s.Exec(t, `INSERT INTO tags (id, project_id, slug, created_by_type, created_at, updated_at) VALUES ($1, $2, 'red', 'identity', 0, 0)`, v.tagID, v.ID)
	v.put(t, s, "dev", "/", "OLD", "old")
	return v
}

// put creates a secret as the administrator.
func (v vault) put(t testing.TB, s *harness.Server, environment, path, name, value string) *harness.Answer {
	t.Helper()
	return s.Admin.Call(t, http.MethodPost, secretsV4+"/"+url.PathEscape(name),
		object{"projectId": v.ID, "environment": environment, "secretPath": path, "secretValue": value}).Want(200)
}

// query names the root of dev, in the words of all versions.
func (v vault) query() string {
	return "?projectId=" + v.ID + "&workspaceId=" + v.ID + "&projectSlug=" + v.Slug + "&workspaceSlug=" + v.Slug + "&environment=dev&secretPath=%2F"
}

// secretPlace is query for a body.
func secretPlace(v vault) object {
	return object{"projectId": v.ID, "workspaceId": v.ID, "projectSlug": v.Slug, "environment": "dev", "secretPath": "/", "type": "shared"}
}

func secretBody(v vault) object {
	body := secretPlace(v)
	body["secretValue"], body["secretComment"], body["skipMultilineEncoding"] = "postgres://x", "of the\ndatabase", false
	body["secretReminderNote"], body["secretReminderRepeatDays"], body["tagIds"] = "rotate", 30, []string{v.tagID}
	body["secretMetadata"] = []any{object{"key": "team", "value": "core", "isEncrypted": false}}
	return body
}

func tagsBody(v vault) object {
	body := secretPlace(v)
	body["tagSlugs"] = []string{"red"}
	return body
}

func secretChanges(v vault) object {
	body := secretBody(v)
	body["newSecretName"] = "OLD"
	return body
}

func listSecretsRequest(path string) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request { return request{path + newVault(t, s).query(), nil} }
}

func getSecretRequest(path string) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		return request{path + "/OLD" + newVault(t, s).query(), nil}
	}
}

func writeSecretRequest(path, name string, body func(vault) object) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request { return request{path + "/" + name, body(newVault(t, s))} }
}

func getSecretByIDRequest(path string) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		made := newVault(t, s).put(t, s, "prod", "/", "A", "x")
		return request{path + "/id/" + made.Text("secret.id"), nil}
	}
}

// batchSecretsRequest changes one secret, as a list.
func batchSecretsRequest(path string, item func(vault) object) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		v := newVault(t, s)
		body := secretPlace(v)
		body["secrets"], body["mode"] = []any{item(v)}, "failOnNotFound"
		return request{path, body}
	}
}

func createItem(v vault) object {
	item := secretBody(v)
	item["secretKey"] = "NEW"
	return item
}

func updateItem(v vault) object {
	item := secretChanges(v)
	item["secretKey"] = "OLD"
	return item
}

func deleteItem(vault) object { return object{"secretKey": "OLD", "type": "shared"} }

// named reports whether another method at the path of the route means a secret with the name that ends it.
func (p *prober) named(method string) bool {
	at := strings.LastIndex(p.r.Path, "/")
	if p.r.Tag != "Secrets" || strings.HasPrefix(p.r.Path[at:], "/{") {
		return false
	}
	for _, r := range p.s.App.API().Routes() {
		if r.Path == p.r.Path[:at]+"/{secretName}" && r.Method == method {
			return true
		}
	}
	return false
}

// names puts odd names in the place of a secret's in the path. Where the secret is made, most are good ones.
func (p *prober) names(at int) {
	odd, bad := 404, 404
	if strings.HasPrefix(p.r.ID, "create-") {
		odd, bad = accepted, 422
	}
	for _, n := range []struct {
		what, name string
		status     int
	}{
		{"unknown", "NOPE", odd}, {"with dots", "a.b.", odd}, {"of two dots", "%2E%2E.", odd}, {"with a space", "a%20b", odd}, {"of quotes", "'%22;--", odd},
		{"of a percent sign", "%25", odd}, {"percent-encoded twice", "a%252Fb", odd}, {"of a star", "*", odd}, {"of an emoji", "%F0%9F%92%A3", odd},
		{"of 512 characters", strings.Repeat("a", 512), odd}, {"with a slash", "a%2Fb", bad}, {"climbing", "..%2F..%2Fadmin", bad}, {"with a colon", "a:b", bad},
		{"of a space", "%20", bad}, {"of 513 characters", strings.Repeat("a", 513), bad}, {"of 4 KB", strings.Repeat("a", 4096), bad},
		{"with a NUL", "a%00b", 422}, {"of invalid UTF-8", "%FF", 422},
	} {
		p.try("a name "+n.what, []int{n.status}, p.at(func(path string) string {
			parts := strings.Split(path, "/")
			parts[at] = n.name
			return strings.Join(parts, "/")
		}))
	}
}
