package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// minPostgres is the oldest PostgreSQL that is tested.
const minPostgres = 15

// pgConfig reads a URL, and from it how many connections the pool may have (pool_max_conns). Settings of a session that
// the URL does not name get our defaults. An error does not repeat the URL: a password may be in it.
func pgConfig(raw string) (*pgx.ConnConfig, int, error) {
	config, err := pgx.ParseConfig(raw)
	if err != nil {
		return nil, 0, errors.New("the PostgreSQL URL cannot be read; it looks like postgres://user:password@host:5432/name?sslmode=verify-full, with unusual characters of the password written as %XX")
	}
	limit := max(16, 4*runtime.GOMAXPROCS(0))
	if text, ok := config.RuntimeParams["pool_max_conns"]; ok {
		if limit, err = strconv.Atoi(text); err != nil || limit < 2 {
			return nil, 0, fmt.Errorf("pool_max_conns in the PostgreSQL URL is %q; it must be a number from 2 up", text)
		}
		delete(config.RuntimeParams, "pool_max_conns")
	}
	for name, value := range map[string]string{
		"application_name": "sallyport",
		// A replica that freezes inside a transaction holds up the others for no longer than this.
		"idle_in_transaction_session_timeout": "2s",
	} {
		if _, ok := config.RuntimeParams[name]; !ok {
			config.RuntimeParams[name] = value
		}
	}
	// The other end of a silent connection is gone after half a minute.
	config.DialFunc = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}).DialContext
	config.OnNotice = onNotice
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	return config, limit, nil
}

// pgConnect returns a pool of at most limit connections. Statements are prepared once a connection, by pgx.
func pgConnect(config *pgx.ConnConfig, limit int) *sql.DB {
	pool := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(greet))
	pool.SetMaxOpenConns(limit)
	pool.SetMaxIdleConns(limit)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	pool.SetConnMaxLifetime(time.Hour)
	return pool
}

// serverLife is an expression for the life of the server: it changes when the server recovers from a crash (which
// resets its counters) and when a standby takes over (which begins a timeline). In a new life the server may hand out
// the id of a lost transaction again, so that what it says of that id may be about another transaction.
const serverLife = `CASE WHEN pg_is_in_recovery() THEN 'standby'
	ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || ' ' || COALESCE((SELECT extract(epoch FROM stats_reset) FROM pg_stat_wal)::text, '') END`

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
