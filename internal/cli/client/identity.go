package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type identityCmd struct {
	Create identityCreateCmd `cmd:"" help:"Create an identity."`
	List   identityListCmd   `cmd:"" help:"List the identities of the organization."`
	Show   identityShowCmd   `cmd:"" help:"Show an identity with its roles and login methods."`
	Update identityUpdateCmd `cmd:"" help:"Rename an identity, or change its role or its protection."`
	Delete identityDeleteCmd `cmd:"" help:"Delete identities and revoke their tokens."`
}

// The routes of identities.
const identities = "/api/v1/identities"

func identityPath(id string) string { return identities + "/" + url.PathEscape(id) }

type identityCreateCmd struct {
	Name      string            `arg:"" help:"Name of the identity."`
	Role      string            `default:"no-access" complete:"role" help:"Slug of its role in the organization."`
	Metadata  map[string]string `placeholder:"KEY=VALUE" help:"Metadata of the identity."`
	Protected bool              `help:"Refuse to delete the identity until the protection is removed."`
	Server    `embed:""`
}

// Run creates an identity in the caller's organization.
func (c *identityCreateCmd) Run(con *terminal.Console) error {
	se, err := c.open(con)
	if err != nil {
		return err
	}
	org, err := se.organization()
	if err != nil {
		return err
	}
	type pair struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	metadata := []pair{}
	for key, value := range c.Metadata {
		metadata = append(metadata, pair{key, value})
	}
	raw, err := se.send(http.MethodPost, identities, map[string]any{"name": c.Name, "organizationId": org, "role": c.Role,
		"hasDeleteProtection": c.Protected, "metadata": metadata}, "identity")
	if err != nil {
		return err
	}
	return c.Item(con, raw, col("ID", "id"), col("NAME", "name"))
}

type identityListCmd struct {
	Search string `placeholder:"TEXT" help:"Only identities whose name contains this text."`
	Server `embed:""`
}

// Run lists identities.
func (c *identityListCmd) Run(con *terminal.Console) error {
	se, err := c.open(con)
	if err != nil {
		return err
	}
	query := url.Values{}
	if c.Search != "" {
		query.Set("search", c.Search)
	}
	raw, err := se.all("/api/v1/organization/identities", query, "identities")
	if err != nil {
		return err
	}
	return c.List(con, raw, col("ID", "id"), col("NAME", "name"), col("LOGIN METHODS", "authMethods"), col("CREATED", "createdAt"))
}

type identityShowCmd struct {
	Identity string `arg:"" complete:"identity" help:"ID or name of the identity."`
	Server   `embed:""`
}

// Run shows one identity.
func (c *identityShowCmd) Run(con *terminal.Console) error {
	se, id, err := c.openFor(con, c.Identity)
	if err != nil {
		return err
	}
	raw, err := se.one(identityPath(id), "identity")
	if err != nil {
		return err
	}
	return c.Item(con, raw, col("ID", "identityId"), col("NAME", "identity.name"), terminal.Column{Title: "ROLES", Path: "roles", Show: rolesOf},
		col("LOGIN METHODS", "identity.authMethods"), col("PROTECTED", "identity.hasDeleteProtection"), col("LAST LOGIN", "lastLoginTime"),
		col("LOCKED OUT", "identity.activeLockoutAuthMethods"), col("CREATED", "identity.createdAt"))
}

// rolesOf shows roles by their slugs, with the end of those that are temporary.
func rolesOf(value any) string {
	list, _ := value.([]any)
	parts := []string{}
	for _, item := range list {
		role, _ := item.(map[string]any)
		slug := role["role"]
		if custom, _ := role["customRoleSlug"].(string); custom != "" {
			slug = custom
		}
		text := fmt.Sprint(slug)
		if end, _ := role["temporaryAccessEndTime"].(string); end != "" {
			text += " (until " + end + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ",")
}

type identityUpdateCmd struct {
	Identity  string `arg:"" complete:"identity" help:"ID or name of the identity."`
	Name      string `help:"New name."`
	Role      string `complete:"role" help:"Slug of its new role in the organization, in place of those that it has."`
	Protected *bool  `negatable:"" help:"Refuse to delete the identity, or with --no-protected allow it again."`
	Server    `embed:""`
}

// Run changes what was named.
func (c *identityUpdateCmd) Run(con *terminal.Console) error {
	se, id, err := c.openFor(con, c.Identity)
	if err != nil {
		return err
	}
	body := map[string]any{}
	if c.Name != "" {
		body["name"] = c.Name
	}
	if c.Role != "" {
		body["role"] = c.Role
	}
	if c.Protected != nil {
		body["hasDeleteProtection"] = *c.Protected
	}
	raw, err := se.send(http.MethodPatch, identityPath(id), body, "identity")
	if err != nil {
		return err
	}
	return c.Item(con, raw, col("ID", "id"), col("NAME", "name"), col("PROTECTED", "hasDeleteProtection"))
}

type identityDeleteCmd struct {
	Identities []string `arg:"" complete:"identity" help:"IDs or names of the identities."`
	Yes        bool     `short:"y" help:"Do not ask."`
	Server     `embed:""`
}

// Run deletes one after the other, and stops at the first that cannot be deleted.
func (c *identityDeleteCmd) Run(con *terminal.Console) error {
	se, err := c.open(con)
	if err != nil {
		return err
	}
	if err := con.Confirm(c.Yes, fmt.Sprintf("Delete %s, and revoke every token of it?", strings.Join(c.Identities, ", "))); err != nil {
		return err
	}
	for _, name := range c.Identities {
		id, err := se.identity(name)
		if err == nil {
			var answer json.RawMessage
			err = se.Delete(con.Ctx, identityPath(id), &answer)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		se.note("Deleted %s (%s).", name, id)
	}
	return nil
}
