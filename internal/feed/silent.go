package feed

import (
	"context"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// sightings remembers for each other replica the beat that was last seen, and when it was seen first.
type sightings map[string]sighting

type sighting struct {
	beat int64
	at   time.Duration // reading of the clock after the beat was read
}

// note takes in a reading of the register.
func (s *sightings) note(replicas []Replica, now time.Duration) {
	next := sightings{}
	for _, r := range replicas {
		if old, ok := (*s)[r.ID]; ok && old.beat == r.Beat {
			next[r.ID] = old
		} else {
			next[r.ID] = sighting{r.Beat, now}
		}
	}
	*s = next
}

// strikeSilent takes off the register who lacks the newest change and has not beaten for a whole lease, so that the
// next change is quick again, and returns who is left. That is safe: the lease that goes with a beat is over a lease
// after the beat was seen, and the row goes only if it still shows that beat. A fenced replica has no lease, so its row goes at once.
func (f *Feed) strikeSilent(ctx context.Context, replicas []Replica, now time.Duration, newest int64) []Replica {
	f.settler.seen.note(replicas, now)
	left := replicas[:0]
	for _, r := range replicas {
		silent := now-f.settler.seen[r.ID].at >= sqldb.Outlast(r.Lease)
		needed := r.Self || !r.fenced() && (r.Applied >= newest || !silent)
		if needed || !f.strike(ctx, r) {
			left = append(left, r)
		}
	}
	return left
}

func (f *Feed) strike(ctx context.Context, r Replica) bool {
	crashpoint.Reach(crashpoint.Strike)
	struck, err := f.deleteSilent(ctx, r)
	crashpoint.Reach(crashpoint.Struck)
	if err != nil {
		f.logger.Warn("cannot strike off a silent replica", "silent", r.Name, "error", err)
	} else if struck {
		why := "struck off a replica that was silent for a lease"
		if r.fenced() {
			why = "struck off a replica of a version that is too old to serve; stop it"
		}
		f.logger.Warn(why, "silent", r.Name, "id", r.ID)
	}
	return struck
}
