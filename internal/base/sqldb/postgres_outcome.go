package sqldb

import (
	"context"
	"fmt"
	"time"
)

// How long a COMMIT may take before its connection counts as lost, and how long to ask afterwards what became of it.
// The latter is longer than a session may be idle in a transaction: a server that never got the COMMIT ends it by then.
const (
	commitDeadline = 10 * time.Second
	lookupTimeout  = 15 * time.Second
	lookupPause    = 500 * time.Millisecond // the longest between two questions
)

// outcome finds out what became of a transaction whose COMMIT was not answered, and returns nil if it was committed.
func (s *pgStore) outcome(t *pgTx, lost error) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.lookup)
	defer cancel()
	t.drop() // a server that has not got the COMMIT sees the end of the connection instead
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, lookupPause) {
		answer, life, err := s.ask(ctx, t.id)
		switch verdict(t.life, answer, life, err) {
		case committed:
			return s.confirm(ctx, lost)
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
