package httpapi_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/httpapi"
)

type spec struct {
	OpenAPI    string
	Info       struct{ Version string }
	Paths      map[string]map[string]operation
	Components struct {
		Schemas         map[string]schema
		Responses       map[string]response
		SecuritySchemes map[string]struct{ Type, Scheme string }
	}
}

type operation struct {
	OperationID string
	Tags        []string
	Deprecated  bool
	Security    []map[string][]string
	Permission  map[string]string `json:"x-permission"`
	RequestBody *struct {
		Required bool
		Content  map[string]struct{ Schema schema }
	}
	Parameters []struct {
		Name, In string
		Required bool
	}
	Responses map[string]response
}

type response struct {
	Ref     string `json:"$ref"`
	Content map[string]struct{ Schema schema }
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Required   []string
	Properties map[string]schema
	Enum       []any
}

// documented registers one route of every sort and returns their document.
func documented(t *testing.T) (spec, []byte) {
	t.Helper()
	a := httpapi.New(httpapi.Options{Authenticate: authenticate, Version: "1.2.3", Limits: httpapi.Limits{Always: []string{"/stop"}}})
	revoke := httpapi.Permission{Action: "edit", Subject: "identity"}
	handle[idIn, echoOut](a, httpapi.Route{
		Method: "POST", Path: "/api/v1/auth/token-auth/tokens/{id}/revoke", ID: "revokeToken", Tag: "Token Auth",
		Summary: "Revoke a token", Permission: revoke, Errors: []int{413},
	})
	handle[thingIn, thingOut](a, httpapi.Route{Method: "POST", Path: "/things", ID: "createThing", Tag: "Things", AnyActor: true, Deprecated: true})
	handle[optionalIn, echoOut](a, httpapi.Route{Method: "PATCH", Path: "/things", ID: "patchThing", AnyActor: true})
	handle[paramsIn, paramsOut](a, httpapi.Route{Method: "GET", Path: "/p/{name}/{raw}", ID: "params", AnyActor: true})
	handle[pointerIn, echoOut](a, httpapi.Route{Method: "GET", Path: "/hidden", ID: "secretPlan", AnyActor: true, Hidden: true})
	open(a, httpapi.Route{Method: "GET", Path: "/status", ID: "status", Open: true})
	open(a, httpapi.Route{Method: "POST", Path: "/login", ID: "login", Open: true})
	open(a, httpapi.Route{Method: "POST", Path: "/stop", ID: "stop", Open: true})
	text, err := a.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	again, err := a.OpenAPI()
	if err != nil || !bytes.Equal(text, again) {
		t.Fatalf("the document differs from one call to the next: %v", err)
	}
	var s spec
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s, text
}

func TestOpenAPI(t *testing.T) {
	s, _ := documented(t)
	if s.OpenAPI != "3.1.0" || s.Info.Version != "1.2.3" {
		t.Errorf("openapi %s, version %s", s.OpenAPI, s.Info.Version)
	}
	if scheme := s.Components.SecuritySchemes["bearerAuth"]; scheme.Type != "http" || scheme.Scheme != "bearer" {
		t.Errorf("bearerAuth %v", scheme)
	}
	revoke := s.Paths["/api/v1/auth/token-auth/tokens/{id}/revoke"]["post"]
	if diff := cmp.Diff(map[string]string{"action": "edit", "subject": "identity"}, revoke.Permission); diff != "" {
		t.Error(diff)
	}
	if revoke.OperationID != "revokeToken" || !slices.Equal(revoke.Tags, []string{"Token Auth"}) || revoke.RequestBody != nil {
		t.Errorf("revoke is %+v", revoke)
	}
	if diff := cmp.Diff([]map[string][]string{{"bearerAuth": {}}}, revoke.Security); diff != "" {
		t.Error(diff)
	}
	create, patch := s.Paths["/things"]["post"], s.Paths["/things"]["patch"]
	if !create.Deprecated || create.Permission != nil || !create.RequestBody.Required || patch.RequestBody.Required {
		t.Errorf("create is %+v, patch is %+v", create, patch)
	}
	if open := s.Paths["/status"]["get"]; open.Security != nil {
		t.Errorf("an open route asks for %v", open.Security)
	}
	if params := s.Paths["/p/{name}/{raw}"]["get"].Parameters; len(params) != 11 || !params[0].Required || params[2].Required {
		t.Errorf("parameters %v", params)
	}
}

func TestOpenAPIStatuses(t *testing.T) {
	s, _ := documented(t)
	tests := map[string]struct {
		got  operation
		want string
	}{
		"with a path parameter and its own": {s.Paths["/api/v1/auth/token-auth/tokens/{id}/revoke"]["post"], "200 400 401 403 404 413 422 429 500 503"},
		"with a body":                       {s.Paths["/things"]["post"], "200 400 401 403 413 415 422 429 500 503"},
		"open":                              {s.Paths["/status"]["get"], "200 400 422 500 503"},
		"open, for logging in":              {s.Paths["/login"]["post"], "200 400 422 429 500 503"},
		"open, and always answered":         {s.Paths["/stop"]["post"], "200 400 422 500 503"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(slices.Sorted(maps.Keys(tt.got.Responses)), " "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// The envelopes have the fields of the reference (its document of the revoke route: test/e2e/testdata/revoke.json): the
// same fields are required, and there are no others.
func TestOpenAPIEnvelopes(t *testing.T) {
	s, _ := documented(t)
	responses := s.Paths["/api/v1/auth/token-auth/tokens/{id}/revoke"]["post"].Responses
	all := []string{"error", "message", "reqId", "statusCode"}
	tests := map[string]struct{ required, fields []string }{
		"400": {all, all}, "401": {all, all}, "404": {all, all}, "500": {all, all},
		"403": {all, []string{"details", "error", "message", "reqId", "statusCode"}},
		"422": {[]string{"error", "reqId", "statusCode"}, all},
	}
	for status, tt := range tests {
		t.Run(status, func(t *testing.T) {
			shared := s.Components.Responses[strings.TrimPrefix(responses[status].Ref, "#/components/responses/")]
			ref := shared.Content["application/json"].Schema.Ref
			got, ok := s.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
			if !ok {
				t.Fatalf("no schema %q", ref)
			}
			if diff := cmp.Diff(tt.required, slices.Sorted(slices.Values(got.Required))); diff != "" {
				t.Errorf("required: %s", diff)
			}
			if diff := cmp.Diff(tt.fields, slices.Sorted(maps.Keys(got.Properties))); diff != "" {
				t.Errorf("fields: %s", diff)
			}
			var want float64
			if err := json.Unmarshal([]byte(status), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]any{want}, got.Properties["statusCode"].Enum); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOpenAPIHasNothingElse(t *testing.T) {
	s, text := documented(t)
	for _, word := range []string{"hidden", "secretPlan", "SecretPlan", "ErrorModel", "ErrorDetail", "$schema", "PointerIn"} {
		if bytes.Contains(text, []byte(word)) {
			t.Errorf("the document has %q", word)
		}
	}
	for name, schema := range s.Components.Schemas {
		if !bytes.Contains(text, []byte(`"#/components/schemas/`+name+`"`)) {
			t.Errorf("nothing uses the schema %s", name)
		}
		for field, property := range schema.Properties {
			if types, ok := property.Type.([]any); ok && types[0] == "array" {
				t.Errorf("the list %s.%s may be null", name, field)
			}
		}
	}
}
