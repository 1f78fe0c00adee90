package e2e

import (
	"net/http"
	"testing"
)

// TestNode is the Node SDK 5; TestNodeSDK in test/clients runs the SDK itself.
func TestNode(t *testing.T) {
	t.Parallel()
	w := newWorkload(t, shared, "node")
	t.Run("logs_in", func(t *testing.T) {
		workload{Client: shared.As("")}.send(t, http.MethodPost, loginUniversal, object{"clientId": w.ClientID, "clientSecret": w.universal.Secret}, loginShape)
	})
	t.Run("renews_its_token", func(t *testing.T) {
		workload{Client: shared.As("")}.send(t, http.MethodPost, renewPath, object{"accessToken": w.Token}, loginShape)
	})
	t.Run("writes_and_reads_secrets", func(t *testing.T) { nodeSecrets(t, w) })
	t.Run("manages_folders", func(t *testing.T) {
		w.send(t, http.MethodPost, "/api/v1/folders", object{"workspaceId": w.project.ID, "environment": "dev", "name": "app", "path": "/", "description": "of the app"}, oneFolder)
		w.send(t, http.MethodGet, "/api/v1/folders?environment=dev&path=%2F&recursive=false&workspaceId="+w.project.ID, nil, shape{"folders": "list"})
	})
	t.Run("makes_environments", func(t *testing.T) {
		w.send(t, http.MethodPost, "/api/v1/workspace/"+w.project.ID+"/environments", object{"name": "Test", "projectId": w.project.ID, "slug": "test", "position": 4},
			shape{"message": "string", "workspace": "uuid", "environment": environmentShape})
	})
	t.Run("makes_projects", func(t *testing.T) {
		shared.Admin.Call(t, http.MethodPatch, identityPath(w.universal.ID), object{"role": "member"}).Want(200)
		a := w.send(t, http.MethodPost, "/api/v2/workspace", object{"projectName": "Another", "type": "secret-manager"}, shape{"project": projectShape})
		w.send(t, http.MethodPost, secretsV3+"/A", object{"workspaceId": a.Text("project.id"), "environment": "dev", "secretValue": "its maker administers it"}, oneSecret)
	})
	t.Run("invites_users", func(t *testing.T) {
		_, email := newUser(t, shared, "no-access")
		a := w.send(t, http.MethodPost, "/api/v2/workspace/"+w.project.ID+"/memberships", object{"projectId": w.project.ID, "emails": []string{email}, "roleSlugs": []string{"viewer"}},
			shape{"memberships": "list"})
		want := shape{"id": "uuid", "userId": "uuid", "projectId": "uuid", "role": "string", "status": "string", "createdAt": "time", "updatedAt": "time"}
		for _, wrong := range want.fits("memberships.0", a.At("memberships.0")) {
			t.Error(wrong)
		}
	})
}

// nodeSecrets sends what the SDK sends, with the keys that it repeats from the path.
func nodeSecrets(t *testing.T, w workload) {
	t.Helper()
	body := w.at(object{"secretName": "DB", "secretValue": "postgres", "secretComment": "", "skipMultilineEncoding": false, "type": "shared", "metadata": object{}})
	w.send(t, http.MethodPost, secretsV3+"/DB", body, oneSecret)
	body["secretValue"], body["secretReminderNote"], body["secretReminderRepeatDays"] = "changed", "rotate", 30
	if a := w.send(t, http.MethodPatch, secretsV3+"/DB", body, oneSecret); a.Number("secret.version") != 2 {
		t.Errorf("changed %s", a.Body)
	}
	list := w.send(t, http.MethodGet, secretsV3+"?environment=dev&expandSecretReferences=true&include_imports=true&recursive=false&viewSecretValue=true&workspaceId="+w.project.ID, nil, secretsShape)
	for _, wrong := range secretShape.fits("secrets.0", list.At("secrets.0")) {
		t.Error(wrong)
	}
	one := secretsV3 + "/DB?environment=dev&expandSecretReferences=true&includeImports=true&secretName=DB&viewSecretValue=true&workspaceId=" + w.project.ID
	if a := w.send(t, http.MethodGet, one, nil, oneSecret); a.Text("secret.secretValue") != "changed" {
		t.Errorf("read %s", a.Body)
	}
	w.send(t, http.MethodDelete, secretsV3+"/DB", w.at(object{"secretName": "DB", "type": "shared"}), oneSecret)
}
