package sqldb

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgCode returns the SQLSTATE in err; "" if PostgreSQL did not answer with one.
func pgCode(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// pgAgain reports whether err asks to run the transaction again: a serialization failure or a deadlock.
func pgAgain(err error) bool {
	code := pgCode(err)
	return code == "40001" || code == "40P01"
}

// pgFailure puts why a database could not be opened in a sentence for the operator. pgx keeps passwords out of its errors.
func pgFailure(config *pgx.ConnConfig, err error) error {
	var old *Superseded
	var refused versionsApart
	if errors.As(err, &old) || errors.As(err, &refused) {
		return err
	}
	at := "PostgreSQL at " + address(config)
	switch code := pgCode(err); {
	case strings.HasPrefix(code, "28"):
		return fmt.Errorf("%s refused user %q; check the user and the password in the URL, and pg_hba.conf: %w", at, config.User, err)
	case code == "3D000":
		return fmt.Errorf("%s has no database %q; create it with CREATE DATABASE, or name another in the URL", at, config.Database)
	case code == "42501":
		return fmt.Errorf("%s does not let user %q do what is needed; make it the owner of database %q: %w", at, config.User, config.Database, err)
	case code == "42P07":
		return fmt.Errorf("%s holds tables of another application in this schema of database %q; name an empty database, or a schema of its own with search_path: %w", at, config.Database, err)
	case code == "53300":
		return fmt.Errorf("%s has no connection left for us; raise its max_connections, or lower pool_max_conns in the URL: %w", at, err)
	case code == "57P03":
		return fmt.Errorf("%s is just starting or stopping; try again in a moment: %w", at, err)
	case code == "25006":
		return fmt.Errorf("%s only allows reading; name the primary in the URL: %w", at, err)
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return fmt.Errorf("%s cannot be reached; check that it runs, and the host, port and sslmode in the URL: %w", at, err)
	}
	return fmt.Errorf("%s cannot be used: %w", at, err)
}

// address returns where the server is, without user and password.
func address(config *pgx.ConnConfig) string {
	if strings.HasPrefix(config.Host, "/") {
		return config.Host
	}
	return net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
}
