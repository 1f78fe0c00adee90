package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/ops/transfer"
)

// untouched fails the test unless the source can be served and the target has no trace of a move.
func (i installation) untouched(t *testing.T, to string) {
	t.Helper()
	mustSay(t, i.servable(t, "", false), "<nil>")
	db := open(t, to)
	defer db.Close()
	var traces int64
	if err := db.Get(t.Context(), &traces, `SELECT (SELECT count(*) FROM moves) + (SELECT count(*) FROM pg_class WHERE relname = 'move_progress')`); err != nil {
		t.Fatal(err)
	}
	if traces != 0 {
		t.Error("the refused move left traces in the target")
	}
}

func TestRefusedBeforeAnythingChanges(t *testing.T) {
	t.Run("refused/wrong root key", func(t *testing.T) {
		i, to := small(t, 1), target(t)
		_, err := i.move(t.Context(), t, to, func(o *transfer.Options) { o.Root, _ = seal.NewKey(bytes.Repeat([]byte{3}, seal.KeySize)) })
		mustSay(t, err, "root key does not open", "source")
		i.untouched(t, to)
	})
	t.Run("refused/a server has run on the target", func(t *testing.T) {
		i, to := small(t, 1), target(t)
		i.serve(t, to)
		_, err := i.move(t.Context(), t, to)
		mustSay(t, err, "not empty", "has rows")
		i.untouched(t, to)
	})
	for name, change := range map[string]string{
		"refused/one row in the target":          `INSERT INTO lockouts (method, target, caller, failures, last_at, locked_until) VALUES ('', '', '', 0, 0, 0)`,
		"refused/the target was set up":          `UPDATE instance SET initialized = TRUE`,
		"refused/the target's log has begun":     `UPDATE feed_head SET seq = 1`,
		"refused/a server is just starting here": `INSERT INTO replicas (id, name, lease, beat, applied, started_at, seen_at) VALUES ('r', '', 0, 0, 0, 0, 0)`,
	} {
		t.Run(name, func(t *testing.T) {
			i, to := small(t, 1), target(t)
			run(t, to, change)
			_, err := i.move(t.Context(), t, to)
			mustSay(t, err, "not empty")
			i.untouched(t, to)
		})
	}
	t.Run("refused/a source that no server has run on", func(t *testing.T) {
		i, to := small(t, 1), target(t)
		run(t, i.url(), `DELETE FROM signing_keys`)
		_, err := i.move(t.Context(), t, to)
		mustSay(t, err, "no signing key", "source")
		i.untouched(t, to)
	})
	t.Run("refused/the wrong way round", func(t *testing.T) {
		i, to := small(t, 1), target(t)
		_, err := i.move(t.Context(), t, to, func(o *transfer.Options) { o.Source, o.Target = o.Target, o.Source })
		mustSay(t, err, "from SQLite to PostgreSQL")
		i.untouched(t, to)
	})
}

// halfway leaves an unfinished move behind.
func (i installation) halfway(t *testing.T, to string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if _, err := i.move(ctx, t, to, report(func(transfer.Progress) { stop() })); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestUnfinishedMove(t *testing.T) {
	t.Run("refused/another source", func(t *testing.T) {
		one, other, to := small(t, 1), small(t, 1), target(t)
		run(t, other.url(), `UPDATE feed_head SET seq = seq + 1`) // so that it is no copy of the first
		one.halfway(t, to)
		_, err := other.move(t.Context(), t, to)
		mustSay(t, err, "unfinished move of another database")
		one.mustMove(t, to)
	})
	t.Run("refused/the source was changed meanwhile", func(t *testing.T) {
		i, to := small(t, 1), target(t)
		i.halfway(t, to)
		run(t, i.url(), `UPDATE feed_head SET seq = seq + 1`)
		_, err := i.move(t.Context(), t, to)
		mustSay(t, err, "before a server ran on it again", "empty the target")
	})
	t.Run("refused/recovering an unfinished target", func(t *testing.T) {
		i, to := small(t, 1), target(t)
		i.halfway(t, to)
		mustSay(t, i.servable(t, to, true), "is unfinished")
		mustSay(t, i.servable(t, "", false), "<nil>")
	})
}

// TestDifferences changes one value in the target between copying and comparing.
func TestDifferences(t *testing.T) {
	for table, change := range map[string]string{
		"audit_logs":    `UPDATE audit_logs SET user_agent = 'agent ' WHERE id = '00000000-0000-7000-8000-000000000007'`,
		"access_tokens": `UPDATE access_tokens SET revoked = TRUE`,
		"identities":    `UPDATE identities SET project_id = ''`,
		"organizations": `UPDATE organizations SET updated_at = updated_at + 1`,
		"auth_configs":  `UPDATE auth_configs SET settings = settings || '\x00'::bytea`,
		"feed_head":     `DELETE FROM feed_head`,
		"change_log":    `INSERT INTO change_log (seq, kind, key, until, at) VALUES (99, 'k', '', 0, 0)`,
	} {
		t.Run("refused/"+table, func(t *testing.T) {
			i, to := small(t, 10), target(t)
			var other *sqldb.DB
			changed := false
			_, err := i.move(t.Context(), t, to, report(func(p transfer.Progress) {
				if p.Step == transfer.Copying && p.All == p.AllOf && p.Done && !changed {
					changed = true // the tables that are left are empty
					execute(t, other, change)
				}
			}), func(o *transfer.Options) { other = o.Target })
			mustSay(t, err, "the table "+table+" differs", "empty the target database")
			mustSay(t, i.servable(t, to, false), "is unfinished")
			mustSay(t, i.servable(t, "", false), "<nil>")
		})
	}
}

// TestTextThatPostgreSQLCannotHold names the row.
func TestTextThatPostgreSQLCannotHold(t *testing.T) {
	for name, value := range map[string]string{"zero": `'a' || char(0)`, "no UTF-8": `CAST(x'ff' AS TEXT)`, "bytes": `x'00'`} {
		t.Run("refused/"+name, func(t *testing.T) {
			i, to := small(t, 10), target(t)
			run(t, i.url(), `UPDATE audit_logs SET user_agent = `+value+` WHERE id = '00000000-0000-7000-8000-000000000007'`)
			_, err := i.move(t.Context(), t, to)
			mustSay(t, err, "audit_logs", "000000000007", "user_agent", "correct it in the source")
			run(t, i.url(), `UPDATE audit_logs SET user_agent = 'agent' WHERE id = '00000000-0000-7000-8000-000000000007'`)
			i.mustMove(t, to)
		})
	}
}
