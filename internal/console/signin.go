package console

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/sallyport/sallyport/internal/console/api"
)

// signIn is the page on which a person signs in.
type signIn struct {
	Email, Next string
	Error       string
	Resume      *resume
	Port        string // of a CLI that waits
}

// resume is a form that was sent with a session that had ended. It is sent again once there is one, so that nothing typed is lost.
type resume struct {
	To     string
	Form   string // encoded
	Fields url.Values
}

// resumed returns the form that the sign-in form carries along; nil if there is none, or if it would lead elsewhere.
func (v *visit) resumed() *resume {
	to := ownPage(v.r.PostFormValue("resume_to"))
	fields, err := url.ParseQuery(v.r.PostFormValue("resume_form"))
	if to == "" || err != nil {
		return nil
	}
	return &resume{to, fields.Encode(), fields}
}

// next is where the visitor wanted to go.
func (v *visit) next() string {
	if port := v.r.FormValue("callback_port"); port != "" {
		return "/cli-redirect?" + url.Values{"callback_port": {port}}.Encode()
	}
	return ownPage(v.r.FormValue("next"))
}

// portOf returns the port of the CLI that a page leads back to; "" for none.
func portOf(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Path != "/cli-redirect" {
		return ""
	}
	return u.Query().Get("callback_port")
}

func (v *visit) loginPage() error {
	done, err := v.isSetUp()
	if err != nil {
		return err
	}
	if !done {
		return v.redirect("/setup")
	}
	next := v.next()
	if v.session != nil {
		if _, err := v.api.Me(v.ctx); err == nil {
			return v.arrive(next, nil)
		}
		v.forget()
	}
	return v.show(http.StatusOK, "login", "Sign in", signIn{Next: next, Port: portOf(next)})
}

// askToSignIn answers a visitor without a live session. A form comes along.
func (v *visit) askToSignIn() {
	if v.session != nil {
		v.forget()
	}
	v.me = api.User{}
	if v.r.Method == http.MethodGet || v.r.Method == http.MethodHead {
		_ = v.redirect("/login?" + url.Values{"next": {v.r.URL.RequestURI()}}.Encode()) // it never fails
		return
	}
	form := signIn{Error: "Your session has ended. Sign in again to continue; nothing that you typed is lost.",
		Resume: &resume{v.r.URL.RequestURI(), v.posted().Encode(), v.posted()}}
	if err := v.show(http.StatusUnauthorized, "login", "Sign in", form); err != nil {
		v.logger.Error("the page for signing in failed", "error", err)
	}
}

func (v *visit) login() error {
	email := v.value("email")
	token, err := v.api.Login(v.ctx, email, v.r.PostFormValue("password"))
	if err != nil {
		refused := (*api.Error)(nil)
		if !errors.As(err, &refused) {
			return err
		}
		return v.show(refused.Status, "login", "Sign in", signIn{Email: email, Next: v.next(), Port: portOf(v.next()), Error: refused.Error(), Resume: v.resumed()})
	}
	v.begin(token)
	return v.arrive(v.next(), v.resumed())
}

// arrive goes on with a session: to an organization, and then to where the visitor wanted to go.
func (v *visit) arrive(next string, form *resume) error {
	if v.session.OrgID == "" {
		orgs, err := v.api.Organizations(v.ctx)
		if err != nil {
			return err
		}
		if len(orgs) != 1 {
			return v.showOrganizations(orgs, next, form)
		}
		if err := v.choose(orgs[0]); err != nil {
			return err
		}
	}
	if form != nil {
		return v.show(http.StatusOK, "resume", "Continue", form)
	}
	if next == "" {
		next = v.home()
	}
	return v.redirect(next)
}

// choose makes the session one for an organization.
func (v *visit) choose(o api.Organization) error {
	token, err := v.api.Choose(v.ctx, o.ID)
	if err != nil {
		return err
	}
	changed := *v.session
	changed.Token, changed.OrgID, changed.Slug = token, o.ID, o.Slug
	v.keep(&changed)
	return nil
}

// organizations is the page on which a person chooses one.
type organizations struct {
	List   []api.Organization
	Asked  string // the slug of the one that the page is in that the visitor comes from
	Next   string
	Resume *resume
}

func (v *visit) showOrganizations(list []api.Organization, next string, form *resume) error {
	return v.show(http.StatusOK, "organizations", "Choose an organization", organizations{list, v.r.FormValue("org"), next, form})
}

func (v *visit) organizationsPage() error { return v.showOrganizations(v.orgs, v.next(), nil) }

func (v *visit) chooseOrganization() error {
	slug := v.r.PostFormValue("organization")
	for _, o := range v.orgs {
		if o.Slug == slug {
			if err := v.choose(o); err != nil {
				return err
			}
			return v.arrive(v.next(), v.resumed())
		}
	}
	return problem{http.StatusNotFound, "You are not a member of this organization. Choose one of the list."}
}

// logout ends the session at once: no replica accepts its token when the page has come.
func (v *visit) logout() error {
	if v.session != nil {
		if err := v.api.Logout(v.ctx); err != nil && api.Status(err) != http.StatusUnauthorized {
			return err
		}
		v.forget()
	}
	return v.redirect("/login")
}

// linkPage shows what a link that works once does. It changes nothing, so whatever previews links does not use it up.
func (v *visit) linkPage() error { return v.show(http.StatusOK, "link", "Sign in", linkForm{}) }

type linkForm struct{ Error string }

func (v *visit) link() error {
	token, err := v.api.LoginWithCode(v.ctx, v.r.PathValue("code"))
	if err != nil {
		if refused := (*api.Error)(nil); errors.As(err, &refused) {
			return v.show(refused.Status, "link", "Sign in", linkForm{refused.Error()})
		}
		return err
	}
	v.begin(token)
	return v.arrive("", nil)
}
