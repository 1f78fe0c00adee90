// Package console owns the web console: pages made on the server, for people who sign in with a browser. It is a client of the
// public API like any other, in the same process, so it can do nothing that the API would refuse. It imports no feature.
package console

import (
	"cmp"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/console/api"
)

// Options says what the console works with; all are needed but PublicURL.
type Options struct {
	API     http.Handler
	Root    *seal.Key // seals the sessions that cookies hold
	Logger  *slog.Logger
	Version string
	Now     func() time.Time

	PublicURL string // where browsers reach the server; "" for where they say that they reach it
}

// Console is the pages.
type Console struct {
	root      *seal.Key
	logger    *slog.Logger
	version   string
	publicURL string
	now       func() time.Time

	api     *api.Client
	secure  bool // browsers come over TLS
	mux     *http.ServeMux
	serve   http.Handler
	pages   func() (map[string]*page, error)
	files   map[string]asset
	ready   readiness
	crossed *http.CrossOriginProtection
}

// New returns the console.
func New(o Options) (*Console, error) {
	c := &Console{root: o.Root, logger: o.Logger, version: o.Version, publicURL: o.PublicURL, now: o.Now, api: api.New(o.API), secure: strings.HasPrefix(o.PublicURL, "https:"), mux: http.NewServeMux(),
		crossed: http.NewCrossOriginProtection()}
	c.files = loadAssets()
	c.pages = sync.OnceValues(c.parsePages)
	if public, err := url.Parse(o.PublicURL); err == nil && public.Host != "" {
		// a proxy may have changed the Host that the browser's Origin is compared with
		if err := c.crossed.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
			return nil, err
		}
	}
	c.crossed.SetDenyHandler(http.HandlerFunc(c.denyCrossOrigin))
	c.routes()
	c.serve = c.crossed.Handler(http.HandlerFunc(c.guarded))
	return c, nil
}

// Patterns are what the console answers, for API.Mount: one that ends in a slash also means the path without it.
func Patterns() []string {
	patterns := []string{"GET /{$}"}
	for _, path := range []string{"/login/", "/logout", "/cli-redirect", "/setup", "/link/", "/invitation", "/password-reset", "/o/", "/account/"} {
		patterns = append(patterns, http.MethodGet+" "+path, http.MethodPost+" "+path)
	}
	for _, path := range []string{"/assets/", "/signupinvite", "/organizations/", "/organization/"} {
		patterns = append(patterns, http.MethodGet+" "+path)
	}
	return patterns
}

// ServeHTTP answers a request of a browser.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	c.serve.ServeHTTP(w, r)
}

// routes puts the pages on the mux.
func (c *Console) routes() {
	c.mux.HandleFunc("GET /assets/{version}/{name}", c.assetRoute)
	c.open("GET /{$}", (*visit).start)
	c.open("GET /login", (*visit).loginPage)
	c.open("POST /login", (*visit).login)
	c.open("GET /setup", (*visit).setupPage)
	c.open("POST /setup", (*visit).setup)
	c.open("GET /link/{code}", (*visit).linkPage)
	c.open("POST /link/{code}", (*visit).link)
	c.open("GET /invitation", (*visit).invitationPage)
	c.open("POST /invitation", (*visit).acceptInvitation)
	c.open("GET /password-reset", (*visit).resetPage)
	c.open("POST /password-reset", (*visit).resetPassword)
	c.open("POST /logout", (*visit).logout)
	c.signedIn("GET /login/select-organization", (*visit).organizationsPage)
	c.signedIn("POST /login/select-organization", (*visit).chooseOrganization)
	c.signedIn("GET /cli-redirect", (*visit).handOverPage)
	c.signedIn("POST /cli-redirect", (*visit).handOver)
	c.signedIn("GET /account", (*visit).accountPage)
	c.signedIn("POST /account/sessions/{id}/end", (*visit).endSession)
	c.signedIn("POST /account/sessions/end-all", (*visit).endSessions)
	c.signedIn("POST /account/password", (*visit).changePassword)
	c.signedIn("GET /o/{org}/members", (*visit).membersPage)
	c.signedIn("POST /o/{org}/members", (*visit).invite)
	c.signedIn("POST /o/{org}/members/{id}/{act}", (*visit).changeMember)
	c.signedIn("GET /o/{org}", (*visit).overviewPage)
	c.signedIn("GET /o/{org}/identities", (*visit).identitiesPage)
	c.signedIn("GET /o/{org}/identities/new", (*visit).newIdentityPage)
	c.signedIn("POST /o/{org}/identities/new", (*visit).createIdentity)
	c.signedIn("GET /o/{org}/identities/{id}", (*visit).identityPage)
	c.signedIn("GET /o/{org}/identities/{id}/revoke", (*visit).revokePage)
	c.signedIn("POST /o/{org}/identities/{id}/revoke", (*visit).revokeEverything)
	c.signedIn("GET /o/{org}/identities/{id}/delete", (*visit).deletePage)
	c.signedIn("POST /o/{org}/identities/{id}/delete", (*visit).deleteIdentity)
	c.signedIn("GET /o/{org}/identities/{id}/new/{kind}", (*visit).newCredentialPage)
	c.signedIn("POST /o/{org}/identities/{id}/new/{kind}", (*visit).createCredential)
	c.signedIn("POST /o/{org}/identities/{id}/end-token/{token}", (*visit).revokeToken)
	c.signedIn("POST /o/{org}/identities/{id}/end-client-secret/{secret}", (*visit).revokeClientSecret)
	c.signedIn("GET /o/{org}/tokens", (*visit).tokensPage)
	c.signedIn("POST /o/{org}/tokens", (*visit).revokeSelected)
	c.signedIn("GET /o/{org}/tokens/leak", (*visit).leakPage)
	c.signedIn("POST /o/{org}/tokens/leak", (*visit).searchLeak)
	c.signedIn("GET /o/{org}/why", (*visit).whyPage)
	c.signedIn("GET /o/{org}/emergency", (*visit).emergencyPage)
	c.signedIn("POST /o/{org}/emergency", (*visit).emergency)
	c.signedIn("GET /o/{org}/audit", (*visit).auditPage)
	c.signedIn("GET /o/{org}/audit/export", (*visit).auditExport)
	c.signedIn("GET /o/{org}/projects", (*visit).projectsPage)
	c.signedIn("POST /o/{org}/projects", (*visit).createProject)
	const secrets = " /o/{org}/projects/{project}/secrets"
	c.signedIn("GET"+secrets, (*visit).secretsPage)
	c.signedIn("POST"+secrets+"/folder", (*visit).createFolder)
	c.signedIn("POST"+secrets+"/reveal", (*visit).reveal)
	c.signedIn("GET"+secrets+"/new", (*visit).newSecretPage)
	c.signedIn("POST"+secrets+"/new", (*visit).createSecret)
	c.signedIn("GET"+secrets+"/one", (*visit).secretPage)
	c.signedIn("POST"+secrets+"/one", (*visit).changeSecret)
	c.signedIn("GET"+secrets+"/paste", (*visit).pastePage)
	c.signedIn("POST"+secrets+"/paste", (*visit).pasteSecrets)
	c.signedIn("GET"+secrets+"/compare", (*visit).comparePage)
	c.signedIn("POST"+secrets+"/compare", (*visit).compare)
	c.open("GET /signupinvite", (*visit).start)
	c.signedIn("GET /organizations/{id}/{rest...}", (*visit).oldLink)
	c.signedIn("GET /organization/{rest...}", (*visit).oldLink)
	c.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { c.visit(w, r, (*visit).missing, false) })
}

// handler answers one request, or returns why it cannot.
type handler func(*visit) error

// open adds a page that needs no session.
func (c *Console) open(pattern string, h handler) {
	c.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { c.visit(w, r, h, false) })
}

// signedIn adds a page that needs a session. Below /o/{org} the session is for that organization.
func (c *Console) signedIn(pattern string, h handler) {
	c.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { c.visit(w, r, h, true) })
}

// The most bytes of a form, by whether a session sends it.
const (
	mostForm     = 2 << 20
	mostOpenForm = 64 << 10
)

// visit has a handler answer, and answers for it where it fails.
func (c *Console) visit(w http.ResponseWriter, r *http.Request, h handler, private bool) {
	v := &visit{Console: c, w: w, r: r, ctx: r.Context()}
	v.session = c.readSession(r)
	v.api = c.api.For(r, v.token())
	err := v.readForm()
	if err == nil && private {
		err = v.enter()
	}
	if err == nil {
		err = h(v)
	}
	if err != nil {
		v.fail(err)
	}
}

// guarded serves what came from this site.
func (c *Console) guarded(w http.ResponseWriter, r *http.Request) { c.mux.ServeHTTP(w, r) }

// readiness remembers that the instance was set up, which does not change any more.
type readiness struct{ sync.Map }

// isSetUp reports whether the instance was set up.
func (v *visit) isSetUp() (bool, error) {
	if _, known := v.ready.Load("done"); known {
		return true, nil
	}
	config, err := v.api.Config(v.ctx)
	if err == nil && config.Initialized {
		v.ready.Store("done", true)
	}
	return config.Initialized, err
}

// start leads to where a visitor goes on.
func (v *visit) start() error {
	done, err := v.isSetUp()
	switch {
	case err != nil:
		return err
	case !done:
		return v.redirect("/setup")
	case v.session == nil:
		return v.redirect("/login")
	}
	return v.redirect(v.home())
}

// home is the page that a session begins with.
func (v *visit) home() string {
	if v.session == nil || v.session.Slug == "" {
		return "/login/select-organization"
	}
	return "/o/" + url.PathEscape(v.session.Slug)
}

// oldLink leads from addresses that other consoles and old documents name to ours.
func (v *visit) oldLink() error {
	rest := strings.Split(v.r.PathValue("rest"), "/")
	if len(rest) == 2 && rest[0] == "identities" {
		return v.redirect(v.home() + "/identities/" + url.PathEscape(rest[1]))
	}
	return v.redirect(v.home())
}

var errMissing = errors.New("no such page")

// missing answers what no page has.
func (v *visit) missing() error { return errMissing }

// orMethod is the status of a page that is missing.
func statusOf(err error) int { return cmp.Or(api.Status(err), http.StatusInternalServerError) }
