package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/sallyport/sallyport/internal/cli/remote"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type tokenCmd struct {
	Create  tokenCreateCmd  `cmd:"" help:"Create an access token for an identity."`
	List    tokenListCmd    `cmd:"" help:"List the access tokens of an identity that were created by hand."`
	Inspect tokenInspectCmd `cmd:"" help:"Show what an access token says, and whether the server accepts it."`
	Renew   tokenRenewCmd   `cmd:"" help:"Renew the access token that you use, and print the next one."`
	Revoke  tokenRevokeCmd  `cmd:"" help:"Revoke access tokens: by ID, all of an identity, or all that a text contains."`
}

// The routes of Token Auth.
const tokenAuth = "/api/v1/auth/token-auth"

func tokenAuthPath(identityID string) string {
	return tokenAuth + "/identities/" + url.PathEscape(identityID)
}

type tokenCreateCmd struct {
	Identity string `arg:"" complete:"identity" help:"ID or name of the identity. It gets Token Auth if it does not have it."`
	Name     string `help:"Name of the token, by which you know it in lists."`
	Server   `embed:""`
}

// Run creates a token. Only the token goes to standard output, so that it can be piped.
func (c *tokenCreateCmd) Run(con *terminal.Console) error {
	se, id, err := c.openFor(con, c.Identity)
	if err != nil {
		return err
	}
	if err := se.attachTokenAuth(id); err != nil {
		return err
	}
	var raw json.RawMessage
	if err := se.Post(con.Ctx, tokenAuthPath(id)+"/tokens", map[string]string{"name": c.Name}, &raw); err != nil {
		return err
	}
	if c.Form != "table" {
		return c.Item(con, raw, col("ID", "tokenData.id"))
	}
	var made struct {
		Token   string `json:"accessToken"`
		Expires int64  `json:"expiresIn"`
		Data    struct {
			ID string `json:"id"`
		} `json:"tokenData"`
	}
	if err := json.Unmarshal(raw, &made); err != nil {
		return err
	}
	se.note("Token %s is valid for %s, and is shown only once.", made.Data.ID, span(seconds(made.Expires)))
	con.Print("%s\n", made.Token)
	return nil
}

// attachTokenAuth gives an identity Token Auth if it has none.
func (se *session) attachTokenAuth(identityID string) error {
	_, err := se.one(tokenAuthPath(identityID), "identityTokenAuth")
	if remote.IsStatus(err, http.StatusNotFound) {
		if err = se.Post(se.con.Ctx, tokenAuthPath(identityID), struct{}{}, nil); err == nil {
			se.note("Attached Token Auth to the identity, with the default settings.")
		}
	}
	return err
}

type tokenListCmd struct {
	Identity string `arg:"" complete:"identity" help:"ID or name of the identity."`
	Server   `embed:""`
}

// Run lists tokens.
func (c *tokenListCmd) Run(con *terminal.Console) error {
	se, id, err := c.openFor(con, c.Identity)
	if err != nil {
		return err
	}
	raw, err := se.all(tokenAuthPath(id)+"/tokens", nil, "tokens")
	if err != nil {
		return err
	}
	return c.List(con, raw, col("ID", "id"), col("NAME", "name"), col("REVOKED", "isAccessTokenRevoked"), col("USES", "accessTokenNumUses"),
		col("LIMIT", "accessTokenNumUsesLimit"), col("LAST USED", "accessTokenLastUsedAt"), col("CREATED", "createdAt"))
}

type tokenInspectCmd struct {
	Stdin   bool `help:"Read the token from standard input or a prompt. Default: the token that you use."`
	Offline bool `help:"Do not ask the server."`
	Server  `embed:""`
}

// verdict is what the token says, and what the server says of it.
type verdict struct {
	claims
	Issued  string `json:"issued"`
	Expires string `json:"expires"`
	State   string `json:"state"`
}

// Run parses a token, and asks the server with that very token, so that nobody has to be logged in for it.
func (c *tokenInspectCmd) Run(con *terminal.Console) error {
	se, err := c.inspected(con)
	if err != nil {
		return err
	}
	said, err := readClaims(se.Token)
	if err != nil {
		return terminal.Exit(terminal.Refused, err)
	}
	found := verdict{claims: *said, Issued: date(said.IssuedAt), Expires: date(said.ExpiresAt), State: "not checked"}
	var refused error
	if !c.Offline {
		refused = se.Post(con.Ctx, "/api/v1/auth/checkAuth", struct{}{}, nil)
		found.State = "accepted"
	}
	var refusal *remote.Refusal
	if errors.As(refused, &refusal) {
		found.State = "refused: " + refusal.Words()
	} else if refused != nil {
		return refused
	}
	raw, err := json.Marshal(found)
	if err != nil {
		return err
	}
	err = c.Item(con, raw, col("ID", "jti"), col("IDENTITY", "identityName"), col("IDENTITY ID", "identityId"), col("ORGANIZATION ID", "orgId"), col("LOGIN METHOD", "authMethod"),
		col("ISSUER", "iss"), col("ISSUED", "issued"), col("EXPIRES", "expires"), col("STATE", "state"))
	return errors.Join(err, refused)
}

// inspected returns a session that uses the token to look at.
func (c *tokenInspectCmd) inspected(con *terminal.Console) (*session, error) {
	if !c.Stdin {
		return c.open(con)
	}
	found, err := c.context()
	if err != nil {
		return nil, err
	}
	se, err := c.reach(con, found)
	if err != nil {
		return nil, err
	}
	token, err := con.Secret("Access token:")
	se.Token = strings.TrimSpace(token)
	return se, err
}

type tokenRenewCmd struct {
	Server `embed:""`
}

// Run renews the token of the session. That of a context is replaced there.
func (c *tokenRenewCmd) Run(con *terminal.Console) error {
	se, err := c.open(con)
	if err != nil {
		return err
	}
	var answer struct {
		Token   string `json:"accessToken"`
		Expires int64  `json:"expiresIn"`
	}
	if err := se.Post(con.Ctx, "/api/v1/auth/token/renew", map[string]string{"accessToken": se.Token}, &answer); err != nil {
		return err
	}
	if fromEnvironment() {
		con.Print("%s\n", answer.Token)
		return nil
	}
	p, err := load()
	if err != nil {
		return err
	}
	found := p.Find(c.Context)
	current := p.Current
	if _, err := p.Put(*found, answer.Token, found.Keyring); err != nil {
		return err
	}
	se.note("The token of context %s is renewed, and is valid for %s.", found.Name, span(seconds(answer.Expires)))
	return p.Use(current)
}

// fromEnvironment reports whether the environment says which token to use.
func fromEnvironment() bool {
	return os.Getenv("SALLYPORT_TOKEN") != "" || os.Getenv("SALLYPORT_TOKEN_FILE") != "" ||
		os.Getenv("SALLYPORT_CLIENT_ID") != "" && os.Getenv("SALLYPORT_CLIENT_SECRET") != ""
}

// notAToken refuses a token where its id is meant: arguments are seen by others.
func notAToken(id string) error {
	if strings.HasPrefix(id, "eyJ") {
		return terminal.Exit(terminal.WrongCall, errors.New("this is a token and not its ID, and other users can see arguments; send it to token revoke --leaked - on standard input"))
	}
	if id == "" {
		return terminal.Exit(terminal.WrongCall, fmt.Errorf("the ID of a token is empty"))
	}
	return nil
}
