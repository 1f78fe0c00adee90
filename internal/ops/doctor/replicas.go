package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// replica is a row of the register.
type replica struct {
	name          string
	lease         time.Duration
	beat, applied int64
}

// replicas waits one lease and looks for replicas that gave no sign of life, lag, or were given other settings.
func (x *examination) replicas(ctx context.Context) (Finding, error) {
	if x.source.Engine == sqldb.SQLite {
		if x.source.Serving {
			return good("a server runs on this database")
		}
		return good("no server runs on this database")
	}
	before, _, err := x.register(ctx)
	if err != nil || len(before) == 0 {
		return Finding{Says: "no server is in the register"}, err
	}
	head, err := x.number(ctx, `SELECT seq FROM feed_head`)
	if err != nil {
		return Finding{}, err
	}
	longest := time.Duration(0)
	for _, r := range before {
		longest = max(longest, r.lease)
	}
	wait := time.NewTimer(longest)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
		return Finding{}, ctx.Err()
	}
	after, order, err := x.register(ctx)
	if err != nil {
		return Finding{}, err
	}
	var wrong []string
	for _, id := range order {
		if text := after[id].trouble(before, id, head, longest); text != "" {
			wrong = append(wrong, after[id].name+" "+text)
		}
	}
	if len(wrong) > 0 {
		return Finding{Says: strings.Join(wrong, "; "), Do: "look at the log and the network of those replicas; a replica that is gone for good is struck off by the next change"}, nil
	}
	return good("%d, all alive, and none lags", len(after))
}

// trouble says what is wrong with a replica, "" if nothing. head is what it should have known one lease ago.
func (r replica) trouble(before map[string]replica, id string, head int64, longest time.Duration) string {
	was, known := before[id]
	switch {
	case known && was.beat == r.beat:
		return fmt.Sprintf("gave no sign of life for %s", longest)
	case r.applied < head:
		return fmt.Sprintf("knows changes up to %d, and there were %d one lease ago", r.applied, head)
	case r.lease != longest:
		return fmt.Sprintf("has a lease of %s, and another replica has %s", r.lease, longest)
	}
	return ""
}

// register reads the register, with the ids in the order of their start.
func (x *examination) register(ctx context.Context) (found map[string]replica, order []string, err error) {
	rows, err := x.source.DB.QueryContext(ctx, `SELECT id, name, lease, beat, applied FROM replicas ORDER BY started_at, id`)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	found = map[string]replica{}
	for rows.Next() {
		var r replica
		var id string
		var lease int64
		if err := rows.Scan(&id, &r.name, &lease, &r.beat, &r.applied); err != nil {
			return nil, nil, err
		}
		r.lease = time.Duration(lease) * time.Millisecond
		found[id], order = r, append(order, id)
	}
	return found, order, rows.Err()
}
