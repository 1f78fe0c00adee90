//go:build !windows

package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/cli/terminal"
	"github.com/sallyport/sallyport/internal/ops/backup"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

type restoreCmd struct {
	From        string `required:"" type:"path" placeholder:"FILE" help:"The backup, from sallyport backup --to."`
	Revocations string `type:"path" placeholder:"FILE" help:"Log of revocations of the lost database, from sallyport backup --revocations: tokens that it does not revoke stay valid. Without it every token is revoked."`
	DataDir     string `default:"./sallyport-data" env:"SALLYPORT_DATA_DIR" type:"path" help:"Folder to put the database into. It must not contain a database."`
	RootKey     string `env:"SALLYPORT_ROOT_KEY" hidden:"" help:"Root key: 32 bytes in base64."`
	RootKeyFile string `env:"SALLYPORT_ROOT_KEY_FILE" type:"path" help:"File that holds the root key that the backup was made with, or put the key itself into SALLYPORT_ROOT_KEY. Default: root.key in the data folder."`
}

// Run puts a database in place that is safe to serve, or nothing. It is made so in a folder of its own, and gets its place
// last, in one step.
func (c *restoreCmd) Run(con *terminal.Console) error {
	if err := c.free(); err != nil {
		return err
	}
	log, err := openLog(c.Revocations)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(c.DataDir, "restoring-")
	if err != nil {
		return err
	}
	if err = errors.Join(c.restore(con, filepath.Join(dir, databaseFile), log), os.RemoveAll(dir)); err == nil {
		con.Print("Restored to %s. Serve it with the same root key.\n", filepath.Join(c.DataDir, databaseFile))
	}
	return err
}

// restore works on a copy of the backup: what was read back from the disk here is what will be served.
func (c *restoreCmd) restore(con *terminal.Console, path string, log *backup.Log) error {
	if err := copyFile(c.From, path); err != nil {
		return err
	}
	crashpoint.Reach(crashpoint.RestoreCopied)
	result, err := backup.Verify(con.Ctx, path)
	if err != nil {
		return err
	}
	con.Print("The backup of %s UTC is complete: %d rows.\n", result.Taken.UTC().Format(time.DateTime), result.Rows())
	err = recoverAll(con, config.Storage{DataDir: c.DataDir, DatabaseURL: "sqlite:" + path, RootKey: c.RootKey, RootKeyFile: c.rootFile()}, log)
	if err != nil {
		return err
	}
	crashpoint.Reach(crashpoint.RestorePlace)
	return c.place(path)
}

// rootFile names the file of the root key; unlike a start of the server, a restore never makes a key.
func (c *restoreCmd) rootFile() string {
	if c.RootKey != "" || c.RootKeyFile != "" {
		return c.RootKeyFile
	}
	return filepath.Join(c.DataDir, seal.RootFile)
}

// free makes the data folder, and refuses one that holds a database, or a log of one that would be mixed into this.
func (c *restoreCmd) free() error {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("the data folder cannot be created: %w", err)
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if path := filepath.Join(c.DataDir, databaseFile+suffix); !missing(path) {
			return fmt.Errorf("%s exists already; stop its server, move it and every file whose name begins with it away, and restore again", path)
		}
	}
	return nil
}

// place gives the database its name, unless one has come meanwhile.
func (c *restoreCmd) place(path string) error {
	to := filepath.Join(c.DataDir, databaseFile)
	if err := os.Remove(to + ".lock"); err != nil && !errors.Is(err, os.ErrNotExist) { // it speaks of the lost database
		return err
	}
	if err := os.Link(path, to); err != nil { // unlike a rename it replaces nothing
		return fmt.Errorf("the restored database cannot be put in its place: %w", err)
	}
	crashpoint.Reach(crashpoint.RestorePlaced)
	return syncDir(c.DataDir)
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
