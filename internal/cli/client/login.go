package client

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/sallyport/sallyport/internal/cli/profile"
	"github.com/sallyport/sallyport/internal/cli/remote"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type loginCmd struct {
	Server    string `arg:"" optional:"" env:"SALLYPORT_URL" default:"http://127.0.0.1:8080" help:"Base URL of the server."`
	Name      string `short:"n" default:"default" help:"Name of the context under which the login is remembered."`
	ClientID  string `env:"SALLYPORT_CLIENT_ID" placeholder:"ID" help:"Client ID of an identity with Universal Auth. The client secret comes from SALLYPORT_CLIENT_SECRET, from a prompt, or from standard input."`
	WithToken bool   `help:"Take an access token from standard input or a prompt instead of logging in with a client secret."`
	Store     string `default:"auto" enum:"auto,file" env:"SALLYPORT_STORE" help:"Where to keep the token: auto takes the keyring of the system where there is one. file takes a file that only you can read."`
	CACert    string `name:"ca-cert" env:"SALLYPORT_CA_CERT" type:"path" placeholder:"FILE" help:"PEM file with certificates to trust, in addition to those of the system. It is remembered."`
	PlainHTTP bool   `name:"plain-http" env:"SALLYPORT_PLAIN_HTTP" help:"Allow http:// to other machines, now and for this context. Anyone on the network path can then read tokens and secrets."`
	Quiet     bool   `short:"q" help:"Print no notes."`
}

// Help says more than the line in the list of commands.
func (loginCmd) Help() string {
	return "Without flags, login asks for a client ID and a client secret. An administrator creates them with " +
		"`sallyport client-secret create IDENTITY`.\n\nPrograms do not need a context: they set SALLYPORT_URL with SALLYPORT_TOKEN, or with " +
		"SALLYPORT_TOKEN_FILE, or with SALLYPORT_CLIENT_ID and SALLYPORT_CLIENT_SECRET."
}

// Run logs in and remembers it.
func (c *loginCmd) Run(con *terminal.Console) error {
	p, err := load()
	if err != nil {
		return err
	}
	if !profile.ValidName.MatchString(c.Name) {
		return fmt.Errorf("%q cannot name a context; use letters, digits, dots, dashes and underscores", c.Name)
	}
	se, err := Server{URL: c.Server, CACert: c.CACert, PlainHTTP: c.PlainHTTP, Output: terminal.Output{Quiet: c.Quiet}}.reach(con, nil)
	if err != nil {
		return err
	}
	if se.Token, err = c.credential(con, se); err != nil {
		return err
	}
	me, err := se.whoami()
	if err != nil {
		return err
	}
	kept, err := p.Put(profile.Context{Name: c.Name, URL: c.Server, CACert: c.CACert, PlainHTTP: c.PlainHTTP, Identity: me.Name,
		Organization: me.Organization, Issued: !c.WithToken}, se.Token, c.Store == "auto")
	if err != nil {
		return err
	}
	place := "the keyring of the system"
	if !kept.Keyring {
		place = p.TokensFile()
	}
	se.note("Logged in to %s as %s of organization %s. The token is valid for %s, and is kept in %s.",
		c.Server, me.Name, me.Organization, span(time.Until(time.Unix(me.expires, 0))), place)
	return nil
}

// credential gets a token in the way that was asked for.
func (c *loginCmd) credential(con *terminal.Console, se *session) (string, error) {
	if c.WithToken {
		token, err := con.Secret("Access token:")
		if err == nil && token == "" {
			err = errors.New("there is no token on standard input")
		}
		return token, err
	}
	id, secret := c.ClientID, os.Getenv("SALLYPORT_CLIENT_SECRET")
	if id == "" && !con.Interactive() {
		return "", errors.New("name the client ID with --client-id, and send the client secret on standard input; or use --with-token")
	}
	var err error
	if id == "" {
		id, err = con.Ask("Client ID:")
	}
	if err == nil && secret == "" {
		secret, err = con.Secret("Client secret:")
	}
	if err != nil {
		return "", err
	}
	return se.loginWithSecret(id, secret)
}

type logoutCmd struct {
	Name      string `arg:"" optional:"" complete:"context" help:"Context to forget. Default: the current one."`
	KeepToken bool   `help:"Do not revoke the token at the server."`
	Quiet     bool   `short:"q" help:"Print no notes."`
}

// Run forgets a context. A token that the login made is revoked: nobody else has it.
func (c *logoutCmd) Run(con *terminal.Console) error {
	p, err := load()
	if err != nil {
		return err
	}
	found := p.Find(c.Name)
	if found == nil {
		return terminal.Exit(terminal.NotLoggedIn, fmt.Errorf("there is no context %q to log out of", cmp.Or(c.Name, p.Current, "default")))
	}
	context := *found
	se, err := Server{Output: terminal.Output{Quiet: c.Quiet}}.reach(con, &context)
	if err != nil {
		return err
	}
	token, err := p.Token(context)
	if err == nil && token != "" && context.Issued && !c.KeepToken {
		err = se.Post(con.Ctx, "/api/v1/auth/token/revoke", map[string]string{"accessToken": token}, nil)
		if remote.IsStatus(err, http.StatusUnauthorized) {
			err = nil // it is dead already
		}
		if err != nil {
			return fmt.Errorf("the token was not revoked, and the context is kept; try again, or use --keep-token: %w", err)
		}
		se.note("The token is revoked.")
	}
	if err := p.Remove(context); err != nil {
		return err
	}
	se.note("Logged out of %s (context %s).", context.URL, context.Name)
	return nil
}
