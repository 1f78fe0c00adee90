package backup

import (
	"errors"
	"testing"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// TestStopped: a server that runs is told from one that was killed, whose last sign of life may come late.
func TestStopped(t *testing.T) {
	url := sqldbtest.URL(t, sqldb.Postgres)
	db, err := sqldb.Open(t.Context(), sqldb.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	s, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	const (
		register = `INSERT INTO replicas (id, name, lease, beat, applied, started_at, seen_at) VALUES (1, 'a', 20, 1, 0, 0, 0)
			ON CONFLICT (id) DO UPDATE SET beat = replicas.beat + 1`
		strikeOff = `DELETE FROM replicas`
	)
	tests := map[string]struct {
		first string   // what happens before
		then  []string // and in each lease that is waited for
		want  error
	}{
		"stopped/none in the register": {strikeOff, nil, nil},
		"stopped/killed":               {register, []string{""}, nil},
		"stopped/its last sign late":   {register, []string{register, ""}, nil},
		"stopped/struck off meanwhile": {register, []string{strikeOff}, nil},
		"refused/it runs":              {register, []string{register, register}, errServing},
		"refused/it registers anew": {register, []string{`UPDATE replicas SET id = '2'`,
			`UPDATE replicas SET id = '3'`}, errServing},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			sqldbtest.Exec(t, db, strikeOff)
			sqldbtest.Exec(t, db, test.first)
			waits := 0
			err := s.stopped(t.Context(), func(string) {
				if waits < len(test.then) && test.then[waits] != "" {
					sqldbtest.Exec(t, db, test.then[waits])
				}
				waits++
			})
			if !errors.Is(err, test.want) || waits != len(test.then) {
				t.Errorf("%v after %d waits; want %v after %d", err, waits, test.want, len(test.then))
			}
		})
	}
}
