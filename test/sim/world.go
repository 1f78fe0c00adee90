package main

import "time"

// world is one run: the database, the replicas, and what was seen.
type world struct {
	*engine
	Settings
	random   *draws
	db       *database
	replicas []*replica
	relays   []*replica // one for each region, if there are any
	entry    int        // which replica a caller takes next

	cutFrom, cutTo time.Duration
	warm           time.Duration // what comes before does not count

	acked      int // the newest change that was acknowledged
	violations int // how often a replica could have answered from memory without knowing an acknowledged change
	took       []time.Duration
	asked      int
	unserved   time.Duration // summed over living replicas: no lease, so each check asks the database
}

// newWorld makes a run in which every replica is registered and has its first lease.
func newWorld(s Settings) *world {
	w := &world{engine: &engine{}, Settings: s, random: &draws{s.Seed}, warm: s.Lease}
	w.db = &database{world: w, cpu: w.station(s.Cores), disk: w.station(1), head: w.station(1), register: map[*replica]row{}}
	for i := range s.Replicas {
		w.join(i * s.Regions / s.Replicas)
	}
	middle := s.Lease + s.Span/2
	w.cutFrom, w.cutTo = -1, -1
	if s.Cut {
		w.cutFrom, w.cutTo = middle, middle+s.Span/4
	}
	for i := range s.Dead {
		dying := w.replicas[len(w.replicas)-1-i]
		w.after(middle, func() { dying.dead = true })
	}
	w.replicas[len(w.replicas)-1].slow = s.Slow
	return w
}

// join adds a replica to a region.
func (w *world) join(region int) {
	r := &replica{world: w, region: region, slow: 1, cpu: w.db.cpu}
	if !w.Shared {
		r.cpu = w.station(2)
	}
	if w.Protocol.Relays {
		if len(w.relays) <= region {
			w.relays = append(w.relays, r)
		} else {
			r.relay = w.relays[region]
			r.relay.members = append(r.relay.members, r)
		}
	}
	w.replicas = append(w.replicas, r)
	r.lease = w.Lease
	if r.relay == nil {
		w.db.register[r] = row{}
	}
	w.after(w.random.below(w.Lease/3), r.tick)
}

// cutOff reports whether a replica cannot reach the database now, nor a relay of another region.
func (w *world) cutOff(r *replica) bool {
	return r.region == w.Regions-1 && w.cutFrom <= w.now && w.now < w.cutTo
}

// simulate runs to the end.
func (w *world) simulate() {
	if w.Callers > 0 {
		for range w.Callers {
			w.after(w.random.below(w.Lease), func() { w.revoke(w.replicas[0], true) })
		}
	} else if w.Revokes > 0 {
		w.arrive()
	}
	w.watchLeases()
	w.run(w.warm + w.Span)
}

// arrive has callers come at random, as many in a second as the settings say, each to the next replica.
func (w *world) arrive() {
	w.after(w.random.around(time.Duration(float64(time.Second)/w.Revokes)), func() {
		w.entry++
		if r := w.replicas[w.entry%len(w.replicas)]; !r.dead {
			w.revoke(r, false)
		}
		w.arrive()
	})
}

// revoke has a caller revoke a token at a replica. With relays it is passed on to one of the first region that writes.
func (w *world) revoke(at *replica, again bool) {
	start, writer := w.now, at
	if w.Protocol.Relays {
		writer = w.writer()
	}
	hop := time.Duration(0)
	if writer != at {
		if w.cutOff(at) || w.cutOff(writer) {
			return // an error, which promises nothing
		}
		hop = w.trip(at.region, writer.region) / 2
	}
	if start >= w.warm {
		w.asked++
	}
	request := w.random.around(w.Costs.Request)
	at.cpu.work(request, func() {
		w.after(hop, func() {
			writer.ask(nil, func() {}, func() { // the token's row
				writer.change(func() {
					w.after(hop, func() { w.answered(at, start, again) })
				})
			})
		})
	})
}

// answered notes how long a revoke took.
func (w *world) answered(at *replica, start time.Duration, again bool) {
	if start >= w.warm {
		w.took = append(w.took, w.now-start)
	}
	if again {
		w.revoke(at, true)
	}
}

// writers is how many replicas of the first region write for all others, where there are relays.
const writers = 8

// writer is the next of them. The relay has enough to do, where it is not alone.
func (w *world) writer() *replica {
	if n := min(writers, len(w.relays[0].members)); n > 0 {
		return w.relays[0].members[w.entry%n]
	}
	return w.relays[0]
}

// watchEvery is how often leases are looked at, to add up how long replicas are without one.
const watchEvery = 20 * time.Millisecond

func (w *world) watchLeases() {
	for _, r := range w.replicas {
		if w.now >= w.warm && !r.dead && !r.serves() {
			w.unserved += watchEvery
		}
	}
	w.after(watchEvery, w.watchLeases)
}

// acknowledge notes that callers hear of all changes up to seq, and checks the promise: whoever answers from memory knows them.
func (w *world) acknowledge(seq int) {
	w.acked = max(w.acked, seq)
	for _, r := range w.replicas {
		w.checkPromise(r)
	}
}

func (w *world) checkPromise(r *replica) {
	if !r.dead && r.serves() && r.applied < w.acked {
		w.violations++
	}
}
