package feed

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// Program is what a replica runs: its version, and the newest schema version that it knows; both empty for one from before the
// version guard.
type Program struct {
	Version string
	Schema  int64
}

// census is what the register said last.
type census struct {
	mu       sync.Mutex
	until    time.Duration // reading of the clock up to which it is good enough
	programs map[Program]int
}

// Programs returns how many replicas of the register run each program. What it says may be a lease old: anybody may ask for it, and
// must not be able to keep the database busy.
func (f *Feed) Programs(ctx context.Context) (map[Program]int, error) {
	f.census.mu.Lock()
	defer f.census.mu.Unlock()
	if now := f.clock(); f.census.programs == nil || now >= f.census.until {
		ctx, cancel := context.WithTimeout(ctx, f.leaseTime)
		defer cancel()
		replicas, err := f.Replicas(ctx)
		if err != nil {
			return nil, err
		}
		f.census.programs = map[Program]int{}
		for _, r := range replicas {
			f.census.programs[Program{r.Version, r.Schema}]++
		}
		f.census.until = now + f.leaseTime
	}
	return maps.Clone(f.census.programs), nil
}

// Register is who serves the database, and which version of its schema.
type Register struct {
	Head     int64 // sequence number of the newest change in the database
	Schema   int64 // version of the schema
	Oldest   int64 // programs that know this version of the schema, or a newer one, can serve it
	Replicas []Replica
}

// Register reads the register of replicas. Forbidden for an actor that is not an instance administrator.
func (f *Feed) Register(ctx context.Context, actor *access.Actor) (*Register, error) {
	if !actor.InstanceAdmin {
		return nil, fault.New(fault.Forbidden, "Only instance administrators can read the register of replicas.")
	}
	head, err := f.head(ctx)
	if err != nil {
		return nil, err
	}
	replicas, err := f.Replicas(ctx)
	if err != nil {
		return nil, err
	}
	schema, oldest, err := f.db.SchemaNow(ctx)
	return &Register{head, schema, oldest, replicas}, err
}
