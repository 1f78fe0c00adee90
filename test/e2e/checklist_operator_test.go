package e2e

import (
	"net/http"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// TestOperator is the Kubernetes operator as of 2026-07, in both versions of its resources.
func TestOperator(t *testing.T) {
	t.Parallel()
	w := newWorkload(t, shared, "k8-operator/v0.11.5")
	w.send(t, http.MethodPost, secretsV4+"/A", object{"projectId": w.project.ID, "environment": "dev", "secretValue": "a"}, oneSecret)
	list := secretsV4 + "?environment=dev&projectId=" + w.project.ID + "&recursive=true&secretPath=%2F"
	t.Run("relies_on_the_defaults_of_the_list", func(t *testing.T) {
		w.send(t, http.MethodPost, secretsV4+"/B", object{"projectId": w.project.ID, "environment": "dev", "secretValue": "${A}b"}, oneSecret)
		w.send(t, http.MethodPost, secretsV4+"/P", object{"projectId": w.project.ID, "environment": "prod", "secretValue": "p"}, oneSecret)
		w.send(t, http.MethodPost, importsV2, object{"projectId": w.project.ID, "environment": "dev", "import": object{"environment": "prod", "path": "/"}}, shape{"secretImport": importShape})
		a := w.send(t, http.MethodGet, list, nil, secretsShape)
		if a.Text("secrets.1.secretValue") != "ab" || a.Text("imports.0.secrets.0.secretValue") != "p" {
			t.Errorf("%s", a.Body)
		}
	})
	t.Run("reads_the_secrets_of_tags", func(t *testing.T) {
		if got := w.send(t, http.MethodGet, list+"&tagSlugs=none", nil, secretsShape).List("secrets", "id"); len(got) != 0 {
			t.Errorf("without the tag are %v", got)
		}
	})
	t.Run("finds_projects", func(t *testing.T) {
		w.send(t, http.MethodGet, projectsPath+"/slug/"+w.Slug, nil, projectShape)
		w.send(t, http.MethodGet, "/api/v2/workspace/"+w.Slug, nil, projectShape)
		w.send(t, http.MethodGet, "/api/v1/workspace/"+w.project.ID, nil, shape{"workspace": projectShape})
	})
	t.Run("polls_with_304", func(t *testing.T) {
		path := secretsV3 + "?environment=dev&expandSecretReferences=true&include_imports=true&secretPath=%2F&workspaceId=" + w.project.ID
		tag := w.send(t, http.MethodGet, path, nil, secretsShape).Header.Get("ETag")
		w.With("If-None-Match", tag).Call(t, http.MethodGet, path, nil).Want(304)
	})
	t.Run("tells_401_from_403", func(t *testing.T) {
		shared.As("").Call(t, http.MethodGet, list, nil).WantError(401, "UnauthorizedError")
		shared.As("x.y.z").Call(t, http.MethodGet, list, nil).WantError(401, "TokenError")
		newWorkload(t, shared, "k8-operator").Call(t, http.MethodGet, list, nil).WantError(403, "ForbiddenError")
	})
	t.Run("falls_back_to_polling_without_events", func(t *testing.T) {
		w.Call(t, http.MethodPost, "/api/v1/events/subscribe/project-events", object{"projectId": w.project.ID,
			"register": []object{{"event": "secret:create", "conditions": object{"secretPath": "/", "environmentSlug": "dev"}}}}).WantError(404, "NotFound")
	})
}

// TestOperatorScript runs what the set-up of the operator's own tests calls, in its order.
func TestOperatorScript(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	boot := s.As("").Call(t, http.MethodPost, bootstrapPath, object{"email": "test-admin@example.com", "password": "testpassword123", "organization": "test-org"}).Want(200)
	email, orgID := boot.Text("user.email"), boot.Text("organization.id")
	first := s.As("").Call(t, http.MethodPost, loginPath, object{"email": email, "password": "testpassword123"}).Want(200)
	user := workload{Client: s.As(s.As(first.Text("accessToken")).Call(t, http.MethodPost, selectPath, object{"organizationId": orgID}).Want(200).Text("token"))}
	w := workload{Client: s.As(boot.Text("identity.credentials.token"))}
	made := w.send(t, http.MethodPost, projectsPath, object{"projectName": "x", "slug": "t-x-abcdef", "type": "secret-manager"}, shape{"project": projectShape})
	w.project = project{ID: made.Text("project.id"), Slug: made.Text("project.slug")}
	at := projectsPath + "/" + w.project.ID
	w.send(t, http.MethodPost, at+"/memberships", object{"usernames": []string{email}, "roleSlugs": []string{"admin"}}, shape{"memberships": "list"})
	identity := w.send(t, http.MethodPost, harness.Identities, object{"name": "id", "organizationId": orgID, "role": "no-access"}, shape{"identity": identityShape}).Text("identity.id")
	w.send(t, http.MethodPost, at+"/memberships/identities/"+identity, object{"roles": []object{{"role": "member"}}}, joinedShape)

	w.send(t, http.MethodPost, at+"/environments", object{"slug": "qa", "name": "QA"}, shape{"environment": environmentShape})
	tag := w.send(t, http.MethodPost, at+"/tags", object{"slug": "red", "name": "Red", "color": "#f00"}, shape{"tag": plus(tagShape, "name", "string")})
	w.send(t, http.MethodPost, "/api/v2/folders", object{"projectId": w.project.ID, "environment": "dev", "path": "/", "name": "app"}, oneFolder)
	secret := object{"projectId": w.project.ID, "environment": "dev", "secretPath": "/", "secretValue": "shared", "secretComment": "c", "type": "shared",
		"secretMetadata": []object{{"key": "team", "value": "core"}}, "tagIds": []string{tag.Text("tag.id")}}
	w.send(t, http.MethodPost, secretsV4+"/A", secret, oneSecret)
	user.send(t, http.MethodPost, secretsV4+"/A", object{"projectId": w.project.ID, "environment": "dev", "secretPath": "/", "secretValue": "mine", "secretComment": "",
		"secretMetadata": nil, "type": "personal", "tagIds": nil}, oneSecret)
	w.send(t, http.MethodPost, importsV2, object{"projectId": w.project.ID, "environment": "qa", "path": "/", "import": object{"environment": "dev", "path": "/"}}, shape{"secretImport": importShape})

	attached := w.send(t, http.MethodPost, universalPath+identity, object{"identityId": identity, "accessTokenTrustedIps": []object{{"ipAddress": "0.0.0.0/0"}}, "accessTokenTTL": 3600,
		"accessTokenMaxTTL": 7200, "accessTokenNumUsesLimit": 0, "clientSecretTrustedIps": []object{{"ipAddress": "0.0.0.0/0"}}, "clientSecretNumUsesLimit": 0,
		"isClientSecretRotationEnabled": false}, shape{"identityUniversalAuth": plus(configShape, "clientId", "uuid")})
	credential := w.send(t, http.MethodPost, universalPath+identity+"/client-secrets", object{"description": "test-client-secret", "ttl": 0, "numUsesLimit": 0}, shape{"clientSecret": "string"})
	login := s.As("").Call(t, http.MethodPost, loginUniversal, object{"clientId": attached.Text("identityUniversalAuth.clientId"), "clientSecret": credential.Text("clientSecret")}).Want(200)
	robot := workload{Client: s.As(login.Text("accessToken"))}
	query := secretsV4 + "?environment=qa&projectId=" + w.project.ID + "&recursive=false&secretPath=%2F"
	if a := robot.send(t, http.MethodGet, query, nil, secretsShape); a.Text("imports.0.secrets.0.secretValue") != "shared" {
		t.Errorf("the workload reads %s; want the shared secret through the import", a.Body)
	}
	robot.send(t, http.MethodPost, selfRevokePath, object{"accessToken": robot.Token}, messageShape)
	robot.Call(t, http.MethodGet, query, nil).WantError(401, "TokenError")
	w.send(t, http.MethodDelete, harness.Identities+"/"+identity, nil, shape{"identity": identityShape})
	w.send(t, http.MethodDelete, at, nil, shape{"project": projectShape})
}
