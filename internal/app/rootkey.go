package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/token"
)

// ownRootFile is the file of the root key where the server made it, and no other server can need it; else "".
func ownRootFile(db *sqldb.DB, c config.Server) string {
	if c.RootKey != "" || c.RootKeyFile != "" || db.Engine() != sqldb.SQLite {
		return ""
	}
	return filepath.Join(c.DataDir, seal.RootFile)
}

// rootKey finds the root key, and makes one for a new database. A database that was used before needs the key that it
// was used with: a new one beside it would only hide that the right one is missing.
func rootKey(ctx context.Context, db *sqldb.DB, o Options) (*seal.Key, error) {
	c := o.Config
	if c.RootKey == "" && c.RootKeyFile == "" {
		file := filepath.Join(c.DataDir, seal.RootFile)
		used, err := token.HasKeys(ctx, db)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(file); used && errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("the database was created with a root key, and there is no key at %s; put that key back, or name it with --root-key-file or SALLYPORT_ROOT_KEY", file)
		}
	}
	root, made, err := seal.Root(c.RootKey, c.RootKeyFile, c.DataDir)
	if made != "" {
		o.Logger.Warn("created a root key; keep a copy of it, apart from the database: without it nobody can read the data", "file", made)
	}
	return root, err
}
