package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// The states of a mark; see the table moves.
const (
	arriving = "arriving"
	arrived  = "arrived"
	left     = "left"
)

// Backup is the state of the mark in a backup, and in a mere copy of one.
const Backup = "backup"

// mark is a row of the table moves.
type mark struct {
	ID    string `db:"id"`
	State string `db:"state"`
	Place string `db:"place"`
	At    int64  `db:"at"`
}

// day returns when the mark was made, for people to read.
func (m mark) day() string { return time.UnixMilli(m.At).UTC().Format(time.DateTime) + " UTC" }

// marks returns the marks of a database by their state; at most one each.
func marks(ctx context.Context, db *sqldb.DB) (map[string]mark, error) {
	var rows []mark
	if err := db.Select(ctx, &rows, `SELECT id, state, place, at FROM moves ORDER BY at`); err != nil {
		return nil, err
	}
	found := map[string]mark{}
	for _, m := range rows {
		found[m.State] = m
	}
	return found, nil
}

// Check returns why a database must not be served: it was moved away, it is a backup, or a move into it is unfinished. The
// first two do not count where recovering, which sees to the tokens. A server asks after it has entered itself in the
// register; see open.
func Check(ctx context.Context, db *sqldb.DB, recovering bool) error {
	found, err := marks(ctx, db)
	if err != nil {
		return err
	}
	if m, ok := found[left]; ok && !recovering {
		return fmt.Errorf("this database was moved to %s on %s and does not know which tokens were revoked there since; serve that one with --database-url, or see \"Going back\" in docs/migration.md", m.Place, m.day())
	}
	if m, ok := found[Backup]; ok && !recovering {
		return fmt.Errorf("this database is a backup of %s and does not know which tokens were revoked since; run sallyport recover on it, or use sallyport restore", m.day())
	}
	if m, ok := found[arriving]; ok {
		return fmt.Errorf("the move from %s into this database is unfinished; run the same sallyport migrate again, or empty the database", m.Place)
	}
	return nil
}

// Reopen lets a database be served that was moved away or is a backup. It is for one in which no token is alive that was
// revoked.
func Reopen(ctx context.Context, db *sqldb.DB) error {
	return db.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM moves WHERE state IN ($1, $2)`, left, Backup)
		if err == nil {
			_, err = tx.Exec(ctx, `DROP TABLE IF EXISTS backup_contents`)
		}
		return err
	})
}

// fingerprint names what a database holds: every change that a server makes leaves an audit event or an entry in the
// log of changes, so that one that was served since the move began has another name.
func fingerprint(ctx context.Context, db *sqldb.DB) (string, error) {
	var parts []string
	err := db.Select(ctx, &parts, `SELECT id FROM (SELECT id, 1 AS part FROM signing_keys
		UNION ALL SELECT CAST(max(seq) AS TEXT), 2 FROM feed_head
		UNION ALL SELECT coalesce(max(id), ''), 3 FROM audit_logs) AS parts ORDER BY part, id`)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:16]), nil
}

// begin makes the target ready, or finds it ready for going on. finished is when the move was finished, zero if it is not.
func (m *move) begin(ctx context.Context) (finished time.Time, err error) {
	here, err := marks(ctx, m.Source)
	if err != nil {
		return finished, err
	}
	there, err := marks(ctx, m.Target)
	if err != nil {
		return finished, err
	}
	if _, backup := here[Backup]; backup {
		return finished, errors.New("the source is a backup and does not know which tokens were revoked since; run sallyport recover on it first")
	}
	gone, moved := here[left]
	if moved {
		m.id = gone.ID
	}
	switch in, out := there[arriving], there[arrived]; {
	case in.ID == m.id:
		return finished, nil
	case in.ID != "":
		return finished, fmt.Errorf("the target holds the unfinished move of another database, from %s, or of this one before a server ran on it again; empty the target database, or name another", in.Place)
	case moved && out.ID == m.id:
		return time.UnixMilli(out.At), nil
	case moved:
		return finished, fmt.Errorf("the source was moved to %s on %s, which is not this target; move from there, or see \"Going back\" in docs/migration.md", gone.Place, gone.day())
	}
	return finished, m.Target.Write(ctx, func(tx *sqldb.Tx) error { return m.open(ctx, tx) })
}

// open marks an empty target. A server enters itself in the register before it looks for the mark, and the register is
// locked here: either the mark is there when it looks, or it is in the register and the target is not empty.
func (m *move) open(ctx context.Context, tx *sqldb.Tx) error {
	if _, err := tx.Exec(ctx, `LOCK TABLE replicas, moves IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return err
	}
	if err := m.empty(ctx, tx); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `CREATE TABLE move_progress (name TEXT PRIMARY KEY, last_key TEXT NOT NULL, rows_moved BIGINT NOT NULL, done BOOLEAN NOT NULL)`)
	if err == nil {
		_, err = tx.Exec(ctx, `INSERT INTO moves (id, state, place, at) VALUES ($1, $2, $3, $4)`, m.id, arriving, m.From, tx.Now().UnixMilli())
	}
	return err
}

// seeds are the rows that the schema itself puts into a table, as conditions that they meet while nobody has used them.
var seeds = map[string]string{
	"instance":   "initialized = FALSE AND pepper IS NULL",
	"feed_head":  "seq = 0",
	"audit_head": "position = 0",
}

// empty returns nil if no server has ever run on the target.
func (m *move) empty(ctx context.Context, tx *sqldb.Tx) error {
	names := []string{"replicas", "moves"}
	for _, t := range m.tables {
		names = append(names, t.name)
	}
	for _, name := range names {
		query := "SELECT count(*) FROM (SELECT 1 FROM " + quote(name)
		if seed := seeds[name]; seed != "" {
			query += " WHERE NOT (" + seed + ")"
		}
		var n int64
		if err := tx.Get(ctx, &n, query+" LIMIT 1) AS found"); err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("the target is not empty: the table %s has rows; a move needs a database that no server has run on, so create a new one", name)
		}
	}
	return nil
}

// finish closes the source, and then opens the target: at no moment can both be served.
func (m *move) finish(ctx context.Context) error {
	err := m.Source.Write(ctx, func(tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO moves (id, state, place, at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`,
			m.id, left, m.To, tx.Now().UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("marking the source as moved: %w", err)
	}
	return m.Target.Write(ctx, func(tx *sqldb.Tx) error {
		if _, err := tx.Exec(ctx, `DROP TABLE move_progress`); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE moves SET state = $1, at = $2 WHERE id = $3`, arrived, tx.Now().UnixMilli(), m.id)
		if err == nil && n != 1 {
			err = errors.New("the target's mark of this move is gone")
		}
		return err
	})
}
