// Package transfer moves a whole installation from SQLite to an empty PostgreSQL database: it copies every table in
// resumable steps, compares both sides, and sees to it that never more than one of them can be served. It does not know
// what the tables mean.
//
// It is one of the few places that speak to one engine at a time, since the move goes one way: reading is the same on
// both, and what only the target is told is PostgreSQL's SQL.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// Options says what to move. All fields but Report are needed.
type Options struct {
	Source *sqldb.DB // SQLite, which nobody else has open: its lock sees to that
	Target *sqldb.DB // PostgreSQL
	Root   *seal.Key // the root key of the source
	From   string    // what people call the source, and
	To     string    // the target, without passwords
	Report func(Progress)
}

// Step is a part of the move that takes long.
type Step string

// The steps, in their order.
const (
	Copying   Step = "copying"
	Comparing Step = "comparing"
)

// Progress is where a step stands after a batch. When Done, the table is finished with this step.
type Progress struct {
	Step       Step
	Table      string
	Rows       int64 // of the table, so far
	Done       bool
	All, AllOf int64 // rows of all tables: so far, and in the end
}

// Result tells what was moved.
type Result struct {
	Tables  []Sum
	Already time.Time // when an earlier run finished the move; zero: this one did
	InUse   bool      // the move was finished earlier, and the target was used since, so that nothing was compared
}

// move is a run.
type move struct {
	Options
	id      string
	tables  []table
	all, of int64 // rows of the current step
}

// Run moves the installation, or goes on with a move that was cut short, or checks one that is finished. When it returns
// nil, both sides held the same, the root key opens what is sealed, only the target can be served, and the source says
// where everything went. An error names what is wrong; unless it says otherwise, running again goes on.
func Run(ctx context.Context, o Options) (*Result, error) {
	if o.Source.Engine() != sqldb.SQLite || o.Target.Engine() != sqldb.Postgres {
		return nil, errors.New("a move goes from SQLite to PostgreSQL")
	}
	if o.Report == nil {
		o.Report = func(Progress) {}
	}
	m := &move{Options: o}
	if err := m.prepare(ctx); err != nil {
		return nil, err
	}
	finished, err := m.begin(ctx)
	if err != nil {
		return nil, err
	}
	if !finished.IsZero() {
		return m.again(ctx, finished)
	}
	if err := m.copy(ctx); err != nil {
		return nil, err
	}
	sums, err := m.compare(ctx)
	if err == nil {
		err = opens(ctx, o.Target, o.Root, "target")
	}
	if err == nil {
		err = m.finish(ctx)
	}
	if err != nil {
		return nil, err
	}
	return &Result{Tables: sums}, nil
}

// prepare reads what is to be moved and refuses, before anything is changed, what could not be served afterwards.
func (m *move) prepare(ctx context.Context) (err error) {
	if err = alike(ctx, m.Source, m.Target); err != nil {
		return err
	}
	if m.id, err = fingerprint(ctx, m.Source); err != nil {
		return err
	}
	if err = opens(ctx, m.Source, m.Root, "source"); err != nil {
		return err
	}
	m.tables, err = tables(ctx, m.Source)
	return err
}

// alike returns an error unless both sides have the schema of this program: it knows what to move of that alone. It can serve one
// that a newer program has made.
func alike(ctx context.Context, sides ...*sqldb.DB) error {
	for _, db := range sides {
		version, _, err := db.SchemaNow(ctx)
		if err != nil {
			return err
		}
		if version != db.Schema() {
			return fmt.Errorf("a database to move has schema version %d, and this program moves version %d; run sallyport migrate of the version that last ran there", version, db.Schema())
		}
	}
	return nil
}

// again checks a finished move. Once the target has been used, the two sides differ, and should.
func (m *move) again(ctx context.Context, finished time.Time) (*Result, error) {
	now, err := fingerprint(ctx, m.Target)
	if err == nil {
		err = opens(ctx, m.Target, m.Root, "target")
	}
	if err != nil {
		return nil, err
	}
	r := &Result{Already: finished, InUse: now != m.id}
	if !r.InUse {
		r.Tables, err = m.compare(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("the move was finished and compared on %s; if a server has run on the target since, the difference is expected: %w",
			finished.UTC().Format(time.DateTime), err)
	}
	return r, nil
}

// tick reports that n more rows of a table went through a step.
func (m *move) tick(p Progress, n int64) {
	m.all += n
	p.All, p.AllOf = m.all, m.of
	m.Report(p)
}
