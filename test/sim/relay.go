package main

import "time"

// passOn is what it costs a relay to send something to one member, or to take in its answer.
const passOn = 5 * time.Microsecond

// pace is how long a relay rests between two readings, so that what it passes on to many comes in few pieces.
const pace = 5 * time.Millisecond

// feedMembers sends what a relay has just applied to those that follow it.
func (r *replica) feedMembers() {
	head := r.applied
	for _, m := range r.members {
		r.cpu.work(passOn, func() { r.send(m, head, func() {}) })
	}
}

// send has a member apply the log up to head and answer that it did.
func (r *replica) send(m *replica, head int, then func()) {
	r.after(r.trip(r.region, m.region)/2, func() {
		if m.dead {
			return
		}
		m.apply(head, func() {
			then()
			m.after(r.trip(r.region, m.region)/2, func() {
				r.cpu.work(passOn, func() { r.heard(m, m.applied) })
			})
		})
	})
}

// heard notes what a member knows, and has the relay report once all of them know more.
func (r *replica) heard(m *replica, applied int) {
	m.seen = max(m.seen, applied)
	if r.known() > r.told && !r.dead {
		r.news = true
		r.next()
	}
}

// renewAtRelay asks the relay. It answers when it has beaten and read the log, both after it was asked: so the lease that the
// member takes, from the time that it noted before, is as good as one of its own.
func (r *replica) renewAtRelay(noted time.Duration, end func()) {
	relay := r.relay
	r.after(r.trip(relay.region, r.region)/2, func() {
		if relay.dead {
			return
		}
		r.noted = r.now
		relay.asks = append(relay.asks, func() {
			relay.cpu.work(passOn, func() {
				relay.send(r, relay.applied, func() {
					r.extend(noted)
					end()
				})
			})
		})
	})
}

// known is up to where this replica, and whoever follows it and may still have a lease, knows the log.
func (r *replica) known() int {
	known := r.applied
	for _, m := range r.members {
		if r.now-m.noted < r.withDrift() {
			known = min(known, m.seen)
		}
	}
	return known
}
