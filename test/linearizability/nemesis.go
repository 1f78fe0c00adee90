package linearizability

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
)

// Nemesis says how often each misfortune happens, by weight.
type Nemesis struct {
	Kill, Freeze, Cut, Drop, HalfDrop, Delay, Disorder, Database int
}

// EveryMisfortune is the nemesis of an honest run.
var EveryMisfortune = Nemesis{Kill: 3, Freeze: 4, Cut: 3, Drop: 3, HalfDrop: 3, Delay: 4, Disorder: 3, Database: 1}

// hands is how many misfortunes can happen at the same time, each to another replica.
const hands = 2

// Incident is something that the nemesis did.
type Incident struct {
	From, To time.Duration
	Text     string
}

type incidents struct {
	mu   sync.Mutex
	all  []Incident
	busy [replicas]bool
}

// between returns the incidents that touch a span of time.
func (i *incidents) between(from, to time.Duration) (found []Incident) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, incident := range i.all {
		if incident.To >= from-2*lease && incident.From <= to {
			found = append(found, incident)
		}
	}
	return found
}

// take picks a replica that nothing happens to at the moment.
func (i *incidents) take(random *rand.Rand) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	for {
		if n := random.IntN(replicas); !i.busy[n] {
			i.busy[n] = true
			return n
		}
	}
}

// spared picks a replica that nothing happens to at the moment, if there is one.
func (i *incidents) spared(random *rand.Rand) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := random.IntN(replicas)
	for range replicas {
		if !i.busy[n] {
			return n
		}
		n = (n + 1) % replicas
	}
	return n
}

func (i *incidents) release(n int, incident Incident) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.busy[n] = false
	i.all = append(i.all, incident)
}

// misfortune is one sort of incident: how it begins, how it ends, and how long it lasts at most, in leases.
type misfortune struct {
	weight  int
	text    string
	longest float64
	begin   func(*run, *cluster.Replica) error
	end     func(*run, *cluster.Replica) error
}

func (n Nemesis) misfortunes() []misfortune {
	heal := func(_ *run, r *cluster.Replica) error { r.Link.Heal(); return nil }
	spoil := func(do func(*cluster.Link)) func(*run, *cluster.Replica) error {
		return func(_ *run, r *cluster.Replica) error { do(r.Link); return nil }
	}
	drop := func(d ...cluster.Direction) func(*run, *cluster.Replica) error {
		return spoil(func(l *cluster.Link) { l.Drop(d...) })
	}
	return []misfortune{
		{n.Kill, "killed", 2, func(_ *run, r *cluster.Replica) error { r.Kill(); return nil },
			func(_ *run, r *cluster.Replica) error { return revive(r) }},
		{n.Freeze, "frozen", 3, func(_ *run, r *cluster.Replica) error { return r.Freeze() },
			func(_ *run, r *cluster.Replica) error { return r.Thaw() }},
		{n.Cut, "cut off", 3, spoil((*cluster.Link).Cut), heal},
		{n.Drop, "cut off silently", 4, drop(cluster.ToServer, cluster.ToReplica), heal},
		{n.Drop, "cut off silently, connections lost", 4, drop(cluster.ToServer, cluster.ToReplica),
			func(_ *run, r *cluster.Replica) error { r.Link.Heal(); r.Link.Reset(); return nil }},
		{n.HalfDrop, "not heard by PostgreSQL", 4, drop(cluster.ToServer), heal},
		{n.HalfDrop, "deaf to PostgreSQL", 4, drop(cluster.ToReplica), heal},
		{n.Delay, "slow by up to 20 ms", 4, spoil(func(l *cluster.Link) { l.Delay(20 * time.Millisecond) }), heal},
		{n.Delay, "slow by up to 150 ms", 4, spoil(func(l *cluster.Link) { l.Delay(150 * time.Millisecond) }), heal},
		{n.Disorder, "answered up to 300 ms late one time in four", 4,
			spoil(func(l *cluster.Link) { l.DelayAnswers(300 * time.Millisecond) }), heal},
		{n.Database, "there while PostgreSQL crashed", 1,
			func(r *run, _ *cluster.Replica) error { r.database.Lock(); return r.Postgres.Crash() },
			func(r *run, _ *cluster.Replica) error { defer r.database.Unlock(); return r.Postgres.Start() }},
	}
}

// revive starts a replica, as often as it takes: with PostgreSQL away it ends at once.
func revive(r *cluster.Replica) (err error) {
	for range 20 {
		if err = r.Start(); err == nil {
			return nil
		}
		time.Sleep(lease) // as a supervisor of services would
	}
	return err
}

// haunt lets misfortunes happen until ctx ends, and leaves everything whole.
func (r *run) haunt(ctx context.Context, random *rand.Rand) (err error) {
	var choices []choice
	for _, m := range r.Nemesis.misfortunes() {
		choices = append(choices, choice{m.weight, func() { err = r.strike(ctx, m, random) }})
	}
	for err == nil && ctx.Err() == nil {
		choose(random, choices)
		pause(ctx, rand.N(lease))
	}
	if err != nil {
		err = fmt.Errorf("the nemesis: %w", err)
	}
	return err
}

// strike lets one misfortune happen to one replica.
func (r *run) strike(ctx context.Context, m misfortune, random *rand.Rand) error {
	n := r.incidents.take(random)
	lasting := time.Duration((0.2 + random.Float64()*(m.longest-0.2)) * float64(lease))
	from := r.now()
	replica := r.cluster.Replicas[n]
	err := m.begin(r, replica)
	pause(ctx, lasting)
	err = errors.Join(err, m.end(r, replica))
	r.incidents.release(n, Incident{from, r.now(), fmt.Sprintf("%s was %s", replica.Name, m.text)})
	r.result.incident()
	return err
}

// pause waits, as clients and misfortunes do in life, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
