package main

import "time"

// The bounds of a group of changes (internal/base/sqldb/group.go).
const (
	mostInGroup = 256
	longestTurn = 25 * time.Millisecond

	// transactionLimit is when the database gives up a transaction whose client is gone (internal/base/sqldb).
	transactionLimit = 2 * time.Second
)

// group is one transaction on its way to its commit.
type group struct {
	*replica
	taken  []*pending
	began  time.Duration
	locked time.Duration // since when it holds the lock on the log's head; 0 for not yet
	heard  time.Duration // when the database heard of it last
	queued bool          // it waits for the lock
	over   bool
}

// change commits a change with the others that wait at this replica, and calls done when it is true everywhere.
func (r *replica) change(done func()) {
	r.waiting = append(r.waiting, &pending{done: done})
	if !r.grouping {
		r.begin()
	}
}

func (r *replica) begin() {
	if r.grouping = len(r.waiting) > 0 && !r.dead; !r.grouping {
		return
	}
	g := &group{replica: r, began: r.now, heard: r.now}
	r.after(transactionLimit, g.abort)
	r.ask(nil, func() {}, g.next)
}

// abort ends a transaction whose client is gone: nobody is told that it succeeded.
func (g *group) abort() {
	idle := g.now - g.heard
	switch {
	case g.over:
	case g.queued || idle < transactionLimit:
		g.after(max(transactionLimit-idle, time.Millisecond), g.abort)
	default:
		g.end()
		g.begin()
	}
}

// end gives the lock back.
func (g *group) end() {
	g.over = true
	if g.locked > 0 {
		g.db.head.busy += g.now - g.locked
		g.db.head.done()
	}
}

// next runs one function after the other, each with its statements. From the first append on the group holds the lock on the
// log's head. With Append all statements go in one batch, and the append is the last of them.
func (g *group) next() {
	if g.over {
		return
	}
	g.heard = g.now
	if g.Protocol.Append {
		n := min(len(g.waiting), mostInGroup)
		g.taken, g.waiting = g.waiting[:n:n], g.waiting[n:]
		g.after(g.trip(0, g.region)/2, func() { g.batch(n*(g.Costs.Writes-2), g.appendAll) })
		return
	}
	if len(g.waiting) == 0 || len(g.taken) == mostInGroup || len(g.taken) > 0 && g.now-g.began > longestTurn {
		g.commit()
		return
	}
	g.taken = append(g.taken, g.waiting[0])
	g.waiting = g.waiting[1:]
	if g.locked > 0 {
		g.statements(g.Costs.Writes, g.next)
		return
	}
	g.statements(g.Costs.Writes-2, func() {
		g.lock(func() { g.statements(2, g.next) })
	})
}

// statements sends statements one after the other, each after the answer to the one before.
func (g *group) statements(n int, then func()) {
	if g.heard = g.now; n == 0 {
		then()
		return
	}
	g.ask(nil, func() {}, func() { g.statements(n-1, then) })
}

// batch is at the database, which runs statements without waiting for anyone.
func (g *group) batch(n int, then func()) {
	if g.heard = g.now; n <= 0 {
		then()
		return
	}
	g.db.statement(0, func() { g.batch(n-1, then) })
}

func (g *group) lock(then func()) {
	g.queued = true
	g.db.head.take(func() {
		g.queued, g.locked, g.heard = false, g.now, g.now
		then()
	})
}

// appendAll is at the database: it takes the lock, writes all entries of the group at once, and commits.
func (g *group) appendAll() {
	g.lock(func() {
		g.db.statement(10*len(g.taken), func() { g.db.commit(g.committed) })
	})
}

func (g *group) commit() {
	g.after(g.trip(0, g.region)/2, func() {
		g.db.reach(g.replica, func() {
			g.db.statement(0, func() { g.db.commit(g.committed) })
		})
	})
}

// committed gives the changes their numbers, frees the lock, and lets them settle once the replica hears of it.
func (g *group) committed() {
	if g.over {
		return
	}
	for _, p := range g.taken {
		g.db.log++
		p.seq = g.db.log
	}
	g.end()
	g.after(g.trip(0, g.region)/2, func() {
		for _, p := range g.taken {
			p.since = g.now
		}
		g.settling = append(g.settling, g.taken...)
		if g.Bug == "ack-before-wait" {
			g.letGo(g.db.log, 0)
		}
		g.settle()
		g.begin()
	})
}

// settle starts the watch over the register, or tells it that there is more.
func (r *replica) settle() {
	if r.watching {
		r.poke()
		return
	}
	r.watching = true
	r.watch(0)
}

// pollEvery is how often the register is read when nothing wakes the watch.
const pollEvery = 20 * time.Millisecond

// watch wakes the others, applies the changes here, and reads the register until no change waits any more.
func (r *replica) watch(announced int) {
	if len(r.settling) == 0 || r.dead {
		r.watching = false
		return
	}
	newest := r.settling[len(r.settling)-1].seq
	if newest <= announced {
		r.release(newest, announced)
		return
	}
	r.announce(func() {
		if r.applied >= newest {
			r.release(newest, newest)
			return
		}
		r.catchUp(func() { r.release(newest, newest) })
	})
}

// announce wakes whoever follows the log at the database. A NOTIFY is a commit of its own.
func (r *replica) announce(then func()) {
	r.after(r.trip(0, r.region)/2, func() {
		r.db.statement(0, func() {
			r.db.commit(func() {
				var listeners []*replica
				for _, other := range r.replicas {
					if _, there := r.db.register[other]; there {
						listeners = append(listeners, other)
					}
				}
				r.db.notify(len(listeners), listeners, func(other *replica) {
					other.changed = true
					other.next()
				})
				r.after(r.trip(0, r.region)/2, then)
			})
		})
	})
}

// release reads the register and answers whoever need not wait any longer.
func (r *replica) release(newest, announced int) {
	own := r.known()
	known := 0
	r.poked = false
	r.ask(func() int { return len(r.db.register) }, func() { known = r.survey(own, newest) }, func() {
		r.letGo(known, r.withDrift())
		rested := false
		rest := func() {
			if !rested {
				rested, r.woken = true, nil
				r.watch(announced)
			}
		}
		if len(r.settling) == 0 || r.poked {
			rest()
			return
		}
		r.woken = rest
		r.after(pollEvery, rest)
	})
}

// survey returns up to where all replicas of the register know the log, without those that it strikes off.
func (r *replica) survey(own, newest int) (known int) {
	next := map[*replica]sighting{}
	known = own
	for other, row := range r.db.register {
		if other == r {
			continue
		}
		s, there := r.sighted[other]
		if !there || s.beat != row.beat {
			s = sighting{row.beat, r.now}
		}
		next[other] = s
		if row.applied < newest && r.now-s.at >= r.withDrift() {
			delete(r.db.register, other)
			continue
		}
		known = min(known, row.applied)
	}
	r.sighted = next
	return known
}

func (r *replica) letGo(known int, lease time.Duration) {
	kept := r.settling[:0]
	for _, p := range r.settling {
		if p.seq <= known || r.now-p.since >= lease {
			r.acknowledge(p.seq)
			p.done()
		} else {
			kept = append(kept, p)
		}
	}
	r.settling = kept
}
