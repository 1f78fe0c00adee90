package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type folderCmd struct {
	Create folderCreateCmd `cmd:"" help:"Create a folder, and those above it that are missing."`
	List   folderListCmd   `cmd:"" help:"List the folders in a folder."`
	Delete folderDeleteCmd `cmd:"" help:"Delete a folder, with --force also what it contains."`
}

// The routes of folders.
const folders = "/api/v2/folders"

// inFolder is the folder that a command works on, and its parent.
type inFolder struct {
	Project     string `short:"p" env:"SALLYPORT_PROJECT" complete:"project" help:"ID or slug of the project."`
	Environment string `name:"env" short:"e" required:"" env:"SALLYPORT_ENVIRONMENT" complete:"environment" placeholder:"SLUG" help:"Slug of the environment."`
	Server      `embed:""`
}

// split returns the parent and the name of a folder.
func split(folder string) (parent, name string, err error) {
	folder = path.Clean("/" + folder)
	if folder == "/" {
		return "", "", terminal.Exit(terminal.WrongCall, errors.New("name a folder below /"))
	}
	parent, name = path.Split(folder)
	return path.Clean(parent), name, nil
}

type folderCreateCmd struct {
	Path        string `arg:"" help:"Path of the new folder, such as /api/db."`
	Description string `help:"What the folder is for."`
	inFolder    `embed:""`
}

// Run creates a folder.
func (c *folderCreateCmd) Run(con *terminal.Console) error {
	parent, name, err := split(c.Path)
	if err != nil {
		return err
	}
	se, id, err := c.in(con, c.Project)
	if err != nil {
		return err
	}
	body := map[string]string{"projectId": id, "environment": c.Environment, "path": parent, "name": name}
	if c.Description != "" {
		body["description"] = c.Description
	}
	raw, err := se.send(http.MethodPost, folders, body, "folder")
	if err != nil {
		return err
	}
	return c.Item(con, raw, col("ID", "id"), col("NAME", "name"))
}

type folderListCmd struct {
	Path      string `arg:"" optional:"" default:"/" help:"Path of the folder."`
	Recursive bool   `short:"r" help:"List the folders below, too."`
	inFolder  `embed:""`
}

// Run lists folders.
func (c *folderListCmd) Run(con *terminal.Console) error {
	se, id, err := c.in(con, c.Project)
	if err != nil {
		return err
	}
	raw, err := se.folders(id, c.Environment, c.Path, c.Recursive)
	if err != nil {
		return err
	}
	return c.List(con, raw, col("NAME", "name"), col("PATH", "path"), col("DESCRIPTION", "description"), col("ID", "id"))
}

func (se *session) folders(projectID, environment, folder string, recursive bool) (json.RawMessage, error) {
	query := url.Values{"projectId": {projectID}, "environment": {environment}, "path": {folder}, "recursive": {fmt.Sprint(recursive)}}
	return se.one(folders+"?"+query.Encode(), "folders")
}

type folderDeleteCmd struct {
	Path     string `arg:"" help:"Path of the folder."`
	Force    bool   `help:"Delete everything in the folder, too."`
	Yes      bool   `short:"y" help:"Do not ask."`
	inFolder `embed:""`
}

// Run deletes a folder.
func (c *folderDeleteCmd) Run(con *terminal.Console) error {
	parent, name, err := split(c.Path)
	if err != nil {
		return err
	}
	se, id, err := c.in(con, c.Project)
	if err != nil {
		return err
	}
	if err := con.Confirm(c.Yes, fmt.Sprintf("Delete folder %s of %s?", c.Path, c.Environment)); err != nil {
		return err
	}
	_, err = se.send(http.MethodDelete, folders+"/"+url.PathEscape(name), map[string]any{"projectId": id, "environment": c.Environment, "path": parent,
		"forceDelete": c.Force}, "folder")
	if err == nil {
		se.note("Deleted folder %s.", strings.TrimSuffix(c.Path, "/"))
	}
	return err
}
