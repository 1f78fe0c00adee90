package main

import (
	"errors"
	"strings"

	"github.com/sallyport/sallyport/test/pgserver"
)

// store is an engine to measure with.
type store struct {
	*bench
	name string           // as the lines say it
	pg   *pgserver.Server // nil for SQLite
}

// onBoth measures with SQLite, then with a PostgreSQL of its own. An engine whose lines were not asked for is left out.
func (b *bench) onBoth(measure func(*store) ([]line, error)) (table []line, err error) {
	if !strings.HasPrefix(b.row, "PostgreSQL") {
		table, err = measure(b.onSQLite())
	}
	if err != nil || strings.HasPrefix(b.row, "SQLite") {
		return table, err
	}
	more, err := b.onPostgres(measure)
	return append(table, more...), err
}

func (b *bench) onSQLite() *store { return &store{b, "SQLite", nil} }

// onPostgres measures with a PostgreSQL of its own.
func (b *bench) onPostgres(measure func(*store) ([]line, error)) ([]line, error) {
	pg, err := pgserver.Start(pgserver.Options{Settings: map[string]string{"max_wal_size": "'512MB'"}})
	if err != nil {
		return nil, err
	}
	table, err := measure(&store{b, "PostgreSQL", pg})
	return table, errors.Join(err, pg.Close())
}

// setUp starts a server on a new database and bootstraps it.
func (st *store) setUp() (*instance, error) {
	if st.pg == nil {
		return st.bench.setUp()
	}
	at, err := st.database(st.pg)
	if err != nil {
		return nil, err
	}
	return st.setUpOn(at)
}

// empty returns a new database with the server's tables, without a server.
func (st *store) empty() (*engine, error) {
	s := &instance{}
	var err error
	if st.pg == nil {
		s.dir, err = st.folder()
	} else {
		s.url, err = st.database(st.pg)
	}
	if err == nil {
		err = st.schema(s.database())
	}
	if err != nil {
		return nil, err
	}
	return st.engine(s, durable)
}

// engine opens the database of a server beside it; the settings are those of SQLite.
func (st *store) engine(s *instance, settings []string) (*engine, error) {
	if st.pg == nil {
		return openEngine(st.ctx, s.dir, settings)
	}
	return connect(st.ctx, "pgx", s.url, "BEGIN")
}

// database is how the server names its database.
func (s *instance) database() string {
	if s.url != "" {
		return s.url
	}
	return sqliteURL(s.dir)
}
