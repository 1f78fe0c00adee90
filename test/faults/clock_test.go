package faults

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
)

// jump is by how much a clock is set wrong, and life how long some tokens live by their issuer's clock.
const (
	jump = 10 * time.Minute
	life = jump / 2
)

// TestClockJumps: setting the wall clock of a running replica changes nothing about what is revoked, nor about its lease.
// Expiry alone follows the clock: of each replica that is asked.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Binary: settable, Postgres: postgres, Replicas: 2})
	short := s.identity(life)
	for _, c := range []struct {
		name               string
		shift              time.Duration
		oldThere, newThere int // at the wrong replica: a short token made before the jump, or elsewhere; one made at it
		newElse            int // at the other replica
	}{
		{"forward", jump, 401, 200, 200}, // early to expire, and what it makes lives too long
		{"back", -jump, 200, 200, 401},   // late to expire, and what it makes is too old
	} {
		t.Run(c.name, func(t *testing.T) {
			s := s.in(t)
			long, old := s.mint(0, 4), s.mintOf(0, short)
			w := s.watch(long, 0, 1)
			s.setClock(1, c.shift)
			made := s.mintOf(1, short)
			s.wants(0, old, 200)
			s.wants(1, old, c.oldThere)
			s.wants(0, made, c.newElse)
			s.wants(1, made, c.newThere)

			s.revoke(0, long[1])
			s.revoke(1, long[2])
			s.revoke(0, old)
			s.expect(long[1], 401)
			s.expect(long[2], 401)
			w.rest()
			if n := w.tally()[503]; n > 0 {
				t.Errorf("%d uses were refused with 503: the jump touched the lease", n)
			}

			away := s.Replicas[1]
			away.Link.Cut()
			s.setClock(1, -c.shift) // now it is wrong the other way
			cut := s.now()
			eventually(t, "the lease is over by a clock that nobody set", func() bool { return s.now() > cut+lease })
			s.wants(1, long[0], 503)
			away.Link.Heal()

			away.Kill() // what it loads again must not depend on its clock either
			must(t, away.Start())
			s.ready()
			s.expect(long[0], 200)
			s.expect(long[1], 401)
			s.expect(long[2], 401)
			s.setClock(1, 0)
			s.expect(long[1], 401)
			s.expect(old, 401)
		})
	}
}
