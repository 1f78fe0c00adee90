//go:build !windows

package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/cli/terminal"
	"github.com/sallyport/sallyport/internal/ops/transfer"
)

type migrateCmd struct {
	From        string `required:"" placeholder:"sqlite:PATH" help:"Database to move, such as sqlite:/var/lib/sallyport/sallyport.db. Its server must be stopped."`
	To          string `required:"" env:"SALLYPORT_DATABASE_URL" placeholder:"postgres://..." help:"Empty PostgreSQL database to move to. Set it in the environment if it has a password, because others can see flags."`
	RootKey     string `env:"SALLYPORT_ROOT_KEY" hidden:"" help:"Root key: 32 bytes in base64."`
	RootKeyFile string `env:"SALLYPORT_ROOT_KEY_FILE" type:"path" help:"File that holds the root key, or put the key itself into SALLYPORT_ROOT_KEY. Default: root.key in the folder of the source."`
}

// Run moves the installation and prints what was moved, a line a table.
func (c *migrateCmd) Run(con *terminal.Console) (err error) {
	path, err := c.check()
	if err != nil {
		return err
	}
	root, err := c.root(filepath.Dir(path))
	if err != nil {
		return err
	}
	log, err := warnings(con.Err)
	if err != nil {
		return err
	}
	source, err := sqldb.Open(con.Ctx, sqldb.Options{URL: c.From, Logger: log})
	if err != nil {
		return fmt.Errorf("the source cannot be moved now: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := sqldb.Open(con.Ctx, sqldb.Options{URL: c.To, Logger: log})
	if err != nil {
		return fmt.Errorf("the target cannot be used: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	bar := newBar(con.Err, time.Now)
	result, err := transfer.Run(con.Ctx, transfer.Options{Source: source, Target: target, Root: root,
		From: path, To: place(c.To), Report: bar.show})
	bar.clear()
	if con.Ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return errors.New("the move was interrupted; run the same command again to go on")
	}
	if result != nil {
		tell(con, result, place(c.To))
	}
	return err
}

// check returns the path of the source. A path that does not exist is refused, since opening it would make it.
func (c *migrateCmd) check() (path string, err error) {
	path, found := strings.CutPrefix(c.From, "sqlite:")
	if !found {
		return "", errors.New("--from must be sqlite: and the path of a file, like sqlite:/var/lib/sallyport/sallyport.db")
	}
	if !strings.HasPrefix(c.To, "postgres://") && !strings.HasPrefix(c.To, "postgresql://") {
		return "", errors.New("--to must be a postgres:// URL")
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the source cannot be read: %w", err)
	}
	return filepath.Abs(path)
}

// root finds the root key of the source and never makes one.
func (c *migrateCmd) root(dir string) (*seal.Key, error) {
	file := c.RootKeyFile
	if file == "" {
		file = filepath.Join(dir, seal.RootFile)
	}
	key, _, err := seal.Root(c.RootKey, file, "")
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("name the root key of the server with --root-key-file, or put it into SALLYPORT_ROOT_KEY: %w", err)
	}
	return key, err
}

// place returns where a database is, without user, password and settings.
func place(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "PostgreSQL" // sqldb could read it, as keywords may be
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// tell prints what was moved.
func tell(con *terminal.Console, r *transfer.Result, to string) {
	var rows int64
	for _, t := range r.Tables {
		con.Print("%-20s %10d rows  sha256 %s\n", t.Table, t.Rows, t.SHA256)
		rows += t.Rows
	}
	switch when := r.Already.UTC().Format(time.DateTime); {
	case r.InUse:
		con.Print("The move was finished and compared on %s UTC. The target has been used since, so there is nothing to compare; the root key opens it.\n", when)
	case !r.Already.IsZero():
		con.Print("The move was finished on %s UTC; compared again: the source and the target hold the same %d rows, and the root key opens them.\n", when, rows)
	default:
		con.Print("Moved %d rows to %s: both hold the same, and the root key opens them.\nServe from there with --database-url and the same root key. The source is kept unchanged, and servers no longer serve it.\n", rows, to)
	}
}
