package faults

import (
	"fmt"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/test/cluster"
)

// crowd is how many requests wait in front of a frozen replica.
const crowd = 200

// TestFrozenReplica: a replica is stopped for longer than its lease, and goes on with what it held in memory. Whatever
// waits in its sockets, it accepts nothing that was taken back meanwhile.
func TestFrozenReplica(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Postgres: postgres, Replicas: 2})
	for round := range 3 {
		t.Run(fmt.Sprint("round ", round), func(t *testing.T) {
			s := s.in(t)
			s.ready()
			tokens := s.mint(0, 4)
			for _, token := range tokens {
				s.expect(token, 200)
			}
			frozen := s.Replicas[1]
			w := s.watch(tokens, 0, 1)
			w.burst(1, crowd)() // so that connections are open

			must(t, frozen.Freeze())
			early := w.burst(1, crowd)
			for _, token := range tokens[1:] {
				s.revoke(0, token) // the first waits for a lease: the replica is silent
			}
			late := w.burst(1, crowd)
			must(t, frozen.Thaw())
			w.burst(1, crowd)()
			early()
			late()
			s.ready()
			s.expect(tokens[0], 200)
			for _, token := range tokens[1:] {
				s.expect(token, 401)
			}
			w.rest()
		})
	}
}

// burst sends n requests at once and returns when the connections are being made. The function that it returns waits for
// the answers.
func (w *witness) burst(replica, n int) (wait func()) {
	var sent, answered sync.WaitGroup
	sent.Add(n)
	for range n {
		answered.Go(func() {
			sent.Done()
			w.use(replica)
		})
	}
	sent.Wait()
	return answered.Wait
}
