package console

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/internal/console/api"
)

// credential is a token or a client secret that was just made. It is shown once.
type credential struct {
	Identity api.Identity
	Method   string
	Label    string
	Token    string // of Token Auth
	ClientID string // of Universal Auth
	Secret   string
	Expires  time.Duration
	URL      string // of the server, as the browser knows it
	Snippets []snippet
}

// snippet is a way to use a credential, ready to be pasted.
type snippet struct{ ID, Name, Text string }

// newCredential is the form that makes one.
type newCredential struct {
	Identity api.Identity
	Method   string
	Label    string
	TTL      string
	Uses     string
	Error    string
	Fields   map[string]string
}

func (v *visit) credentialMethod() (string, error) {
	switch v.r.PathValue("kind") {
	case "tokens":
		return "token-auth", nil
	case "client-secrets":
		return "universal-auth", nil
	}
	return "", errMissing
}

func (v *visit) newCredentialPage() error {
	method, err := v.credentialMethod()
	if err != nil {
		return err
	}
	identity, err := v.api.Identity(v.ctx, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "newcredential", "New credential", newCredential{Identity: identity, Method: method})
}

// createCredential attaches the login method too, where the identity does not have it yet.
func (v *visit) createCredential() error {
	method, err := v.credentialMethod()
	if err != nil {
		return err
	}
	id := v.r.PathValue("id")
	identity, err := v.api.Identity(v.ctx, id)
	if err != nil {
		return err
	}
	form := newCredential{Identity: identity, Method: method, Label: v.value("label"), TTL: v.value("ttl"), Uses: v.value("uses")}
	number := func(field, text string) (n int64) {
		if text == "" {
			return 0
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			form.Fields = map[string]string{field: "Enter a whole number, or leave it empty for no limit."}
		}
		return n
	}
	days, uses := number("ttl", form.TTL), number("uses", form.Uses)
	if form.Fields != nil {
		return v.show(http.StatusUnprocessableEntity, "newcredential", "New credential", form)
	}
	if !identity.Has(method) {
		err = v.api.Attach(v.ctx, method, id, nil)
	}
	if err == nil {
		err = v.makeCredential(id, method, form.Label, days*24*60*60, uses)
	}
	if refused := (*api.Error)(nil); errors.As(err, &refused) && refused.Status != http.StatusUnauthorized {
		form.Error, form.Fields = messages(refused, "name", "description", "ttl", "numUsesLimit")
		return v.show(refused.Status, "newcredential", "New credential", form)
	}
	return err
}

// makeCredential makes one and shows it with ways to use it.
func (v *visit) makeCredential(id, method, label string, ttl, uses int64) error {
	made := credential{Method: method, Label: label, URL: v.serverURL()}
	var err error
	if method == "token-auth" {
		made.Token, made.Expires, err = v.api.CreateToken(v.ctx, id, label)
	} else {
		made.ClientID, made.Secret, err = v.api.CreateClientSecret(v.ctx, id, label, ttl, uses)
	}
	if err == nil {
		made.Identity, err = v.api.Identity(v.ctx, id)
	}
	if err != nil {
		return err
	}
	made.Snippets = snippets(made)
	return v.show(http.StatusOK, "credential", "New credential", made)
}

// serverURL is where programs reach the server: --public-url, or where the browser says that it does.
func (v *visit) serverURL() string {
	if v.publicURL != "" {
		return v.publicURL
	}
	return "http://" + v.r.Host
}

// revokeToken ends one token at once.
func (v *visit) revokeToken() error {
	id := v.r.PathValue("id")
	if err := v.api.RevokeToken(v.ctx, id, v.r.PathValue("token")); err != nil {
		return err
	}
	return v.redirect(v.identityPath(id) + "?done=token")
}

func (v *visit) revokeClientSecret() error {
	id := v.r.PathValue("id")
	if err := v.api.RevokeClientSecret(v.ctx, id, v.r.PathValue("secret")); err != nil && api.Status(err) != http.StatusNotFound {
		return err
	}
	return v.redirect(v.identityPath(id) + "?done=secret")
}
