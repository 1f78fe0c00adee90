package kubernetes_test

import (
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

type object = map[string]any

const (
	base     = "/api/v1/auth/kubernetes-auth/identities/"
	login    = "/api/v1/auth/kubernetes-auth/login"
	reviewer = "reviewer-token"
)

// cluster is a TokenReview endpoint as an API server has it.
type cluster struct {
	url, caCert string

	mu       sync.Mutex
	accounts map[string]string // username by token
	replaced http.HandlerFunc
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{accounts: map[string]string{"good": "system:serviceaccount:prod:deploy", "own": "system:serviceaccount:prod:auditor",
		"dev": "system:serviceaccount:dev:deploy", "other": "system:serviceaccount:prod:web", "person": "alice"}}
	s := httptest.NewTLSServer(http.HandlerFunc(c.serve))
	t.Cleanup(s.Close)
	c.url = s.URL
	c.caCert = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	return c
}

// serve reviews: the reviewer and "own" may ask, others are known but may not.
func (c *cluster) serve(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	replaced := c.replaced
	c.mu.Unlock()
	if replaced != nil {
		replaced(w, r)
		return
	}
	var review struct {
		APIVersion, Kind string
		Spec             struct {
			Token     string
			Audiences []string
		}
	}
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if json.NewDecoder(r.Body).Decode(&review) != nil || r.Method != http.MethodPost || review.Kind != "TokenReview" ||
		review.APIVersion != "authentication.k8s.io/v1" || r.URL.Path != "/apis/authentication.k8s.io/v1/tokenreviews" {
		http.Error(w, "not a review", http.StatusBadRequest)
		return
	}
	username, known := c.accounts[review.Spec.Token]
	if bearer != reviewer && c.accounts[bearer] == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if bearer != reviewer && bearer != "own" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	status := object{"authenticated": known, "user": object{"username": username}, "audiences": review.Spec.Audiences}
	if slices.Contains(review.Spec.Audiences, "elsewhere") {
		status["audiences"] = []string{"https://kubernetes.default.svc"}
	}
	if !known {
		status["error"] = "token lookup failed\x00"
	}
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(object{"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": status})
}

func (c *cluster) replace(handler http.HandlerFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replaced = handler
}

type fixture struct {
	*harness.Server
	*cluster
}

func start(t *testing.T, options ...harness.Option) fixture {
	t.Helper()
	return fixture{harness.StartReady(t, options...), startCluster(t)}
}

func (f fixture) settings(changes object) object {
	settings := object{"kubernetesHost": f.url, "caCert": f.caCert, "tokenReviewerJwt": reviewer, "allowedNamespaces": "prod,stage-*",
		"allowedNames": "deploy, auditor", "allowedAudience": "sallyport"}
	maps.Copy(settings, changes)
	return settings
}

func (f fixture) attach(t *testing.T, settings object) (identityID string) {
	t.Helper()
	identityID = f.NewIdentity(t, "no-access")
	f.Admin.Call(t, http.MethodPost, base+identityID, settings).Want(200)
	return identityID
}

func (f fixture) login(t *testing.T, identityID, jwt string) *harness.Answer {
	t.Helper()
	return f.As("").Call(t, http.MethodPost, login, object{"identityId": identityID, "jwt": jwt})
}

func TestLogin(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			url := sqldbtest.URL(t, engine)
			f := start(t, func(o *app.Options) { o.Config.DatabaseURL = url })
			for name, c := range map[string]struct {
				settings object
				jwt      string
			}{
				"with a reviewer":           {f.settings(nil), "good"},
				"as its own reviewer":       {f.settings(object{"tokenReviewerJwt": nil}), "own"},
				"from anywhere, as anybody": {f.settings(object{"allowedNamespaces": "", "allowedNames": "", "allowedAudience": ""}), "good"},
			} {
				t.Run("accepted/"+name, func(t *testing.T) {
					jwt := f.login(t, f.attach(t, c.settings), c.jwt).Want(200).Text("accessToken")
					if !f.As(jwt).Works(t) {
						t.Error("the token does not work")
					}
					_, account, _ := strings.Cut(f.accounts[c.jwt], "prod:")
					want := object{"kubernetes": object{"namespace": "prod", "name": account}}
					if diff := cmp.Diff(any(want), harness.Claims(t, jwt)["identityAuth"]); diff != "" {
						t.Errorf("the token says of the login: %s", diff)
					}
				})
			}
		})
	}
}

func TestRefusedLogins(t *testing.T) {
	t.Parallel()
	f := start(t)
	for name, c := range map[string]struct {
		settings object
		jwt      string
		status   int
		error    string
	}{
		"unknown token":                  {nil, "stolen", 401, "KubernetesTokenReviewError"},
		"a person's token":               {nil, "person", 401, "KubernetesTokenReviewError"},
		"another namespace":              {nil, "dev", 401, "UnauthorizedError"},
		"another name":                   {nil, "other", 401, "UnauthorizedError"},
		"another audience":               {object{"allowedAudience": "elsewhere"}, "good", 401, "UnauthorizedError"},
		"unknown as its own reviewer":    {object{"tokenReviewerJwt": ""}, "stolen", 401, "KubernetesTokenReviewError"},
		"not allowed to review itself":   {object{"tokenReviewerJwt": ""}, "good", 401, "KubernetesTokenReviewError"},
		"an empty token":                 {nil, "", 422, "ValidationFailure"},
		"a token of 8 KB and one byte":   {nil, strings.Repeat("a", 8193), 422, "ValidationFailure"},
		"a token of 1 MB":                {nil, strings.Repeat("a", 1<<20), 413, "PayloadTooLarge"},
		"a token with a line break":      {nil, "good\r\nX: y", 422, "ValidationFailure"},
		"a reviewer that is not allowed": {object{"tokenReviewerJwt": "good"}, "good", 503, "ServiceUnavailable"},
		"a reviewer that is not known":   {object{"tokenReviewerJwt": "stale"}, "good", 503, "ServiceUnavailable"},
		"an untrusted certificate":       {object{"caCert": ""}, "good", 503, "ServiceUnavailable"},
	} {
		t.Run("refused/"+name, func(t *testing.T) {
			a := f.login(t, f.attach(t, f.settings(c.settings)), c.jwt).WantError(c.status, c.error)
			if body := string(a.Body); strings.Contains(body, reviewer) || strings.Contains(body, "\x00") {
				t.Errorf("it is answered %s", body)
			}
		})
	}
}

func TestEndpointsThatFail(t *testing.T) {
	t.Parallel()
	f := start(t)
	id := f.attach(t, f.settings(nil))
	text := func(status int, s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(s))
		}
	}
	for name, handler := range map[string]http.HandlerFunc{
		"500":                text(500, ""),
		"404":                text(404, ""),
		"a redirect":         http.RedirectHandler("/", http.StatusTemporaryRedirect).ServeHTTP,
		"nonsense":           text(200, "<html>"),
		"another object":     text(200, `{"kind":"Status","status":"Failure"}`),
		"a list as status":   text(200, `{"kind":"TokenReview","status":[]}`),
		"more than 64 KiB":   text(200, `{"kind":"TokenReview","status":{"authenticated":true}}`+strings.Repeat(" ", 64<<10)),
		"nothing, hangs up":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"half of its answer": text(200, `{"kind":"TokenReview","status":{"authentic`),
	} {
		t.Run("unavailable/"+name, func(t *testing.T) {
			f.replace(handler)
			a := f.login(t, id, "good").WantError(503, "ServiceUnavailable")
			if !strings.Contains(a.Text("message"), "TokenReview endpoint") {
				t.Errorf("the message is %q", a.Text("message"))
			}
		})
	}
	for name, username := range map[string]string{"without a name": "system:serviceaccount:prod:", "with too much": "system:serviceaccount:prod:deploy:x",
		"that is empty": "", "that only looks so": "xsystem:serviceaccount:prod:deploy"} {
		t.Run("refused/a user "+name, func(t *testing.T) {
			body, _ := json.Marshal(object{"kind": "TokenReview", "status": object{"authenticated": true, "user": object{"username": username}, "audiences": []string{"sallyport"}}})
			f.replace(text(201, string(body)))
			f.login(t, id, "good").WantError(401, "KubernetesTokenReviewError")
		})
	}
	f.replace(nil)
	f.login(t, id, "good").Want(200) // nothing was kept of the failures
	f.accounts = map[string]string{}
	f.login(t, id, "good").Want(401) // nor of the success
}

func TestReviewerIsNeverShown(t *testing.T) {
	t.Parallel()
	f := start(t)
	id := f.NewIdentity(t, "no-access")
	for _, step := range []struct {
		method string
		body   any
	}{{http.MethodPost, f.settings(nil)}, {http.MethodGet, nil}, {http.MethodPatch, object{"allowedNames": "deploy"}}, {http.MethodDelete, nil}} {
		a := f.Admin.Call(t, step.method, base+id, step.body).Want(200)
		if strings.Contains(string(a.Body), reviewer) || strings.Contains(string(a.Body), "tokenReviewerJwt") {
			t.Errorf("%s answers with the reviewer's token: %s", step.method, a.Body)
		}
		if step.method == http.MethodPatch {
			f.login(t, id, "good").Want(200) // it is still there
		}
	}
	for _, table := range []string{"auth_configs", "audit_logs"} {
		if rows := strings.Join(f.Rows(t, table), "\n"); strings.Contains(rows, reviewer) {
			t.Errorf("%s has the reviewer's token in the clear", table)
		}
	}
}

// TestReviewerGoesNowhereElse: who may change the method cannot have the stored token sent to a server of their own.
func TestReviewerGoesNowhereElse(t *testing.T) {
	t.Parallel()
	f, other := start(t), startCluster(t)
	sent := make(chan string, 10)
	other.replace(func(w http.ResponseWriter, r *http.Request) {
		sent <- r.Header.Get("Authorization")
		w.WriteHeader(http.StatusUnauthorized)
	})
	id := f.attach(t, f.settings(nil))
	for name, body := range map[string]object{"the host": {"kubernetesHost": other.url}, "the CA": {"caCert": other.caCert + f.caCert},
		"both": {"kubernetesHost": other.url, "caCert": other.caCert}, "with a null": {"kubernetesHost": other.url, "tokenReviewerJwt": nil}} {
		t.Run("refused/"+name, func(t *testing.T) {
			a := f.Admin.Call(t, http.MethodPatch, base+id, body).WantError(422, "ValidationFailure")
			if !strings.Contains(string(a.Body), "tokenReviewerJwt") {
				t.Errorf("the answer %s does not say what to send again", a.Body)
			}
			f.login(t, id, "good").Want(200) // nothing was changed
		})
	}
	f.Admin.Call(t, http.MethodPatch, base+id, object{"kubernetesHost": f.url + "/", "caCert": f.caCert, "allowedNames": "deploy,auditor"}).Want(200) // the same place
	f.login(t, id, "good").Want(200)
	moved := object{"kubernetesHost": other.url, "caCert": other.caCert, "tokenReviewerJwt": "of the other cluster"}
	f.Admin.Call(t, http.MethodPatch, base+id, moved).Want(200)
	f.login(t, id, "good").Want(503)
	if got := <-sent; got != "Bearer of the other cluster" {
		t.Errorf("the other cluster was sent %q", got)
	}
	f.Admin.Call(t, http.MethodPatch, base+id, object{"kubernetesHost": f.url, "caCert": f.caCert, "tokenReviewerJwt": ""}).Want(200)
	f.login(t, id, "own").Want(200)
	if len(sent) > 0 {
		t.Error("the other cluster was called again")
	}
}

func TestRefusedSettings(t *testing.T) {
	t.Parallel()
	f := start(t)
	id := f.NewIdentity(t, "no-access")
	for name, c := range map[string]struct {
		body   any
		status int
	}{
		"nothing":                   {nil, 422},
		"no host":                   {f.settings(object{"kubernetesHost": ""}), 422},
		"mode gateway":              {f.settings(object{"tokenReviewMode": "gateway"}), 400},
		"another mode":              {f.settings(object{"tokenReviewMode": "x"}), 422},
		"a gateway":                 {f.settings(object{"gatewayId": "0195a2f4-0000-7000-8000-000000000000"}), 400},
		"certificates not checked":  {f.settings(object{"verifyTlsCertificate": false}), 400},
		"plain http":                {f.settings(object{"kubernetesHost": "http://example.com"}), 422},
		"a host without scheme":     {f.settings(object{"kubernetesHost": "example.com:6443"}), 422},
		"a private address":         {f.settings(object{"kubernetesHost": "https://10.96.0.1"}), 422},
		"a loopback that is closed": {f.settings(object{"kubernetesHost": "https://127.0.0.2:443"}), 422},
		"a query":                   {f.settings(object{"kubernetesHost": "https://example.com?x="}), 422},
		"a CA that is none":         {f.settings(object{"caCert": "x"}), 422},
		"names that are no glob":    {f.settings(object{"allowedNames": "a["}), 422},
		"namespaces without end":    {f.settings(object{"allowedNamespaces": strings.Repeat("a", 2049)}), 422},
		"a reviewer with NUL":       {f.settings(object{"tokenReviewerJwt": "\x00"}), 422},
	} {
		t.Run("refused/"+name, func(t *testing.T) {
			f.Admin.Call(t, http.MethodPost, base+id, c.body).Want(c.status)
			f.Admin.Call(t, http.MethodGet, base+id, nil).Want(404)
		})
	}
}
