package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// errNoStandby says that PostgreSQL stopped waiting for its synchronous standby.
var errNoStandby = errors.New("PostgreSQL did not wait for its synchronous standby")

// confirm returns nil when what the server has committed is also on its synchronous standby, if it has one. A server that
// stops waiting for its standby calls the transaction committed all the same. A later commit that is answered in the
// ordinary way settles it: a standby that has the later one has the earlier one.
func (s *pgStore) confirm(ctx context.Context, lost error) error {
	conn, err := s.Conn(ctx)
	if err == nil {
		defer conn.Close()
		warned := watchWarnings(conn)
		if _, err = conn.ExecContext(ctx, s.probe()); err == nil && warned() {
			err = errNoStandby
		}
	}
	if err != nil {
		return fmt.Errorf("%w: PostgreSQL has committed it, but perhaps not on its standby: %w", ErrOutcomeUnknown, errors.Join(lost, err))
	}
	return nil
}

// warnedKey is where a connection notes that its server warned of something.
const warnedKey = "warned"

// onNotice notes a warning of the server. The one that matters comes with a COMMIT that is answered as a success although
// the server did not wait for the standby. It has no code of its own.
func onNotice(conn *pgconn.PgConn, n *pgconn.Notice) {
	if n.Code == "01000" {
		conn.CustomData()[warnedKey] = true
	}
}

// watchWarnings returns a function that tells whether the server has warned since.
func watchWarnings(conn *sql.Conn) (warned func() bool) {
	var data map[string]any
	_ = conn.Raw(func(c any) error {
		data = c.(*stdlib.Conn).Conn().PgConn().CustomData()
		return nil
	})
	delete(data, warnedKey)
	return func() bool { return data[warnedKey] != nil }
}
