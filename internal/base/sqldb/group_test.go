package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// together runs functions in one group, in their order, and returns what became of each.
func together(t *testing.T, db *sqldb.DB, fns ...func(context.Context, *sqldb.Tx) error) []error {
	t.Helper()
	db.SetGroup(len(fns))
	defer db.SetGroup(0)
	before := db.Stats()
	outcomes := make([]error, len(fns))
	var all sync.WaitGroup
	for i, fn := range fns {
		ran := make(chan struct{})
		all.Go(func() {
			ctx := context.Background()
			outcomes[i] = db.WriteGrouped(ctx, func(tx *sqldb.Tx) error {
				defer close(ran)
				return fn(ctx, tx)
			})
		})
		<-ran
	}
	all.Wait()
	if groups := db.Stats().Commits - before.Commits; groups > 1 {
		t.Errorf("%d commits, want at most one", groups)
	}
	return outcomes
}

// awaitWaiting returns when n functions wait for their turn.
func awaitWaiting(db *sqldb.DB, n int) {
	for db.Stats().Waiting < int64(n) {
		runtime.Gosched()
	}
}

// grouped is add for a function of a group.
func grouped(ids ...string) func(context.Context, *sqldb.Tx) error {
	return func(ctx context.Context, tx *sqldb.Tx) error { return add(ctx, ids...)(tx) }
}

func TestGroupKeepsFunctionsApart(t *testing.T) {
	mine := errors.New("mine")
	failing := func(ctx context.Context, tx *sqldb.Tx) error { return errors.Join(add(ctx, "x", "y")(tx), mine) }
	conflicting := grouped("z", "z")
	nothing := func(context.Context, *sqldb.Tx) error { return nil }
	type fn = func(context.Context, *sqldb.Tx) error
	cases := map[string]struct {
		fns  []fn
		fail []int // which of them
		want []string
	}{
		"all kept":                  {[]fn{grouped("a"), grouped("b"), grouped("c")}, nil, []string{"a", "b", "c"}},
		"first fails":               {[]fn{failing, grouped("b"), grouped("c")}, []int{0}, []string{"b", "c"}},
		"middle fails":              {[]fn{grouped("a"), failing, grouped("c")}, []int{1}, []string{"a", "c"}},
		"last fails":                {[]fn{grouped("a"), grouped("b"), conflicting}, []int{2}, []string{"a", "b"}},
		"all fail":                  {[]fn{failing, conflicting, failing}, []int{0, 1, 2}, nil},
		"a later one sees earlier":  {[]fn{grouped("a"), grouped("a", "b")}, []int{1}, []string{"a"}},
		"a later one sees no undo":  {[]fn{failing, grouped("x")}, []int{0}, []string{"x"}},
		"nothing done, nothing bad": {[]fn{nothing, failing, nothing, grouped("a")}, []int{1}, []string{"a"}},
	}
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for name, c := range cases {
			t.Run(name, func(t *testing.T) {
				empty(t, db)
				for i, err := range together(t, db, c.fns...) {
					if (err != nil) != slices.Contains(c.fail, i) {
						t.Errorf("function %d: %v", i, err)
					}
				}
				expect(t, db, c.want...)
			})
		}
	})
}

// TestGroupSurvivesAnything has many callers at once, some of which fail, panic, or end their goroutine.
func TestGroupSurvivesAnything(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		const callers = 40
		want := make([]string, 0, callers)
		var all sync.WaitGroup
		for i := range callers {
			id := fmt.Sprintf("%02d", i)
			if i%4 == 0 {
				want = append(want, id)
			}
			all.Go(func() {
				defer func() { _ = recover() }()
				err := db.WriteGrouped(ctx, func(tx *sqldb.Tx) error {
					if err := add(ctx, id)(tx); err != nil {
						return err
					}
					switch i % 4 {
					case 1:
						return errors.New("mine")
					case 2:
						panic("mine")
					case 3:
						runtime.Goexit()
					}
					return nil
				})
				if (err == nil) != (i%4 == 0) {
					t.Errorf("caller %d: %v", i, err)
				}
			})
		}
		all.Wait()
		expect(t, db, want...)
		if s := db.Stats(); s.Grouped != callers/4 || s.Commits > s.Grouped || s.Waiting != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestGroupAndContexts(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		t.Run("done before", func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if err := db.WriteGrouped(ctx, add(ctx, "x")); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		t.Run("done while waiting", func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			waited := make(chan error, 1)
			err := db.WriteGrouped(context.Background(), func(tx *sqldb.Tx) error {
				go func() { waited <- db.WriteGrouped(ctx, add(ctx, "x")) }()
				awaitWaiting(db, 1)
				cancel()
				if err := <-waited; !errors.Is(err, context.Canceled) { // at once, not when its turn comes
					t.Error(err)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		t.Run("done inside", func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			outcomes := together(t, db, grouped("a"), func(_ context.Context, tx *sqldb.Tx) error {
				err := add(ctx, "x")(tx)
				cancel()
				return errors.Join(err, add(ctx, "y")(tx))
			}, grouped("b"))
			if outcomes[0] != nil || !errors.Is(outcomes[1], context.Canceled) || outcomes[2] != nil {
				t.Error(outcomes)
			}
		})
		expect(t, db, "a", "b")
	})
}

// TestLostTransactionFailsItsWholeGroup has the engine end the transaction under the second of two functions.
func TestLostTransactionFailsItsWholeGroup(t *testing.T) {
	lose := map[sqldb.Engine]func(context.Context, *sqldb.Tx) error{
		sqldb.SQLite: func(ctx context.Context, tx *sqldb.Tx) error { // the disk is full
			if _, err := tx.Exec(ctx, "PRAGMA max_page_count = 1"); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ('x', CAST(zeroblob(1000000) AS TEXT), 'x', 0, 0)")
			return err
		},
		sqldb.Postgres: func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := tx.Exec(ctx, "SELECT pg_terminate_backend(pg_backend_pid())")
			return err
		},
	}
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		outcomes := together(t, db, grouped("a"), lose[db.Engine()])
		if outcomes[0] == nil || outcomes[1] == nil {
			t.Error(outcomes)
		}
		if strings.Contains(fmt.Sprint(outcomes[0]), "INSERT") {
			t.Errorf("the first caller was told the error of the second: %v", outcomes[0])
		}
		if !sqldb.Unreachable(outcomes[0]) || !sqldb.Unreachable(outcomes[1]) {
			t.Errorf("told as if the callers were to blame: %v", outcomes)
		}
		if full := db.Engine() == sqldb.SQLite; sqldb.Full(outcomes[1]) != full {
			t.Errorf("the disk is full: %v; told %v", full, outcomes[1])
		}
		if err := db.WriteGrouped(t.Context(), add(t.Context(), "after")); err != nil {
			t.Errorf("the next group: %v", err)
		}
		expect(t, db, "after")
	})
}

func TestWritesAreTriedAgain(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.Postgres)
	ctx := t.Context()
	for way, write := range writes(db) {
		for name, c := range map[string]struct{ failures, calls int }{
			"at once":   {0, 1},
			"twice":     {2, 3},
			"never":     {100, 5},
			"last time": {4, 5},
		} {
			t.Run(way+"/succeeds "+name, func(t *testing.T) {
				calls := 0
				err := write(ctx, func(tx *sqldb.Tx) error {
					if calls++; calls <= c.failures {
						return errors.Join(add(ctx, way+name)(tx), &pgconn.PgError{Code: "40001"})
					}
					return add(ctx, way+name)(tx)
				})
				if calls != c.calls || (err == nil) != (c.failures < c.calls) {
					t.Errorf("%d calls: %v", calls, err)
				}
			})
		}
	}
}

// TestDeadlockIsSolved has two transactions take the same rows in opposite orders.
func TestDeadlockIsSolved(t *testing.T) {
	url := sqldbtest.URL(t, sqldb.Postgres) + "&deadlock_timeout=10ms&idle_in_transaction_session_timeout=0"
	db := sqldbtest.OpenWith(t, sqldb.Postgres, sqldb.Options{URL: url})
	ctx := t.Context()
	if err := db.Write(ctx, add(ctx, "a", "b")); err != nil {
		t.Fatal(err)
	}
	ways := writes(db)
	for name, write := range ways {
		t.Run(name, func(t *testing.T) {
			var both, all sync.WaitGroup
			both.Add(2)
			for i, rows := range [][2]string{{"a", "b"}, {"b", "a"}} {
				first := true
				run := db.Write
				if i == 0 {
					run = write
				}
				all.Go(func() {
					err := run(ctx, func(tx *sqldb.Tx) error {
						for k, row := range rows {
							if _, err := tx.Exec(ctx, "UPDATE organizations SET name = $1 WHERE id = $2", name, row); err != nil {
								return err
							}
							if k == 0 && first {
								first = false
								both.Done()
								both.Wait()
							}
						}
						return nil
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		})
	}
}

func TestCloseLetsTheGroupFinish(t *testing.T) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			url := sqldbtest.URL(t, engine)
			db := sqldbtest.OpenWith(t, engine, sqldb.Options{URL: url})
			ctx := context.Background()
			inside, goOn := make(chan struct{}), make(chan struct{})
			outcome := make(chan error, 2)
			go func() {
				outcome <- db.WriteGrouped(ctx, func(tx *sqldb.Tx) error {
					close(inside)
					<-goOn
					return add(ctx, "a")(tx)
				})
			}()
			<-inside
			waited, closed := make(chan error, 1), make(chan error, 1)
			go func() { waited <- db.WriteGrouped(ctx, add(ctx, "x")) }()
			awaitWaiting(db, 1)
			go func() { closed <- db.Close() }()
			if err := <-waited; !errors.Is(err, sqldb.ErrClosed) {
				t.Errorf("who waited was told %v", err)
			}
			close(goOn)
			if err := errors.Join(<-outcome, <-closed); err != nil {
				t.Error(err)
			}
			expect(t, sqldbtest.OpenWith(t, engine, sqldb.Options{URL: url}), "a")
		})
	}
}

// TestFailingDiskLeavesTheOutcomeOpen lets no file grow while a group commits.
func TestFailingDiskLeavesTheOutcomeOpen(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.SQLite)
	ctx := t.Context()
	limit := func(size uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: math.MaxUint64}); err != nil {
			t.Fatal(err)
		}
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	defer limit(math.MaxUint64)
	outcomes := together(t, db, grouped("a"), func(ctx context.Context, tx *sqldb.Tx) error {
		err := add(ctx, "b")(tx)
		limit(1)
		return err
	})
	for _, err := range outcomes {
		if !errors.Is(err, sqldb.ErrOutcomeUnknown) {
			t.Errorf("told %v", err)
		}
	}
	limit(math.MaxUint64)
	if err := db.Write(ctx, add(ctx, "after")); err != nil {
		t.Errorf("the next write: %v", err)
	}
	expect(t, db, "after")
}
