package e2e

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// listedByCLI is the query with which the command line lists: every flag is there, and the path may be empty.
func listedByCLI(p project, path string) string {
	return secretsV4 + "?environment=dev&expandSecretReferences=true&includeImports=true&includePersonalOverrides=true&projectId=" + p.ID +
		"&recursive=false&secretPath=" + path
}

// TestCLI is the command line as of 2026-08.
func TestCLI(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(t *testing.T, w workload){
		"logs_in": cliLogsIn, "renews_its_token": cliRenews, "reads_secrets": cliReads, "reads_one_secret_for_a_template": cliReadsOne,
		"watches_for_changes": cliWatches, "sets_secrets": cliSets, "makes_the_tag_that_is_missing": cliTags, "deletes_secrets": cliDeletes,
		"manages_folders": cliFolders, "a_user_chooses_a_project": cliInit,
		"probes_the_server": func(t *testing.T, _ workload) { shared.As("").Call(t, http.MethodGet, "/api/status", nil).Want(200) },
		"agent_finds_a_project_by_slug": func(t *testing.T, w workload) {
			w.send(t, http.MethodGet, projectsPath+"/slug/"+w.Slug, nil, projectShape)
		},
	} {
		t.Run(name, func(t *testing.T) { do(t, newWorkload(t, shared, "cli")) })
	}
}

func cliLogsIn(t *testing.T, w workload) {
	plain := workload{Client: shared.As("").With("User-Agent", "cli")}
	a := plain.send(t, http.MethodPost, loginUniversal+"/", object{"clientId": w.ClientID, "clientSecret": w.universal.Secret}, loginShape)
	if a.Text("tokenType") != "Bearer" || a.Number("accessTokenMaxTTL") == 0 {
		t.Errorf("%s: the agent logs in without end where there is no longest life", a.Body)
	}
}

func cliRenews(t *testing.T, w workload) {
	workload{Client: shared.As("")}.send(t, http.MethodPost, renewPath, object{"accessToken": w.Token}, loginShape)
}

func cliReadsOne(t *testing.T, w workload) {
	w.send(t, http.MethodPost, secretsV3+"/ONE", w.at(object{"secretValue": "1"}), oneSecret)
	w.send(t, http.MethodGet, secretsV4+"/ONE?environment=dev&expandSecretReferences=true&includeImports=true&projectId="+w.project.ID+"&secretPath=%2F&type=shared", nil, oneSecret)
}

func cliWatches(t *testing.T, w workload) {
	w.send(t, http.MethodPost, secretsV3+"/WATCHED", w.at(object{"secretValue": "1"}), oneSecret)
	tag := func() string {
		return w.Call(t, http.MethodGet, listedByCLI(w.project, "%2F"), nil).Want(200).Header.Get("Etag")
	}
	first := tag()
	if again := tag(); first == "" || again != first {
		t.Errorf("the tag went from %q to %q without a change", first, again)
	}
	w.send(t, http.MethodPatch, secretsV3+"/WATCHED", w.at(object{"secretValue": "2", "type": "shared"}), oneSecret)
	if tag() == first {
		t.Error("the tag is the same after a change")
	}
}

func cliTags(t *testing.T, w workload) {
	tags := projectsPath + "/" + w.project.ID + "/tags"
	w.Call(t, http.MethodGet, tags+"/slug/urgent", nil).WantError(404, "NotFound")
	made := w.send(t, http.MethodPost, tags, object{"slug": "urgent", "color": ""}, shape{"tag": shape{"id": "uuid", "slug": "string", "projectId": "uuid"}})
	w.send(t, http.MethodPost, secretsV3+"/TAGGED", w.at(object{"secretValue": "1", "type": "shared", "tagIds": []string{made.Text("tag.id")}}), oneSecret)
	w.send(t, http.MethodPost, secretsV3+"/PLAIN", w.at(object{"secretValue": "1", "type": "shared"}), oneSecret)
	a := w.send(t, http.MethodGet, listedByCLI(w.project, "%2F")+"&tagSlugs=urgent", nil, secretsShape)
	if got := a.List("secrets", "secretKey"); !cmp.Equal(got, []string{"TAGGED"}) {
		t.Errorf("with the tag are %v", got)
	}
}

func cliDeletes(t *testing.T, w workload) {
	w.send(t, http.MethodPost, secretsV3+"/GONE", w.at(object{"secretValue": "1"}), oneSecret)
	w.send(t, http.MethodDelete, secretsV3+"/GONE", w.at(object{"secretName": "GONE", "type": "shared"}), oneSecret)
	w.Call(t, http.MethodDelete, secretsV3+"/GONE", w.at(object{"secretName": "GONE", "type": "shared"})).WantError(404, "NotFound")
}

func cliFolders(t *testing.T, w workload) {
	body := object{"workspaceId": w.project.ID, "environment": "dev", "directory": "/", "name": "app"}
	w.send(t, http.MethodPost, "/api/v1/folders", body, oneFolder)
	a := w.send(t, http.MethodGet, "/api/v1/folders?directory=%2F&environment=dev&workspaceId="+w.project.ID, nil, shape{"folders": "list"})
	for _, wrong := range folderShape.fits("folders.0", a.At("folders.0")) {
		t.Error(wrong)
	}
	w.send(t, http.MethodGet, "/api/v1/folders?directory=%2Fnope&environment=dev&workspaceId="+w.project.ID, nil, shape{"folders": "list"})
	w.send(t, http.MethodDelete, "/api/v1/folders/app", object{"workspaceId": w.project.ID, "environment": "dev", "directory": "/", "folderName": "app"}, oneFolder)
}

func cliInit(t *testing.T, _ workload) {
	user := workload{Client: login(t, shared, adminEmail).Client}
	made := user.send(t, http.MethodPost, projectsPath, projectBody(), shape{"project": projectShape})
	ids := user.send(t, http.MethodGet, "/api/v1/workspace", nil, shape{"workspaces": "list"}).List("workspaces", "id")
	if !slices.Contains(ids, made.Text("project.id")) {
		t.Error("init does not offer a project that the user made")
	}
}

func cliReads(t *testing.T, w workload) {
	w.send(t, http.MethodPost, secretsV3+"/A", w.at(object{"secretValue": "a", "secretComment": ""}), oneSecret)
	w.send(t, http.MethodPost, secretsV3+"/B", w.at(object{"secretValue": "<${A}>"}), oneSecret)
	w.send(t, http.MethodPost, secretsV3+"/P", object{"workspaceId": w.project.ID, "environment": "prod", "secretPath": "/", "secretValue": "p"}, oneSecret)
	w.send(t, http.MethodPost, importsV2, object{"projectId": w.project.ID, "environment": "dev", "path": "/", "import": object{"environment": "prod", "path": "/"}},
		shape{"secretImport": importShape})
	for _, body := range []any{nil, object{"projectId": "ignored", "environment": "prod"}} { // a GET with a body
		a := w.send(t, http.MethodGet, listedByCLI(w.project, ""), body, secretsShape)
		for place, want := range map[string]shape{"secrets.0": secretShape, "imports.0": {"environment": "string", "secretPath": "string", "folderId": "uuid", "secrets": "list"},
			"imports.0.secrets.0": secretShape} {
			for _, wrong := range want.fits(place, a.At(place)) {
				t.Error(wrong)
			}
		}
		if a.Text("secrets.1.secretValue") != "<a>" || a.Text("imports.0.secrets.0.secretKey") != "P" || a.Text("secrets.0.secretPath") != "/" {
			t.Errorf("%s", a.Body)
		}
	}
}

func cliSets(t *testing.T, w workload) {
	w.send(t, http.MethodGet, listedByCLI(w.project, "%2F"), nil, secretsShape)
	body := w.at(object{"secretName": "SET", "secretValue": "1", "type": "shared", "tagIds": []string{}, "skipMultilineEncoding": false, "secretComment": ""})
	if made := w.send(t, http.MethodPost, secretsV3+"/SET", body, oneSecret); made.Number("secret.version") != 1 {
		t.Errorf("made %s", made.Body)
	}
	body["secretValue"] = "2"
	if set := w.send(t, http.MethodPatch, secretsV3+"/SET", body, oneSecret); set.Number("secret.version") != 2 || set.Text("secret.secretValue") != "2" {
		t.Errorf("set %s", set.Body)
	}
}

// TestCLIScript runs what the command line's own end-to-end tests call, in their order. They sign the first user up, where
// this server has a bootstrap.
func TestCLIScript(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	s.As("").Call(t, http.MethodPost, "/api/v1/admin/signup", object{"email": "a@example.com", "password": "x", "firstName": "Ada"}).WantError(404, "NotFound")
	boot := s.As("").Call(t, http.MethodPost, bootstrapPath, object{"email": "a@example.com", "password": "a long password", "organization": "Acme"}).Want(200)
	s.OrgID = boot.Text("organization.id")
	first := s.As("").Call(t, http.MethodPost, loginPath, object{"email": "a@example.com", "password": "a long password"}).Want(200)
	chosen := s.As(first.Text("accessToken")).Call(t, http.MethodPost, selectPath, object{"organizationId": s.OrgID}).Want(200)
	refreshed := s.As("").With("Cookie", "jid="+cookieOf(t, first).Value).Call(t, http.MethodPost, refreshPath, object{}).Want(200)
	admin := workload{Client: s.As(chosen.Text("token"))}
	if refreshed.Text("token") == "" {
		t.Error("refreshing gave no token")
	}
	slug := harness.RandomName()
	id := admin.send(t, http.MethodPost, projectsPath, object{"projectName": slug, "slug": slug, "shouldCreateDefaultEnvs": true, "template": "default", "type": "secret-manager"},
		shape{"project": projectShape}).Text("project.id")
	identity := admin.send(t, http.MethodPost, harness.Identities, object{"name": "e2e", "organizationId": s.OrgID, "role": "member"}, shape{"identity": identityShape}).Text("identity.id")
	admin.send(t, http.MethodPost, projectsPath+"/"+id+"/memberships/identities/"+identity, object{"roles": []object{{"role": "admin"}}}, joinedShape)
	admin.send(t, http.MethodPost, universalPath+identity, object{}, shape{"identityUniversalAuth": plus(configShape, "clientId", "uuid")})
	admin.send(t, http.MethodPost, universalPath+identity+"/client-secrets", object{"description": "", "ttl": 0, "numUsesLimit": 0}, shape{"clientSecret": "string"})
	admin.send(t, http.MethodPost, harness.TokenAuth+identity, object{"accessTokenTTL": 3600}, shape{"identityTokenAuth": configShape})
	token := admin.send(t, http.MethodPost, harness.TokenAuth+identity+"/tokens", object{"name": nil}, plus(loginShape, "tokenData", tokenShape)).Text("accessToken")

	worker := workload{Client: s.As(token)}
	body := object{"projectId": id, "environment": "dev", "secretPath": "/", "secretValue": "1", "secretReminderNote": nil, "skipMultilineEncoding": nil}
	worker.send(t, http.MethodPost, secretsV4+"/A", body, oneSecret)
	worker.send(t, http.MethodPatch, secretsV4+"/A", body, oneSecret)
	worker.send(t, http.MethodGet, secretsV4+"/A?projectId="+id+"&environment=dev&secretPath=%2F", nil, oneSecret)
	worker.send(t, http.MethodGet, secretsV4+"?projectId="+id+"&environment=dev", nil, secretsShape)
	worker.send(t, http.MethodDelete, secretsV4+"/A", object{"projectId": id, "environment": "dev", "secretPath": "/"}, oneSecret)
}
