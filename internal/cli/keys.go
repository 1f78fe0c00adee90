package cli

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/sallyport/sallyport/internal/cli/remote"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type keysCmd struct {
	Rotate rotateCmd `cmd:"" help:"Replace a key and seal its data with the new key, while the server runs. After an interruption, run it again to continue."`
}

type rotateCmd struct {
	Domain string `default:"http://127.0.0.1:8080" env:"SALLYPORT_URL,SALLYPORT_DOMAIN" help:"Base URL of the server."`
	Token  string `env:"SALLYPORT_TOKEN" help:"Access token of an administrator: of the instance for the root key, of the organization for the others. Set it in the environment, because others can see flags."`

	Root         rotateRootCmd         `cmd:"" help:"The root key. Give every replica the new key and the old one first, in this order. A server on SQLite that created its key file creates the new key itself."`
	Organization rotateOrganizationCmd `cmd:"" help:"The key of the organization of the token."`
	Project      rotateProjectCmd      `cmd:"" help:"The data key of a project."`
	All          rotateAllCmd          `cmd:"" help:"The root key, the organization's key and the data keys of all its projects."`
}

// The paths of the rotations.
const (
	rootKeyPath         = "/api/v1/admin/keys/rotate"
	organizationKeyPath = "/api/v1/organization/keys/rotate"
	projectKeysPath     = "/api/v1/organization/keys/projects"
)

func projectKeyPath(projectID string) string {
	return projectKeysPath + "/" + url.PathEscape(projectID) + "/rotate"
}

type rotateRootCmd struct{}

// Run rotates the root key.
func (rotateRootCmd) Run(con *terminal.Console, c *rotateCmd) error { return c.root(con) }

type rotateOrganizationCmd struct{}

// Run rotates the organization's key.
func (rotateOrganizationCmd) Run(con *terminal.Console, c *rotateCmd) error {
	return c.rotate(con, "organization key", organizationKeyPath)
}

type rotateProjectCmd struct {
	ProjectID string `arg:"" help:"ID of the project."`
}

// Run rotates the key of a project.
func (p rotateProjectCmd) Run(con *terminal.Console, c *rotateCmd) error {
	return c.rotate(con, "key of project "+p.ProjectID, projectKeyPath(p.ProjectID))
}

type rotateAllCmd struct{}

// Run rotates from the top down: whoever had the old key of one level can open none of the new ones below.
func (rotateAllCmd) Run(con *terminal.Console, c *rotateCmd) error {
	err := c.root(con)
	if err == nil {
		err = c.rotate(con, "organization key", organizationKeyPath)
	}
	for after := ""; err == nil; {
		var page struct {
			Projects []struct {
				ID string `json:"projectId"`
			} `json:"projects"`
		}
		if err = c.call().Get(con.Ctx, projectKeysPath+"?after="+after, &page); err != nil || len(page.Projects) == 0 {
			break
		}
		for _, p := range page.Projects {
			if err == nil {
				err = c.rotateListed(con, p.ID)
			}
			after = p.ID
		}
	}
	return err
}

// rotateListed rotates the key of a project that a list named. One that was deleted meanwhile has no key any more.
func (c *rotateCmd) rotateListed(con *terminal.Console, projectID string) error {
	err := c.rotate(con, "key of project "+projectID, projectKeyPath(projectID))
	var refused *remote.Refusal
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		con.Print("key of project %s: nothing to do; the project was deleted meanwhile.\n", projectID)
		return nil
	}
	return err
}

func (c *rotateCmd) root(con *terminal.Console) error {
	err := c.rotate(con, "root key", rootKeyPath)
	if err == nil {
		con.Print("If you set the root key yourself, remove the old key from every replica now. Keep a copy of it as long as you keep backups from before the rotation.\n")
	}
	return err
}

func (c *rotateCmd) call() remote.Caller { return remote.Caller{BaseURL: c.Domain, Token: c.Token} }

// rotate has the server do steps until the rotation is done, and tells what remains.
func (c *rotateCmd) rotate(con *terminal.Console, what, path string) error {
	if c.Token == "" {
		return terminal.Exit(terminal.NotLoggedIn, errors.New("put the access token of an administrator into SALLYPORT_TOKEN"))
	}
	for resume := false; ; resume = true {
		var answer struct {
			Key struct {
				ID        string `json:"keyId"`
				Remaining int64  `json:"remaining"`
				Done      bool   `json:"done"`
			} `json:"key"`
		}
		if err := c.call().Post(con.Ctx, path, map[string]bool{"resume": resume}, &answer); err != nil {
			if resume {
				err = fmt.Errorf("the rotation of the %s stopped; run the same command again to go on: %w", what, err)
			}
			return err
		}
		if answer.Key.Done {
			con.Print("%s: done; %s seals now, and nothing needs the old key.\n", what, answer.Key.ID)
			return nil
		}
		_, _ = fmt.Fprintf(con.Err, "%s: %d rows to go\n", what, answer.Key.Remaining) // there is nobody else to tell
	}
}
