package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// errRolledBack says that PostgreSQL answered a COMMIT with a rollback, as it does after a failed statement.
var errRolledBack = errors.New("the transaction was rolled back instead of committed")

// pgTx is a transaction on one connection. id and life are what it takes to find out later whether it was committed.
type pgTx struct {
	conn *sql.Conn
	id   string // pg_current_xact_id()
	life string // of the server, see greet
}

// beginDeadline is how long the first round trip of a transaction may take before its connection counts as dead.
const beginDeadline = 5 * time.Second

// begin opens a transaction in one round trip: it takes the transaction's id along.
// Connections that died while nobody used them are put out of the pool on the way.
func (s *pgStore) begin(ctx context.Context, pool *sql.DB) (*pgTx, error) {
	for tries := 1 + pool.Stats().Idle; ; tries-- {
		conn, err := pool.Conn(ctx)
		if err != nil {
			return nil, err
		}
		t := &pgTx{conn: conn, life: lifeOf(conn)}
		if err = t.begin(ctx); err == nil {
			return t, nil
		}
		t.drop()
		if tries <= 0 || ctx.Err() != nil {
			return nil, err
		}
	}
}

func (t *pgTx) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beginDeadline)
	defer cancel()
	results, err := t.simple(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_current_xact_id()")
	if err != nil {
		return err
	}
	t.id = string(results[1].Rows[0][0])
	return nil
}

// simple runs statements without parameters in one round trip. (database/sql would need one each.)
func (t *pgTx) simple(ctx context.Context, text string) (results []*pgconn.Result, err error) {
	raw := t.conn.Raw(func(c any) error {
		results, err = c.(*stdlib.Conn).Conn().PgConn().Exec(ctx, text).ReadAll()
		return nil
	})
	return results, errors.Join(raw, err)
}

// end commits if err is nil, rolls back otherwise, and gives the connection back. It returns what became of it.
func (t *pgTx) end(s *pgStore, err error) error {
	if err == nil {
		crashpoint.Reach(crashpoint.WriteCommit)
		if err = s.commit(t); err != nil {
			t.drop()
			return err
		}
		crashpoint.Reach(crashpoint.WriteCommitted)
		_ = t.conn.Close() // back to the pool
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitDeadline)
	defer cancel()
	if _, failed := t.simple(ctx, "ROLLBACK"); failed != nil {
		t.drop() // the server rolls back when the connection ends
		return err
	}
	_ = t.conn.Close() // back to the pool
	return err
}

// drop ends the connection instead of giving it back to the pool.
func (t *pgTx) drop() {
	_ = t.conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = t.conn.Close()
}

// write runs fn in a transaction of its own, again if PostgreSQL asks for it.
func (s *pgStore) write(ctx context.Context, fn func(*Tx) error) error {
	if inFunction() {
		return ErrNested
	}
	for try := 1; ; try++ {
		err := s.attempt(ctx, fn)
		if err == nil || try == maxTries || !pgAgain(err) {
			return err
		}
		wait(ctx, rand.N(time.Duration(try)*20*time.Millisecond)) //nolint:gosec // only a pause, apart from whom we collided with
	}
}

func (s *pgStore) attempt(ctx context.Context, fn func(*Tx) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, groupDeadline)
	defer cancel()
	t, err := s.begin(ctx, s.DB)
	if err != nil {
		return err
	}
	tx := newTx(s.db, t.conn)
	tx.bound = ctx
	runFunction(tx, fn, func(failed error) { err = t.end(s, failed) })
	return err
}

// pgSession is the one connection that commits groups.
type pgSession struct {
	store *pgStore
	tx    *pgTx // holds the connection; nil until it is needed, and after drop
}

func (s *pgSession) begin(ctx context.Context) (runner, error) {
	if s.tx != nil {
		if err := s.tx.begin(ctx); err == nil {
			return s.tx.conn, nil
		}
		s.drop() // it died since the last group, or its server became a standby
	}
	var err error
	if s.tx, err = s.store.begin(ctx, s.store.leader); err != nil {
		s.tx = nil
		return nil, err
	}
	return s.tx.conn, nil
}

func (s *pgSession) save(ctx context.Context) error {
	_, err := s.tx.simple(ctx, "SAVEPOINT one")
	return err
}

func (s *pgSession) keep(ctx context.Context) error {
	_, err := s.tx.simple(ctx, "RELEASE SAVEPOINT one; SAVEPOINT one")
	return err
}

func (s *pgSession) undo(ctx context.Context) error {
	_, err := s.tx.simple(ctx, "ROLLBACK TO SAVEPOINT one")
	return err
}

func (s *pgSession) commit() error { return s.store.commit(s.tx) }

func (s *pgSession) rollback(ctx context.Context) error {
	_, err := s.tx.simple(ctx, "ROLLBACK")
	return err
}

func (s *pgSession) drop() {
	if s.tx != nil {
		s.tx.drop()
		s.tx = nil
	}
}

func (s *pgSession) again(err error) bool { return pgAgain(err) }

// commit commits t and returns nil only if that is certain.
func (s *pgStore) commit(t *pgTx) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitDeadline)
	defer cancel()
	warned := watchWarnings(t.conn)
	results, err := t.simple(ctx, "COMMIT")
	var answer *pgconn.PgError
	switch {
	case err == nil && warned():
		return s.outcome(t, errNoStandby)
	case err == nil && results[0].CommandTag.String() == "COMMIT":
		return nil
	case err == nil:
		return errRolledBack
	case errors.As(err, &answer) && answer.SeverityUnlocalized == "ERROR":
		return fmt.Errorf("nothing was committed: %w", err) // it ends the transaction, not the connection
	}
	return s.outcome(t, err)
}
