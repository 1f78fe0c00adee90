package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type memberCmd struct {
	List   memberListCmd   `cmd:"" help:"List the members of a project: identities and users."`
	Add    memberAddCmd    `cmd:"" help:"Make an identity or a user a member of a project."`
	Set    memberSetCmd    `cmd:"" help:"Replace the roles of an identity in a project."`
	Remove memberRemoveCmd `cmd:"" help:"Remove an identity or a user from a project."`
}

type memberListCmd struct {
	Project string `short:"p" env:"SALLYPORT_PROJECT" complete:"project" help:"ID or slug of the project."`
	Server  `embed:""`
}

// member is an identity or a user in a project.
type member struct {
	Type  string `json:"type"`
	ID    string `json:"id"`
	Name  string `json:"name"`
	Roles []any  `json:"roles"`
}

// Run lists both kinds of members.
func (c *memberListCmd) Run(con *terminal.Console) error {
	se, id, err := c.in(con, c.Project)
	if err != nil {
		return err
	}
	members, err := se.members(id)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(members)
	if err != nil {
		return err
	}
	return c.List(con, raw, col("ID", "id"), col("NAME", "name"), col("TYPE", "type"), terminal.Column{Title: "ROLES", Path: "roles", Show: rolesOf})
}

func (se *session) members(projectID string) ([]member, error) {
	raw, err := se.all(projectPath(projectID)+"/identity-memberships", nil, "identityMemberships")
	if err != nil {
		return nil, err
	}
	var identities []struct {
		Identity named `json:"identity"`
		Roles    []any `json:"roles"`
	}
	if err := json.Unmarshal(raw, &identities); err != nil {
		return nil, err
	}
	if raw, err = se.all(projectPath(projectID)+"/memberships", nil, "memberships"); err != nil {
		return nil, err
	}
	var users []struct {
		User struct {
			ID    string `json:"id"`
			Email string `json:"email"`
		} `json:"user"`
		Roles []any `json:"roles"`
	}
	err = json.Unmarshal(raw, &users)
	members := []member{}
	for _, i := range identities {
		members = append(members, member{"identity", i.Identity.ID, i.Identity.Name, i.Roles})
	}
	for _, u := range users {
		members = append(members, member{"user", u.User.ID, u.User.Email, u.Roles})
	}
	return members, err
}

type memberAddCmd struct {
	Member   string `arg:"" complete:"identity" help:"ID or name of an identity, or the e-mail address of a user."`
	Project  string `short:"p" env:"SALLYPORT_PROJECT" complete:"project" help:"ID or slug of the project."`
	newRoles `embed:""`
	Server   `embed:""`
}

// Run adds a member.
func (c *memberAddCmd) Run(con *terminal.Console) error {
	se, id, err := c.in(con, c.Project)
	if err != nil {
		return err
	}
	if strings.Contains(c.Member, "@") {
		if len(c.Temporary) > 0 {
			return terminal.Exit(terminal.WrongCall, errors.New("--temporary-role is only for identities"))
		}
		_, err = se.send(http.MethodPost, projectPath(id)+"/memberships", map[string]any{"emails": []string{c.Member}, "roleSlugs": c.Role}, "memberships")
	} else {
		err = se.setRoles(http.MethodPost, id, c.Member, c.list())
	}
	if err != nil {
		return err
	}
	se.note("%s is a member of project %s with the roles: %s.", c.Member, c.Project, strings.Join(c.Role, ", "))
	return nil
}

// setRoles gives an identity its roles in a project.
func (se *session) setRoles(method, projectID, identity string, roles []map[string]any) error {
	identityID, err := se.identity(identity)
	if err != nil {
		return err
	}
	path := projectPath(projectID) + "/identity-memberships/" + url.PathEscape(identityID)
	return se.Send(se.con.Ctx, method, path, map[string]any{"roles": roles}, nil)
}

// newRoles are the roles that a member gets.
type newRoles struct {
	Role      []string `required:"" complete:"role" help:"Slugs of roles in the project, such as viewer, member or admin."`
	Temporary []string `name:"temporary-role" complete:"role" help:"Slugs of roles that the identity has only for the time of --for, from now on."`
	For       string   `default:"8h" placeholder:"TIME" help:"How long temporary roles last, such as 2h or 7d."`
}

// list returns roles as the API wants them.
func (r newRoles) list() []map[string]any {
	roles := []map[string]any{}
	for _, slug := range r.Role {
		roles = append(roles, map[string]any{"role": slug})
	}
	for _, slug := range r.Temporary {
		roles = append(roles, map[string]any{"role": slug, "isTemporary": true, "temporaryMode": "relative", "temporaryRange": r.For,
			"temporaryAccessStartTime": now()})
	}
	return roles
}

type memberSetCmd struct {
	Member   string `arg:"" complete:"identity" help:"ID or name of the identity."`
	Project  string `short:"p" env:"SALLYPORT_PROJECT" complete:"project" help:"ID or slug of the project."`
	newRoles `embed:""`
	Server   `embed:""`
}

// Run replaces roles.
func (c *memberSetCmd) Run(con *terminal.Console) error {
	se, id, err := c.in(con, c.Project)
	if err != nil {
		return err
	}
	if err := se.setRoles(http.MethodPatch, id, c.Member, c.list()); err != nil {
		return err
	}
	se.note("%s has these roles in project %s: %s.", c.Member, c.Project, strings.Join(c.Role, ", "))
	return nil
}

type memberRemoveCmd struct {
	Member  string `arg:"" complete:"identity" help:"ID or name of an identity, or the e-mail address of a user."`
	Project string `short:"p" env:"SALLYPORT_PROJECT" complete:"project" help:"ID or slug of the project."`
	Yes     bool   `short:"y" help:"Do not ask."`
	Server  `embed:""`
}

// Run removes a member.
func (c *memberRemoveCmd) Run(con *terminal.Console) error {
	se, id, err := c.in(con, c.Project)
	if err != nil {
		return err
	}
	if err := con.Confirm(c.Yes, fmt.Sprintf("Remove %s from project %s?", c.Member, c.Project)); err != nil {
		return err
	}
	if strings.Contains(c.Member, "@") {
		_, err = se.send(http.MethodDelete, projectPath(id)+"/memberships", map[string]any{"emails": []string{c.Member}}, "memberships")
	} else {
		var identityID string
		if identityID, err = se.identity(c.Member); err == nil {
			err = se.Delete(con.Ctx, projectPath(id)+"/identity-memberships/"+url.PathEscape(identityID), nil)
		}
	}
	if err != nil {
		return err
	}
	se.note("Removed %s from project %s.", c.Member, c.Project)
	return nil
}
