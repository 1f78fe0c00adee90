package main

import "time"

// replica does what internal/feed does: it keeps a lease, follows the log, groups the changes that it is asked for, and
// waits with the answer until every replica knows, or a lease has passed. With relays it may follow one instead.
type replica struct {
	*world
	region int
	cpu    *station
	slow   float64
	dead   bool

	applied, told int
	lease         time.Duration // until when it may answer from memory
	busy          bool          // renewing or following
	due, changed  bool          // to be done when it is not
	news          bool          // of a relay: members know more than it has reported

	waiting  []*pending // for their turn in a group
	grouping bool
	settling []*pending // committed
	watching bool
	woken    func() // ends the pause of the watch
	poked    bool
	sighted  map[*replica]sighting

	relay   *replica // whom it follows; nil for the database
	members []*replica
	noted   time.Duration // when a member last asked, by the relay's clock
	asks    []func()      // members that wait for the next renewal
	seen    int           // what a relay was told that a member knows
}

type pending struct {
	seq   int
	since time.Duration
	done  func()
}

type sighting struct {
	beat int
	at   time.Duration
}

// serves reports whether the replica answers from memory now.
func (r *replica) serves() bool { return r.lease > r.now || r.Bug == "serve-without-lease" }

// withDrift is the wait after which a lease is over on every clock.
func (w *world) withDrift() time.Duration { return w.Lease + w.Lease/20 + time.Millisecond }

// tick is due three times a lease.
func (r *replica) tick() {
	if r.dead {
		return
	}
	r.due = true
	r.next()
	r.after(r.Lease/3, r.tick)
}

// next does what is due, one thing at a time; each ends within a lease, be it by a time-out.
func (r *replica) next() {
	if r.busy || r.dead || !r.due && !r.changed && !r.news {
		return
	}
	r.busy = true
	ended := false
	end := func() {
		if !ended {
			ended, r.busy = true, false
			r.next()
		}
	}
	r.after(r.Lease, end)
	if r.due {
		r.due = false
		r.renew(end)
		return
	}
	rested := end
	if len(r.members) > 0 {
		rested = func() { r.after(pace, end) }
	}
	if r.news = false; !r.changed {
		r.report(rested)
		return
	}
	r.changed = false
	r.catchUp(func() { r.report(rested) })
}

// renew notes the clock, beats, reads on, and only then has a lease: from the noted time.
func (r *replica) renew(end func()) {
	noted := r.now
	if r.relay != nil {
		r.renewAtRelay(noted, end)
		return
	}
	asks := r.asks
	r.asks = nil
	there := false
	beat := func() {
		was, ok := r.db.register[r]
		if there = ok; ok {
			r.db.register[r] = row{was.beat + 1, was.applied}
		}
	}
	r.transaction(1, true, beat, func() {
		if !there {
			r.startOver(noted, asks, end)
			return
		}
		r.catchUp(func() { r.renewed(noted, asks, end) })
	})
}

func (r *replica) renewed(noted time.Duration, asks []func(), end func()) {
	r.extend(noted)
	for _, answer := range asks {
		answer()
	}
	r.report(end)
}

func (r *replica) extend(noted time.Duration) {
	r.lease = max(r.lease, noted+r.Lease)
	r.checkPromise(r)
}

// startOver is for a replica that was struck off: it registers again, then reads.
func (r *replica) startOver(noted time.Duration, asks []func(), end func()) {
	r.lease = 0
	r.transaction(1, true, func() { r.db.register[r] = row{} }, func() {
		r.told = 0
		r.catchUp(func() { r.renewed(noted, asks, end) })
	})
}

// transaction is begun, runs some statements one after the other, and is committed: a round trip each. What it does is true
// for others from the commit on.
func (r *replica) transaction(statements int, durable bool, do, then func()) {
	if r.Protocol.Single {
		statements = -1
	}
	if statements >= 0 { // the first time it is the BEGIN
		r.ask(nil, func() {}, func() { r.transaction(statements-1, durable, do, then) })
		return
	}
	d := r.db
	d.after(d.trip(0, r.region)/2, func() {
		d.reach(r, func() {
			finish := func() {
				do()
				d.after(d.trip(0, r.region)/2, func() { d.reach(r, then) })
			}
			d.statement(0, func() {
				if durable {
					d.commit(finish)
				} else {
					finish()
				}
			})
		})
	})
}

// catchUp reads the log to its end and applies it.
func (r *replica) catchUp(then func()) {
	head, from := 0, r.applied
	count := func() int {
		head = r.db.log
		return max(0, head-from)
	}
	r.ask(count, func() { r.db.bytes += max(0, head-from) * r.Costs.Entry }, func() {
		r.apply(head, then)
	})
}

// apply applies entries up to head.
func (r *replica) apply(head int, then func()) {
	entries := max(0, head-r.applied)
	r.cpu.work(time.Duration(float64(entries)*r.slow*float64(r.Costs.Apply)+float64(20*time.Microsecond)*r.slow), func() {
		if r.dead {
			return
		}
		if head > r.applied {
			r.applied = head
			r.feedMembers()
		}
		then()
	})
}

// report writes how far this replica, or a relay and all that follow it, know the log, and wakes who waits for that.
func (r *replica) report(end func()) {
	if r.relay != nil {
		end()
		return
	}
	known := r.known()
	if known <= r.told {
		end()
		return
	}
	write := func() {
		was, there := r.db.register[r]
		if there && known > was.applied {
			r.db.register[r] = row{was.beat, known}
			r.db.tell()
		}
	}
	r.transaction(1, false, write, func() {
		r.told = known
		end()
	})
}

// tell wakes who waits for reports.
func (d *database) tell() {
	var waiting []*replica
	for _, r := range d.replicas {
		if len(r.settling) > 0 {
			waiting = append(waiting, r)
		}
	}
	all := len(d.register)
	if d.Protocol.Direct {
		all = len(waiting)
	}
	d.notify(all, waiting, (*replica).poke)
}

func (r *replica) poke() {
	r.poked = true
	if woken := r.woken; woken != nil {
		r.woken = nil
		woken()
	}
}
