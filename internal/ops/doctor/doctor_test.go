package doctor_test

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/ops/doctor"
)

// installation is a data folder that a server has started on and left.
type installation struct {
	t *testing.T
	doctor.Options
}

func install(t *testing.T) *installation {
	t.Helper()
	schema, err := sqldb.SchemaVersion()
	if err != nil {
		t.Fatal(err)
	}
	c := config.Defaults()
	c.DataDir = filepath.Join(t.TempDir(), "data")
	a, err := app.New(t.Context(), app.Options{Config: c, Version: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(c.DataDir, "sallyport.db")
	return &installation{t, doctor.Options{Storage: c.Storage, URL: "sqlite:" + file, Schema: schema, Now: time.Now}}
}

func (i *installation) path(name string) string { return filepath.Join(i.Storage.DataDir, name) }

// exec changes the database behind the server's back.
func (i *installation) exec(statements ...string) {
	i.t.Helper()
	db, err := sql.Open("sqlite", i.path("sallyport.db"))
	if err != nil {
		i.t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(i.t.Context(), statement); err != nil {
			i.t.Fatalf("%s: %v", statement, err)
		}
	}
}

func (i *installation) must(err error) {
	i.t.Helper()
	if err != nil {
		i.t.Fatal(err)
	}
}

// wrong returns the findings that ask for something, as "check: what was found".
func (i *installation) wrong() (found []string) {
	i.t.Helper()
	for _, f := range doctor.Examine(i.t.Context(), i.Options) {
		if f.Check == "" || f.Says == "" {
			i.t.Errorf("a finding says nothing: %+v", f)
		}
		if f.Do != "" {
			found = append(found, f.Check+": "+f.Says)
		}
	}
	return found
}

// TestExamine: each fault is found by its own check, and no other check complains, unless the case names it.
func TestExamine(t *testing.T) {
	for name, test := range map[string]struct {
		harm func(*installation)
		want []string // what each finding begins with
	}{
		"nothing": {func(*installation) {}, nil},
		"no root key": {func(i *installation) { i.must(os.Remove(i.path(seal.RootFile))) },
			[]string{"root key: ", "sealed keys: not tried"}},
		"another root key": {func(i *installation) {
			key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, seal.KeySize))
			i.must(os.WriteFile(i.path(seal.RootFile), []byte(key+"\n"), 0o600))
		}, []string{"sealed keys: the root key does not open "}},
		"an open key file":   {func(i *installation) { i.must(os.Chmod(i.path(seal.RootFile), 0o644)) }, []string{"root key: found in "}},
		"an open database":   {func(i *installation) { i.must(os.Chmod(i.path("sallyport.db"), 0o640)) }, []string{"file mode: "}},
		"an open folder":     {func(i *installation) { i.must(os.Chmod(i.Storage.DataDir, 0o755)) }, []string{"data folder: "}},
		"no database":        {func(i *installation) { i.must(os.Remove(i.path("sallyport.db"))) }, []string{"database: "}},
		"not a database":     {func(i *installation) { i.must(os.WriteFile(i.path("sallyport.db"), []byte("text"), 0o600)) }, []string{"database: "}},
		"no data folder":     {func(i *installation) { i.must(os.RemoveAll(i.Storage.DataDir)) }, []string{"root key: ", "data folder: ", "database: "}},
		"a torn restore":     {func(i *installation) { i.must(os.Mkdir(i.path("restoring-1"), 0o700)) }, []string{"leftover: "}},
		"an older schema":    {func(i *installation) { i.Schema++ }, []string{"schema: version "}},
		"a newer schema":     {func(i *installation) { i.exec(`UPDATE feed_head SET oldest = 1000`) }, []string{"schema: version "}},
		"a moved database":   {func(i *installation) { i.exec(move("left")) }, []string{"marks: this database was moved to elsewhere"}},
		"a database to move": {func(i *installation) { i.exec(move("arriving")) }, []string{"marks: a move into this database is unfinished"}},
		"a raw backup":       {func(i *installation) { i.exec(move("backup")) }, []string{"marks: this is a backup"}},
		"a lost head":        {func(i *installation) { i.exec(change, `UPDATE feed_head SET seq = 0`) }, []string{"log of changes: 1 changes are beyond its head"}},
		"a slow clock": {func(i *installation) {
			i.exec(change, `UPDATE feed_head SET seq = 7`)
			i.Now = func() time.Time { return time.UnixMilli(1).Add(-time.Hour) }
		}, []string{"clock: the database has a time that is 1h0m0s ahead"}},
		"no signing key": {func(i *installation) { i.exec(`DELETE FROM signing_keys`, `UPDATE instance SET pepper = NULL`) }, []string{"sealed keys: there is no signing key"}},
		"a late allow": {func(i *installation) {
			i.exec(organization, role(`[{"subject":"identity","action":["edit"],"inverted":true},{"subject":"identity","action":["edit"]}]`))
		},
			[]string{"rules: 1 roles and privileges have an allow rule after a denial"}},
		"rules of no sense": {func(i *installation) { i.exec(organization, role(`{`)) }, []string{"rules: cannot be read"}},
	} {
		t.Run(name, func(t *testing.T) {
			i := install(t)
			test.harm(i)
			got := i.wrong()
			matches := len(got) == len(test.want)
			for n := 0; matches && n < len(got); n++ {
				matches = strings.HasPrefix(got[n], test.want[n])
			}
			if !matches {
				t.Errorf("found %q; want what begins with %q", got, test.want)
			}
		})
	}
}

const (
	organization = `INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ('o', 'o', 'o', 1, 1)`
	change       = `INSERT INTO change_log (seq, kind, key, until, at) VALUES (7, 'x', 'x', 1, 1)`
)

func move(state string) string {
	return `INSERT INTO moves (id, state, place, at) VALUES ('m', '` + state + `', 'elsewhere', 1)`
}

func role(rules string) string {
	return `INSERT INTO custom_roles (id, org_id, project_id, slug, name, description, permissions, created_at, updated_at) VALUES ('r', 'o', '', 'r', 'r', '', '` + rules + `', 1, 1)`
}
