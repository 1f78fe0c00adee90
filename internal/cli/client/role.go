package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type roleCmd struct {
	List   roleListCmd   `cmd:"" help:"List the roles of the organization, or of a project."`
	Show   roleShowCmd   `cmd:"" help:"Show a role with its permissions."`
	Create roleCreateCmd `cmd:"" help:"Create a role from a file with its permissions."`
	Delete roleDeleteCmd `cmd:"" help:"Delete a role that no member has."`
}

// roles says whose roles a command works on.
type roles struct {
	Project string `short:"p" complete:"project" help:"ID or slug of a project, for its roles. Default: roles of the organization."`
	Server  `embed:""`
}

// paths opens a session and returns the path of the roles.
func (c roles) paths(con *terminal.Console) (*session, string, error) {
	if c.Project == "" {
		se, err := c.open(con)
		return se, "/api/v1/organization/roles", err
	}
	se, id, err := c.in(con, c.Project)
	return se, projectPath(id) + "/roles", err
}

type roleListCmd struct {
	roles `embed:""`
}

// Run lists roles.
func (c *roleListCmd) Run(con *terminal.Console) error {
	se, path, err := c.paths(con)
	if err != nil {
		return err
	}
	raw, err := se.one(path, "roles")
	if err != nil {
		return err
	}
	return c.List(con, raw, col("SLUG", "slug"), col("NAME", "name"), col("DESCRIPTION", "description"), col("ID", "id"))
}

type roleShowCmd struct {
	Role  string `arg:"" complete:"role" help:"Slug of the role."`
	roles `embed:""`
}

// Run shows one role. Its permissions are a tree, so that the table leaves them to json and yaml.
func (c *roleShowCmd) Run(con *terminal.Console) error {
	se, path, err := c.paths(con)
	if err != nil {
		return err
	}
	raw, err := se.one(path+"/slug/"+url.PathEscape(c.Role), "role")
	if err != nil {
		return err
	}
	rules := terminal.Column{Title: "PERMISSIONS", Path: "permissions", Show: func(value any) string {
		list, _ := value.([]any)
		return fmt.Sprintf("%d rules; -o yaml shows them", len(list))
	}}
	return c.Item(con, raw, col("SLUG", "slug"), col("NAME", "name"), col("DESCRIPTION", "description"), col("ID", "id"), rules)
}

type roleCreateCmd struct {
	Slug        string `arg:"" help:"Slug of the role."`
	Name        string `help:"Name of the role. Default: its slug."`
	Description string `help:"What the role is for."`
	Permissions string `required:"" placeholder:"FILE" help:"JSON file with the list of rules: objects with subject, action, and optional conditions and inverted. A single dash (-) is standard input."`
	roles       `embed:""`
}

// Run creates a role.
func (c *roleCreateCmd) Run(con *terminal.Console) error {
	text, err := con.ReadFile(c.Permissions)
	if err != nil {
		return fmt.Errorf("cannot read the permissions: %w", err)
	}
	var rules []json.RawMessage
	if err := json.Unmarshal(text, &rules); err != nil {
		return terminal.Exit(terminal.Refused, fmt.Errorf("%s is not a JSON list of rules: %w", c.Permissions, err))
	}
	se, path, err := c.paths(con)
	if err != nil {
		return err
	}
	if c.Name == "" {
		c.Name = c.Slug
	}
	body := map[string]any{"slug": c.Slug, "name": c.Name, "permissions": rules}
	if c.Description != "" {
		body["description"] = c.Description
	}
	raw, err := se.send(http.MethodPost, path, body, "role")
	if err != nil {
		return err
	}
	return c.Item(con, raw, col("SLUG", "slug"), col("NAME", "name"), col("ID", "id"))
}

type roleDeleteCmd struct {
	Role  string `arg:"" complete:"role" help:"Slug of the role."`
	Yes   bool   `short:"y" help:"Do not ask."`
	roles `embed:""`
}

// Run deletes a role.
func (c *roleDeleteCmd) Run(con *terminal.Console) error {
	se, path, err := c.paths(con)
	if err != nil {
		return err
	}
	raw, err := se.one(path+"/slug/"+url.PathEscape(c.Role), "role")
	if err != nil {
		return err
	}
	var found named
	if err := json.Unmarshal(raw, &found); err != nil {
		return err
	}
	if err := con.Confirm(c.Yes, fmt.Sprintf("Delete role %s?", c.Role)); err != nil {
		return err
	}
	if err := se.Delete(con.Ctx, path+"/"+url.PathEscape(found.ID), nil); err != nil {
		return err
	}
	se.note("Deleted role %s.", c.Role)
	return nil
}
