package httpapi_test

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/httpapi"
)

func docs(t *testing.T) answer {
	t.Helper()
	s := serve(t, httpapi.Options{Version: "1.2.3"}, func(a *httpapi.API) {
		a.Mount("/api/docs", a.DocsPage())
		permission := httpapi.Permission{Action: "edit", Subject: "identity"}
		handle[thingIn, thingOut](a, httpapi.Route{
			Method: "POST", Path: "/things", ID: "createThing", Tag: "Things", Summary: "Make a <thing>",
			Description: "First `a<b` line.\n\nSecond.", Permission: permission,
		})
		handle[paramsIn, echoOut](a, httpapi.Route{Method: "GET", Path: "/p/{name}/{raw}", ID: "params", Tag: "Other", AnyActor: true, Deprecated: true})
		open(a, httpapi.Route{Method: "GET", Path: "/status", ID: "status", Tag: "Things", Summary: "How are you", Open: true})
		open(a, httpapi.Route{Method: "GET", Path: "/hidden", ID: "hidden", Tag: "Hidden", Open: true, Hidden: true})
	})
	got := call(t, s, "GET", "/api/docs", "")
	if got.Status != 200 || got.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("status %d, type %s", got.Status, got.Header.Get("Content-Type"))
	}
	return got
}

func TestDocsPageShowsEveryRoute(t *testing.T) {
	page := docs(t).Body
	for _, want := range []string{
		"1.2.3", `id="createThing"`, `href="#createThing"`, "Make a &lt;thing&gt;", "<code>a&lt;b</code>", "<p>Second.</p>",
		"Needs the permission edit on identity", "Any live access token", "Open to everyone", "deprecated",
		"accessTokenTrustedIps[].ipAddress", "nested.depth", "0 to 100", "a b", "1 to 8 characters", "list of object",
		"<code>/p/{name}/{raw}</code>", "<code>include_imports</code>", "Default: <code>20</code>", "Default: <code>90</code>",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "/hidden") {
		t.Error("the page shows a hidden route")
	}
	if things, other := strings.Index(page, "<h2>Things"), strings.Index(page, "<h2>Other"); things < 0 || other < things {
		t.Error("the groups are not in the order of registration")
	}
}

func TestDocsPageIsSelfContained(t *testing.T) {
	got := docs(t)
	if m := regexp.MustCompile(`(?i)<script|<link|<img|src=|@import|url\(|https?://|style="|\son\w+=`).FindString(got.Body); m != "" {
		t.Errorf("the page has %q", m)
	}
	_, rest, _ := strings.Cut(got.Body, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	policy := got.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
}
