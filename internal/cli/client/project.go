package client

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type projectCmd struct {
	Create      projectCreateCmd `cmd:"" help:"Create a project and become its administrator."`
	List        projectListCmd   `cmd:"" help:"List the projects that you are a member of."`
	Show        projectShowCmd   `cmd:"" help:"Show a project with its environments."`
	Delete      projectDeleteCmd `cmd:"" help:"Delete a project and everything in it."`
	Environment environmentCmd   `cmd:"" help:"Create and delete environments of a project."`
	Folder      folderCmd        `cmd:"" help:"Create, list and delete folders of secrets."`
}

// The routes of projects.
const projects = "/api/v1/projects"

func projectPath(id string) string { return projects + "/" + url.PathEscape(id) }

func projectColumns() []terminal.Column {
	return []terminal.Column{col("ID", "id"), col("SLUG", "slug"), col("NAME", "name"),
		{Title: "ENVIRONMENTS", Path: "environments", Show: terminal.Joined("slug")}, col("CREATED", "createdAt")}
}

type projectCreateCmd struct {
	Name        string `arg:"" help:"Name of the project."`
	Slug        string `help:"Slug of the project, by which commands name it. Default: made from the name."`
	Description string `help:"What the project is for."`
	Bare        bool   `help:"Do not create the environments dev, staging and prod."`
	Server      `embed:""`
}

// Run creates a project.
func (c *projectCreateCmd) Run(con *terminal.Console) error {
	se, err := c.open(con)
	if err != nil {
		return err
	}
	body := map[string]any{"projectName": c.Name, "shouldCreateDefaultEnvs": !c.Bare}
	if c.Slug != "" {
		body["slug"] = c.Slug
	}
	if c.Description != "" {
		body["projectDescription"] = c.Description
	}
	raw, err := se.send(http.MethodPost, projects, body, "project")
	if err != nil {
		return err
	}
	return c.Item(con, raw, projectColumns()...)
}

type projectListCmd struct {
	Server `embed:""`
}

// Run lists projects.
func (c *projectListCmd) Run(con *terminal.Console) error {
	se, err := c.open(con)
	if err != nil {
		return err
	}
	raw, err := se.one(projects, "projects")
	if err != nil {
		return err
	}
	return c.List(con, raw, projectColumns()...)
}

type projectShowCmd struct {
	Project string `arg:"" complete:"project" help:"ID or slug of the project."`
	Server  `embed:""`
}

// Run shows one project.
func (c *projectShowCmd) Run(con *terminal.Console) error {
	se, id, err := c.in(con, c.Project)
	if err != nil {
		return err
	}
	raw, err := se.one(projectPath(id), "project")
	if err != nil {
		return err
	}
	return c.Item(con, raw, append(projectColumns(), col("DESCRIPTION", "description"), col("PROTECTED", "hasDeleteProtection"))...)
}

type projectDeleteCmd struct {
	Project string `arg:"" complete:"project" help:"ID or slug of the project."`
	Yes     bool   `short:"y" help:"Do not ask."`
	Server  `embed:""`
}

// Run deletes a project.
func (c *projectDeleteCmd) Run(con *terminal.Console) error {
	se, id, err := c.in(con, c.Project)
	if err != nil {
		return err
	}
	if err := con.Confirm(c.Yes, fmt.Sprintf("Delete project %s with all of its secrets?", c.Project)); err != nil {
		return err
	}
	if err := se.Delete(con.Ctx, projectPath(id), nil); err != nil {
		return err
	}
	se.note("Deleted project %s.", c.Project)
	return nil
}

// in opens a session and finds the id of a project.
func (s Server) in(con *terminal.Console, project string) (*session, string, error) {
	se, err := s.open(con)
	if err != nil {
		return nil, "", err
	}
	id, err := se.project(project)
	return se, id, err
}

type environmentCmd struct {
	Create environmentCreateCmd `cmd:"" help:"Create an environment."`
	List   environmentListCmd   `cmd:"" help:"List the environments of a project."`
	Delete environmentDeleteCmd `cmd:"" help:"Delete an environment, so that it can be restored for some time."`
}

type environmentCreateCmd struct {
	Slug    string `arg:"" help:"Slug of the environment."`
	Name    string `help:"Name of the environment. Default: its slug."`
	Project string `short:"p" env:"SALLYPORT_PROJECT" complete:"project" help:"ID or slug of the project."`
	Server  `embed:""`
}

// Run creates an environment.
func (c *environmentCreateCmd) Run(con *terminal.Console) error {
	se, id, err := c.in(con, c.Project)
	if err != nil {
		return err
	}
	if c.Name == "" {
		c.Name = c.Slug
	}
	raw, err := se.send(http.MethodPost, projectPath(id)+"/environments", map[string]string{"name": c.Name, "slug": c.Slug}, "environment")
	if err != nil {
		return err
	}
	return c.Item(con, raw, col("ID", "id"), col("SLUG", "slug"), col("NAME", "name"))
}

type environmentListCmd struct {
	Project string `short:"p" env:"SALLYPORT_PROJECT" complete:"project" help:"ID or slug of the project."`
	Server  `embed:""`
}

// Run lists environments.
func (c *environmentListCmd) Run(con *terminal.Console) error {
	se, id, err := c.in(con, c.Project)
	if err != nil {
		return err
	}
	raw, err := se.environments(id)
	if err != nil {
		return err
	}
	return c.List(con, raw, col("SLUG", "slug"), col("NAME", "name"), col("ID", "id"))
}

type environmentDeleteCmd struct {
	Slug    string `arg:"" complete:"environment" help:"Slug of the environment."`
	Project string `short:"p" env:"SALLYPORT_PROJECT" complete:"project" help:"ID or slug of the project."`
	Yes     bool   `short:"y" help:"Do not ask."`
	Server  `embed:""`
}

// Run deletes an environment.
func (c *environmentDeleteCmd) Run(con *terminal.Console) error {
	se, id, err := c.in(con, c.Project)
	if err != nil {
		return err
	}
	var found struct {
		Environment named `json:"environment"`
	}
	if err := se.Get(con.Ctx, projectPath(id)+"/environments/slug/"+url.PathEscape(c.Slug), &found); err != nil {
		return err
	}
	if err := con.Confirm(c.Yes, fmt.Sprintf("Delete environment %s of project %s?", c.Slug, c.Project)); err != nil {
		return err
	}
	if err := se.Delete(con.Ctx, projectPath(id)+"/environments/"+found.Environment.ID, nil); err != nil {
		return err
	}
	se.note("Deleted environment %s.", c.Slug)
	return nil
}
