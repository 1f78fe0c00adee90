package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

// scaleCommand is the argument that has the program show how costs grow.
const scaleCommand = "scale"

// scaleSizes are the columns of the table: how many there are of what a row is about.
var scaleSizes = []int64{1_000, 10_000, 100_000, 1_000_000, 10_000_000}

// scale measures the same operations with few and with many rows in the database, and prints one table. It returns
// whether a budget is missed by more than a tenth.
func scale(ctx context.Context, args []string) (missed bool, err error) {
	flags := flag.NewFlagSet(scaleCommand, flag.ContinueOnError)
	most := flags.Int64("most", scaleSizes[len(scaleSizes)-1], "the largest number of rows")
	engine := flags.String("engine", "sqlite", "the engine to measure with: sqlite, postgres or both")
	if err := flags.Parse(args); err != nil {
		return false, err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM) // such as from timeout(1)
	defer stop()
	b, err := newBench(ctx, "", "")
	if err != nil {
		return false, err
	}
	defer b.close()
	table := &growths{}
	grow := func(st *store) ([]line, error) { return nil, st.grow(table, *most) }
	switch *engine {
	case "sqlite":
		_, err = grow(b.onSQLite())
	case "postgres":
		_, err = b.onPostgres(grow)
	case "both":
		_, err = b.onBoth(grow)
	default:
		err = fmt.Errorf("-engine is sqlite, postgres or both, not %q", *engine)
	}
	return slices.ContainsFunc(table.rows, (*growth).failed), errors.Join(err, table.show(os.Stdout)) // also what there is when it ended early
}

// subject is what there is more and more of.
type subject struct {
	name string
	most int64                // how many at most
	each int64                // rows for one, about
	fill func(*stage) error   // makes at.n of it; the server runs, and fill stops it to write beside it
	ask  func(*stage) error   // measures what callers ask for; the server runs
	tidy func(*cleaner) error // measures cleaning up; the server is stopped
}

// stage is a server with so many of a subject.
type stage struct {
	*store
	s        *instance
	subject  string
	n        int64
	most     int64 // rows in any table
	identity string
	table    *growths
}

// note puts a figure into the table.
func (at *stage) note(what, unit string, value float64) { at.limit(what, unit, value, 0) }

// limit is note with a budget: at most so much. 0 is no budget.
func (at *stage) limit(what, unit string, value, most float64) {
	at.table.put(growth{subject: at.store.name + ": " + at.subject, what: what, unit: unit, most: most}, at.n, value)
}

// scaleRun is one stage to come.
type scaleRun struct {
	subject
	n int64
}

// grow measures all subjects at all sizes, the smallest databases first: who ends it early has most of the table.
func (st *store) grow(table *growths, most int64) error {
	var runs []scaleRun
	for _, of := range []subject{manyTokensOfOne, manyIdentities, manyRevoked, manyEvents} {
		for _, n := range scaleSizes {
			if n <= min(most, of.most) {
				runs = append(runs, scaleRun{of, n})
			}
		}
	}
	slices.SortStableFunc(runs, func(a, b scaleRun) int { return cmp.Compare(a.n*a.each, b.n*b.each) })
	for _, r := range runs {
		begin := time.Now()
		if err := st.stage(r.subject, r.n, most, table); err != nil {
			return fmt.Errorf("%s: %d %s: %w", st.name, r.n, r.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s: measured %d %s in %.0f s\n", st.name, r.n, r.name, time.Since(begin).Seconds())
	}
	return nil
}

// stage measures with one database, and removes it.
func (st *store) stage(of subject, n, most int64, table *growths) error {
	s, err := st.setUp()
	if err != nil {
		return err
	}
	at := &stage{store: st, s: s, subject: of.name, n: n, most: most, table: table}
	if err := of.fill(at); err != nil {
		return err
	}
	if err := at.start(); err != nil {
		return err
	}
	if err := errors.Join(of.ask(at), at.s.stop()); err != nil {
		return err
	}
	return errors.Join(at.cleanUp(of.tidy), os.RemoveAll(at.s.dir), at.drop())
}

// start starts the server, and measures what every server does: it starts, and checks a token.
func (at *stage) start() (err error) {
	if at.s.process, err = at.serveOn(at.s.dir, at.s.url); err != nil {
		return err
	}
	at.note("start to first answer", "ms", float64(at.s.took.Microseconds())/1000)
	time.Sleep(settleFor) // so that memory is what a server at rest has
	memory, err := at.s.memory()
	if err != nil {
		return err
	}
	at.note("- resident memory then", "MB", memory)
	if err := at.rest(); err != nil {
		return err
	}
	return at.wait("verify a token (GET /identities/details)", "GET", "/api/v1/identities/details", "", `"identityDetails"`, 1)
}

// rest waits until the server has nothing to do: a large SQLite file is read through after the start.
func (at *stage) rest() error {
	for begin := time.Now(); ; {
		waited := time.Since(begin).Truncate(settleFor)
		before, err := at.s.cpu()
		if err != nil {
			return err
		}
		time.Sleep(settleFor) // the time over which its processor time is measured
		after, err := at.s.cpu()
		if err != nil || after-before <= 2*time.Second/ticks {
			at.note("- until it has read the database through, beside its work", "s", waited.Seconds())
			return err
		}
	}
}

// drop removes a PostgreSQL database; of SQLite there is nothing beside the folder.
func (at *stage) drop() error {
	if at.pg == nil {
		return nil
	}
	name, err := databaseName(at.s.url)
	if err != nil {
		return err
	}
	return at.pg.Exec(at.ctx, "postgres", "DROP DATABASE "+name)
}

// cleanUp opens the database at a time when all that was filled is over, and measures tidy.
func (at *stage) cleanUp(tidy func(*cleaner) error) error {
	over := func() time.Time { return time.Now().Add(afterAll) }
	db, err := sqldb.Open(at.ctx, sqldb.Options{URL: at.s.database(), Now: over, Logger: silent})
	if err != nil {
		return err
	}
	log := feed.New(feed.Options{DB: db, Logger: silent})
	tokens, err := at.tokensOn(db, log, at.s.dir)
	if err == nil {
		err = tidy(&cleaner{at, db, tokens, log, audit.New(db, 0)})
	}
	return errors.Join(err, db.Close())
}
