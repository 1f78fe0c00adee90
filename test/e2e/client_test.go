package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// The shapes that clients with strict models need: each key is there with the right JSON type. "?" after a type allows
// null. Clients break on a missing key, on null where they have no room for it, on a fraction in an integer, and on a
// time that is not RFC 3339.
type shape map[string]any

var (
	identityShape = shape{"id": "uuid", "name": "string", "authMethod": "string?", "hasDeleteProtection": "bool", "orgId": "uuid",
		"authMethods": "list", "metadata": "list", "createdAt": "time", "updatedAt": "time"}
	membershipShape = shape{"id": "uuid", "role": "string", "roleId": "string?", "orgId": "uuid", "identityId": "uuid",
		"createdAt": "time", "updatedAt": "time",
		"identity": shape{"id": "uuid", "name": "string", "authMethod": "string?", "authMethods": "list", "hasDeleteProtection": "bool", "orgId": "uuid",
			"activeLockoutAuthMethods": "list", "createdAt": "time", "updatedAt": "time"}}
	configShape = shape{"id": "uuid", "identityId": "uuid", "createdAt": "time", "updatedAt": "time", "accessTokenTTL": "int",
		"accessTokenMaxTTL": "int", "accessTokenNumUsesLimit": "int", "accessTokenPeriod": "int", "accessTokenTrustedIps": "list"}
	tokenShape = shape{"id": "uuid", "identityId": "uuid", "name": "string?", "authMethod": "string", "accessTokenTTL": "int", "accessTokenMaxTTL": "int",
		"accessTokenNumUses": "int", "accessTokenNumUsesLimit": "int", "accessTokenPeriod": "int", "isAccessTokenRevoked": "bool",
		"accessTokenLastUsedAt": "time?", "accessTokenLastRenewedAt": "time?", "identityUAClientSecretId": "string?", "subOrganizationId": "string?",
		"createdAt": "time", "updatedAt": "time"}
	loginShape   = shape{"accessToken": "string", "expiresIn": "int", "accessTokenMaxTTL": "int", "tokenType": "string"}
	messageShape = shape{"message": "string"}
)

// fits returns where a value does not have the shape.
func (s shape) fits(place string, v any) (wrong []string) {
	object, ok := v.(map[string]any)
	if !ok {
		return []string{fmt.Sprintf("%s is %v, want an object", place, v)}
	}
	for name, want := range s {
		at := place + "." + name
		got, there := object[name]
		inner, nested := want.(shape)
		switch {
		case !there:
			wrong = append(wrong, at+" is missing")
		case nested:
			wrong = append(wrong, inner.fits(at, got)...)
		case !hasType(got, want.(string)):
			wrong = append(wrong, fmt.Sprintf("%s is %v, want %s", at, got, want))
		}
	}
	return wrong
}

func hasType(v any, want string) bool {
	if want, nullable := strings.CutSuffix(want, "?"); nullable {
		return v == nil || hasType(v, want)
	}
	switch v := v.(type) {
	case string:
		_, notTime := time.Parse("2006-01-02T15:04:05.000Z", v)
		return want == "string" || want == "uuid" && len(v) == 36 || want == "time" && notTime == nil
	case json.Number:
		return want == "int" && !strings.ContainsAny(v.String(), ".eE")
	case bool:
		return want == "bool"
	case []any:
		return want == "list"
	}
	return false
}

func TestShapesThatStrictClientsNeed(t *testing.T) {
	t.Parallel()
	a := shared.NewActor(t, "no-access", nil)
	victim := shared.NewActor(t, "no-access", nil)
	bare := shared.NewIdentity(t, "no-access")
	identities, tokenAuth := harness.Identities, harness.TokenAuth+a.ID
	for _, c := range []struct {
		method, path string
		body         any
		want         shape
	}{
		{http.MethodPost, identities, object{"name": "x", "organizationId": shared.OrgID}, shape{"identity": identityShape}},
		{http.MethodPatch, identityPath(a.ID), object{"name": "x"}, shape{"identity": identityShape}},
		{http.MethodGet, identityPath(a.ID), nil, shape{"identity": plus(membershipShape, "metadata", "list")}},
		{http.MethodGet, identities + "?orgId=" + shared.OrgID, nil, shape{"identities": "list", "totalCount": "int"}},
		{http.MethodPost, identities + "/search", object{}, shape{"identities": "list", "totalCount": "int"}},
		{http.MethodGet, identityPath(a.ID) + "/identity-memberships", nil, shape{"identityMemberships": "list"}},
		{http.MethodGet, detailsPath, nil, shape{"identityDetails": shape{"organization": shape{"id": "uuid", "name": "string", "slug": "string"}}}},
		{http.MethodPost, harness.TokenAuth + bare, object{}, shape{"identityTokenAuth": configShape}},
		{http.MethodGet, tokenAuth, nil, shape{"identityTokenAuth": configShape}},
		{http.MethodPatch, tokenAuth, object{}, shape{"identityTokenAuth": configShape}},
		{http.MethodPost, tokenAuth + "/tokens", object{}, plus(loginShape, "tokenData", tokenShape)},
		{http.MethodGet, tokenAuth + "/tokens", nil, shape{"tokens": "list", "totalCount": "int"}},
		{http.MethodGet, harness.Tokens + a.TokenID, nil, shape{"token": tokenShape}},
		{http.MethodPatch, harness.Tokens + a.TokenID, object{"name": "x"}, shape{"token": tokenShape}},
		{http.MethodPost, renewPath, object{"accessToken": a.Token}, loginShape},
		{http.MethodPost, selfRevokePath, object{"accessToken": victim.Token}, messageShape},
		{http.MethodPost, revokePath(a.TokenID), nil, messageShape},
		{http.MethodDelete, tokenAuth, nil, shape{"identityTokenAuth": configShape}},
		{http.MethodDelete, identityPath(a.ID), nil, shape{"identity": identityShape}},
		{http.MethodGet, "/api/status", nil, shape{"date": "time", "message": "string", "emailConfigured": "bool", "inviteOnlySignup": "bool",
			"redisConfigured": "bool", "secretScanningConfigured": "bool"}},
	} {
		t.Run(c.method+" "+c.want.keys(), func(t *testing.T) {
			answer := shared.Admin.Call(t, c.method, c.path, c.body).Want(200)
			for _, wrong := range c.want.fits("body", answer.JSON()) {
				t.Errorf("%s %s: %s", c.method, c.path, wrong)
			}
			if answer.Header.Get("Content-Type") != "application/json" {
				t.Errorf("the content type is %q", answer.Header.Get("Content-Type"))
			}
		})
	}
}

func TestItemsOfListsHaveTheShapesThatStrictClientsNeed(t *testing.T) {
	t.Parallel()
	a := shared.NewActor(t, "no-access", object{"accessTokenTrustedIps": ips("10.0.0.1", "127.0.0.0/8")})
	shared.Admin.Call(t, http.MethodPatch, identityPath(a.ID), object{"metadata": []object{{"key": "k", "value": "v"}}}).Want(200)
	for place, c := range map[string]struct {
		path string
		want shape
	}{
		"tokens.0":            {tokensOf(a.ID), tokenShape},
		"identities.0":        {harness.Identities, membershipShape},
		"identity.metadata.0": {identityPath(a.ID), shape{"id": "uuid", "key": "string", "value": "string"}},
		"identityTokenAuth.accessTokenTrustedIps.0": {harness.TokenAuth + a.ID, shape{"ipAddress": "string", "type": "string"}},
		"identityTokenAuth.accessTokenTrustedIps.1": {harness.TokenAuth + a.ID, shape{"ipAddress": "string", "type": "string", "prefix": "int"}},
	} {
		t.Run(place, func(t *testing.T) {
			for _, wrong := range c.want.fits(place, shared.Admin.Call(t, http.MethodGet, c.path, nil).Want(200).At(place)) {
				t.Error(wrong)
			}
		})
	}
}

func TestBootstrapHasTheShapeThatTheCommandLineNeeds(t *testing.T) {
	t.Parallel()
	answer := harness.Start(t).As("").Call(t, http.MethodPost, bootstrapPath, setup()).Want(200)
	want := shape{"message": "string", "identity": shape{"id": "uuid", "name": "string", "credentials": shape{"token": "string"}},
		"organization": shape{"id": "uuid", "name": "string", "slug": "string"},
		"user":         shape{"id": "uuid", "email": "string", "firstName": "string", "lastName": "string", "username": "string", "superAdmin": "bool"}}
	for _, wrong := range want.fits("body", answer.JSON()) {
		t.Error(wrong)
	}
}

// TestClientsReadTheirToken: the command line and one SDK decode the claims of a token themselves.
func TestClientsReadTheirToken(t *testing.T) {
	t.Parallel()
	claims := harness.Claims(t, shared.NewActor(t, "no-access", nil).Token)
	for _, name := range []string{"iat", "exp", "accessTokenTTL", "accessTokenMaxTTL", "creationEpoch"} {
		if _, ok := claims[name].(float64); !ok {
			t.Errorf("the claim %s is %v", name, claims[name])
		}
	}
	for _, name := range []string{"jti", "identityId", "identityAccessTokenId", "orgId", "authMethod", "identityName"} {
		if text, _ := claims[name].(string); text == "" {
			t.Errorf("the claim %s is %v", name, claims[name])
		}
	}
	if claims["authTokenType"] != "identityAccessToken" {
		t.Errorf("the type is %v", claims["authTokenType"])
	}
}

// TestRequestsAsClientsSendThem has for each quirk that a real client was seen with a request that has it.
func TestRequestsAsClientsSendThem(t *testing.T) {
	t.Parallel()
	fresh := func() harness.Actor { return shared.NewActor(t, "no-access", nil) }
	admin := shared.Admin
	for name, call := range map[string]func(a harness.Actor) *harness.Answer{
		"revoke without body or content type": func(a harness.Actor) *harness.Answer {
			return admin.Call(t, http.MethodPost, revokePath(a.TokenID), nil)
		},
		"revoke with a JSON content type and an empty body": func(a harness.Actor) *harness.Answer {
			return admin.Call(t, http.MethodPost, revokePath(a.TokenID), "")
		},
		"revoke with {}": func(a harness.Actor) *harness.Answer {
			return admin.Call(t, http.MethodPost, revokePath(a.TokenID), object{})
		},
		"revoke with the ids in the body too": func(a harness.Actor) *harness.Answer {
			return admin.Call(t, http.MethodPost, revokePath(a.TokenID), object{"identityId": a.ID, "tokenId": a.TokenID})
		},
		"revoke with a body that is no JSON": func(a harness.Actor) *harness.Answer {
			return admin.With("Content-Type", "text/plain").Call(t, http.MethodPost, revokePath(a.TokenID), "bye")
		},
		"detach with a body": func(a harness.Actor) *harness.Answer {
			return admin.Call(t, http.MethodDelete, harness.TokenAuth+a.ID, object{"identityId": a.ID})
		},
		"delete with a JSON content type and no body": func(a harness.Actor) *harness.Answer {
			return admin.With("Content-Type", "application/json").Call(t, http.MethodDelete, identityPath(a.ID), nil)
		},
		"read with a JSON content type and no body": func(a harness.Actor) *harness.Answer {
			return admin.With("Content-Type", "application/json").Call(t, http.MethodGet, identityPath(a.ID), nil)
		},
		"read with a body": func(a harness.Actor) *harness.Answer {
			return admin.Call(t, http.MethodGet, identityPath(a.ID), object{"workspaceId": "x"})
		},
		"create a token without body or content type": func(a harness.Actor) *harness.Answer {
			return admin.Call(t, http.MethodPost, tokensOf(a.ID), nil)
		},
		"create a token with the identity in the body": func(a harness.Actor) *harness.Answer {
			return admin.Call(t, http.MethodPost, tokensOf(a.ID), object{"identityId": a.ID, "name": "tf-token"})
		},
		"update with more than is known": func(a harness.Actor) *harness.Answer {
			return admin.Call(t, http.MethodPatch, identityPath(a.ID), object{"identityId": a.ID, "name": "x", "hasDeleteProtection": false, "role": "member", "metadata": []any{}})
		},
		"send trusted addresses back as they were read": func(a harness.Actor) *harness.Answer {
			read := admin.Call(t, http.MethodGet, harness.TokenAuth+a.ID, nil).At("identityTokenAuth")
			return admin.Call(t, http.MethodPatch, harness.TokenAuth+a.ID, read)
		},
		"renew with the token in the body alone": func(a harness.Actor) *harness.Answer {
			return shared.As("").Call(t, http.MethodPost, renewPath, object{"accessToken": a.Token})
		},
		"revoke oneself with the token in body and header": func(a harness.Actor) *harness.Answer {
			return a.Call(t, http.MethodPost, selfRevokePath, object{"accessToken": a.Token})
		},
		"a trailing slash": func(a harness.Actor) *harness.Answer {
			return admin.Call(t, http.MethodPost, tokensOf(a.ID)+"/", object{})
		},
		"an Accept header for something else": func(a harness.Actor) *harness.Answer {
			return admin.With("Accept", "text/html").Call(t, http.MethodGet, identityPath(a.ID), nil)
		},
		"no user agent": func(a harness.Actor) *harness.Answer {
			return admin.Without("User-Agent").Call(t, http.MethodGet, identityPath(a.ID), nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if a := call(fresh()).Want(200); a.Header.Get("Content-Type") != "application/json" {
				t.Errorf("the content type is %q", a.Header.Get("Content-Type"))
			}
		})
	}
}

func TestEntityTags(t *testing.T) {
	t.Parallel()
	id := shared.NewIdentity(t, "no-access") // that never logs in: when it last did would change the answer
	read := func(tag string) *harness.Answer {
		return shared.Admin.With("If-None-Match", tag).Call(t, http.MethodGet, identityPath(id), nil)
	}
	first := read("").Want(200)
	tag := first.Header.Get("ETag")
	if !strings.HasPrefix(tag, `"`) || read("").Header.Get("ETag") != tag {
		t.Fatalf("the tag %s is not strong, or differs for the same body", tag)
	}
	for _, sent := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
		if again := read(sent).Want(304); len(again.Body) != 0 || again.Header.Get("ETag") != tag {
			t.Errorf("304 with %v %s", again.Header, again.Body)
		}
	}
	read(`"x"`).Want(200)
	shared.Admin.Call(t, http.MethodPatch, identityPath(id), object{"name": "renamed"}).Want(200)
	if changed := read(tag).Want(200); changed.Header.Get("ETag") == tag {
		t.Error("the body changed, its tag did not")
	}
}

// plus returns a shape with one more key.
func plus(s shape, name string, want any) shape {
	more := shape{name: want}
	for key, value := range s {
		more[key] = value
	}
	return more
}

func (s shape) keys() string {
	var names []string
	for name := range s {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}
