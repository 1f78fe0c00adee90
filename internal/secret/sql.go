package secret

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/project"
)

// row is a version of a secret as it is stored.
type row struct {
	ID            string  `db:"id"`
	FolderID      string  `db:"folder_id"`
	EnvironmentID string  `db:"environment_id"`
	Path          string  `db:"path"`
	Key           string  `db:"key"`
	UserID        string  `db:"user_id"` // empty for a shared one
	Version       int64   `db:"version"`
	CreatedAt     int64   `db:"created_at"`
	UpdatedAt     int64   `db:"updated_at"`
	Value         []byte  `db:"value"`
	Comment       []byte  `db:"comment"`
	KeyID         string  `db:"project_key_id"`
	Metadata      string  `db:"metadata"`
	Tags          string  `db:"tags"`
	SkipMultiline bool    `db:"skip_multiline"`
	ReminderNote  *string `db:"reminder_note"`
	ReminderDays  *int64  `db:"reminder_days"`

	// Of older versions alone: what rules saw of the secret then, as far as that was noted, and the row in force.
	SaidEnvironment *string `db:"said_environment"`
	SaidPath        *string `db:"said_path"`
	SaidKey         *string `db:"said_key"`
	SaidTags        *string `db:"said_tags"`
	current         *row
}

// The rows of secrets hold what is in force, those of secret_versions what older versions said, in columns of the same names.
const (
	content = `value, comment, metadata, tags, skip_multiline, reminder_note, reminder_days, project_key_id`
	inForce = `SELECT s.id, s.folder_id, f.environment_id, f.path, s.key, coalesce(s.user_id, '') AS user_id, s.version, s.created_at,
	s.updated_at, ` + content + ` FROM folders f JOIN secrets s ON s.folder_id = f.id `
	older = `SELECT s.id, s.folder_id, f.environment_id, f.path, s.key, coalesce(s.user_id, '') AS user_id, v.version, s.created_at,
	v.created_at AS updated_at, v.value, v.comment, v.project_key_id, v.metadata, v.tags, v.skip_multiline, v.reminder_note, v.reminder_days,
	v.said_environment, v.said_path, v.said_key, v.said_tags
	FROM folders f JOIN secrets s ON s.folder_id = f.id JOIN secret_versions v ON v.secret_id = s.id `
	named = `WHERE f.environment_id = $1 AND f.path = $2 AND s.key = $3 AND coalesce(s.user_id, '') = $4`
)

// find reads a secret of a folder by its name, from memory if it can; owner is the user of a personal one, or empty. version is that
// which is wanted, or 0 for the one in force. ErrNoRows if there is none.
func (s *folderScope) find(ctx context.Context, name, owner string, version int64) (*row, error) {
	ctx = context.WithoutCancel(ctx) // to watch for a caller who leaves takes two goroutines, and more time than the row
	held, err := s.look(ctx, name, owner)
	if err != nil {
		return nil, err
	}
	if held.rows == nil {
		stored, err := s.one(ctx, s.from, inForce+named, s.env.ID, s.path, name, owner)
		if err != nil {
			return nil, err
		}
		held.keep(s, []row{*stored})
	}
	current := &held.rows[0]
	if version == 0 || version == current.Version {
		return current, nil
	}
	old, err := s.one(ctx, s.from, older+named+` AND v.version = $5`, s.env.ID, s.path, name, owner, version)
	old.current = current
	return old, err
}

// all reads the secrets of a folder, or of all below it too: the shared ones, and those of one user. Callers must not change
// the rows.
func (s *folderScope) all(ctx context.Context, owner string, below bool) ([]row, error) {
	if below {
		prefix := strings.TrimSuffix(s.path, "/") + "/"
		return s.several(ctx, inForce+`WHERE f.environment_id = $1 AND (f.path = $2 OR substr(f.path, 1, $3) = $4)
			AND coalesce(s.user_id, '') IN ('', $5)`, s.env.ID, s.path, len([]rune(prefix)), prefix, owner)
	}
	held, err := s.look(ctx, "", owner)
	if err != nil || held.rows != nil {
		return held.rows, err
	}
	rows, err := s.folderRows(ctx, owner)
	if err != nil || len(rows) == 0 {
		return rows, err
	}
	held.keep(s, rows)
	return held.rows, nil
}

func (s *folderScope) folderRows(ctx context.Context, owner string) ([]row, error) {
	return s.several(ctx, inForce+`WHERE f.environment_id = $1 AND f.path = $2 AND coalesce(s.user_id, '') IN ('', $3)`,
		s.env.ID, s.path, owner)
}

// chunk is how many values one statement asks for at once. Fewer are filled up with the last one, so that there are few
// texts of statements.
const chunk = 50

// chunks splits values into the lists that statements ask for: of one, or of a whole chunk.
func chunks(values []string) (lists [][]string) {
	if len(values) == 1 {
		return [][]string{values}
	}
	for some := range slices.Chunk(values, chunk) {
		some = slices.Clone(some)
		for len(some) < chunk {
			some = append(some, some[len(some)-1])
		}
		lists = append(lists, some)
	}
	return lists
}

// marks returns the placeholders of n values from a number on.
func marks(from, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = "$" + strconv.Itoa(from+i)
	}
	return "(" + strings.Join(list, ", ") + ")"
}

func args(first []any, values []string) []any {
	for _, v := range values {
		first = append(first, v)
	}
	return first
}

// these reads secrets of a folder by their names, a chunk of them: the shared ones, and those of one user.
func (s *folderScope) these(ctx context.Context, keys []string, owner string) ([]row, error) {
	return s.several(ctx, inForce+`WHERE f.environment_id = $1 AND f.path = $2 AND coalesce(s.user_id, '') IN ('', $3)
		AND s.key IN `+marks(4, len(keys)), args([]any{s.env.ID, s.path, owner}, keys)...)
}

// folder finds the folder as it is stored; NotFound if there is none.
func (s *folderScope) folder(ctx context.Context, from project.Reader) (*project.Folder, error) {
	return project.FolderAt(ctx, from, s.Project.ID, s.env.Slug, s.path)
}

// byID reads a secret and the project that it is in; ErrNoRows if there is none.
func (s *Service) byID(ctx context.Context, secretID string) (stored *row, projectID string, err error) {
	var found struct {
		ProjectID string `db:"project_id"`
		Stored    row    `db:""`
	}
	err = s.from.Get(ctx, &found, strings.Replace(inForce, "SELECT ", "SELECT e.project_id, ", 1)+
		`JOIN environments e ON e.id = f.environment_id WHERE s.id = $1 AND e.deleted_at IS NULL`, secretID)
	return &found.Stored, found.ProjectID, err
}

// insert stores a new secret; it returns false if the folder has one of that name and owner.
func (r *projectScope) insert(ctx context.Context, tx *sqldb.Tx, s *Secret) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO secrets (id, folder_id, key, user_id, version, created_at, updated_at, `+content+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING`,
		append([]any{s.ID, s.FolderID, s.Key, optional(s.UserID), s.Version, s.CreatedAt, s.UpdatedAt}, r.sealed(s)...)...)
	return n == 1, err
}

// sealed returns what a secret says as content names it.
func (r *projectScope) sealed(s *Secret) []any {
	b := r.box(s.ID, s.Version)
	return []any{b.seal("value", s.Value), b.sealComment(s.Comment), b.sealMetadata(s.Metadata), tagIDs(s.Tags), s.SkipMultiline,
		s.ReminderNote, s.ReminderDays, r.key.ID}
}

// claim counts the version of a secret up by one and returns what it says so far; ErrNoRows if there is no such secret.
// Whoever comes at the same time waits until this transaction is over: no version is lost, and none is left out.
func (s *folderScope) claim(ctx context.Context, tx *sqldb.Tx, name, owner string) (*row, error) {
	stored, err := s.one(ctx, tx, `UPDATE secrets SET version = version + 1 WHERE key = $1 AND coalesce(user_id, '') = $2
		AND folder_id = (SELECT f.id FROM folders f WHERE f.environment_id = $3 AND f.path = $4)
		RETURNING id, folder_id, key, coalesce(user_id, '') AS user_id, version - 1 AS version, created_at, updated_at, `+content, name, owner, s.env.ID, s.path)
	stored.EnvironmentID, stored.Path = s.env.ID, s.path
	return stored, err
}

// replace keeps what a secret that was claimed said so far, under a label, as its last version, and stores what it says now.
func (r *projectScope) replace(ctx context.Context, tx *sqldb.Tx, s *Secret, was *label) error {
	_, err := tx.Exec(ctx, `INSERT INTO secret_versions (secret_id, version, created_at, said_environment, said_path, said_key, said_tags, `+content+`)
		SELECT id, version - 1, updated_at, $1, $2, $3, $4, `+content+` FROM secrets WHERE id = $5`,
		was.environment, was.path, was.name, strings.Join(was.tags, " "), s.ID)
	if err == nil && s.Version-1 > r.versions {
		_, err = tx.Exec(ctx, `DELETE FROM secret_versions WHERE secret_id = $1 AND version < $2`, s.ID, s.Version-r.versions)
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE secrets SET updated_at = $1, value = $2, comment = $3, metadata = $4, tags = $5, skip_multiline = $6,
		reminder_note = $7, reminder_days = $8, project_key_id = $9 WHERE id = $10`,
		slices.Concat([]any{s.UpdatedAt}, r.sealed(s), []any{s.ID})...)
	return err
}

// rename gives a shared secret, and the personal ones in its place, another name; BadRequest if the folder has one of that name.
func rename(ctx context.Context, tx *sqldb.Tx, folderID, from, to string) error {
	if from == to {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE secrets SET key = $1 WHERE folder_id = $2 AND key = $3`, to, folderID, from)
	if sqldb.IsUnique(err) {
		err = fault.New(fault.BadRequest, "The folder has a secret with the name %q already. Choose another new name.", shortened(to))
	}
	return err
}

// remove deletes a secret, and with a shared one all personal ones in its place.
func remove(ctx context.Context, tx *sqldb.Tx, s *Secret) error {
	if s.Personal() {
		_, err := tx.Exec(ctx, `DELETE FROM secrets WHERE id = $1`, s.ID)
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM secrets WHERE folder_id = $1 AND key = $2`, s.FolderID, s.Key)
	return err
}

// touch notes on a folder of the same environment that a secret in it changed, and tells all replicas.
func (s *folderScope) touch(ctx context.Context, tx *feed.Tx, folderID, path string) error {
	tx.Append(feed.Secrets, feed.Key(s.env.ID, path), feed.Evict)
	return project.SecretChanged(ctx, tx, folderID)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func missing(err error) bool { return errors.Is(err, sqldb.ErrNoRows) }
