package e2e

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// esoList is the query of the Go SDK's list, with which External Secrets reads and validates a store: one of the two words
// for the project is empty.
func esoList(p project) string {
	return secretsV3 + "?environment=dev&expandSecretReferences=true&include_imports=true&recursive=false&secretPath=%2F&tagSlugs=&viewSecretValue=true&workspaceId=&workspaceSlug=" + p.Slug
}

// TestESO is External Secrets as of 2026-08, which embeds the Go SDK; TestGoSDK in test/clients runs the SDK itself.
func TestESO(t *testing.T) {
	t.Parallel()
	w := newWorkload(t, shared, "infisical-go-sdk")
	w.send(t, http.MethodPost, secretsV3+"/DB", w.at(object{"secretValue": "postgres"}), oneSecret)
	one := func(name string) string {
		return secretsV3 + "/" + name + "?environment=dev&expandSecretReferences=true&include_imports=true&secretPath=%2F&type=&workspaceId=&workspaceSlug=" + w.Slug
	}
	t.Run("validates_a_store", func(t *testing.T) { w.send(t, http.MethodGet, esoList(w.project), nil, secretsShape) })
	t.Run("reads_all_secrets", func(t *testing.T) {
		a := w.send(t, http.MethodGet, esoList(w.project), nil, secretsShape)
		for _, wrong := range secretShape.fits("secrets.0", a.At("secrets.0")) {
			t.Error(wrong)
		}
	})
	t.Run("reuses_a_list_on_304", func(t *testing.T) {
		tag := w.send(t, http.MethodGet, esoList(w.project), nil, secretsShape).Header.Get("ETag")
		if a := w.With("If-None-Match", tag).Call(t, http.MethodGet, esoList(w.project), nil).Want(304); len(a.Body) != 0 {
			t.Errorf("a 304 with the body %s", a.Body)
		}
	})
	t.Run("reads_one_secret", func(t *testing.T) { w.send(t, http.MethodGet, one("DB"), nil, oneSecret) })
	t.Run("takes_404_for_no_secret", func(t *testing.T) {
		a := w.Call(t, http.MethodGet, one("NOPE"), nil).WantError(404, "NotFound")
		for _, wrong := range (shape{"statusCode": "int", "message": "string", "error": "string", "reqId": "string"}).fits("body", a.JSON()) {
			t.Error(wrong)
		}
	})
	t.Run("pushes_secrets", func(t *testing.T) { esoPushes(t, w) })
	t.Run("makes_several_secrets_at_once", func(t *testing.T) {
		body := w.at(object{"secrets": []object{{"secretKey": "B1", "secretValue": "1"}, {"secretKey": "B2", "secretValue": "2"}}})
		a := w.send(t, http.MethodPost, batchV3, body, shape{"secrets": "list"})
		if got := a.List("secrets", "secretKey"); !cmp.Equal(got, []string{"B1", "B2"}) {
			t.Errorf("made %v", got)
		}
	})
	t.Run("revokes_its_token_when_it_closes", func(t *testing.T) {
		other := newWorkload(t, shared, "infisical-go-sdk")
		other.send(t, http.MethodPost, selfRevokePath, object{"accessToken": other.Token}, messageShape)
		other.Call(t, http.MethodGet, esoList(other.project), nil).WantError(401, "TokenError")
	})
}

// esoPushes finds the project by its slug, and writes; where the newer route is missing it asks the older one.
func esoPushes(t *testing.T, w workload) {
	t.Helper()
	for _, path := range []string{projectsPath + "/slug/" + w.Slug, "/api/v1/workspace/slug/" + w.Slug} {
		if got := w.send(t, http.MethodGet, path, nil, projectShape).Text("id"); got != w.project.ID {
			t.Errorf("%s is the project %s", path, got)
		}
	}
	w.Call(t, http.MethodGet, projectsPath+"/slug/nope", nil).WantError(404, "NotFound")
	w.send(t, http.MethodPost, secretsV3+"/PUSHED", w.at(object{"secretValue": "1", "skipMultilineEncoding": true}), oneSecret)
	w.send(t, http.MethodPatch, secretsV3+"/PUSHED", w.at(object{"secretValue": "2", "skipMultilineEncoding": true}), oneSecret)
	w.send(t, http.MethodDelete, secretsV3+"/PUSHED", w.at(object{"type": "shared"}), oneSecret)
}

// TestESOScript runs what the framework of External Secrets' own end-to-end tests calls, in its order.
func TestESOScript(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	anyone := workload{Client: s.As("").With("Content-Type", "application/json")}
	anyone.send(t, http.MethodGet, "/api/status", nil, shape{"message": "string"})
	boot := anyone.send(t, http.MethodPost, bootstrapPath, object{"email": "admin@example.com", "password": "E2eAdminPassw0rd!23", "organization": "eso-e2e"},
		shape{"identity": shape{"credentials": shape{"token": "string"}}, "organization": shape{"id": "uuid"}})
	admin := workload{Client: s.As(boot.Text("identity.credentials.token"))}
	made := admin.send(t, http.MethodPost, projectsPath, object{"projectName": "eso-e2e", "slug": "eso-e2e-tests", "shouldCreateDefaultEnvs": true}, shape{"project": projectShape})
	w := workload{project: project{made.Text("project.id"), made.Text("project.slug"), made.Text("project.environments.0.id")}}
	if slugs := made.List("project.environments", "slug"); slugs[0] != "dev" {
		t.Fatalf("the environments are %v; want dev among them", slugs)
	}
	identity := admin.send(t, http.MethodPost, harness.Identities, object{"name": "eso-e2e", "organizationId": boot.Text("organization.id"), "role": "member"},
		shape{"identity": identityShape}).Text("identity.id")
	ips := []object{{"ipAddress": "0.0.0.0/0"}, {"ipAddress": "::/0"}}
	attached := admin.send(t, http.MethodPost, universalPath+identity, object{"accessTokenTTL": 2592000, "accessTokenMaxTTL": 2592000, "accessTokenNumUsesLimit": 0,
		"clientSecretTrustedIps": ips, "accessTokenTrustedIps": ips}, shape{"identityUniversalAuth": plus(configShape, "clientId", "uuid")})
	secret := admin.send(t, http.MethodPost, universalPath+identity+"/client-secrets", object{"description": "eso-e2e", "numUsesLimit": 0, "ttl": 0}, shape{"clientSecret": "string"})
	login := anyone.send(t, http.MethodPost, loginUniversal, object{"clientId": attached.Text("identityUniversalAuth.clientId"), "clientSecret": secret.Text("clientSecret")}, loginShape)
	w.Client = s.As(login.Text("accessToken"))

	w.Call(t, http.MethodGet, esoList(w.project), nil).WantError(403, "ForbiddenError") // no member yet
	admin.send(t, http.MethodPost, "/api/v2/workspace/"+w.project.ID+"/identity-memberships/"+identity, object{"role": "admin"}, joinedShape)
	w.send(t, http.MethodPost, secretsV3+"/one", w.at(object{"secretValue": `{"a":"b"}`}), oneSecret)
	if a := w.send(t, http.MethodGet, esoList(w.project), nil, secretsShape); a.Text("secrets.0.secretValue") != `{"a":"b"}` {
		t.Errorf("read %s", a.Body)
	}
	w.send(t, http.MethodDelete, secretsV3+"/one", w.at(nil), oneSecret)
}
