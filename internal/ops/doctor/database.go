package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// schema compares the version of the schema.
func (x *examination) schema(ctx context.Context) (f Finding, err error) {
	if x.at, err = x.source.Schema(ctx); err != nil {
		return Finding{}, err
	}
	if x.at < x.Schema {
		return Finding{Says: fmt.Sprintf("version %d of %d", x.at, x.Schema), Do: "start the server of this version: it brings the schema up to date"}, nil
	}
	oldest, err := x.number(ctx, `SELECT oldest FROM feed_head`)
	switch {
	case err != nil:
		return Finding{}, err
	case oldest > x.Schema:
		return Finding{Says: fmt.Sprintf("version %d, which programs can serve that know version %d; this program knows versions up to %d", x.at, oldest, x.Schema),
			Do: "run a program that is at least as new as the one that last ran here"}, nil
	case x.at > x.Schema:
		return good("version %d; this program knows versions up to %d, and can serve it", x.at, x.Schema)
	}
	return good("version %d", x.at)
}

// marks tells whether the database may be served.
func (x *examination) marks(ctx context.Context) (Finding, error) {
	rows, err := x.source.DB.QueryContext(ctx, `SELECT state, place FROM moves WHERE state <> 'arrived' ORDER BY at`)
	if err != nil {
		return Finding{}, err
	}
	defer rows.Close()
	f := Finding{Says: "it may be served"}
	for rows.Next() {
		var state, place string
		if err := rows.Scan(&state, &place); err != nil {
			return Finding{}, err
		}
		switch state {
		case "left":
			f = Finding{Says: "this database was moved to " + place, Do: "serve that one; see docs/migration.md"}
		case "arriving":
			f = Finding{Says: "a move into this database is unfinished", Do: "run the same sallyport migrate again"}
		case "backup":
			f = Finding{Says: "this is a backup, in which revoked tokens may be alive", Do: "run sallyport recover, or use sallyport restore"}
		}
	}
	return f, rows.Err()
}

// integrity reads a SQLite file through. PostgreSQL looks after itself.
func (x *examination) integrity(ctx context.Context) (Finding, error) {
	if x.source.Engine != sqldb.SQLite {
		return good("PostgreSQL checks itself; where data checksums are on, it finds flipped bits")
	}
	if x.source.Begun {
		return Finding{Says: "the newest changes were lost with a write-ahead log, and sallyport recover was started and did not finish",
			Do: "run sallyport recover until it finishes: putting the -wal file back now does not help"}, nil
	}
	if x.source.LostLog {
		return Finding{Says: "the server did not close the database, and its write-ahead log is gone: the newest changes are lost",
			Do: "put the -wal file back, or run sallyport recover, which revokes every token"}, nil
	}
	var found []string
	rows, err := x.source.DB.QueryContext(ctx, `PRAGMA integrity_check(5)`)
	if err != nil {
		return Finding{}, err
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return Finding{}, err
		}
		found = append(found, line)
	}
	if err := rows.Err(); err != nil {
		return Finding{}, err
	}
	if text := strings.Join(found, ", "); text != "ok" {
		return Finding{Says: "the file is damaged: " + text, Do: damaged}, nil
	}
	return good("every page was read")
}

// changes looks for a log that ends elsewhere than its head says.
func (x *examination) changes(ctx context.Context) (Finding, error) {
	head, err := x.number(ctx, `SELECT seq FROM feed_head`)
	if err != nil {
		return Finding{}, err
	}
	beyond, err := x.number(ctx, `SELECT count(*) FROM `+sqldb.LogTable(x.at)+` WHERE seq > $1`, head)
	if err != nil {
		return Finding{}, err
	}
	if beyond > 0 {
		return Finding{Says: fmt.Sprintf("%d changes are beyond its head, %d", beyond, head), Do: damaged}, nil
	}
	return good("ends at %d", head)
}

// sealed opens what is sealed with the root key: the signing keys, and the key of the client secrets.
func (x *examination) sealed(ctx context.Context) (Finding, error) {
	if x.root == nil {
		return Finding{Says: "not tried, because the root key is missing", Do: "see root key"}, nil
	}
	rows, err := x.source.DB.QueryContext(ctx, `SELECT 'signing_keys', id, sealed FROM signing_keys
		UNION ALL SELECT 'instance', 'pepper', pepper FROM instance WHERE pepper IS NOT NULL`)
	if err != nil {
		return Finding{}, err
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var table, id string
		var sealed []byte
		if err := rows.Scan(&table, &id, &sealed); err != nil {
			return Finding{}, err
		}
		if _, err := x.root.Open(sealed, table, id); errors.Is(err, seal.ErrOpen) {
			return Finding{Says: fmt.Sprintf("the root key does not open %s in %s", id, table),
				Do: "start with the root key that the database was made with; if that is the right one, the database is damaged: restore it"}, nil
		} else if err != nil {
			return Finding{}, err
		}
	}
	if n == 0 {
		return Finding{Says: "there is no signing key: no server has run on this database", Do: "name the database of your server"}, rows.Err()
	}
	return Finding{Says: fmt.Sprintf("the root key opens all %d", n)}, rows.Err()
}

// clockSlack is how far clocks may differ before tokens are judged wrong by it.
const clockSlack = 5 * time.Second

// clock compares the wall clock with the newest times in the database.
func (x *examination) clock(ctx context.Context) (Finding, error) {
	latest, err := x.number(ctx, `SELECT max(at) FROM (SELECT coalesce(max(at), 0) AS at FROM `+sqldb.LogTable(x.at)+`
		UNION ALL SELECT coalesce(max(created_at), 0) FROM audit_logs UNION ALL SELECT coalesce(max(seen_at), 0) FROM replicas) AS times`)
	if err != nil {
		return Finding{}, err
	}
	if ahead := time.UnixMilli(latest).Sub(x.Now()); ahead > clockSlack {
		return Finding{Says: fmt.Sprintf("the database has a time that is %s ahead of this machine's clock", ahead.Round(time.Second)),
			Do: "set the clocks of all machines by NTP: tokens expire by them"}, nil
	}
	return good("no time in the database is ahead of this machine's clock")
}
