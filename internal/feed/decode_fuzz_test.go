package feed

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// lineKinds are the kinds of FuzzFollow: state, evictions, and some that nobody knows.
var lineKinds = []Kind{TokenRevoked, CutIdentity, CutInstance, Grants, Config, "token ", "", "of-a-newer-server"}

// FuzzFollow has a replica read a log that somebody wrote by hand: kinds that it does not know, keys of any form and length,
// and gaps. One replica follows it from the beginning, in two steps; another starts when all of it is there. A replica that
// reports that it knows the log has been handed each entry that matters: else it fails, and serves nothing.
func FuzzFollow(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x01\x03\x01"), "a b,c d,e f", uint8(1))
	f.Add([]byte("\x00\x01\x02\x01\x00\x01\x01\x03"), ",, ,", uint8(2))
	f.Add([]byte("\x05\x01\x06\x01\x07\x01\x00\x02"), "a\x00b,  x 12, 9 9 9,"+strings.Repeat("k", 3000), uint8(9))
	c := newClock()
	db := sqldbtest.OpenWith(f, sqldb.SQLite, sqldb.Options{Now: c.Now, Logger: quiet})
	f.Fuzz(func(t *testing.T, shape []byte, keys string, cut uint8) {
		if len(shape) > 80 || len(keys) > 1<<14 || strings.ContainsRune(keys, 0) {
			return // what PostgreSQL could not hold
		}
		lines := linesOf(shape, keys, c.Now())
		write(t, db)
		early, all := follower(db)
		if err := early.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		at := min(int(cut), len(lines))
		for _, part := range [][]Entry{lines[:at], lines[at:]} {
			if len(part) == 0 {
				continue
			}
			write(t, db, part...)
			if early.CatchUp(t.Context()) == nil {
				knows(t, early, all, lines)
			}
		}
		late, found := follower(db)
		if late.Start(t.Context()) == nil {
			knows(t, late, found, lines)
		}
	})
}

// linesOf makes entries of pairs of bytes, a kind and a step to the next number, and keys of the parts of a text. All of
// them still matter, but for some that are over long since. The key of a revocation is two ids: it holds no comma, by which
// the database parts many of them.
func linesOf(shape []byte, keys string, now time.Time) (lines []Entry) {
	names := strings.Split(keys, "|")
	seq := int64(0)
	for i := 0; i+1 < len(shape); i += 2 {
		seq += 1 + int64(shape[i+1])%4/3 // now and then one is missing
		e := Entry{Seq: seq, Kind: lineKinds[int(shape[i])%len(lineKinds)], Key: names[i/2%len(names)], Until: now.Add(time.Hour).UnixMilli()}
		if e.Kind == TokenRevoked {
			e.Key = strings.ReplaceAll(e.Key, ",", ".")
		}
		if shape[i+1]%5 == 4 {
			e.Until = now.Add(-2 * ClockSlack).UnixMilli()
		}
		lines = append(lines, e)
	}
	return lines
}

// write puts entries into the log, and its head after the last; none empty it.
func write(t *testing.T, db *sqldb.DB, lines ...Entry) {
	t.Helper()
	ctx, head := t.Context(), int64(0)
	err := db.Write(ctx, func(tx *sqldb.Tx) error {
		for _, e := range lines {
			head = e.Seq
			if _, err := tx.Exec(ctx, `INSERT INTO change_log (seq, kind, key, until, at) VALUES ($1, $2, $3, $4, 0)`, e.Seq, e.Kind, e.Key, e.Until); err != nil {
				return err
			}
		}
		if len(lines) == 0 {
			if _, err := tx.Exec(ctx, `DELETE FROM change_log`); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `UPDATE feed_head SET seq = $1`, head)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// knows checks that each state entry up to what a replica reports was handed to it as it stands in the log, unless it is over,
// and that nothing was handed out that is not in the log.
func knows(t *testing.T, f *Feed, s *seen, lines []Entry) {
	t.Helper()
	got := s.all()
	known := f.db.Now().Add(-ClockSlack).UnixMilli()
	for _, e := range lines {
		isState := slices.Contains([]Kind{TokenRevoked, CutIdentity, CutInstance}, e.Kind)
		if isState && e.Seq <= f.Applied() && e.Until >= known && !slices.ContainsFunc(got, e.isHandedAs) {
			t.Errorf("it knows the log up to %d, but was not handed %+v", f.Applied(), e)
		}
	}
	for _, g := range got {
		if !slices.ContainsFunc(lines, func(e Entry) bool { return e.isHandedAs(g) }) {
			t.Errorf("it was handed %+v, which nobody wrote", g)
		}
	}
}

// isHandedAs reports whether g is e as a follower sees it: with its number, but for a revocation that was loaded at the start.
func (e Entry) isHandedAs(g Entry) bool {
	return g == e || e.Kind == TokenRevoked && g == Entry{Kind: e.Kind, Key: e.Key, Until: e.Until}
}
