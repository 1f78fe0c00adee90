package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// minPostgres is the oldest PostgreSQL that is tested.
const minPostgres = 15

// How long a COMMIT may take before its connection counts as lost, and how long to ask afterwards what became of it.
// The latter is longer than a session may be idle in a transaction: a server that never got the COMMIT ends it by then.
const (
	commitDeadline = 10 * time.Second
	lookupTimeout  = 15 * time.Second
	lookupPause    = 500 * time.Millisecond // the longest between two questions
)

// serverLife is an expression for the life of the server: it changes when the server recovers from a crash (which
// resets its counters) and when a standby takes over (which begins a timeline). In a new life the server may hand out
// the id of a lost transaction again, so that what it says of that id may be about another transaction.
const serverLife = `CASE WHEN pg_is_in_recovery() THEN 'standby'
	ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || ' ' || COALESCE((SELECT stats_reset FROM pg_stat_wal)::text, '') END`

// lifeKey is where a connection keeps its server's life.
const lifeKey = "life"

// greet refuses an old server and remembers the server's life with a new connection. That stays true as long as the
// connection: none survives a crash of its server.
func greet(ctx context.Context, conn *pgx.Conn) error {
	life, err := lifeNow(ctx, conn)
	if err != nil {
		_ = conn.Close(ctx) // nobody else will
		return err
	}
	conn.PgConn().CustomData()[lifeKey] = life
	return nil
}

func lifeNow(ctx context.Context, conn *pgx.Conn) (life string, err error) {
	var major int
	version := conn.PgConn().ParameterStatus("server_version") // such as "15.4 (Debian 15.4-1)", or "17beta1"
	if _, err := fmt.Sscanf(version, "%d", &major); err != nil || major < minPostgres {
		return "", fmt.Errorf("it is version %q and this program needs %d or newer; upgrade the server", version, minPostgres)
	}
	err = conn.QueryRow(ctx, "SELECT "+serverLife).Scan(&life)
	return life, err
}

// lifeOf returns the life of the server that a connection was made in.
func lifeOf(conn *sql.Conn) (life string) {
	_ = conn.Raw(func(c any) error {
		life, _ = c.(*stdlib.Conn).Conn().PgConn().CustomData()[lifeKey].(string)
		return nil
	})
	return life
}

// outcome finds out what became of a transaction whose COMMIT was not answered, and returns nil if it was committed.
func (s *pgStore) outcome(t *pgTx, lost error) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.lookup)
	defer cancel()
	t.drop() // a server that has not got the COMMIT sees the end of the connection instead
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, lookupPause) {
		answer, life, err := s.ask(ctx, t.id)
		switch verdict(t.life, answer, life, err) {
		case committed:
			return nil
		case notCommitted:
			return fmt.Errorf("nothing was committed: the connection was lost before: %w", lost)
		case unknowable:
			return fmt.Errorf("%w: PostgreSQL crashed or was replaced meanwhile: %w", ErrOutcomeUnknown, lost)
		}
		if wait(ctx, pause); ctx.Err() != nil {
			return fmt.Errorf("%w: PostgreSQL did not tell in time: %w", ErrOutcomeUnknown, lost)
		}
	}
}

// ask asks the server for the status of a transaction, and which life it is in as it answers.
func (s *pgStore) ask(ctx context.Context, id string) (status, life string, err error) {
	err = s.QueryRowContext(ctx, `SELECT CASE WHEN pg_is_in_recovery() THEN 'standby'
		ELSE COALESCE(pg_xact_status($1::text::xid8), 'forgotten') END, `+serverLife, id).Scan(&status, &life)
	return status, life, err
}

// fate is what can be said of a transaction.
type fate int

const (
	undecided    fate = iota // ask again
	committed                // it is in the database
	notCommitted             // it is not, and will not be
	unknowable               // nobody can say any more
)

// verdict judges the answer of a server in some life about a transaction that ran in the life born.
func verdict(born, status, life string, err error) fate {
	same := life == born
	switch {
	case pgCode(err) == "22023": // the id lies in the server's future: it lost the transaction with all its work
		return notCommitted
	case err != nil || status == "standby":
		return undecided
	case status == "aborted":
		return notCommitted // whoever had the id, a committed one would not say this
	case status == "committed" && same:
		return committed
	case status == "in progress" && same:
		return undecided
	case status == "in progress":
		return notCommitted // the id is in use again, so ours was lost
	}
	return unknowable
}
