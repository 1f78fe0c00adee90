//go:build !windows

package cli

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/cli/terminal"
	"github.com/sallyport/sallyport/internal/ops/backup"
)

type backupCmd struct {
	DataDir     string `default:"./sallyport-data" env:"SALLYPORT_DATA_DIR" type:"path" help:"Folder of the embedded database."`
	DatabaseURL string `env:"SALLYPORT_DATABASE_URL" help:"URL of the database. Default: SQLite in the data folder. For PostgreSQL, use this only with --revocations, and pg_dump for backups."`
	To          string `type:"path" placeholder:"FILE" help:"Write a backup to this new file. The server can keep running. The backup does not contain the root key."`
	Revocations string `type:"path" placeholder:"FILE" help:"Write the log of revocations to this new file, for restore and recover. Every server must be stopped."`
}

// Validate asks for something to do; kong calls it.
func (c *backupCmd) Validate() error {
	if (c.To == "") == (c.Revocations == "") {
		return errors.New("name a file with --to, or with --revocations")
	}
	return nil
}

// Run reads the database beside its server, and changes nothing in it.
func (c *backupCmd) Run(con *terminal.Console) (err error) {
	s, err := backup.Open(con.Ctx, databaseURL(config.Storage{DataDir: c.DataDir, DatabaseURL: c.DatabaseURL}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if c.Revocations != "" {
		log, err := backup.WriteRevocations(con.Ctx, s, c.Revocations, time.Now(), func(what string) { con.Print("%s\n", what) })
		if err != nil {
			return err
		}
		con.Print("Wrote %d entries to %s. Do not start a server on this database again: the log would miss what it revokes then.\n", log.Entries, c.Revocations)
		return nil
	}
	result, err := backup.Write(con.Ctx, s, c.To, time.Now())
	if err != nil {
		return err
	}
	con.Print("Wrote %d rows of %d tables to %s, read back and compared. The root key is not in it: keep a copy of the key in another place.\n",
		result.Rows(), len(result.Tables), c.To)
	return nil
}

// databaseURL returns the URL of the database that settings name.
func databaseURL(s config.Storage) string {
	if s.DatabaseURL != "" {
		return s.DatabaseURL
	}
	return "sqlite:" + filepath.Join(s.DataDir, databaseFile)
}

// databaseFile is the name of the embedded database in the data folder.
const databaseFile = "sallyport.db"

// missing reports whether there is nothing at a path.
func missing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, os.ErrNotExist)
}
