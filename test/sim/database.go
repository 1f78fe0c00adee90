package main

import "time"

// database is where the log, its head and the register are. Its rows change when their transaction commits.
type database struct {
	*world
	cpu  *station
	disk *station
	head *station // the lock on the log's head, which a transaction keeps until its commit

	log      int // entries that are committed: 1, 2, 3, ...
	register map[*replica]row
	pending  []func() // commits that wait for the next flush
	flushing bool

	statements, commits, notifies int
	bytes                         int // of the log that was read
}

// row is a replica in the register.
type row struct{ beat, applied int }

// statement runs a statement that touches some rows.
func (d *database) statement(rows int, do func()) {
	d.statements++
	d.cpu.work(d.Costs.Statement+time.Duration(rows)*d.Costs.Row, do)
}

// commit makes a transaction durable. All that wait while one flush runs share the next.
func (d *database) commit(do func()) {
	d.commits++
	d.pending = append(d.pending, do)
	d.flush()
}

func (d *database) flush() {
	if d.flushing || len(d.pending) == 0 {
		return
	}
	d.flushing = true
	group := d.pending
	d.pending = nil
	d.disk.work(d.Costs.Flush, func() {
		d.flushing = false
		d.after(d.Settings.commit(), func() {
			for _, do := range group {
				do()
			}
		})
		d.flush()
	})
}

// notify brings word to so many listeners. It takes time for each connection that listens, whether or not it has any use for
// it; hear is called for those that have.
func (d *database) notify(listeners int, of []*replica, hear func(*replica)) {
	d.notifies += listeners
	left := d.cpu.servers
	share := time.Duration(listeners) * d.Costs.Deliver / time.Duration(left)
	for range d.cpu.servers {
		d.cpu.work(share, func() {
			if left--; left > 0 {
				return
			}
			for _, r := range of {
				d.after(d.trip(0, r.region)/2, func() { d.reach(r, func() { hear(r) }) })
			}
		})
	}
}

// reach runs do unless the replica is dead or cut off.
func (d *database) reach(r *replica, do func()) {
	if !r.dead && !d.cutOff(r) {
		do()
	}
}

// ask sends a statement to the database and brings its answer back; both ways it may be lost.
func (r *replica) ask(rows func() int, do func(), then func()) {
	d := r.db
	d.after(d.trip(0, r.region)/2, func() {
		d.reach(r, func() {
			n := 0
			if rows != nil {
				n = rows()
			}
			d.statement(n, func() {
				do()
				d.after(d.trip(0, r.region)/2, func() { d.reach(r, then) })
			})
		})
	})
}
