package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// TestSecretOnTheWire compares every field of a secret with what clients read (clients.md section 3).
func TestSecretOnTheWire(t *testing.T) {
	t.Parallel()
	v := newVault(t, shared)
	for _, path := range []string{secretsV4, secretsV3} {
		t.Run(path, func(t *testing.T) {
			name := harness.RandomName()
			made := shared.Admin.Call(t, http.MethodPost, path+"/"+name, secretBody(v)).Want(200)
			want := object{"id": made.Text("secret.id"), "_id": made.Text("secret.id"), "workspace": v.ID, "environment": "dev", "version": made.At("secret.version"),
				"type": "shared", "secretKey": name, "secretValue": "postgres://x", "secretValueHidden": false, "secretComment": "of the\ndatabase", "secretPath": "/",
				"secretReminderNote": "rotate", "secretReminderRepeatDays": made.At("secret.secretReminderRepeatDays"), "skipMultilineEncoding": false,
				"secretMetadata":  []any{object{"key": "team", "value": "core", "isEncrypted": false}},
				"tags":            []any{object{"id": v.tagID, "slug": "red", "name": "red", "color": nil}},
				"isRotatedSecret": false, "rotationId": nil, "createdAt": made.Text("secret.createdAt"), "updatedAt": made.Text("secret.updatedAt")}
			if made.Number("secret.version") != 1 || made.Number("secret.secretReminderRepeatDays") != 30 {
				t.Errorf("made %s", made.Body)
			}
			read := shared.Admin.Call(t, http.MethodGet, path+"/"+name+v.query(), nil).Want(200)
			for what, got := range map[string]any{"made": made.At("secret"), "read": read.At("secret")} {
				if diff := cmp.Diff(any(want), got); diff != "" {
					t.Errorf("%s: %s", what, diff)
				}
			}
		})
	}
}

// TestSecretRequestsOfClients sends what the clients send, odd as it is (clients.md sections 2 and 3).
func TestSecretRequestsOfClients(t *testing.T) {
	t.Parallel()
	v := newVault(t, shared)
	call := func(method, path string, body any) *harness.Answer {
		t.Helper()
		return shared.Admin.Call(t, method, path, body).Want(200)
	}
	place := object{"workspaceId": v.ID, "environment": "dev", "secretPath": "/"}
	with := func(more object) object {
		all := object{}
		for _, m := range []object{place, more} {
			for k, value := range m {
				all[k] = value
			}
		}
		return all
	}
	t.Run("Go SDK/list with an empty slug", func(t *testing.T) {
		a := call(http.MethodGet, secretsV3+"?environment=dev&expandSecretReferences=false&include_imports=false&recursive=false&secretPath=%2F&workspaceId="+v.ID+"&workspaceSlug=", nil)
		if diff := cmp.Diff([]string{"OLD"}, a.List("secrets", "secretKey")[:1]); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("Go SDK/304", func(t *testing.T) {
		path := secretsV3 + "?environment=prod&secretPath=%2F&workspaceId=" + v.ID
		v.put(t, shared, "prod", "/", "A", "1")
		tag := call(http.MethodGet, path, nil).Header.Get("ETag")
		again := shared.Admin.With("If-None-Match", tag).Call(t, http.MethodGet, path, nil).Want(304)
		if len(again.Body) != 0 || tag == "" {
			t.Errorf("a 304 for the tag %q with the body %q", tag, again.Body)
		}
		call(http.MethodPatch, secretsV3+"/A", object{"workspaceId": v.ID, "environment": "prod", "secretValue": "2"})
		if a := shared.Admin.With("If-None-Match", tag).Call(t, http.MethodGet, path, nil).Want(200); a.Text("secrets.0.secretValue") != "2" {
			t.Errorf("%s", a.Body)
		}
	})
	t.Run("Terraform/empty reminder and no tags", func(t *testing.T) {
		body := with(object{"type": "shared", "secretKey": "TF", "secretValue": "multi\nline\n", "secretComment": "", "secretReminderNote": "",
			"secretReminderRepeatDays": 0, "tagIds": nil})
		call(http.MethodPost, secretsV3+"/TF", body)
		a := call(http.MethodGet, secretsV3+"/TF?environment=dev&secretPath=%2F&type=shared&viewSecretValue=true&workspaceId="+v.ID, nil)
		if a.Text("secret.secretValue") != "multi\nline\n" {
			t.Errorf("%s", a.Body)
		}
	})
	t.Run("oapi-codegen/explicit nulls", func(t *testing.T) {
		call(http.MethodPost, secretsV4+"/E2E", object{"environment": "dev", "projectId": v.ID, "secretPath": "/", "secretReminderNote": nil,
			"secretReminderRepeatDays": nil, "secretValue": "v1", "skipMultilineEncoding": nil})
		call(http.MethodPatch, secretsV4+"/E2E", object{"environment": "dev", "projectId": v.ID, "secretPath": "/", "secretReminderNote": nil, "secretValue": "v2"})
		call(http.MethodDelete, secretsV4+"/E2E", object{"environment": "dev", "projectId": v.ID, "secretPath": "/"})
	})
	t.Run("Node SDK/by slug and with stray keys", func(t *testing.T) {
		a := call(http.MethodGet, secretsV3+"/OLD?secretName=OLD&workspaceSlug="+v.Slug+"&environment=dev&expandSecretReferences=true&includeImports=false&version=1&viewSecretValue=true", nil)
		if a.Text("secret.secretValue") != "old" {
			t.Errorf("%s", a.Body)
		}
		shared.Admin.Call(t, http.MethodGet, secretsV3+"/NOPE?workspaceSlug="+v.Slug+"&environment=dev", `{"workspaceId":"x"}`).WantError(404, "NotFound")
	})
	t.Run("CLI/deleting a personal secret as an identity", func(t *testing.T) {
		shared.Admin.Call(t, http.MethodDelete, secretsV3+"/OLD", with(object{"secretName": "OLD", "type": "personal"})).WantError(400, "BadRequest")
	})
	t.Run("without a project", func(t *testing.T) {
		shared.Admin.Call(t, http.MethodGet, secretsV3+"?environment=dev", nil).WantError(400, "BadRequest")
		shared.Admin.Call(t, http.MethodGet, secretsV4+"?projectId="+v.ID, nil).WantError(400, "BadRequest")
	})
	t.Run("a folder that is not there", func(t *testing.T) {
		shared.Admin.Call(t, http.MethodGet, secretsV4+"?projectId="+v.ID+"&environment=dev&secretPath=/nope", nil).WantError(404, "SecretPathNotFound")
		shared.Admin.Call(t, http.MethodGet, secretsV4+"/A?projectId="+v.ID+"&environment=dev&secretPath=/nope", nil).WantError(404, "NotFound")
	})
}

// TestOddSecrets: names and values come back as they were sent.
func TestOddSecrets(t *testing.T) {
	t.Parallel()
	v := newVault(t, shared)
	everything := make([]rune, 0, 0x300)
	for r := rune(0); r < 0x300; r++ {
		everything = append(everything, r)
	}
	for i, value := range []string{"", "$1 $& ${1}", "${NOPE}", "${", "\x00", "x" + string(everything) + "x", "💣\u2028💣", strings.Repeat("é", 1<<19), `"\\`} {
		t.Run(fmt.Sprintf("value %d", i), func(t *testing.T) {
			name := fmt.Sprintf("V%d", i)
			v.put(t, shared, "dev", "/", name, value)
			for _, path := range []string{secretsV4, secretsV3} {
				if got := shared.Admin.Call(t, http.MethodGet, path+"/"+name+v.query(), nil).Want(200).Text("secret.secretValue"); got != value {
					t.Errorf("%.40q came back as %.40q", value, got)
				}
			}
		})
	}
	for _, name := range []string{"a.b", "a b", "a%2Fb", "💣", "ü", "'\";--", "$1", "${A}", "a?b#c", strings.Repeat("n", 512)} {
		t.Run("name "+name[:min(len(name), 20)], func(t *testing.T) {
			v.put(t, shared, "dev", "/", name, "x")
			if got := shared.Admin.Call(t, http.MethodGet, secretsV3+"/"+url.PathEscape(name)+v.query(), nil).Want(200).Text("secret.secretKey"); got != name {
				t.Errorf("%q came back as %q", name, got)
			}
		})
	}
}
