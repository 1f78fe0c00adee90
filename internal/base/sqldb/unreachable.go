package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite3 "modernc.org/sqlite/lib"
)

// Unreachable reports whether err says that the database cannot be used now, though the request may be good: it cannot
// be reached, does not answer in time, is starting or stopping, only allows reading, or has no room.
func Unreachable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pgTrouble(pg.Code)
	}
	var network net.Error
	var connect *pgconn.ConnectError
	for _, known := range []error{driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, context.DeadlineExceeded, ErrClosed,
		ErrOutcomeUnknown, errGroupLost, net.ErrClosed, pgconn.ErrConnClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, known) {
			return true
		}
	}
	return errors.As(err, &network) || errors.As(err, &connect) || sqliteTrouble(sqliteCode(err)) || pgconn.SafeToRetry(err)
}

// Full reports whether err says that the disk of the database has no room left.
func Full(err error) bool {
	return pgCode(err) == "53100" || sqliteCode(err)&0xff == sqlite3.SQLITE_FULL
}

// pgTrouble knows the SQLSTATEs (PostgreSQL, appendix A): connection exceptions, insufficient resources, operator
// intervention, system errors, and a server that only allows reading.
func pgTrouble(code string) bool {
	for _, class := range []string{"08", "53", "57", "58"} {
		if strings.HasPrefix(code, class) {
			return true
		}
	}
	return code == "25006" || code == "25P03" // read-only; ended while idle in a transaction
}

// sqliteTrouble knows the result codes: the low byte is the class.
func sqliteTrouble(code int) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
		return true
	}
	return false
}
