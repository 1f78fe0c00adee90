package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// newTerraform is a workload that may also manage identities, roles and projects of the organization.
func newTerraform(t *testing.T) workload {
	t.Helper()
	w := newWorkload(t, shared, "terraform")
	shared.Admin.Call(t, http.MethodPatch, identityPath(w.universal.ID), object{"role": "admin"}).Want(200)
	return w
}

// noTime is what the provider sends of a role that is for good: empty times, which do not count.
var noTime = object{"isTemporary": false, "temporaryMode": "", "temporaryRange": "", "temporaryAccessStartTime": "0001-01-01T00:00:00Z"}

// lasting assigns one role as the provider does.
func lasting(role string) []object {
	all := object{"role": role}
	for name, value := range noTime {
		all[name] = value
	}
	return []object{all}
}

// TestTerraform is the provider 0.19 as of 2026-08. It sends ids in bodies beside those in the path, and empty texts for
// what is not set.
func TestTerraform(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(t *testing.T, w workload){
		"infisical_secret": tfSecret, "infisical_secrets": tfSecrets, "infisical_secret_folder": tfFolder, "infisical_secret_import": tfImport,
		"infisical_project": tfProject, "infisical_project_environment": tfEnvironment, "infisical_secret_tag": tfTag, "infisical_project_role": tfRole,
		"infisical_project_role_v1": tfOldRole, "infisical_identity": tfIdentity, "infisical_identity_auth": tfAuth, "infisical_project_identity": tfMembership,
		"infisical_project_identity_newer": tfNewMembership, "infisical_project_user": tfUser, "infisical_project_identity_specific_privilege": tfPrivilege,
		"infisical_project_identity_specific_privilege_v1": tfOldPrivilege,
		"infisical_org_role": tfOrgRole, "infisical_project_identity_provider": tfOwned, "drops_a_resource_on_404": tfDrops,
	} {
		t.Run(name, func(t *testing.T) { do(t, newTerraform(t)) })
	}
}

func tfSecret(t *testing.T, w workload) {
	body := w.at(object{"type": "shared", "secretKey": "TF", "secretValue": "multi ${X}\nline\n", "secretComment": "", "secretReminderNote": "", "secretReminderRepeatDays": 0, "tagIds": nil})
	id := w.send(t, http.MethodPost, secretsV3+"/TF", body, oneSecret).Text("secret.id")
	for _, path := range []string{secretsV3 + "/TF?environment=dev&secretPath=%2F&type=shared&workspaceId=" + w.project.ID, secretsV3 + "/id/" + id} {
		if a := w.send(t, http.MethodGet, path, nil, oneSecret); a.Text("secret.secretValue") != "multi ${X}\nline\n" || a.Text("secret.id") != id {
			t.Errorf("the state would change: %s", a.Body)
		}
	}
	body["secretName"], body["secretValue"], body["newSecretName"] = "TF", "2", "RENAMED"
	if a := w.send(t, http.MethodPatch, secretsV3+"/TF", body, oneSecret); a.Text("secret.id") != id || a.Number("secret.version") != 2 {
		t.Errorf("changed %s", a.Body)
	}
	w.Call(t, http.MethodPost, secretsV3+"/RENAMED", body).WantError(400, "BadRequest")
	w.send(t, http.MethodDelete, secretsV3+"/RENAMED", w.at(object{"secretName": "RENAMED", "type": "shared"}), oneSecret)
}

func tfSecrets(t *testing.T, w workload) {
	w.send(t, http.MethodPost, secretsV3+"/A", w.at(object{"secretValue": "a"}), oneSecret)
	w.send(t, http.MethodPost, secretsV3+"/B", w.at(object{"secretValue": "${A}b"}), oneSecret)
	a := w.send(t, http.MethodGet, secretsV3+"?environment=dev&expandSecretReferences=true&include_imports=true&secretPath=%2F&workspaceId="+w.project.ID, nil, secretsShape)
	if got := a.List("secrets", "secretValue"); !cmp.Equal(got, []string{"a", "ab"}) {
		t.Errorf("the values are %v", got)
	}
}

func tfFolder(t *testing.T, w workload) {
	place := object{"workspaceId": w.project.ID, "environment": "dev", "path": "/", "name": "app", "description": ""}
	id := w.send(t, http.MethodPost, "/api/v1/folders", place, oneFolder).Text("folder.id")
	w.send(t, http.MethodGet, "/api/v1/folders/"+id, nil, shape{"folder": plus(plus(folderShape, "path", "string"), "environment", shape{"envId": "uuid", "envName": "string", "envSlug": "string"})})
	w.send(t, http.MethodGet, "/api/v1/folders?environment=dev&path=%2F&workspaceId="+w.project.ID, nil, shape{"folders": "list"})
	place["name"] = "renamed"
	w.send(t, http.MethodPatch, "/api/v1/folders/"+id, place, oneFolder)
	exact := "/api/v1/folders/" + w.project.ID + "/dev/%2Frenamed"
	if got := w.send(t, http.MethodGet, exact, nil, oneFolder).Text("folder.id"); got != id {
		t.Errorf("at its path is the folder %s; want %s", got, id)
	}
	w.send(t, http.MethodDelete, "/api/v2/folders/"+id, object{"id": id, "environment": "dev", "projectId": w.project.ID, "path": "/", "forceDelete": false}, oneFolder)
	w.Call(t, http.MethodGet, exact, nil).WantError(404, "NotFound")
	place["name"] = "older"
	id = w.send(t, http.MethodPost, "/api/v1/folders", place, oneFolder).Text("folder.id")
	w.send(t, http.MethodDelete, "/api/v1/folders/"+id, object{"id": id, "environment": "dev", "workspaceId": w.project.ID, "path": "/"}, oneFolder)
}

func tfImport(t *testing.T, w workload) {
	place := object{"workspaceId": w.project.ID, "environment": "dev", "path": "/", "import": object{"environment": "prod", "path": "/"}, "isReplication": false}
	id := w.send(t, http.MethodPost, importsV1, place, shape{"message": "string", "secretImport": importShape}).Text("secretImport.id")
	w.send(t, http.MethodGet, importsV1+"/"+id, nil, shape{"secretImport": importShape})
	w.send(t, http.MethodGet, importsV1+"?environment=dev&path=%2F&workspaceId="+w.project.ID, nil, shape{"secretImports": "list"})
	place["import"] = object{"environment": "staging", "path": "/", "position": 1}
	w.send(t, http.MethodPatch, importsV1+"/"+id, place, shape{"secretImport": importShape})
	w.send(t, http.MethodDelete, importsV1+"/"+id, object{"workspaceId": w.project.ID, "environment": "dev", "path": "/"}, shape{"secretImport": importShape})
	w.Call(t, http.MethodGet, importsV1+"/"+id, nil).WantError(404, "NotFound")
}

func tfProject(t *testing.T, w workload) {
	slug := harness.RandomName()
	id := w.send(t, http.MethodPost, "/api/v2/workspace", object{"projectName": "TF", "projectDescription": "d", "type": "secret-manager", "slug": slug, "organizationSlug": "",
		"shouldCreateDefaultEnvs": true, "hasDeleteProtection": false}, shape{"project": projectShape}).Text("project.id")
	changes := object{"slug": slug, "name": "TF 2", "description": "e", "hasDeleteProtection": false}
	w.send(t, http.MethodPatch, projectsPath+"/"+id, changes, shape{"project": projectShape})
	w.send(t, http.MethodPatch, "/api/v1/workspace/"+id, changes, shape{"workspace": projectShape})
	w.send(t, http.MethodPatch, "/api/v2/workspace/"+slug, changes, projectShape)
	w.send(t, http.MethodPut, "/api/v1/workspace/"+slug+"/audit-logs-retention", object{"auditLogsRetentionDays": 20}, shape{"message": "string", "workspace": projectShape})
	w.send(t, http.MethodPut, projectsPath+"/"+id+"/audit-logs-retention", object{"auditLogsRetentionDays": 30}, shape{"message": "string", "project": projectShape})
	byID := w.send(t, http.MethodGet, projectsPath+"/"+id, nil, shape{"project": projectShape}).At("project")
	for what, got := range map[string]any{"by slug": w.send(t, http.MethodGet, "/api/v2/workspace/"+slug, nil, projectShape).JSON(),
		"as a workspace": w.send(t, http.MethodGet, "/api/v1/workspace/"+id, nil, shape{"workspace": projectShape}).At("workspace")} {
		if diff := cmp.Diff(byID, got); diff != "" {
			t.Errorf("%s it differs: %s", what, diff)
		}
	}
	if days := w.Call(t, http.MethodGet, projectsPath+"/"+id, nil).Number("project.auditLogsRetentionDays"); days != 30 {
		t.Errorf("audit events are kept %d days; want 30", days)
	}
	w.send(t, http.MethodGet, projectsPath, nil, shape{"projects": "list"})
	w.send(t, http.MethodDelete, "/api/v2/workspace/"+slug, nil, projectShape)
	w.Call(t, http.MethodGet, "/api/v2/workspace/"+slug, nil).WantError(404, "NotFound")
}

func tfEnvironment(t *testing.T, w workload) {
	at := "/api/v1/workspace/" + w.project.ID + "/environments"
	made := w.send(t, http.MethodPost, at, object{"name": "QA", "slug": "qa", "workspaceId": w.project.ID, "position": 4},
		shape{"message": "string", "workspace": "uuid", "environment": environmentShape})
	id := made.Text("environment.id")
	for _, path := range []string{"/api/v1/workspace/environments/" + id, projectsPath + "/" + w.project.ID + "/environments/slug/qa"} {
		if a := w.send(t, http.MethodGet, path, nil, shape{"environment": environmentShape}); a.Number("environment.position") != 4 || a.Text("environment.id") != id {
			t.Errorf("%s answers %s", path, a.Body)
		}
	}
	w.send(t, http.MethodPatch, at+"/"+id, object{"name": "QA 2", "slug": "qa2", "position": 1}, shape{"environment": environmentShape})
	if a := w.send(t, http.MethodPatch, at+"/"+id, object{"name": "QA 2", "slug": "qa2", "position": 0}, shape{"environment": environmentShape}); a.Number("environment.position") != 1 {
		t.Errorf("a position that is not set changed it: %s", a.Body)
	}
	w.send(t, http.MethodDelete, at+"/"+id, nil, shape{"environment": environmentShape})
	w.Call(t, http.MethodGet, "/api/v1/workspace/environments/"+id, nil).WantError(404, "NotFound")
}

func tfTag(t *testing.T, w workload) {
	at := "/api/v1/workspace/" + w.project.ID + "/tags"
	id := w.send(t, http.MethodPost, at, object{"name": "tf-tag", "color": "#ff0000", "slug": "tf-tag", "projectId": w.project.ID}, shape{"workspaceTag": tagShape}).Text("workspaceTag.id")
	w.send(t, http.MethodGet, at+"/slug/tf-tag", nil, shape{"workspaceTag": tagShape})
	w.send(t, http.MethodGet, at+"/"+id, nil, shape{"workspaceTag": tagShape})
	w.send(t, http.MethodPatch, at+"/"+id, object{"name": "tf-tag", "color": "#00ff00", "slug": "tf-tag"}, shape{"workspaceTag": tagShape})
	w.send(t, http.MethodPost, secretsV3+"/TAGGED", w.at(object{"secretValue": "x", "tagIds": []string{id}}), oneSecret)
	if a := w.send(t, http.MethodGet, secretsV3+"/TAGGED?environment=dev&workspaceId="+w.project.ID, nil, oneSecret); a.Text("secret.tags.0.id") != id {
		t.Errorf("the secret came back as %s", a.Body)
	}
	body := object{"projectSlug": w.Slug, "environment": "dev", "secretPath": "/", "type": "shared", "tagSlugs": []string{"tf-tag"}}
	w.send(t, http.MethodDelete, "/api/v3/secrets/tags/TAGGED", body, oneSecret)
	w.send(t, http.MethodPost, "/api/v3/secrets/tags/TAGGED", body, oneSecret)
	w.send(t, http.MethodDelete, at+"/"+id, object{"projectId": w.project.ID, "tagId": id}, shape{"workspaceTag": tagShape})
	w.Call(t, http.MethodGet, at+"/"+id, nil).WantError(404, "NotFound")
}

var roleShape = shape{"role": shape{"id": "uuid", "slug": "string", "name": "string", "description": "string?", "projectId": "uuid", "permissions": "list"}}

func tfRole(t *testing.T, w workload) {
	at := "/api/v2/workspace/" + w.project.ID + "/roles"
	body := object{"ProjectId": w.project.ID, "slug": "reader", "name": "Reader", "description": "", "permissions": []object{{"action": []string{"read"}, "inverted": false,
		"subject": "secrets", "conditions": object{"environment": object{"$eq": "dev"}, "secretPath": object{"$glob": "/**"}}}}}
	id := w.send(t, http.MethodPost, at, body, roleShape).Text("role.id")
	for _, path := range []string{at + "/slug/reader", projectsPath + "/roles/" + id} {
		a := w.send(t, http.MethodGet, path, nil, roleShape)
		want := object{"action": []any{"read"}, "inverted": false, "subject": "secrets", "conditions": object{"environment": object{"$eq": "dev"}, "secretPath": object{"$glob": "/**"}}}
		if diff := cmp.Diff(any(want), a.At("role.permissions.0")); diff != "" {
			t.Errorf("the plan would never be empty: %s", diff)
		}
	}
	body["RoleId"] = id
	w.send(t, http.MethodPatch, at+"/"+id, body, roleShape)
	w.send(t, http.MethodDelete, at+"/"+id, nil, roleShape)
	w.Call(t, http.MethodGet, at+"/slug/reader", nil).Want(404)
}

func tfOldRole(t *testing.T, w workload) {
	at := "/api/v1/workspace/" + w.Slug + "/roles"
	body := object{"projectSlug": w.Slug, "slug": "older", "name": "Older", "description": "d", "permissions": []object{{"action": "read", "subject": "secrets",
		"conditions": object{"environment": "dev", "secretPath": object{"$glob": "/**"}}}}}
	id := w.send(t, http.MethodPost, at, body, roleShape).Text("role.id")
	w.send(t, http.MethodGet, at+"/slug/older", nil, roleShape)
	w.send(t, http.MethodPatch, at+"/"+id, body, roleShape)
	w.send(t, http.MethodDelete, at+"/"+id, object{"projectSlug": w.Slug, "roleId": id}, roleShape)
}

func tfIdentity(t *testing.T, w workload) {
	id := w.send(t, http.MethodPost, harness.Identities, object{"name": "tf", "organizationId": shared.OrgID, "role": "member", "hasDeleteProtection": false, "metadata": []object{}},
		shape{"identity": identityShape}).Text("identity.id")
	w.send(t, http.MethodGet, identityPath(id), nil, shape{"identity": membershipShape})
	w.send(t, http.MethodPatch, identityPath(id), object{"identityId": id, "name": "tf2", "role": "no-access", "hasDeleteProtection": false, "metadata": []object{{"key": "a", "value": "b"}}},
		shape{"identity": identityShape})
	w.send(t, http.MethodGet, detailsPath, nil, shape{"identityDetails": shape{"organization": shape{"id": "uuid"}}})
	w.send(t, http.MethodDelete, identityPath(id), object{"identityId": id}, shape{"identity": identityShape})
	w.Call(t, http.MethodGet, identityPath(id), nil).WantError(404, "NotFound")
}

func tfAuth(t *testing.T, w workload) {
	id := shared.NewIdentity(t, "no-access")
	ips := []object{{"ipAddress": "0.0.0.0/0"}, {"ipAddress": "::/0"}}
	body := object{"identityId": id, "accessTokenTTL": 2592000, "accessTokenMaxTTL": 2592000, "accessTokenNumUsesLimit": 0, "accessTokenTrustedIps": ips, "clientSecretTrustedIps": ips}
	universal := shape{"identityUniversalAuth": plus(configShape, "clientId", "uuid")}
	w.send(t, http.MethodPost, universalPath+id, body, universal)
	w.send(t, http.MethodGet, universalPath+id, nil, universal)
	w.send(t, http.MethodPatch, universalPath+id, body, universal)
	data := shape{"id": "uuid", "clientSecretPrefix": "string", "description": "string", "clientSecretNumUses": "int", "clientSecretNumUsesLimit": "int", "clientSecretTTL": "int",
		"isClientSecretRevoked": "bool", "createdAt": "time", "updatedAt": "time"}
	made := w.send(t, http.MethodPost, universalPath+id+"/client-secrets", object{"identityId": id, "description": "", "ttl": 0, "numUsesLimit": 0},
		shape{"clientSecret": "string", "clientSecretData": data})
	secret := universalPath + id + "/client-secrets/" + made.Text("clientSecretData.id")
	w.send(t, http.MethodGet, secret, nil, shape{"clientSecretData": data})
	w.send(t, http.MethodPost, secret+"/revoke", object{}, shape{"clientSecretData": data})
	w.send(t, http.MethodPost, harness.TokenAuth+id, body, shape{"identityTokenAuth": configShape})
	token := w.send(t, http.MethodPost, harness.TokenAuth+id+"/tokens", object{"identityId": id, "name": "tf-token"}, plus(loginShape, "tokenData", tokenShape)).Text("tokenData.id")
	w.send(t, http.MethodGet, harness.Tokens+token, nil, shape{"token": tokenShape})
	w.send(t, http.MethodPost, revokePath(token), object{"identityId": id, "tokenId": token}, messageShape)
	w.send(t, http.MethodDelete, harness.TokenAuth+id, object{"identityId": id}, shape{"identityTokenAuth": configShape})
	w.Call(t, http.MethodGet, harness.TokenAuth+id, nil).WantError(404, "NotFound")
	w.send(t, http.MethodDelete, universalPath+id, nil, universal)
	w.Call(t, http.MethodGet, universalPath+id, nil).WantError(404, "NotFound")
}

func tfMembership(t *testing.T, w workload) {
	id := shared.NewIdentity(t, "no-access")
	at := "/api/v2/workspace/" + w.project.ID + "/identity-memberships/"
	body := object{"projectId": w.project.ID, "identityId": id, "roles": lasting("viewer")}
	membership := w.send(t, http.MethodPost, at+id, body, joinedShape).Text("identityMembership.id")
	full := shape{"identityMembership": shape{"id": "uuid", "identityId": "uuid", "roles": "list", "identity": shape{"id": "uuid", "name": "string", "authMethods": "list"},
		"project": shape{"id": "uuid", "name": "string"}}}
	a := w.send(t, http.MethodGet, at+id, nil, full)
	role := shape{"id": "uuid", "role": "string", "isTemporary": "bool", "customRoleId": "string?", "customRoleSlug": "string?", "temporaryMode": "string?", "temporaryRange": "string?",
		"temporaryAccessStartTime": "time?", "temporaryAccessEndTime": "time?"}
	for _, wrong := range role.fits("roles.0", a.At("identityMembership.roles.0")) {
		t.Error(wrong)
	}
	w.send(t, http.MethodGet, "/api/v2/workspace/identity-memberships/"+membership, nil, full)
	body["roles"] = append(lasting("member"), object{"role": "viewer", "isTemporary": true, "temporaryMode": "relative", "temporaryRange": "1h", "temporaryAccessStartTime": "2026-11-22T09:59:33.248081845Z"})
	w.send(t, http.MethodPatch, at+id, body, shape{"roles": "list"})
	w.send(t, http.MethodDelete, at+id, object{"projectId": w.project.ID, "identityId": id}, joinedShape)
	w.Call(t, http.MethodGet, at+id, nil).WantError(404, "NotFound")
}

func tfNewMembership(t *testing.T, w workload) {
	id := shared.NewIdentity(t, "no-access")
	at := projectsPath + "/" + w.project.ID + "/memberships/identities"
	w.send(t, http.MethodPost, at+"/"+id, object{"roles": lasting("viewer")}, joinedShape)
	w.send(t, http.MethodGet, at+"/"+id, nil, shape{"identityMembership": shape{"id": "uuid", "roles": "list"}})
	w.send(t, http.MethodGet, at, nil, shape{"identityMemberships": "list", "totalCount": "int"})
	w.send(t, http.MethodPatch, at+"/"+id, object{"roles": lasting("member")}, shape{"roles": "list"})
	w.send(t, http.MethodDelete, at+"/"+id, nil, joinedShape)
}

func tfUser(t *testing.T, w workload) {
	userID, email := newUser(t, shared, "no-access")
	place := object{"projectId": w.project.ID, "usernames": []string{email}}
	w.send(t, http.MethodPost, "/api/v2/workspace/"+w.project.ID+"/memberships", place, shape{"memberships": "list"})
	at := "/api/v1/workspace/" + w.project.ID + "/memberships"
	member := shape{"membership": shape{"id": "uuid", "userId": "uuid", "roles": "list", "user": shape{"id": "uuid", "email": "string", "username": "string", "firstName": "string", "lastName": "string"},
		"project": shape{"id": "uuid", "name": "string"}}}
	id := w.send(t, http.MethodPost, at+"/details", object{"projectId": w.project.ID, "username": email}, member).Text("membership.id")
	w.send(t, http.MethodPatch, at+"/"+id, object{"projectId": w.project.ID, "membershipId": id, "roles": lasting("viewer")}, shape{"roles": "list"})
	if a := w.send(t, http.MethodGet, at+"/"+id, nil, member); a.Text("membership.roles.0.role") != "viewer" {
		t.Errorf("the roles are %s", a.Body)
	}
	byUser := projectsPath + "/" + w.project.ID + "/user/" + userID + "/membership"
	if a := w.send(t, http.MethodGet, byUser, nil, member); a.Text("membership.id") != id {
		t.Errorf("the user's membership is %s", a.Body)
	}
	w.send(t, http.MethodDelete, "/api/v2/workspace/"+w.project.ID+"/memberships", place, shape{"memberships": "list"})
	w.Call(t, http.MethodGet, byUser, nil).WantError(404, "NotFound")
	w.Call(t, http.MethodPost, at+"/details", object{"projectId": w.project.ID, "username": email}).WantError(404, "NotFound")
}

func tfPrivilege(t *testing.T, w workload) {
	id := shared.NewIdentity(t, "no-access")
	w.send(t, http.MethodPost, projectsPath+"/"+w.project.ID+"/memberships/identities/"+id, object{"roles": lasting("no-access")}, joinedShape)
	rules := []object{{"subject": "secrets", "action": []string{"readValue"}, "inverted": false, "conditions": object{"environment": object{"$eq": "dev"}}}}
	privilege := shape{"privilege": shape{"id": "uuid", "slug": "string", "identityId": "uuid", "projectId": "uuid", "isTemporary": "bool", "permissions": "list"}}
	body := object{"identityId": id, "projectId": w.project.ID, "slug": "extra", "permissions": rules, "type": object{"isTemporary": false}}
	made := w.send(t, http.MethodPost, privilegesPath, body, privilege).Text("privilege.id")
	w.send(t, http.MethodGet, privilegesPath+"/"+made, nil, privilege)
	w.send(t, http.MethodPatch, privilegesPath+"/"+made, object{"id": made, "slug": "extra", "permissions": rules, "type": object{"isTemporary": true, "temporaryMode": "relative",
		"temporaryRange": "1h", "temporaryAccessStartTime": "2026-11-22T10:00:00Z"}}, privilege)
	w.send(t, http.MethodDelete, privilegesPath+"/"+made, object{"id": made}, privilege)
	w.Call(t, http.MethodGet, privilegesPath+"/"+made, nil).WantError(404, "NotFound")
}

// tfOldPrivilege is the resource with permissions of version 1; every privilege is deleted here, whichever version made it.
func tfOldPrivilege(t *testing.T, w workload) {
	id := shared.NewIdentity(t, "no-access")
	w.send(t, http.MethodPost, projectsPath+"/"+w.project.ID+"/memberships/identities/"+id, object{"roles": lasting("no-access")}, joinedShape)
	privilege := shape{"privilege": shape{"id": "uuid", "slug": "string", "identityId": "uuid", "projectId": "uuid", "isTemporary": "bool", "permissions": "list"}}
	named := func(slug string) object {
		return object{"projectSlug": w.Slug, "identityId": id, "privilegeSlug": slug}
	}
	asked := object{"actions": []string{"read", "edit"}, "subject": "secrets", "conditions": object{"environment": "dev", "secretPath": object{"$glob": "/app/**"}}}
	made := w.send(t, http.MethodPost, oldPrivilegesPath+"/permanent", object{"projectSlug": w.Slug, "identityId": id, "privilegePermission": asked}, privilege)
	slug := made.Text("privilege.slug")
	for i, action := range []string{"read", "edit"} {
		rule := "privilege.permissions." + strconv.Itoa(i)
		if made.Text(rule+".action.0") != action || made.Text(rule+".conditions.environment") != "dev" || made.Text(rule+".conditions.secretPath.$glob") != "/app/**" {
			t.Errorf("the provider reads %s", made.Body)
		}
	}
	w.Call(t, http.MethodPost, oldPrivilegesPath+"/permanent", object{"projectSlug": w.Slug, "identityId": id}).WantError(422, "ValidationFailure")
	change := named(slug)
	change["privilegeDetails"] = object{"slug": "newer", "privilegePermission": asked, "isTemporary": true, "temporaryMode": "relative", "temporaryRange": "1h",
		"temporaryAccessStartTime": "2026-11-22T10:00:00Z"}
	if a := w.send(t, http.MethodPatch, oldPrivilegesPath, change, privilege); a.Text("privilege.slug") != "newer" || !a.Flag("privilege.isTemporary") {
		t.Errorf("changed to %s", a.Body)
	}
	query := "?identityId=" + id + "&projectSlug=" + w.Slug
	w.send(t, http.MethodGet, oldPrivilegesPath+"/newer"+query, nil, privilege)
	w.send(t, http.MethodPost, privilegesPath, object{"identityId": id, "projectId": w.project.ID, "slug": "v2", "permissions": oldRules, "type": object{"isTemporary": false}}, privilege)
	if got := w.Call(t, http.MethodGet, oldPrivilegesPath+query, nil).Want(200).List("privileges", "slug"); !cmp.Equal(got, []string{"newer", "v2"}) {
		t.Errorf("there are %v", got)
	}
	for _, slug := range []string{"newer", "v2"} {
		w.send(t, http.MethodDelete, oldPrivilegesPath, named(slug), privilege)
		w.Call(t, http.MethodDelete, oldPrivilegesPath, named(slug)).WantError(404, "NotFound")
	}
}

func tfOrgRole(t *testing.T, w workload) {
	body := object{"slug": harness.RandomName(), "name": "Auditor", "description": "", "permissions": []object{{"subject": "audit-logs", "action": []string{"read"}}}}
	role := shape{"role": shape{"id": "uuid", "slug": "string", "name": "string", "permissions": "list"}}
	id := w.send(t, http.MethodPost, rolesPath, body, role).Text("role.id")
	w.send(t, http.MethodGet, rolesPath+"/"+id, nil, role)
	w.send(t, http.MethodPatch, rolesPath+"/"+id, body, role)
	w.send(t, http.MethodDelete, rolesPath+"/"+id, nil, role)
	w.Call(t, http.MethodGet, rolesPath+"/"+id, nil).WantError(404, "NotFound")
}

func tfOwned(t *testing.T, w workload) {
	at := projectsPath + "/" + w.project.ID + "/identities"
	owned := shape{"identity": shape{"id": "uuid", "name": "string", "projectId": "uuid", "hasDeleteProtection": "bool", "authMethods": "list", "metadata": "list"}}
	id := w.send(t, http.MethodPost, at, object{"name": "owned", "hasDeleteProtection": false, "metadata": []object{}, "roles": lasting("viewer")}, owned).Text("identity.id")
	w.send(t, http.MethodGet, at+"/"+id, nil, owned)
	w.send(t, http.MethodPatch, at+"/"+id, object{"name": "renamed"}, owned)
	for _, members := range []string{projectsPath + "/" + w.project.ID + "/memberships/identities/", "/api/v2/workspace/" + w.project.ID + "/identity-memberships/"} {
		w.send(t, http.MethodPatch, members+id, object{"roles": lasting("no-access")}, shape{"roles": "list"})
		w.Call(t, http.MethodDelete, members+id, nil).WantError(400, "BadRequest") // it lives and dies with the project
	}
	w.send(t, http.MethodDelete, at+"/"+id, nil, owned)
	w.Call(t, http.MethodGet, at+"/"+id, nil).WantError(404, "NotFound")
}

// tfDrops: whatever the provider refreshes, something that is gone is a real 404, and nothing else is.
func tfDrops(t *testing.T, w workload) {
	const gone = "01890000-0000-7000-8000-000000000000"
	id := w.project.ID
	for _, path := range []string{
		secretsV3 + "/NOPE?environment=dev&secretPath=%2F&workspaceId=" + id, secretsV3 + "/A?environment=nope&workspaceId=" + id, secretsV3 + "/id/" + gone,
		secretsV3 + "?environment=dev&secretPath=%2Fnope&workspaceId=" + id, "/api/v1/folders/" + gone, "/api/v1/folders/" + id + "/dev/%2Fnope", importsV1 + "/" + gone,
		projectsPath + "/" + gone, "/api/v1/workspace/" + gone, "/api/v2/workspace/nope", projectsPath + "/slug/nope", "/api/v1/workspace/environments/" + gone,
		projectsPath + "/" + id + "/environments/slug/nope", "/api/v1/workspace/" + id + "/tags/" + gone, "/api/v1/workspace/" + id + "/tags/slug/nope",
		"/api/v2/workspace/" + id + "/roles/slug/nope", projectsPath + "/roles/" + gone, identityPath(gone), universalPath + gone, harness.TokenAuth + gone, harness.Tokens + gone,
		"/api/v2/workspace/" + id + "/identity-memberships/" + gone, "/api/v2/workspace/identity-memberships/" + gone, projectsPath + "/" + id + "/memberships/" + gone,
		privilegesPath + "/" + gone, projectsPath + "/" + id + "/identities/" + gone, rolesPath + "/" + gone,
	} {
		a := w.Call(t, http.MethodGet, path, nil).Want(404)
		if name := a.Text("error"); name != "NotFound" && !strings.HasSuffix(name, "NotFound") {
			t.Errorf("%s is called %s", path, name)
		}
	}
	newTerraform(t).Call(t, http.MethodGet, projectsPath+"/"+id, nil).WantError(403, "ForbiddenError")
}
