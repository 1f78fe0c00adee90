package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
)

// migrationLock is the key of the advisory lock ("sallypor") that one replica holds while it changes the schema, and that replicas
// share while they register.
const migrationLock = 0x73616c6c79706f72

// pgStore is a PostgreSQL database: a pool for reading and for transactions of their own, and one connection beside it
// for groups, so that a group never waits for the pool.
type pgStore struct {
	db      *DB
	group   *group
	*sql.DB // the pool
	leader  *sql.DB
	config  *pgx.ConnConfig // for connections beside the pools
	lookup  time.Duration   // how long to ask what became of a commit
	closing sync.Once
	closed  error
}

// openPostgres connects to the server that o.URL names, checks it and brings its schema up to date.
func openPostgres(ctx context.Context, db *DB, o Options) error {
	config, limit, err := pgConfig(o.URL)
	if err != nil {
		return err
	}
	s := &pgStore{db: db, config: config, lookup: lookupTimeout}
	s.DB = pgConnect(config, limit)
	s.leader = pgConnect(config, 1)
	if err := s.prepare(ctx); err != nil {
		_ = s.release()
		return pgFailure(config, err)
	}
	s.group = newGroup(db, &pgSession{store: s})
	db.engine, db.store, db.group = Postgres, s, s.group
	return nil
}

// prepare checks the server and migrates if there is something to migrate, one replica at a time, and only where no replica is
// left that could not run next to what comes.
func (s *pgStore) prepare(ctx context.Context) error {
	all, err := steps()
	if err != nil {
		return err
	}
	newest := all[len(all)-1].version
	version, err := s.inspect(ctx, newest)
	if err != nil {
		return err
	}
	if version > newest {
		return serves(ctx, s.DB, version, newest)
	}
	statements, err := s.unsorted(ctx)
	if err != nil || version == newest && len(statements) == 0 {
		return err
	}
	return s.locked(ctx, func(held func(context.Context) error) error {
		version, err := s.inspect(ctx, newest) // another replica may have done it meanwhile
		if err == nil && version < newest {
			err = s.alone(ctx, version, all)
		}
		if err == nil {
			err = migrate(ctx, s.db.log, s.DB, goose.DialectPostgres, version, held)
		}
		if registeredMeanwhile(err) {
			return errRegistered
		}
		if err != nil {
			return err
		}
		return s.sort(ctx)
	})
}

// inspect returns the version of the schema, 0 if there is none, or why this server cannot be used.
func (s *pgStore) inspect(ctx context.Context, newest int64) (version int64, err error) {
	var readOnly, standby, mayCreate, migrated bool
	var user, name string
	var schema, locked sql.NullString
	err = s.QueryRowContext(ctx, `SELECT pg_is_in_recovery(),
		current_setting('transaction_read_only') = 'on', current_user, current_database(), current_schema(),
		COALESCE(has_schema_privilege(current_schema(), 'CREATE'), FALSE), to_regclass($1) IS NOT NULL,
		(SELECT MIN(relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace(current_schema())
			AND relowner = (SELECT relowner FROM pg_class WHERE oid = to_regclass($1))
			AND NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
				AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')))`, versionTable).
		Scan(&standby, &readOnly, &user, &name, &schema, &mayCreate, &migrated, &locked)
	switch {
	case err != nil:
		return 0, err
	case standby:
		return 0, errors.New("it is a standby; name the primary in the URL, or all servers and target_session_attrs=read-write")
	case readOnly:
		return 0, fmt.Errorf("it only allows reading; set default_transaction_read_only to off for user %q", user)
	case !schema.Valid:
		return 0, fmt.Errorf("user %q has no schema to work in; set search_path to a schema that exists and that it may use", user)
	case migrated && locked.Valid:
		return 0, fmt.Errorf("user %q may not read and write the table %q; make it the owner of the tables, or grant SELECT, INSERT, UPDATE, DELETE on all of them", user, locked.String)
	}
	if migrated {
		if err := s.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+versionTable).Scan(&version); err != nil {
			return 0, err
		}
	}
	if version < newest && !mayCreate {
		return 0, fmt.Errorf("user %q may not create tables in schema %q; GRANT CREATE ON SCHEMA %s TO %s, or make the user the owner of database %q",
			user, schema.String, pgx.Identifier{schema.String}.Sanitize(), pgx.Identifier{user}.Sanitize(), name)
	}
	return version, nil
}

func (s *pgStore) row(ctx context.Context, query string, args []any) *sql.Row {
	return s.QueryRowContext(ctx, query, args...)
}

func (s *pgStore) snapshot(ctx context.Context) (runner, func() error, error) {
	tx, err := s.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, nil, err
	}
	return tx, tx.Rollback, nil
}

// probe leaves a record in the write-ahead log and nothing in any table.
func (s *pgStore) probe() string { return "SELECT pg_logical_emit_message(TRUE, 'sallyport', '')" }

func (s *pgStore) stats() sql.DBStats { return s.Stats() }

func (s *pgStore) close() error {
	s.closing.Do(func() {
		s.group.close()
		s.closed = s.release()
	})
	return s.closed
}

func (s *pgStore) release() error {
	err := s.leader.Close()
	if e := s.DB.Close(); e != nil {
		err = e
	}
	return err
}
