package sqldb

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// registering is the step that made the register.
const registering = 2

// registered is a replica in the register. What the register means is for feed; here it tells who must not be there when the schema
// is changed.
type registered struct {
	id, name, version string // version is empty if the program is from before the guard, and
	schema            int64  // schema 0
	beat              int64
	lease             time.Duration
}

// tooOld returns the replicas whose programs do not know the schema version oldest. version is that of the schema now.
func (s *pgStore) tooOld(ctx context.Context, version, oldest int64) (found []registered, err error) {
	program := "coalesce(version, ''), coalesce(schema, 0)"
	if version < guarded {
		program = "'', 0"
	}
	rows, err := s.QueryContext(ctx, `SELECT id, name, lease, beat, `+program+` FROM replicas ORDER BY started_at, id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r registered
		var lease int64
		if err := rows.Scan(&r.id, &r.name, &lease, &r.beat, &r.version, &r.schema); err != nil {
			return nil, err
		}
		if r.lease = time.Duration(lease) * time.Millisecond; r.schema < oldest {
			found = append(found, r)
		}
	}
	return found, rows.Err()
}

// moved returns who of now was not there before, or has given a sign of life since.
func moved(before, now []registered) (living []registered) {
	beats := map[string]int64{}
	for _, r := range before {
		beats[r.id] = r.beat
	}
	for _, r := range now {
		if beat, there := beats[r.id]; !there || beat != r.beat {
			living = append(living, r)
		}
	}
	return living
}

// names returns what operators call replicas, and what they run.
func names(replicas []registered) string {
	texts := make([]string, len(replicas))
	for i, r := range replicas {
		program := "a version from before the version guard"
		if r.schema > 0 {
			program = fmt.Sprintf("version %s, which knows schema version %d", r.version, r.schema)
		}
		texts[i] = fmt.Sprintf("%s (%s; id %s)", r.name, program, r.id)
	}
	return strings.Join(texts, ", ")
}

// longest returns the longest lease of replicas, or that of most if there are none.
func longest(replicas []registered) (lease time.Duration) {
	for _, r := range replicas {
		lease = max(lease, r.lease)
	}
	if len(replicas) == 0 {
		return usualLease
	}
	return lease
}
