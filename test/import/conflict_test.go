package importing

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/ops/importer"
)

// occupied returns a target that has a project of the same slug, in part the same and in part otherwise.
func occupied(t *testing.T) *seeded {
	t.Helper()
	to := &seeded{Server: start(t), identities: map[string]string{}}
	to.project = to.post(t, "/api/v1/projects", object{"projectName": "Payments", "slug": "payments", "projectDescription": "ours"}).Text("project.id")
	to.post(t, "/api/v1/projects/"+to.project+"/tags", object{"slug": "red", "color": "#990000"})
	to.batch(t, "dev", "/", object{"secretKey": "HOST", "secretValue": "of the target"}, object{"secretKey": "EMPTY", "secretValue": ""},
		object{"secretKey": "EXTRA", "secretValue": "stays"}, object{"secretKey": "REMIND", "secretValue": "x", "secretReminderNote": "later", "secretReminderRepeatDays": 1})
	to.post(t, "/api/v1/projects/"+to.project+"/roles", object{"slug": "deploy", "name": "Deploy", "permissions": []object{}})
	to.post(t, "/api/v1/identities", object{"name": "ci", "organizationId": to.OrgID, "role": "no-access"})
	return to
}

func (s *seeded) value(t *testing.T, key string) string {
	t.Helper()
	return s.Admin.Call(t, http.MethodGet, "/api/v4/secrets/"+key+"?environment=dev&expandSecretReferences=false&projectId="+s.project, nil).Want(200).Text("secret.secretValue")
}

func TestTargetThatHasTheProjectAlready(t *testing.T) {
	from, to := seed(t, 0), occupied(t)
	j := newJourney(t, from.Server, to.Server)
	first := j.run(t)
	differ := map[importer.Kind]int64{}
	for _, f := range j.wrong() {
		differ[f.Kind]++
	}
	want := map[importer.Kind]int64{importer.Projects: 1, importer.Tags: 1, importer.Secrets: 2, importer.Roles: 1, importer.Identities: 1, importer.OrgMembers: 1, importer.AuthMethods: 1}
	if diff := cmp.Diff(want, differ); diff != "" {
		t.Errorf("what differs: %s\n%+v", diff, j.wrong())
	}
	if n := first[importer.Secrets]; n.Made != 5 || n.Same != 1 || n.Different != 2 {
		t.Errorf("secrets count %+v", *n)
	}
	search := object{"search": object{"name": object{"$eq": "ci"}}}
	if ci := to.post(t, "/api/v1/identities/search", search); len(ci.At("identities.0.identity.authMethods").([]any)) > 0 || ci.Text("identities.0.role") != "no-access" {
		t.Errorf("without --overwrite an identity that was here got a login or a role: %s", ci.Body)
	}
	if got := to.value(t, "HOST"); got != "of the target" {
		t.Errorf("without --overwrite the secret is now %q", got)
	}

	j.Overwrite = true
	if second := j.run(t); second.Open() > 0 || sum(second).Made > 0 {
		t.Errorf("with --overwrite it counts %+v, and %+v", sum(second), j.wrong())
	}
	if got := to.value(t, "EXTRA"); got != "stays" {
		t.Errorf("a secret that only the target has is now %q", got)
	}
	to.Admin.Call(t, http.MethodDelete, "/api/v4/secrets/EXTRA", object{"projectId": to.project, "environment": "dev"}).Want(200)
	if diff := cmp.Diff(export(t, from.Server), export(t, to.Server)); diff != "" {
		t.Errorf("with --overwrite the target differs from the source: %s", diff)
	}
}

// TestProjectOfOthersAtTheTarget is left alone, and the other projects are imported.
func TestProjectOfOthersAtTheTarget(t *testing.T) {
	from, to := seed(t, 0), occupied(t)
	stranger := to.NewActor(t, "admin", nil)
	j := newJourney(t, from.Server, to.Server)
	j.Target.Token = stranger.Token
	result := j.run(t)
	if n := result[importer.Projects]; n.Failed != 1 || n.Made != 1 {
		t.Errorf("projects count %+v; want 1 made and 1 failed", *n)
	}
	if n := result[importer.Secrets]; *n != (importer.Count{}) {
		t.Errorf("secrets count %+v; want none", *n)
	}
}

// TestSecretThatTheTargetRefuses does not take the others of its batch along.
func TestSecretThatTheTargetRefuses(t *testing.T) {
	from, to := seed(t, many), start(t)
	j := newJourney(t, from.Server, to)
	j.Target.URL = ill(t, to, func(w http.ResponseWriter, r *http.Request) bool {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(text))
		refused := r.URL.Path == "/api/v4/secrets/batch" && bytes.Contains(text, []byte(`"KEY_117"`))
		if refused {
			http.Error(w, `{"message":[{"message":"no such key here","path":["secrets",17]}]}`, http.StatusUnprocessableEntity)
		}
		return refused
	})
	result := j.run(t)
	if n := result[importer.Secrets]; n.Failed != 1 || n.Made != 237 {
		t.Errorf("secrets count %+v; want 237 made and 1 failed", *n)
	}
	if wrong := j.wrong(); len(wrong) != 1 || !strings.Contains(wrong[0].Where, "KEY_117") || !strings.Contains(wrong[0].Reason, "no such key here") {
		t.Errorf("findings: %+v", wrong)
	}
}

// TestTwinsAtTheTarget: an identity whose name several have there is told, and nobody is taken for it.
func TestTwinsAtTheTarget(t *testing.T) {
	from, to := seed(t, 0), start(t)
	for range 2 {
		to.Admin.Call(t, http.MethodPost, "/api/v1/identities", object{"name": "ci", "organizationId": to.OrgID}).Want(200)
	}
	j := newJourney(t, from.Server, to)
	result := j.run(t)
	if result[importer.Identities].Failed != 1 || result[importer.Members].Failed == 0 {
		t.Errorf("identities count %+v, memberships %+v", *result[importer.Identities], *result[importer.Members])
	}
	if !slices.ContainsFunc(j.wrong(), func(f importer.Finding) bool {
		return f.Where == "ci" && strings.Contains(f.Reason, "several identities")
	}) {
		t.Errorf("no finding says so: %+v", j.wrong())
	}
}
