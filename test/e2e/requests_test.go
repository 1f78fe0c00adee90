package e2e

import (
	"net/http"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// request is a request that a route answers with 200, if the caller may.
type request struct {
	path string
	body any
}

// requests makes, for each route by its id, such a request, on a target that lives and that nothing stands in the way
// of. A route without an entry fails the tests that walk over all routes: add yours. The target of a route that
// destroys it is made anew at each call.
var requests = map[string]func(t *testing.T, s *harness.Server) request{
	"get-status":    plain("/api/status", nil),
	"get-health":    plain("/healthz", nil),
	"get-readiness": plain("/readyz", nil),
	"get-jwks":      plain("/.well-known/jwks.json", nil),

	"bootstrap":       plain(bootstrapPath, object{"email": "ada@example.com", "password": "correct horse", "organization": "Acme", "setupCode": ""}),
	"get-own-details": plain(detailsPath, nil),

	"list-identity-memberships-old": func(_ *testing.T, s *harness.Server) request {
		return request{"/api/v2/organizations/" + s.OrgID + "/identity-memberships?search=w", nil}
	},
	"list-organizations-with-sub-orgs": plain("/api/v1/organization/accessible-with-sub-orgs", nil),
	"get-service-token":                plain("/api/v2/service-token", nil),
	"post-service-token":               plain("/api/v2/service-token", nil),

	"get-instance-config": plain("/api/v1/admin/config", nil),
	"list-organizations":  plain("/api/v1/organization", nil),
	"get-organization": func(_ *testing.T, s *harness.Server) request {
		return request{"/api/v1/organization/" + s.OrgID, nil}
	},

	"list-org-tokens":      plain("/api/v1/organization/tokens", nil),
	"list-own-permissions": plain("/api/v1/access/permissions", nil),
	"decide-access": func(t *testing.T, s *harness.Server) request {
		return request{"/api/v1/access/actors/" + s.NewIdentity(t, "member") + "/decision?action=read&subject=identity", nil}
	},
	"list-actor-permissions": func(t *testing.T, s *harness.Server) request {
		return request{"/api/v1/access/actors/" + s.NewIdentity(t, "member") + "/permissions", nil}
	},

	"create-identity": func(_ *testing.T, s *harness.Server) request {
		return request{harness.Identities, object{"name": "worker", "organizationId": s.OrgID, "role": "no-access",
			"hasDeleteProtection": false, "metadata": []any{object{"key": "team", "value": "core"}}}}
	},
	"list-identities": plain(harness.Identities, nil),
	"search-identities": plain(harness.Identities+"/search", object{"orderBy": "name", "orderDirection": "asc", "limit": 5, "offset": 0,
		"search": object{"name": object{"$contains": "worker"}}}),
	"get-identity": identityRequest("", nil),
	"update-identity": identityRequest("", object{"name": "worker", "hasDeleteProtection": false, "role": "no-access",
		"metadata": []any{object{"key": "team", "value": "core"}}}),
	"delete-identity":        identityRequest("", nil),
	"list-identity-projects": identityRequest("/identity-memberships", nil),

	"attach-token-auth": func(t *testing.T, s *harness.Server) request {
		return request{harness.TokenAuth + s.NewIdentity(t, "no-access"), settings}
	},
	"update-token-auth": tokenAuthRequest("", settings),
	"get-token-auth":    tokenAuthRequest("", nil),
	"detach-token-auth": tokenAuthRequest("", nil),

	"create-token-auth-token": tokenAuthRequest("/tokens", object{"name": "ci", "organizationSlug": ""}),
	"list-token-auth-tokens":  tokenAuthRequest("/tokens", nil),
	"get-token-auth-token":    tokenRequest("", nil),
	"get-token-auth-token-of-identity": func(t *testing.T, s *harness.Server) request {
		a := s.NewActor(t, "no-access", nil)
		return request{tokensOf(a.ID) + "/" + a.TokenID, nil}
	},
	"update-token-auth-token": tokenRequest("", object{"name": "cd"}),
	"revoke-token-auth-token": tokenRequest("/revoke", nil),

	"renew-token":      heldRequest(renewPath),
	"revoke-own-token": heldRequest(selfRevokePath),

	"attach-universal-auth": func(t *testing.T, s *harness.Server) request {
		return request{universalPath + s.NewIdentity(t, "no-access"), universalSettings()}
	},
	"update-universal-auth":         universalRequest("", universalSettings()),
	"get-universal-auth":            universalRequest("", nil),
	"detach-universal-auth":         universalRequest("", nil),
	"clear-universal-auth-lockouts": universalRequest("/clear-lockouts", nil),
	"create-client-secret":          universalRequest("/client-secrets", object{"description": "ci", "ttl": 0, "numUsesLimit": 0}),
	"list-client-secrets":           universalRequest("/client-secrets", nil),
	"get-client-secret":             secretRequest(""),
	"revoke-client-secret":          secretRequest("/revoke"),
	"revoke-client-secret-tokens":   secretRequest("/revoke-tokens"),
	"login-universal-auth": func(t *testing.T, s *harness.Server) request {
		c := newUniversal(t, s)
		return request{"/api/v1/auth/universal-auth/login", object{"clientId": c.ClientID, "clientSecret": c.Secret, "organizationSlug": ""}}
	},

	"revoke-identity-tokens": func(t *testing.T, s *harness.Server) request {
		return request{identityPath(s.NewActor(t, "no-access", nil).ID) + "/revoke-tokens", object{"authMethod": "token-auth"}}
	},
	"revoke-any-token": func(t *testing.T, s *harness.Server) request {
		a := s.NewActor(t, "no-access", nil)
		return request{identityPath(a.ID) + "/tokens/" + a.TokenID + "/revoke", nil}
	},

	"create-org-identity": plain(orgIdentitiesPath, orgIdentity),
	"list-org-identities": plain(orgIdentitiesPath, nil),
	"get-org-identity":    orgIdentityRequest(nil),
	"update-org-identity": orgIdentityRequest(orgIdentity),
	"delete-org-identity": orgIdentityRequest(nil),

	"oauth-metadata": plain("/.well-known/oauth-authorization-server", nil),
	"oauth-revoke": func(t *testing.T, s *harness.Server) request {
		return request{"/api/v1/oauth/revoke", object{"token": s.NewActor(t, "no-access", nil).Token, "token_type_hint": ""}}
	},
	"oauth-introspect": func(t *testing.T, s *harness.Server) request {
		return request{"/api/v1/oauth/introspect", object{"token": s.NewActor(t, "no-access", nil).Token, "token_type_hint": ""}}
	},

	"create-org-role": func(_ *testing.T, _ *harness.Server) request { return request{rolesPath, roleBody()} },
	"list-org-roles":  plain(rolesPath, nil),
	"get-org-role":    roleRequest("id", nil),
	"get-org-role-by-slug": func(t *testing.T, s *harness.Server) request {
		return request{rolesPath + "/slug/" + newRole(t, s).Text("role.slug"), nil}
	},
	"update-org-role": roleRequest("id", roleBody),
	"delete-org-role": roleRequest("id", nil),

	"list-identity-memberships":  plain(membershipsPath, nil),
	"get-identity-membership":    membershipRequest(nil),
	"update-identity-membership": membershipRequest(assignments),
	"delete-identity-membership": membershipRequest(nil),
	"create-identity-membership": func(t *testing.T, s *harness.Server) request {
		id := s.NewIdentity(t, "no-access")
		s.Admin.Call(t, http.MethodDelete, membershipsPath+"/"+id, nil).Want(200)
		return request{membershipsPath + "/" + id, assignments}
	},

	"list-audit-logs": plain(auditPath, nil),

	"rotate-signing-keys": plain("/api/v1/admin/signing-keys/rotate", nil),
	"list-replicas":       plain("/api/v1/admin/replicas", nil),
}

// last are the routes that end the tokens of those who call: walks over all routes leave them out, as they do those that
// no identity may call (user_test.go).
var last = []string{"revoke-organization-tokens"}

const universalPath = "/api/v1/auth/universal-auth/identities/"

func universalSettings() object {
	return object{"accessTokenTTL": 60, "accessTokenMaxTTL": 315360000, "accessTokenNumUsesLimit": 0, "accessTokenPeriod": 0,
		"accessTokenTrustedIps": []any{object{"ipAddress": "0.0.0.0/0"}}, "clientSecretTrustedIps": []any{object{"ipAddress": "0.0.0.0/0"}},
		"lockoutEnabled": false, "lockoutThreshold": 3, "lockoutDurationSeconds": 300, "lockoutCounterResetSeconds": 30}
}

// universal is an identity with Universal Auth, which never locks anybody out, and a client secret.
type universal struct{ ID, ClientID, SecretID, Secret string }

func newUniversal(t *testing.T, s *harness.Server) universal {
	t.Helper()
	id := s.NewIdentity(t, "no-access")
	attached := s.Admin.Call(t, http.MethodPost, universalPath+id, universalSettings()).Want(200)
	made := s.Admin.Call(t, http.MethodPost, universalPath+id+"/client-secrets", object{}).Want(200)
	return universal{id, attached.Text("identityUniversalAuth.clientId"), made.Text("clientSecretData.id"), made.Text("clientSecret")}
}

func universalRequest(after string, body any) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		return request{universalPath + newUniversal(t, s).ID + after, body}
	}
}

func secretRequest(after string) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		u := newUniversal(t, s)
		return request{universalPath + u.ID + "/client-secrets/" + u.SecretID + after, nil}
	}
}

var orgIdentity = object{"name": "worker", "hasDeleteProtection": false, "metadata": []any{object{"key": "team", "value": "core"}}}

func orgIdentityRequest(body any) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		return request{orgIdentitiesPath + "/" + s.NewIdentity(t, "no-access"), body}
	}
}

const (
	orgIdentitiesPath = "/api/v1/organization/identities"
	rolesPath         = "/api/v1/organization/roles"
	membershipsPath   = "/api/v1/organization/identity-memberships"
)

// roleBody makes a role under a slug that nobody has.
func roleBody() any {
	return object{"slug": harness.RandomName(), "name": "Reader", "description": "reads",
		"permissions": []any{object{"subject": "role", "action": []string{"read"}, "conditions": nil, "inverted": false}}}
}

func newRole(t *testing.T, s *harness.Server) *harness.Answer {
	t.Helper()
	return s.Admin.Call(t, http.MethodPost, rolesPath, roleBody()).Want(200)
}

func roleRequest(key string, body func() any) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		r := request{path: rolesPath + "/" + newRole(t, s).Text("role."+key)}
		if body != nil {
			r.body = body()
		}
		return r
	}
}

var assignments = object{"roles": []any{object{"role": "no-access", "isTemporary": false, "temporaryMode": "relative", "temporaryRange": "1h",
	"temporaryAccessStartTime": "2026-01-01T00:00:00Z"}}}

func membershipRequest(body any) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		return request{membershipsPath + "/" + s.NewIdentity(t, "no-access"), body}
	}
}

var settings = object{"accessTokenTTL": 60, "accessTokenMaxTTL": 315360000, "accessTokenNumUsesLimit": 0,
	"accessTokenTrustedIps": []any{object{"ipAddress": "0.0.0.0/0"}}}

func plain(path string, body any) func(*testing.T, *harness.Server) request {
	return func(*testing.T, *harness.Server) request { return request{path, body} }
}

func identityRequest(after string, body any) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		return request{identityPath(s.NewIdentity(t, "no-access")) + after, body}
	}
}

func tokenAuthRequest(after string, body any) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		return request{harness.TokenAuth + s.NewActor(t, "no-access", nil).ID + after, body}
	}
}

func tokenRequest(after string, body any) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		return request{harness.Tokens + s.NewActor(t, "no-access", nil).TokenID + after, body}
	}
}

func heldRequest(path string) func(*testing.T, *harness.Server) request {
	return func(t *testing.T, s *harness.Server) request {
		return request{path, object{"accessToken": s.NewActor(t, "no-access", nil).Token}}
	}
}

// requestOf returns a good request of a route.
func requestOf(t *testing.T, s *harness.Server, r httpapi.Route) request {
	t.Helper()
	build := requests[r.ID]
	if external := externals[r.Tag]; build == nil && external != nil {
		build = external[r.ID]
	}
	if build == nil {
		build = projectRequests[r.ID]
	}
	if build == nil {
		t.Fatalf("the route %s has no entry in requests: without one nothing of it is tested", r.ID)
	}
	return build(t, s)
}

// eachRoute runs do for every route of the server, as subtests.
func eachRoute(t *testing.T, s *harness.Server, do func(t *testing.T, r httpapi.Route)) {
	t.Helper()
	for _, r := range s.App.API().Routes() {
		if slices.Contains(last, r.ID) || r.UserOnly {
			continue
		}
		t.Run(r.ID, func(t *testing.T) { do(t, r) })
	}
}
