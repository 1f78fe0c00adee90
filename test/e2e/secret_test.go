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

// TestSecretOnTheWire compares every field of a secret with what clients read (docs/reference/clients.md section 3).
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

// TestSecretRequestsOfClients sends what the clients send, odd as it is (docs/reference/clients.md sections 2 and 3).
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

// TestReferencesAndImportsOnTheWire: v4 expands and imports unless told otherwise, v3 when told so, in either spelling.
func TestReferencesAndImportsOnTheWire(t *testing.T) {
	t.Parallel()
	v := newVault(t, shared)
	v.put(t, shared, "prod", "/", "P", "p")
	v.put(t, shared, "dev", "/", "REF", "<${P}>")
	shared.Admin.Call(t, http.MethodPost, importsV1, object{"workspaceId": v.ID, "environment": "dev", "path": "/", "import": object{"environment": "prod", "path": "/"}}).Want(200)
	for _, c := range []struct{ path, query, ref, imports string }{
		{secretsV4, "", "<p>", "[P]"}, {secretsV4, "&includeImports=false", "<p>", "[]"}, {secretsV4, "&include_imports=false&expandSecretReferences=false", "<${P}>", "[]"},
		{secretsV3, "", "<${P}>", "[]"}, {secretsV3, "&include_imports=true", "<${P}>", "[P]"}, {secretsV3, "&includeImports=true&expandSecretReferences=true", "<p>", "[P]"},
	} {
		t.Run(c.path+c.query, func(t *testing.T) {
			a := shared.Admin.Call(t, http.MethodGet, c.path+v.query()+c.query, nil).Want(200)
			imports := []string{}
			if n := len(a.List("imports", "environment")); n > 0 {
				imports = a.List("imports.0.secrets", "secretKey")
			}
			if got := a.Text("secrets.1.secretValue"); got != c.ref || fmt.Sprint(imports) != c.imports {
				t.Errorf("REF is %q, imports are %v", got, imports)
			}
			one := shared.Admin.Call(t, http.MethodGet, c.path+"/REF"+v.query()+c.query, nil).Want(200)
			if got := one.Text("secret.secretValue"); got != c.ref {
				t.Errorf("alone, REF is %q", got)
			}
			status := 404
			if c.imports != "[]" {
				status = 200
			}
			shared.Admin.Call(t, http.MethodGet, c.path+"/P"+v.query()+c.query, nil).Want(status)
		})
	}
	t.Run("true and false alone", func(t *testing.T) {
		for _, name := range []string{"viewSecretValue", "expandSecretReferences", "includeImports", "include_imports", "recursive"} {
			shared.Admin.Call(t, http.MethodGet, secretsV4+v.query()+"&"+name+"=1", nil).WantError(422, "ValidationFailure")
		}
	})
}

// TestPollingSeesEveryChange: the tag of a list changes when an import, the target of a reference or a permission does.
func TestPollingSeesEveryChange(t *testing.T) {
	t.Parallel()
	v := newVault(t, shared)
	v.put(t, shared, "prod", "/", "P", "p")
	v.put(t, shared, "staging", "/", "S", "s")
	v.put(t, shared, "dev", "/", "REF", "${prod.P}")
	shared.Admin.Call(t, http.MethodPost, importsV2, object{"projectId": v.ID, "environment": "dev", "import": object{"environment": "staging", "path": "/"}}).Want(200)
	path := secretsV4 + v.query()
	tag := shared.Admin.Call(t, http.MethodGet, path, nil).Want(200).Header.Get("ETag")
	for what, environment := range map[string]string{"P": "prod", "S": "staging", "OLD": "dev"} {
		shared.Admin.With("If-None-Match", tag).Call(t, http.MethodGet, path, nil).Want(304)
		shared.Admin.Call(t, http.MethodPatch, secretsV4+"/"+what, object{"projectId": v.ID, "environment": environment, "secretValue": "new"}).Want(200)
		next := shared.Admin.With("If-None-Match", tag).Call(t, http.MethodGet, path, nil).Want(200)
		if tag = next.Header.Get("ETag"); !strings.Contains(string(next.Body), "new") {
			t.Errorf("after a change of %s: %s", what, next.Body)
		}
	}
	hidden := shared.Admin.With("If-None-Match", tag).Call(t, http.MethodGet, path+"&viewSecretValue=false", nil).Want(200)
	if !hidden.Flag("secrets.0.secretValueHidden") || hidden.Text("secrets.0.secretValue") != "<hidden-by-infisical>" {
		t.Errorf("%s", hidden.Body)
	}
}

// TestManySecrets: a folder of 10,000 secrets is made in batches, listed whole and deleted.
func TestManySecrets(t *testing.T) {
	t.Parallel()
	v := newVault(t, shared)
	body := secretPlace(v)
	body["environment"] = "prod"
	for batch := range 10 {
		var items []any
		for i := range 1000 {
			items = append(items, object{"secretKey": fmt.Sprintf("S%d-%d", batch, i), "secretValue": "${S0-0}x"})
		}
		items[0].(object)["secretValue"] = "v"
		body["secrets"] = items
		shared.Admin.Call(t, http.MethodPost, batchV4, body).Want(200)
	}
	a := shared.Admin.Call(t, http.MethodGet, secretsV4+"?projectId="+v.ID+"&environment=prod", nil).Want(200)
	if n := len(a.List("secrets", "secretKey")); n != 10_000 || a.Text("secrets.1.secretValue") != "vx" {
		t.Errorf("%d secrets, the second is %q", n, a.Text("secrets.1.secretValue"))
	}
}

// TestFoldersTakeTheirSecretsAlong: a folder with a secret is deleted only by force, and the secret is gone with it.
func TestFoldersTakeTheirSecretsAlong(t *testing.T) {
	t.Parallel()
	v := newVault(t, shared)
	place := object{"projectId": v.ID, "environment": "dev", "path": "/", "name": "app"}
	id := shared.Admin.Call(t, http.MethodPost, "/api/v2/folders", place).Want(200).Text("folder.id")
	secretID := v.put(t, shared, "dev", "/app", "A", "x").Text("secret.id")
	shared.Admin.Call(t, http.MethodDelete, "/api/v2/folders/"+id, place).WantError(400, "BadRequest")
	place["forceDelete"] = true
	shared.Admin.Call(t, http.MethodDelete, "/api/v2/folders/"+id, place).Want(200)
	shared.Admin.Call(t, http.MethodGet, secretsV4+"/id/"+secretID, nil).WantError(404, "NotFound")
}

// TestPersonalSecretsOnTheWire: a user's own secret stands in for the shared one in v4 when asked, and beside it in v3.
func TestPersonalSecretsOnTheWire(t *testing.T) {
	t.Parallel()
	_, email := newUser(t, shared, "member")
	user := login(t, shared, email)
	made := user.Call(t, http.MethodPost, projectsPath, projectBody()).Want(200)
	place := object{"projectId": made.Text("project.id"), "environment": "dev", "secretValue": "shared"}
	user.Call(t, http.MethodPost, secretsV4+"/A", place).Want(200)
	place["secretValue"], place["type"] = "mine", "personal"
	if got := user.Call(t, http.MethodPost, secretsV4+"/A", place).Want(200).Text("secret.type"); got != "personal" {
		t.Errorf("the type is %q", got)
	}
	query := "?environment=dev&projectId=" + made.Text("project.id")
	for path, want := range map[string]string{
		secretsV4 + query: "[shared]", secretsV4 + query + "&includePersonalOverrides=true": "[mine]", secretsV3 + query: "[shared mine]",
		secretsV3 + query + "&viewSecretValue=false": "[<hidden-by-infisical> mine]",
	} {
		if got := fmt.Sprint(user.Call(t, http.MethodGet, path, nil).Want(200).List("secrets", "secretValue")); got != want {
			t.Errorf("%s has the values %s, want %s", path, got, want)
		}
	}
	for kind, want := range map[string]string{"shared": "shared", "personal": "mine"} {
		if got := user.Call(t, http.MethodGet, secretsV4+"/A"+query+"&type="+kind, nil).Want(200).Text("secret.secretValue"); got != want {
			t.Errorf("the %s one is %q", kind, got)
		}
	}
	user.Call(t, http.MethodDelete, secretsV4+"/A", place).Want(200)
	user.Call(t, http.MethodGet, secretsV4+"/A"+query+"&type=personal", nil).WantError(404, "NotFound")
	user.Call(t, http.MethodGet, secretsV4+"/A"+query, nil).Want(200)
}
