package client

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/sallyport/sallyport/internal/cli/profile"
	"github.com/sallyport/sallyport/internal/cli/remote"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

// defaultURL is where a server listens by default.
const defaultURL = "http://127.0.0.1:8080"

// Server says which server a command talks to. Commands embed it.
type Server struct {
	URL       string `env:"SALLYPORT_URL" placeholder:"URL" group:"Server" help:"Base URL of the server. Default: that of the context."`
	Context   string `env:"SALLYPORT_CONTEXT" placeholder:"NAME" complete:"context" group:"Server" help:"Context to use. Default: the current one."`
	CACert    string `name:"ca-cert" env:"SALLYPORT_CA_CERT" type:"path" placeholder:"FILE" group:"Server" help:"PEM file with certificates to trust, in addition to those of the system."`
	PlainHTTP bool   `name:"plain-http" env:"SALLYPORT_PLAIN_HTTP" group:"Server" help:"Allow http:// to other machines. Anyone on the network path can then read tokens and secrets."`

	terminal.Output `embed:""`
}

// session is a server, and the token to call it with.
type session struct {
	remote.Caller
	con *terminal.Console
	out terminal.Output
}

// credential is where a token comes from.
type credential struct {
	token   string
	context *profile.Context // nil for a token from the environment
}

// open finds the server and the token: the environment before the context. The token of a context goes to no other server
// than its own.
func (s Server) open(con *terminal.Console) (*session, error) {
	found, err := s.context()
	if err != nil {
		return nil, err
	}
	se, err := s.reach(con, found)
	if err != nil {
		return nil, err
	}
	se.Token, err = s.token(se, found)
	return se, err
}

// openFor is open for a command about one identity. It also returns the ID of the identity that has an ID or a name.
func (s Server) openFor(con *terminal.Console, identity string) (*session, string, error) {
	se, err := s.open(con)
	if err != nil {
		return nil, "", err
	}
	id, err := se.identity(identity)
	return se, id, err
}

// context returns the context that counts; nil for none.
func (s Server) context() (*profile.Context, error) {
	p, err := load()
	if err != nil {
		return nil, err
	}
	found := p.Find(s.Context)
	if found == nil && s.Context != "" {
		return nil, notFound(fmt.Errorf("there is no context %q; sallyport context list shows them", s.Context))
	}
	return found, nil
}

// reach prepares calls to the server without a token.
func (s Server) reach(con *terminal.Console, c *profile.Context) (*session, error) {
	if c == nil {
		c = &profile.Context{}
	}
	own := s.URL == "" || sameURL(s.URL, c.URL)
	url := cmp.Or(s.URL, c.URL, defaultURL)
	if err := remote.CheckPlain(url, s.PlainHTTP || own && c.PlainHTTP); err != nil {
		return nil, err
	}
	caFile := s.CACert
	if own {
		caFile = cmp.Or(caFile, c.CACert)
	}
	client, err := remote.NewClient(caFile)
	if err != nil {
		return nil, err
	}
	return &session{Caller: remote.Caller{BaseURL: url, Client: client, Agent: "sallyport/" + con.Version}, con: con, out: s.Output}, nil
}

func sameURL(a, b string) bool { return strings.TrimRight(a, "/") == strings.TrimRight(b, "/") }

// token finds the token to call with: from the environment, by a login with a client secret from the environment, or from the
// context.
func (s Server) token(se *session, c *profile.Context) (string, error) {
	if token := strings.TrimSpace(os.Getenv("SALLYPORT_TOKEN")); token != "" {
		return token, nil
	}
	if file := os.Getenv("SALLYPORT_TOKEN_FILE"); file != "" {
		text, err := os.ReadFile(file) //nolint:gosec // the user names the file
		return strings.TrimSpace(string(text)), err
	}
	if id, secret := os.Getenv("SALLYPORT_CLIENT_ID"), os.Getenv("SALLYPORT_CLIENT_SECRET"); id != "" && secret != "" {
		return se.loginWithSecret(id, secret)
	}
	if c == nil {
		return "", terminal.Exit(terminal.NotLoggedIn, errors.New("you are not logged in; run sallyport login, or set SALLYPORT_TOKEN"))
	}
	if s.URL != "" && !sameURL(s.URL, c.URL) {
		return "", terminal.Exit(terminal.NotLoggedIn,
			fmt.Errorf("context %q belongs to another server than %s; log in there, or set SALLYPORT_TOKEN", c.Name, s.URL))
	}
	p, err := load()
	if err != nil {
		return "", err
	}
	token, err := p.Token(*c)
	if err == nil && token == "" {
		err = terminal.Exit(terminal.NotLoggedIn, fmt.Errorf("context %q has no token any more; log in again", c.Name))
	}
	return token, err
}

// loginWithSecret logs in by Universal Auth.
func (se *session) loginWithSecret(clientID, clientSecret string) (string, error) {
	var answer struct {
		Token string `json:"accessToken"`
	}
	err := se.Post(se.con.Ctx, "/api/v1/auth/universal-auth/login", map[string]string{"clientId": clientID, "clientSecret": clientSecret}, &answer)
	return answer.Token, err
}

// note tells the user something that is no output, unless they want none.
func (se *session) note(format string, args ...any) {
	if !se.out.Quiet {
		se.con.Tell(format+"\n", args...)
	}
}

func load() (*profile.Profile, error) {
	dir, err := profile.Dir()
	if err != nil {
		return nil, err
	}
	return profile.Load(dir)
}
