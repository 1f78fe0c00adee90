package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/limit"
	"github.com/sallyport/sallyport/internal/console/api"
)

// visit is one request of a browser, with what is known of who sits there.
type visit struct {
	*Console
	w       http.ResponseWriter
	r       *http.Request
	ctx     context.Context //nolint:containedctx // of this request alone
	session *session        // nil for nobody
	api     *api.Caller
	me      api.User
	orgs    []api.Organization
	org     *api.Organization // that the page is about
	rights  api.Rights        // of the visitor in it
}

// errSignIn says that there is no session, or none that lives.
var errSignIn = errors.New("sign in first")

// enter finds out who calls, and sees to it that the session is for the organization that the page is about.
func (v *visit) enter() (err error) {
	if v.session == nil {
		return errSignIn
	}
	v.touch()
	if v.me, err = v.api.Me(v.ctx); err == nil {
		v.orgs, err = v.api.Organizations(v.ctx)
	}
	if err != nil {
		return err
	}
	slug := v.r.PathValue("org")
	if slug == "" {
		slug = v.session.Slug
	}
	for i := range v.orgs {
		if v.orgs[i].Slug == slug {
			v.org = &v.orgs[i]
		}
	}
	if v.r.PathValue("org") == "" {
		return nil
	}
	if v.org == nil {
		return errMissing
	}
	if v.org.ID != v.session.OrgID {
		return v.switchTo()
	}
	v.rights, err = v.api.Own(v.ctx)
	return err
}

// errSwitch says that the session is for another organization, and that the browser was led to where it can change that.
var errSwitch = errors.New("led to the choice of an organization")

func (v *visit) switchTo() error {
	if err := v.redirect("/login/select-organization?" + url.Values{"org": {v.org.Slug}, "next": {v.here()}}.Encode()); err != nil {
		return err
	}
	return errSwitch
}

// here is the address of the page, for coming back; of a form, the page that it is on.
func (v *visit) here() string {
	if v.r.Method == http.MethodGet {
		return v.r.URL.RequestURI()
	}
	if from, err := url.Parse(v.r.Referer()); err == nil && from.Host == v.r.Host {
		return from.RequestURI()
	}
	return "/"
}

// readForm reads the form of a POST, whose length is announced: browsers do so.
func (v *visit) readForm() error {
	if v.r.Method != http.MethodPost {
		return nil
	}
	most := int64(mostOpenForm)
	if v.session != nil {
		most = mostForm
	}
	if v.r.ContentLength < 0 || v.r.ContentLength > most {
		return problem{http.StatusRequestEntityTooLarge, "The form is too large. Send less at once."}
	}
	if err := limit.Use(v.ctx, 6*v.r.ContentLength); err != nil {
		return problem{http.StatusServiceUnavailable, fault.From(err).Message}
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, most)
	if err := v.r.ParseForm(); err != nil {
		return problem{http.StatusBadRequest, "The form could not be read. Go back and send it again."}
	}
	return nil
}

// value returns a field of the form, or of the query, without white space around it.
func (v *visit) value(name string) string { return strings.TrimSpace(v.r.FormValue(name)) }

// posted is the form of the request.
func (v *visit) posted() url.Values {
	return v.r.PostForm //nolint:forbidigo // a field of a request, not http.PostForm
}

// redirect leads to a page of this site.
func (v *visit) redirect(to string) error {
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// problem is a failure that the console itself tells.
type problem struct {
	status int
	text   string
}

// Error returns the text.
func (p problem) Error() string { return p.text }

// failure is what the page of an error shows.
type failure struct {
	Status    int
	Title     string
	Message   string
	RequestID string
}

// fail answers for a handler that could not.
func (v *visit) fail(err error) {
	p, refused := problem{}, (*api.Error)(nil)
	switch {
	case errors.Is(err, errSwitch):
	case errors.Is(err, errSignIn) || api.Status(err) == http.StatusUnauthorized:
		v.askToSignIn()
	case errors.Is(err, errMissing):
		v.failWith(failure{Status: http.StatusNotFound, Title: "There is no such page", Message: "Check the address, or go back to where you came from."})
	case errors.As(err, &p):
		v.failWith(failure{Status: p.status, Title: "That did not work", Message: p.text})
	case errors.As(err, &refused):
		v.failWith(failure{refused.Status, titleOf(refused.Status), refused.Error(), refused.RequestID})
	default:
		v.logger.Error("a page of the console failed", "path", v.r.Pattern, "error", err)
		v.failWith(failure{Status: http.StatusInternalServerError, Title: "Something went wrong", Message: "The log of the server says more."})
	}
}

func titleOf(status int) string {
	switch status {
	case http.StatusForbidden:
		return "You are not allowed to do this"
	case http.StatusNotFound:
		return "Not found"
	case http.StatusTooManyRequests:
		return "Too many requests"
	case http.StatusServiceUnavailable:
		return "The server cannot answer now"
	}
	return "That did not work"
}

func (v *visit) failWith(f failure) {
	if err := v.show(f.Status, "error", f.Title, f); err != nil {
		v.logger.Error("the page of an error failed", "error", err)
		http.Error(v.w, f.Message, f.Status)
	}
}

// denyCrossOrigin answers a form that another site has sent.
func (c *Console) denyCrossOrigin(w http.ResponseWriter, r *http.Request) {
	v := &visit{Console: c, w: w, r: r, ctx: r.Context(), api: c.api.For(r, "")}
	v.failWith(failure{Status: http.StatusForbidden, Title: "This form came from another site",
		Message: "Nothing was changed. If you meant to do this, open the console and do it there. Behind a proxy, set --public-url to the address in your browser."})
}
