package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/cli/remote"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type tokenRevokeCmd struct {
	IDs      []string `arg:"" optional:"" name:"id" help:"IDs of tokens that were created by hand, or with --identity of any token."`
	Identity string   `complete:"identity" placeholder:"IDENTITY" help:"ID or name of the identity that the tokens belong to. Without IDs, all of its tokens are revoked."`
	Leaked   string   `placeholder:"FILE" help:"Revoke every access token that a text contains, for example a log. A single dash (-) is standard input. You do not have to be logged in."`
	Yes      bool     `short:"y" help:"Do not ask before all tokens of an identity are revoked."`
	Server   `embed:""`
}

// Help says more than the line in the list of commands.
func (tokenRevokeCmd) Help() string {
	return "When the command returns, no replica accepts the token any more. It prints how long that took and, for administrators of the instance, which replicas confirmed it."
}

// Validate asks for something to revoke; kong calls it.
func (c *tokenRevokeCmd) Validate() error {
	if (c.Leaked == "") == (len(c.IDs) == 0 && c.Identity == "") {
		return errors.New("name the IDs of tokens, or --identity, or --leaked, and not --leaked with the others")
	}
	return nil
}

// Run revokes what was named.
func (c *tokenRevokeCmd) Run(con *terminal.Console) error {
	if c.Leaked != "" {
		return c.leaked(con)
	}
	se, err := c.open(con)
	if err != nil {
		return err
	}
	owner := ""
	if c.Identity != "" {
		if owner, err = se.identity(c.Identity); err != nil {
			return err
		}
	}
	if len(c.IDs) == 0 {
		if err := con.Confirm(c.Yes, "Revoke every token of "+c.Identity+"?"); err != nil {
			return err
		}
		return se.revoke(identityPath(owner)+"/revoke-tokens", "every token of "+c.Identity)
	}
	for _, id := range c.IDs {
		if err := notAToken(id); err != nil {
			return err
		}
		path := tokenAuth + "/tokens/" + url.PathEscape(id) + "/revoke"
		if owner != "" {
			path = identityPath(owner) + "/tokens/" + url.PathEscape(id) + "/revoke"
		}
		err := se.revoke(path, "token "+id)
		if owner == "" && remote.IsStatus(err, http.StatusNotFound) {
			err = fmt.Errorf("%w Name the identity of a token from a login with --identity", err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// revoke calls a route that answers once every replica refuses what was revoked, and tells how long that took.
func (se *session) revoke(path, what string) error { return se.revokeWith(path, struct{}{}, what) }

func (se *session) revokeWith(path string, body any, what string) error {
	began := time.Now()
	if err := se.Post(se.con.Ctx, path, body, nil); err != nil {
		return err
	}
	took := time.Since(began)
	if !se.out.Quiet {
		se.con.Print("Revoked %s: refused everywhere after %s%s.\n", what, took.Round(100*time.Microsecond), se.confirmed())
	}
	return nil
}

// confirmed names the replicas, where the caller may see them.
func (se *session) confirmed() string {
	var answer struct {
		Replicas []struct {
			Name string `json:"name"`
		} `json:"replicas"`
	}
	if err := se.Get(se.con.Ctx, "/api/v1/admin/replicas", &answer); err != nil || len(answer.Replicas) == 0 {
		return ""
	}
	names := make([]string, len(answer.Replicas))
	for i, r := range answer.Replicas {
		names[i] = terminal.Printable(r.Name)
	}
	return ", confirmed by " + strings.Join(names, ", ")
}

// jwtShape finds access tokens in any text.
var jwtShape = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{40,}`)

// leaked revokes every token of a text. Holding a token is enough to revoke it.
func (c *tokenRevokeCmd) leaked(con *terminal.Console) error {
	text, err := con.ReadFile(c.Leaked)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", c.Leaked, err)
	}
	found, err := c.context()
	if err != nil {
		return err
	}
	se, err := c.reach(con, found)
	if err != nil {
		return err
	}
	tokens := jwtShape.FindAllString(string(text), -1)
	slices.Sort(tokens)
	tokens = slices.Compact(tokens)
	failed := 0
	for _, token := range tokens {
		if err := se.revokeHeld(token); err != nil {
			failed++
			con.Tell("%s\n", err)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d tokens were not revoked; try again", failed, len(tokens))
	}
	se.note("The text contains %d access tokens.", len(tokens))
	return nil
}

// revokeHeld revokes one token, and tells what became of it. A token that is dead, or of another server, is no failure.
func (se *session) revokeHeld(token string) error {
	said, err := readClaims(token)
	if err != nil {
		se.con.Print("%s...: not an access token of Sallyport.\n", token[:12])
		return nil
	}
	name := fmt.Sprintf("%s of %s", terminal.Printable(said.ID), terminal.Printable(said.IdentityName))
	began := time.Now()
	err = se.Post(se.con.Ctx, "/api/v1/auth/token/revoke", map[string]string{"accessToken": token}, nil)
	var refusal *remote.Refusal
	switch {
	case err == nil:
		se.con.Print("%s: revoked, and refused everywhere after %s.\n", name, time.Since(began).Round(100*time.Microsecond))
	case errors.As(err, &refusal) && refusal.Status == http.StatusUnauthorized:
		se.con.Print("%s: was not valid. %s\n", name, refusal.Words())
	default:
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }
