//go:build !windows

package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/sallyport/sallyport/internal/cli/terminal"
	"github.com/sallyport/sallyport/internal/ops/importer"
	"github.com/sallyport/sallyport/internal/ops/transfer"
)

type importCmd struct {
	Infisical infisicalCmd `cmd:"" help:"Copy projects, secrets, roles and identities from a server that speaks the API of Infisical, over that API."`
}

type infisicalCmd struct {
	URL       string   `required:"" env:"SALLYPORT_IMPORT_URL" help:"Base URL of the server to read from."`
	Token     string   `env:"SALLYPORT_IMPORT_TOKEN" help:"Access token of a machine identity there that is an administrator, also of the projects. Set it in the environment, because others can see flags."`
	To        string   `default:"http://127.0.0.1:8080" env:"SALLYPORT_URL,SALLYPORT_DOMAIN" help:"Base URL of the Sallyport to write to."`
	ToToken   string   `env:"SALLYPORT_TOKEN" help:"Access token of a machine identity there that is an administrator. Set it in the environment."`
	Project   []string `placeholder:"SLUG" help:"Only these projects, and the identities that are members of them. Default: all of the organization."`
	DryRun    bool     `help:"Write nothing: compare, and list what would be created and what cannot be imported."`
	Overwrite bool     `help:"Change what exists at the target and differs. Default: list it and leave it unchanged."`
	State     string   `default:"sallyport-import.state" type:"path" help:"File that remembers what was started, so that an interrupted import can continue. It holds ids and no secrets."`
	PlainHTTP bool     `name:"plain-http" help:"Allow http:// to other machines. Anyone on the network path can then read all secrets."`
}

// Run imports, and prints what came of it: a line for each thing that needs a look, then a table.
func (c *infisicalCmd) Run(con *terminal.Console) error {
	if err := c.check(); err != nil {
		return err
	}
	bar := newBar(con.Err, time.Now)
	bar.unit = "parts"
	result, err := importer.Run(con.Ctx, importer.Options{
		Source: importer.Server{URL: c.URL, Token: c.Token}, Target: importer.Server{URL: c.To, Token: c.ToToken},
		Projects: c.Project, State: c.State, DryRun: c.DryRun, Overwrite: c.Overwrite,
		Report: func(p importer.Progress) { bar.show(steps(p)) },
		Tell: func(f importer.Finding) {
			bar.clear()
			find(con, f)
		},
	})
	bar.clear()
	if con.Ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return errors.New("the import was interrupted; run the same command again to go on")
	}
	if err != nil {
		return fmt.Errorf("the import stopped; run the same command again to go on: %w", err)
	}
	count(con, result, c.DryRun)
	if n := result.Open(); n > 0 {
		return fmt.Errorf("%d things are not at the target as the source has them; see the lines that begin with LEFT", n)
	}
	return nil
}

// check refuses to send a token where others can read it.
func (c *infisicalCmd) check() error {
	switch {
	case c.Token == "":
		return errors.New("put the access token for the source into SALLYPORT_IMPORT_TOKEN")
	case c.ToToken == "":
		return errors.New("put the access token for the target into SALLYPORT_TOKEN")
	case c.PlainHTTP:
		return nil
	}
	for _, raw := range []string{c.URL, c.To} {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "http" {
			continue // importer.Run says what is wrong with it
		}
		if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return fmt.Errorf("http://%s is not encrypted, and all secrets would pass through it; use https://, or allow it with --plain-http", u.Host)
		}
	}
	return nil
}

// steps tells progress in the words of the bar.
func steps(p importer.Progress) transfer.Progress {
	step := transfer.Step("importing")
	if p.Done == 0 {
		step = "reading"
	}
	return transfer.Progress{Step: step, Table: p.What, Rows: p.Done, All: p.Done, AllOf: max(p.Of, 1)}
}

// find prints one finding.
func find(con *terminal.Console, f importer.Finding) {
	label := "LEFT"
	if f.Note {
		label = "note"
	}
	con.Print("%s  %s: %s: %s\n", label, f.Kind, f.Where, f.Reason)
}

// count prints what became of each kind, and what no import carries.
func count(con *terminal.Console, r importer.Result, dryRun bool) {
	made := "made"
	if dryRun {
		made = "to make"
	}
	con.Print("\n%-28s %8s %8s %8s %8s %8s\n", "", made, "the same", "changed", "differ", "failed")
	for _, k := range importer.Kinds {
		if n := *r[k]; n != (importer.Count{}) {
			con.Print("%-28s %8d %8d %8d %8d %8d\n", k, n.Made, n.Same, n.Changed, n.Different, n.Failed)
		}
	}
	con.Print("\nAn import never carries over:\n")
	for _, l := range importer.LeftBehind {
		con.Print("- %s: %s\n", l.What, l.Reason)
	}
}
