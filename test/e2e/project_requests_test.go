package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

const projectsPath = "/api/v1/projects"

// projectTags are the tags of routes about what is inside a project: who is no member of it is refused.
var projectTags = []string{"Projects", "Environments", "Folders", "Project Identities", "Project Users", "Project Roles", "Additional Privileges", "Secret Tags",
	"Secrets", "Secret imports"}

// outside are the routes under these tags that are about no project in particular.
var outside = []string{"create-project", "list-projects", "create-workspace", "list-workspaces"}

// anyMember are the routes inside a project that ask for a membership and for no permission.
var anyMember = []string{"get-project", "get-project-by-slug", "get-workspace", "get-workspace-by-slug", "get-workspace-v2",
	"list-folders", "list-folders-old", "get-folder", "get-folder-old", "get-folder-at-path"}

func inProject(r httpapi.Route) bool {
	return slices.Contains(projectTags, r.Tag) && !slices.Contains(outside, r.ID)
}

// project is a project that the administrator made; Dev is the id of its first environment.
type project struct{ ID, Slug, Dev string }

func newProject(t testing.TB, s *harness.Server) project {
	t.Helper()
	made := s.Admin.Call(t, http.MethodPost, projectsPath, projectBody()).Want(200)
	return project{made.Text("project.id"), made.Text("project.slug"), made.Text("project.environments.0.id")}
}

// projectBody makes a project under a slug that nobody has.
func projectBody() object {
	return object{"projectName": "Web shop", "projectDescription": "sells\nthings", "slug": harness.RandomName(), "kmsKeyId": "", "template": "default",
		"type": "secret-manager", "shouldCreateDefaultEnvs": true, "hasDeleteProtection": false}
}

func retentionBody() object { return object{"auditLogsRetentionDays": 30} }

func projectChanges() object {
	return object{"name": "Web shop", "description": "sells", "autoCapitalization": true, "hasDeleteProtection": false,
		"enforceEncryptedSecretManagerSecretMetadata": false, "slug": harness.RandomName(), "secretSharing": true, "showSnapshotsLegacy": false,
		"secretDetectionIgnoreValues": []string{"x"}, "pitVersionLimit": 10}
}

// placeRequests are the requests about projects, environments and folders.
var placeRequests = map[string]func(*testing.T, *harness.Server) request{
	"create-project": func(*testing.T, *harness.Server) request { return request{projectsPath, projectBody()} },
	"list-projects":  plain(projectsPath+"?type=secret-manager", nil),
	"get-project":    projectRequest("", nil),
	"get-project-by-slug": func(t *testing.T, s *harness.Server) request {
		return request{projectsPath + "/slug/" + newProject(t, s).Slug, nil}
	},
	"update-project":              projectRequest("", projectChanges),
	"delete-project":              projectRequest("", nil),
	"set-project-audit-retention": projectRequest("/audit-logs-retention", retentionBody),
	"set-workspace-audit-retention": func(t *testing.T, s *harness.Server) request {
		return request{"/api/v1/workspace/" + newProject(t, s).Slug + "/audit-logs-retention", retentionBody()}
	},

	"list-workspaces":       plain("/api/v1/workspace", nil),
	"create-workspace":      func(*testing.T, *harness.Server) request { return request{"/api/v2/workspace", projectBody()} },
	"get-workspace":         workspaceRequest("/api/v1/workspace/", false, nil),
	"get-workspace-by-slug": workspaceRequest("/api/v1/workspace/slug/", true, nil),
	"update-workspace":      workspaceRequest("/api/v1/workspace/", false, projectChanges),
	"delete-workspace":      workspaceRequest("/api/v1/workspace/", false, nil),
	"get-workspace-v2":      workspaceRequest("/api/v2/workspace/", true, nil),
	"update-workspace-v2":   workspaceRequest("/api/v2/workspace/", true, projectChanges),
	"delete-workspace-v2":   workspaceRequest("/api/v2/workspace/", true, nil),

	"create-environment":     projectRequest("/environments", environmentBody),
	"create-environment-old": old(projectRequest("/environments", environmentBody)),
	"get-slug-environment":   projectRequest("/environments/slug/dev", nil),
	"get-any-environment": func(t *testing.T, s *harness.Server) request {
		return request{"/api/v1/workspace/environments/" + newProject(t, s).Dev, nil}
	},
	"get-environment":         environmentRequest("", nil, false),
	"get-environment-old":     old(environmentRequest("", nil, false)),
	"update-environment":      environmentRequest("", environmentBody, false),
	"update-environment-old":  old(environmentRequest("", environmentBody, false)),
	"delete-environment":      environmentRequest("?hardDelete=false", nil, false),
	"delete-environment-old":  old(environmentRequest("", nil, false)),
	"restore-environment":     environmentRequest("/restore", nil, true),
	"restore-environment-old": old(environmentRequest("/restore", nil, true)),

	"create-folder":     folderRequest("/api/v2/folders", false, folderBody),
	"create-folder-old": folderRequest("/api/v1/folders", false, folderBody),
	"list-folders":      listFoldersRequest("/api/v2/folders"),
	"list-folders-old":  listFoldersRequest("/api/v1/folders"),
	"get-folder-at-path": func(t *testing.T, s *harness.Server) request {
		p := newProject(t, s)
		newFolder(t, s, p)
		return request{"/api/v1/folders/" + p.ID + "/dev/%2Fold", nil}
	},
	"get-folder":         folderRequest("/api/v2/folders", true, nil),
	"get-folder-old":     folderRequest("/api/v1/folders", true, nil),
	"update-folder":      folderRequest("/api/v2/folders", true, folderBody),
	"update-folder-old":  folderRequest("/api/v1/folders", true, folderBody),
	"update-folders":     batchRequest("/api/v2/folders/batch"),
	"update-folders-old": batchRequest("/api/v1/folders/batch"),
	"delete-folder":      folderRequest("/api/v2/folders", true, placeBody),
	"delete-folder-old":  folderRequest("/api/v1/folders", true, placeBody),
}

// placeBody is the root of the environment dev, in the words of all versions.
func placeBody(p project) object {
	return object{"projectId": p.ID, "workspaceId": p.ID, "environment": "dev", "path": "/", "directory": "/", "forceDelete": false}
}

func folderBody(p project) object {
	return object{"projectId": p.ID, "workspaceId": p.ID, "environment": "dev", "path": "/", "directory": "/", "name": "app", "description": "of the app"}
}

func newFolder(t *testing.T, s *harness.Server, p project) string {
	t.Helper()
	body := folderBody(p)
	body["name"] = "old"
	return s.Admin.Call(t, http.MethodPost, "/api/v2/folders", body).Want(200).Text("folder.id")
}

// folderRequest is about a new folder of a new project, or about none yet.
func folderRequest(path string, existing bool, body func(project) object) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		p, r := newProject(t, s), request{path: path}
		if existing {
			r.path += "/" + newFolder(t, s, p)
		}
		if body != nil {
			r.body = body(p)
		}
		return r
	}
}

func listFoldersRequest(path string) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		return request{path + "?projectId=" + newProject(t, s).ID + "&environment=dev&path=%2F&recursive=true", nil}
	}
}

func batchRequest(path string) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		p := newProject(t, s)
		return request{path, object{"projectId": p.ID, "projectSlug": p.Slug, "folders": []any{
			object{"id": newFolder(t, s, p), "environment": "dev", "name": "app", "path": "/", "description": "of the app"}}}}
	}
}

func workspaceRequest(base string, slug bool, body func() object) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		p, r := newProject(t, s), request{}
		if r.path = base + p.ID; slug {
			r.path = base + p.Slug
		}
		if body != nil {
			r.body = body()
		}
		return r
	}
}

func environmentBody() object { return object{"name": "Test", "slug": "test", "position": 2} }

// environmentRequest is about the environment dev of a new project, which may be deleted.
func environmentRequest(after string, body func() object, deleted bool) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		p := newProject(t, s)
		path := projectsPath + "/" + p.ID + "/environments/" + p.Dev
		if deleted {
			s.Admin.Call(t, http.MethodDelete, path, nil).Want(200)
		}
		r := request{path: path + after}
		if body != nil {
			r.body = body()
		}
		return r
	}
}

// old makes of a request under /api/v1/projects the same one under the name that projects once had.
func old(build func(*testing.T, *harness.Server) request) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		r := build(t, s)
		r.path = strings.Replace(r.path, projectsPath, "/api/v1/workspace", 1)
		return r
	}
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
