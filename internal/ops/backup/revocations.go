package backup

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// Log is a file of revocations: what a database says of tokens and credentials that were taken back or used up. It has no
// secrets. It is JSON, a value a line: a Header, an Entry each, and a last line with the checksum of all before it.
type Log struct {
	Header
	Entries int64

	path string
}

// Header says what a log of revocations is about.
type Header struct {
	Format      string   `json:"format"` // logFormat
	Taken       int64    `json:"taken"`  // milliseconds
	Head        int64    `json:"head"`   // the last sequence number of the log of changes
	SigningKeys []string `json:"signingKeys"`
}

// Entry is a line of a log of revocations. Its kind says which fields count.
type Entry struct {
	Change    *Change `json:"change,omitempty"`    // a revocation or cut-off
	Token     *Used   `json:"token,omitempty"`     // a token with a use limit
	Secret    *Used   `json:"secret,omitempty"`    // a client secret that exists
	Assertion *Spent  `json:"assertion,omitempty"` // a signed token that was good for one login
}

// Change is an entry of the log of changes that must be remembered; times in milliseconds.
type Change struct {
	Seq   int64  `json:"seq"`
	Kind  string `json:"kind"`
	Key   string `json:"key"`
	Until int64  `json:"until"`
	At    int64  `json:"at"`
}

// Used says how often something was used, and whether it was revoked.
type Used struct {
	ID      string `json:"id"`
	Uses    int64  `json:"uses"`
	Revoked bool   `json:"revoked"`
}

// Spent is an assertion that must not be taken again before it expires, in milliseconds.
type Spent struct {
	ID        string `json:"id"`
	ExpiresAt int64  `json:"expiresAt"`
}

// logFormat is the first thing in a log of revocations.
const logFormat = "sallyport-revocations-1"

// maxLine bounds a line, in bytes. Keys are a few ids long.
const maxLine = 64 << 10

// end is the last line.
type end struct {
	Entries int64  `json:"entries"`
	SHA256  string `json:"sha256"`
}

// logTables are what a log is read from, beside the log of changes.
var logTables = []string{"feed_head", "signing_keys", "access_tokens", "client_secrets", "assertions"}

// WriteRevocations writes the log of revocations of a database to a file that is not there yet, mode 0600. Its servers must
// be stopped: what they take back afterwards would be missing. A database whose log cannot be trusted is refused. say is told
// what is waited for.
func WriteRevocations(ctx context.Context, s *Source, to string, now time.Time, say func(string)) (*Log, error) {
	if err := s.stopped(ctx, say); err != nil {
		return nil, err
	}
	switch {
	case s.Begun:
		return nil, errors.New("the newest revocations were lost with a write-ahead log, and sallyport recover did not finish; run it again until it finishes, or restore without --revocations, which revokes every token")
	case s.LostLog:
		return nil, errors.New("the write-ahead log of the database is gone, and the newest revocations with it; put the -wal file back, or restore without --revocations, which revokes every token")
	}
	version, err := s.Schema(ctx)
	if err != nil {
		return nil, fmt.Errorf("the version of the database cannot be read: %w", err)
	}
	changes := sqldb.LogTable(version)
	if s.Engine == sqldb.SQLite {
		if err := sound(ctx, s.DB, append([]string{changes}, logTables...)...); err != nil {
			return nil, fmt.Errorf("the database is damaged where it keeps revocations, so they cannot be trusted; restore without --revocations, which revokes every token: %w", err)
		}
	}
	l := &Log{Header: Header{Format: logFormat, Taken: now.UnixMilli()}}
	return l, create(to, func(path string) error {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(l.write(ctx, s.DB, changes, f), f.Close())
	})
}

// write reads the database as of one moment. changes is the table with the log of changes.
func (l *Log) write(ctx context.Context, db *sql.DB, changes string, f io.Writer) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		tx, err = db.BeginTx(ctx, nil) // SQLite knows one level, which is as good
	}
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // it changed nothing
	if err := tx.QueryRowContext(ctx, `SELECT seq FROM feed_head`).Scan(&l.Head); err != nil {
		return err
	}
	if l.SigningKeys, err = column[string](ctx, tx, `SELECT id FROM signing_keys ORDER BY id`); err != nil {
		return err
	}
	out := bufio.NewWriter(f)
	w := &lines{out: out, sum: sha256.New()}
	if err := w.put(l.Header); err != nil {
		return err
	}
	if err := l.entries(ctx, tx, changes, w); err != nil {
		return err
	}
	if err := w.put(end{l.Entries, hex.EncodeToString(w.sum.Sum(nil))}); err != nil {
		return err
	}
	return out.Flush()
}

func (l *Log) entries(ctx context.Context, tx *sql.Tx, changes string, w *lines) error {
	for _, part := range []struct {
		query string
		read  func(*sql.Rows) (Entry, error)
	}{
		{`SELECT seq, kind, key, until, at FROM ` + changes + ` WHERE until > 0 ORDER BY seq`, func(rows *sql.Rows) (Entry, error) {
			var c Change
			return Entry{Change: &c}, rows.Scan(&c.Seq, &c.Kind, &c.Key, &c.Until, &c.At)
		}},
		{`SELECT id, uses, revoked FROM access_tokens WHERE uses_limit > 0 ORDER BY id`, func(rows *sql.Rows) (Entry, error) {
			var u Used
			return Entry{Token: &u}, rows.Scan(&u.ID, &u.Uses, &u.Revoked)
		}},
		{`SELECT id, uses, revoked FROM client_secrets ORDER BY id`, func(rows *sql.Rows) (Entry, error) {
			var u Used
			return Entry{Secret: &u}, rows.Scan(&u.ID, &u.Uses, &u.Revoked)
		}},
		{`SELECT id, expires_at FROM assertions ORDER BY id`, func(rows *sql.Rows) (Entry, error) {
			var a Spent
			return Entry{Assertion: &a}, rows.Scan(&a.ID, &a.ExpiresAt)
		}},
	} {
		if err := l.part(ctx, tx, w, part.query, part.read); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) part(ctx context.Context, tx *sql.Tx, w *lines, query string, read func(*sql.Rows) (Entry, error)) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		e, err := read(rows)
		if err == nil {
			err = w.put(e)
		}
		if err != nil {
			return err
		}
		l.Entries++
	}
	return rows.Err()
}

// lines writes JSON values, a line each, and sums them up.
type lines struct {
	out io.Writer
	sum hash.Hash
}

func (w *lines) put(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	_, _ = w.sum.Write(text) // a hash takes everything
	_, err = w.out.Write(text)
	return err
}

var errLog = errors.New("the log of revocations is not complete; write it again with sallyport backup --revocations")

// OpenLog reads a log of revocations through, and returns what it is about. One that is cut short or was changed is refused.
func OpenLog(path string) (*Log, error) {
	l := &Log{path: path}
	if err := l.Each(func(Entry) error { return nil }); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

// Each calls fn for every entry, in order, and returns its first error. Do not rely on what it was called for when another
// error is returned: the file is not whole then.
func (l *Log) Each(fn func(Entry) error) error {
	f, err := os.Open(l.path)
	if err != nil {
		return err
	}
	defer f.Close()
	return l.read(f, fn)
}

func (l *Log) read(from io.Reader, fn func(Entry) error) error {
	in, sum := bufio.NewScanner(from), sha256.New()
	in.Buffer(nil, maxLine)
	if !in.Scan() || json.Unmarshal(in.Bytes(), &l.Header) != nil || l.Format != logFormat {
		return errLog
	}
	_, _ = sum.Write(append(in.Bytes(), '\n'))
	for n := int64(0); in.Scan(); n++ {
		var line struct {
			Entry
			end
		}
		if json.Unmarshal(in.Bytes(), &line) != nil {
			return errLog
		}
		if line.SHA256 != "" {
			if line.end != (end{n, hex.EncodeToString(sum.Sum(nil))}) || in.Scan() {
				return errLog
			}
			l.Entries = n
			return in.Err()
		}
		if err := fn(line.Entry); err != nil {
			return err
		}
		_, _ = sum.Write(append(in.Bytes(), '\n'))
	}
	return errLog
}
