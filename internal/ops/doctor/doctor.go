// Package doctor looks for what is wrong with an installation, and says what to do about each finding. It changes nothing,
// and works beside running servers.
package doctor

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/ops/backup"
)

// Finding is the result of one check.
type Finding struct {
	Check string // what was looked at, in a word or two
	Says  string // what was found
	Do    string // what to do; "" where nothing is wrong
}

// Options says what to look at, and what time it is.
type Options struct {
	Storage config.Storage
	URL     string // of the database
	Schema  int64  // the newest schema version that this program knows
	Now     func() time.Time
}

// examination is a run.
type examination struct {
	Options
	source *backup.Source
	root   *seal.Key // nil if there is none to be had
	found  []Finding
	at     int64 // version of the database's schema
}

// Examine makes all checks, and returns a finding of each, in a fixed order. A database that cannot be opened is a finding
// too, and the last one.
func Examine(ctx context.Context, o Options) []Finding {
	x := &examination{Options: o}
	x.rootKey()
	x.files()
	source, err := backup.Open(ctx, o.URL)
	if err != nil {
		return append(x.found, Finding{"database", err.Error(), "give this command the settings of the server, and run it as the server's user"})
	}
	defer source.Close()
	x.source = source
	for _, check := range []struct {
		name string
		do   func(context.Context) (Finding, error)
	}{
		{"schema", x.schema}, {"marks", x.marks}, {"integrity", x.integrity}, {"log of changes", x.changes},
		{"sealed keys", x.sealed}, {"clock", x.clock}, {"replicas", x.replicas}, {"rules", x.rules}, {"rows", x.rows},
	} {
		f, err := check.do(ctx)
		if err != nil {
			f = Finding{Says: "cannot be read, so the database may be damaged: " + err.Error(), Do: damaged}
		}
		f.Check = check.name
		x.found = append(x.found, f)
	}
	return x.found
}

// damaged is what to do about a database that cannot be trusted.
const damaged = "stop the server, save what can be read with sallyport backup --revocations, and restore a backup; see docs/operations.md"

func (x *examination) add(check, says, do string) {
	x.found = append(x.found, Finding{check, says, do})
}

// rootKey finds the root key, and never makes one.
func (x *examination) rootKey() {
	path := x.Storage.RootKeyFile
	if path == "" {
		path = filepath.Join(x.Storage.DataDir, seal.RootFile)
	}
	key, _, err := seal.Root(x.Storage.RootKey, path, "")
	if err != nil {
		x.add("root key", err.Error(), "put the root key back, or name it with --root-key-file or SALLYPORT_ROOT_KEY; without it nothing that is sealed can be read")
		return
	}
	x.root = key
	if x.Storage.RootKeyCommand != "" {
		x.add("root key", "printed by the command of --root-key-command", "")
		return
	}
	if x.Storage.RootKey != "" {
		x.add("root key", "found in the environment", "")
		return
	}
	x.add("root key", "found in "+path, x.private(path))
}

// number reads one number.
func (x *examination) number(ctx context.Context, query string, args ...any) (n int64, err error) {
	return n, x.source.DB.QueryRowContext(ctx, query, args...).Scan(&n)
}

// good is a finding that asks for nothing.
func good(format string, args ...any) (Finding, error) {
	return Finding{Says: fmt.Sprintf(format, args...)}, nil
}
