package importing

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// export reads all that a server's API shows of its organization, but for ids and times, and for what cannot be imported.
func export(t testing.TB, s *harness.Server) map[string]any {
	t.Helper()
	e := &exporter{t, s.Admin, s.OrgID, map[string]string{}}
	all := map[string]any{"roles": e.roles("/api/v1/organization/roles"), "identities": e.identities()}
	for _, p := range e.list("/api/v1/projects", "projects") {
		all["project "+p["slug"].(string)] = e.project(p["id"].(string))
	}
	return e.plain(all).(map[string]any)
}

type exporter struct {
	testing.TB
	client harness.Client
	orgID  string
	names  map[string]string // of identities, by id
}

func (e *exporter) get(path string) *harness.Answer {
	e.Helper()
	return e.client.Call(e, http.MethodGet, path, nil).Want(200)
}

func (e *exporter) list(path, key string) (found []object) {
	e.Helper()
	items, ok := e.get(path).At(key).([]any)
	if !ok {
		e.Fatalf("%s has no list %s", path, key)
	}
	for _, i := range items {
		found = append(found, i.(object))
	}
	return found
}

func (e *exporter) roles(path string) map[string]any {
	all := map[string]any{}
	for _, r := range e.list(path, "roles") {
		slug := r["slug"].(string)
		all[slug] = e.get(path + "/slug/" + slug).At("role")
	}
	return all
}

func (e *exporter) identities() (all []any) {
	for _, i := range e.list("/api/v1/identities?orgId="+e.orgID, "identities") {
		id := i["identityId"].(string)
		e.names[id] = i["identity"].(object)["name"].(string)
		all = append(all, e.get("/api/v1/identities/"+id).At("identity"),
			e.get("/api/v1/organization/identity-memberships/"+id).At("identityMembership.roles"), e.methods(id, i["identity"].(object)["authMethods"]))
	}
	return all
}

func (e *exporter) methods(id string, methods any) (all []any) {
	for _, m := range methods.([]any) {
		if m != "token-auth" || e.names[id] != "Instance Admin Identity" {
			all = append(all, m, e.get("/api/v1/auth/"+m.(string)+"/identities/"+id).JSON())
		}
	}
	return all
}

func (e *exporter) project(id string) map[string]any {
	base := "/api/v1/projects/" + id
	p := e.get(base).At("project").(object)
	all := map[string]any{"project": p, "tags": e.list(base+"/tags", "tags"), "roles": e.roles(base + "/roles")}
	var members []any
	for _, m := range e.list(base+"/memberships/identities?limit=1000", "identityMemberships") {
		members = append(members, e.member(id, m))
	}
	all["members"] = members
	for _, env := range p["environments"].([]any) {
		slug := env.(object)["slug"].(string)
		all["env "+slug] = e.environment(id, slug)
	}
	return all
}

func (e *exporter) member(projectID string, m object) []any {
	id := m["identityId"].(string)
	all := []any{m}
	for _, v := range e.list("/api/v2/identity-project-additional-privilege?projectId="+projectID+"&identityId="+id, "privileges") {
		all = append(all, e.get("/api/v2/identity-project-additional-privilege/"+v["id"].(string)).At("privilege"))
	}
	if m["identity"].(object)["projectId"] != nil {
		e.names[id] = m["identity"].(object)["name"].(string)
		all = append(all, e.methods(id, m["identity"].(object)["authMethods"]))
	}
	return all
}

func (e *exporter) environment(id, slug string) map[string]any {
	query := "?projectId=" + id + "&environment=" + slug
	all := map[string]any{}
	folders := append(e.list("/api/v2/folders"+query+"&recursive=true&path=/", "folders"), object{"relativePath": "/"})
	for _, f := range folders {
		path := url.QueryEscape(f["relativePath"].(string))
		all[f["relativePath"].(string)] = []any{f,
			e.list("/api/v4/secrets"+query+"&expandSecretReferences=false&includeImports=false&secretPath="+path, "secrets"),
			e.list("/api/v2/secret-imports"+query+"&path="+path, "secretImports")}
	}
	return all
}

// own are the fields that each server fills in by itself.
var own = strings.Fields("id _id createdAt updatedAt orgId projectId workspace envId parentId folderId identityId customRoleId roleId clientId " +
	"lastSecretModified projectMembershipId createdBy version lastLoginAuthMethod lastLoginTime")

// plain leaves out ids and times, and puts names in the place of ids elsewhere.
func (e *exporter) plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c, _ := v["conditions"].(object)
		conditions := c["identityId"] // the one place where an id is content
		for _, name := range own {
			delete(v, name)
		}
		for name := range v {
			v[name] = e.plain(v[name])
		}
		if c, ok := v["conditions"].(object); ok && conditions != nil {
			c["identityId"] = e.plain(conditions)
		}
	case []any:
		for i := range v {
			v[i] = e.plain(v[i])
		}
	case []object:
		for i := range v {
			v[i] = e.plain(v[i]).(object)
		}
	case string:
		if name, ok := e.names[v]; ok {
			return "identity " + name
		}
	}
	return v
}
