package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/project"
)

// folderPath is the path of the n-th folder that is filled.
func folderPath(n int) string { return fmt.Sprintf("/services/team-%d", n) }

// filled returns a running server with so many folders of inFolder secrets each, written beside it.
func (st *store) filled(folders int) (*shop, error) {
	s, err := st.setUp()
	if err != nil {
		return nil, err
	}
	at, err := s.open()
	if err := errors.Join(err, s.stop()); err != nil {
		return nil, err
	}
	if err := st.fillFolders(at, folders); err != nil {
		return nil, err
	}
	at.process, err = st.serveOn(s.dir, s.url, "--secret-cache=0") // else the small one would be read from memory
	return at, err
}

// haste are statements for filling a PostgreSQL quickly: it waits for no disk, and takes our word for foreign keys.
var haste = []string{"SET synchronous_commit = off", "SET session_replication_role = replica"}

func (st *store) fillFolders(at *shop, folders int) error {
	return st.hastily(at.instance, func(e *engine) error { return at.fill(st.ctx, e, folders) })
}

// hastily runs fill on the database of a server that does not run, in one transaction that waits for no disk.
func (st *store) hastily(s *instance, fill func(*engine) error) error {
	e, err := st.engine(s, hasty)
	if err != nil {
		return err
	}
	defer e.close()
	before, after := []string{e.begin}, []string{"COMMIT", "PRAGMA journal_mode = WAL"}
	if st.pg != nil {
		before, after = append(slices.Clone(haste), e.begin), []string{"COMMIT", "VACUUM ANALYZE"} // the second as autovacuum does it, after so many inserts too
	}
	for _, text := range before {
		if err := e.exec(st.ctx, text); err != nil {
			return err
		}
	}
	if err := fill(e); err != nil {
		return err
	}
	for _, text := range after {
		if err := e.exec(st.ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// fill writes folders and their secrets, sealed as the server seals them. The even folders are written one after the other, as
// an import does. The odd ones get their secrets in turns, as if all had grown together: those of one folder lie far apart.
func (at *shop) fill(ctx context.Context, e *engine, folders int) error {
	w := &writer{ctx: ctx, engine: e, project: at.project, now: time.Now().UnixMilli()}
	err := w.open(at.dir)
	if err != nil {
		return err
	}
	folderIDs := make([]string, folders)
	for i := range folderIDs {
		folderIDs[i] = id.New()
		if err := w.add(&w.folders, folderIDs[i], w.environment, w.root, fmt.Sprint("team-", i), folderPath(i), int64(1), w.now, w.now); err != nil {
			return err
		}
	}
	for i := 0; i < folders; i += 2 {
		for n := range inFolder {
			if err := w.secret(folderIDs[i], n); err != nil {
				return err
			}
		}
	}
	for n := range inFolder {
		for i := 1; i < folders; i += 2 {
			if err := w.secret(folderIDs[i], n); err != nil {
				return err
			}
		}
	}
	return errors.Join(w.folders.flush(w), w.secrets.flush(w))
}

// writer writes rows of secrets, many with a statement.
type writer struct {
	ctx               context.Context
	engine            *engine
	project           string
	environment, root string // ids: of the development environment, and of its root folder
	keyID             string
	key               *seal.Key
	now               int64

	folders, secrets rows
}

// atOnce is how many rows one statement writes.
const atOnce = 20

// rows are rows of a table that wait to be written.
type rows struct {
	into    string
	columns int
	args    []any
}

// open finds the project's key and environment.
func (w *writer) open(dir string) error {
	w.folders.into = "folders (id, environment_id, parent_id, name, path, version, created_at, updated_at)"
	w.secrets.into = "secrets (id, folder_id, key, version, created_at, updated_at, value, project_key_id)"
	root, _, err := seal.Root("", "", dir)
	if err != nil {
		return err
	}
	var orgID string
	var sealed, parent []byte
	err = w.engine.conn.QueryRowContext(w.ctx, `SELECT e.id, f.id, k.id, k.sealed, o.org_id, o.sealed FROM environments e
		JOIN folders f ON f.environment_id = e.id AND f.path = '/' JOIN project_keys k ON k.project_id = e.project_id
		JOIN organization_keys o ON o.id = k.organization_key_id WHERE e.project_id = $1 AND e.slug = 'dev'`, w.project).
		Scan(&w.environment, &w.root, &w.keyID, &sealed, &orgID, &parent)
	if err != nil {
		return err
	}
	raw, err := root.Open(parent, org.KeyPlace(orgID)...)
	if err != nil {
		return err
	}
	above, err := seal.NewKey(raw)
	if err != nil {
		return err
	}
	if raw, err = above.Open(sealed, project.KeyPlace(w.project)...); err != nil {
		return err
	}
	w.key, err = seal.NewKey(raw)
	return err
}

// secret adds the n-th secret of a folder. A value that is not bound as the server binds it would not open.
func (w *writer) secret(folderID string, n int) error {
	secretID := id.New()
	sealed := w.key.Seal([]byte(value(n)), "secret_versions", w.project, secretID, "1", "value")
	return w.add(&w.secrets, secretID, folderID, fmt.Sprint("SECRET_", n), int64(1), w.now, w.now, sealed, w.keyID)
}

func (w *writer) add(to *rows, row ...any) error {
	to.columns = len(row)
	if to.args = append(to.args, row...); len(to.args) < atOnce*to.columns {
		return nil
	}
	return to.flush(w)
}

func (r *rows) flush(w *writer) error {
	if len(r.args) == 0 {
		return nil
	}
	lists := make([]string, len(r.args)/r.columns)
	for i := range lists {
		marks := make([]string, r.columns)
		for j := range marks {
			marks[j] = fmt.Sprintf("$%d", i*r.columns+j+1)
		}
		lists[i] = "(" + strings.Join(marks, ", ") + ")"
	}
	err := w.engine.exec(w.ctx, "INSERT INTO "+r.into+" VALUES "+strings.Join(lists, ", "), r.args...)
	r.args = r.args[:0]
	return err
}
