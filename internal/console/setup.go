package console

import (
	"errors"
	"net/http"

	"github.com/sallyport/sallyport/internal/console/api"
)

// setupForm is the page on which the first visitor sets up an empty server.
type setupForm struct {
	Email, Organization string
	NeedsCode           bool
	Error               string
	Fields              map[string]string // what is wrong with each
}

// setupDone is the page after it.
type setupDone struct{ Identity, Token string }

func (v *visit) setupPage() error {
	config, err := v.api.Config(v.ctx)
	if err != nil {
		return err
	}
	if config.Initialized {
		return v.redirect("/")
	}
	return v.show(http.StatusOK, "setup", "Set up this server", setupForm{NeedsCode: config.NeedsSetupCode})
}

func (v *visit) setup() error {
	s := api.Setup{Email: v.value("email"), Password: v.r.PostFormValue("password"), Organization: v.value("organization"), SetupCode: v.value("code")}
	config, err := v.api.Config(v.ctx)
	if err != nil {
		return err
	}
	form := setupForm{Email: s.Email, Organization: s.Organization, NeedsCode: config.NeedsSetupCode}
	if s.Password != v.r.PostFormValue("again") {
		form.Fields = map[string]string{"again": "The two passwords differ."}
		return v.show(http.StatusUnprocessableEntity, "setup", "Set up this server", form)
	}
	identity, machine, err := v.api.Bootstrap(v.ctx, s)
	if refused := (*api.Error)(nil); errors.As(err, &refused) {
		form.Error, form.Fields = messages(refused, "email", "password", "organization", "setupCode")
		return v.show(refused.Status, "setup", "Set up this server", form)
	}
	if err != nil {
		return err
	}
	token, err := v.api.Login(v.ctx, s.Email, s.Password)
	if err != nil {
		return err
	}
	v.begin(token)
	orgs, err := v.api.Organizations(v.ctx)
	if err == nil && len(orgs) == 1 {
		err = v.choose(orgs[0])
	}
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "setupdone", "The server is set up", setupDone{identity, machine})
}

// messages sorts the issues of a refusal to the fields of a form; what fits no field is for the top of it.
func messages(refused *api.Error, fields ...string) (top string, beside map[string]string) {
	beside = map[string]string{}
	for _, name := range fields {
		if text := refused.Field(name); text != "" {
			beside[name] = text
		}
	}
	if len(beside) == 0 {
		top = refused.Error()
	}
	return top, beside
}
