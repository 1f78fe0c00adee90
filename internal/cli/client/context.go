package client

import (
	"encoding/json"
	"fmt"

	"github.com/sallyport/sallyport/internal/cli/profile"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type contextCmd struct {
	List   contextListCmd   `cmd:"" help:"List the contexts. A star marks the current one."`
	Use    contextUseCmd    `cmd:"" help:"Make a context the current one."`
	Remove contextRemoveCmd `cmd:"" help:"Forget a context without revoking its token. sallyport logout revokes it."`
}

type contextListCmd struct {
	terminal.Output `embed:""`
}

// Run lists the contexts.
func (c *contextListCmd) Run(con *terminal.Console) error {
	p, err := load()
	if err != nil {
		return err
	}
	type row struct {
		profile.Context
		Current bool `json:"current"`
	}
	rows := make([]row, len(p.Contexts))
	for i, found := range p.Contexts {
		rows[i] = row{found, found.Name == p.Current}
	}
	raw, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	star := func(current any) string { return map[any]string{true: "*", false: " "}[current] }
	return c.List(con, raw, col("NAME", "name"), terminal.Column{Title: "CURRENT", Path: "current", Show: star}, col("SERVER", "url"),
		col("IDENTITY", "identity"), col("ORGANIZATION", "organization"))
}

type contextUseCmd struct {
	Name string `arg:"" complete:"context" help:"Name of the context."`
}

// Run changes which context is the current one.
func (c *contextUseCmd) Run(con *terminal.Console) error {
	p, err := load()
	if err != nil {
		return err
	}
	return notFound(p.Use(c.Name))
}

type contextRemoveCmd struct {
	Name string `arg:"" complete:"context" help:"Name of the context."`
}

// Run forgets a context.
func (c *contextRemoveCmd) Run(con *terminal.Console) error {
	p, err := load()
	if err != nil {
		return err
	}
	found := p.Find(c.Name)
	if found == nil {
		return notFound(fmt.Errorf("there is no context %q; sallyport context list shows them", c.Name))
	}
	return p.Remove(*found)
}

// notFound gives an error the exit status of something that does not exist.
func notFound(err error) error {
	if err == nil {
		return nil
	}
	return terminal.Exit(terminal.NotFound, err)
}
