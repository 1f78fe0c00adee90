package e2e

import (
	"net/http"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/internal/httpapi"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

const projectsPath = "/api/v1/projects"

// projectTags are the tags of routes about what is inside a project: who is no member of it is refused.
var projectTags = []string{"Projects"}

// outside are the routes under these tags that are about no project in particular.
var outside = []string{"create-project", "list-projects"}

// anyMember are the routes inside a project that ask for a membership and for no permission.
var anyMember = []string{"get-project", "get-project-by-slug"}

func inProject(r httpapi.Route) bool {
	return slices.Contains(projectTags, r.Tag) && !slices.Contains(outside, r.ID)
}

// project is a project that the administrator made.
type project struct{ ID, Slug string }

func newProject(t testing.TB, s *harness.Server) project {
	t.Helper()
	made := s.Admin.Call(t, http.MethodPost, projectsPath, projectBody()).Want(200)
	return project{made.Text("project.id"), made.Text("project.slug")}
}

// projectBody makes a project under a slug that nobody has.
func projectBody() object {
	return object{"projectName": "Web shop", "projectDescription": "sells\nthings", "slug": harness.RandomName(), "kmsKeyId": "", "template": "default",
		"type": "secret-manager", "shouldCreateDefaultEnvs": true, "hasDeleteProtection": false}
}

func projectChanges() object {
	return object{"name": "Web shop", "description": "sells", "autoCapitalization": true, "hasDeleteProtection": false,
		"enforceEncryptedSecretManagerSecretMetadata": false, "slug": harness.RandomName(), "secretSharing": true, "showSnapshotsLegacy": false,
		"secretDetectionIgnoreValues": []string{"x"}, "pitVersionLimit": 10}
}

// projectRequests are the requests of routes inside projects. Each makes a project of its own.
var projectRequests = map[string]func(*testing.T, *harness.Server) request{
	"create-project": func(*testing.T, *harness.Server) request { return request{projectsPath, projectBody()} },
	"list-projects":  plain(projectsPath+"?type=secret-manager", nil),
	"get-project":    projectRequest("", nil),
	"get-project-by-slug": func(t *testing.T, s *harness.Server) request {
		return request{projectsPath + "/slug/" + newProject(t, s).Slug, nil}
	},
	"update-project": projectRequest("", projectChanges),
	"delete-project": projectRequest("", nil),
}

func projectRequest(after string, body func() object) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		r := request{path: projectsPath + "/" + newProject(t, s).ID + after}
		if body != nil {
			r.body = body()
		}
		return r
	}
}
