package sqldb

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		status, life string
		err          error
		want         fate
	}{
		"committed":                      {"committed", "one", nil, committed},
		"not committed/aborted":          {"aborted", "one", nil, notCommitted},
		"not committed/aborted, crash":   {"aborted", "two", nil, notCommitted},
		"not committed/id in use again":  {"in progress", "two", nil, notCommitted},
		"not committed/id in the future": {"", "", &pgconn.PgError{Code: "22023"}, notCommitted},
		"undecided/in progress":          {"in progress", "one", nil, undecided},
		"undecided/standby":              {"standby", "standby", nil, undecided},
		"undecided/no answer":            {"", "", errors.New("connection refused"), undecided},
		"unknowable/committed, crash":    {"committed", "two", nil, unknowable},
		"unknowable/forgotten":           {"forgotten", "one", nil, unknowable},
	} {
		t.Run(name, func(t *testing.T) {
			if got := verdict("one", c.status, c.life, c.err); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}
