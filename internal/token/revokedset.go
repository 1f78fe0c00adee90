package token

import (
	"hash/maphash"
	"sync"

	"github.com/google/uuid"
)

// revokedToken names a token together with its identity: knowing the id of somebody else's token neither kills it nor,
// by an entry of one's own, takes its revocation away.
type revokedToken struct{ token, identity uuid.UUID }

// setLanes spreads the revoked tokens over locks: a look-up never waits while more than this part of them is walked. Of a million
// that takes half a millisecond at most (BenchmarkForget). Whoever walks may lose its processor meanwhile; then few wait for it.
const setLanes = 1024

// revokedSet remembers which tokens were revoked, and until when that matters, in milliseconds. There may be millions,
// so they lie in maps that hold no pointers: the garbage collector has nothing to walk in them.
type revokedSet struct {
	seed  maphash.Seed
	lanes [setLanes]setLane
}

type setLane struct {
	sync.Mutex
	until map[revokedToken]int64
}

func newRevokedSet() *revokedSet {
	s := &revokedSet{seed: maphash.MakeSeed()}
	for i := range s.lanes {
		s.lanes[i].until = map[revokedToken]int64{}
	}
	return s
}

// lane returns where a token is kept. The seed is of this process alone: who may revoke tokens by any id cannot choose ids that
// all lie in one lane.
func (s *revokedSet) lane(t revokedToken) *setLane {
	return &s.lanes[maphash.Comparable(s.seed, t)%setLanes]
}

func (s *revokedSet) has(t revokedToken) bool {
	l := s.lane(t)
	l.Lock()
	defer l.Unlock()
	_, ok := l.until[t]
	return ok
}

// add keeps a token until a time, or for as long as it was to be kept before if that is longer.
func (s *revokedSet) add(t revokedToken, until int64) {
	l := s.lane(t)
	l.Lock()
	defer l.Unlock()
	l.until[t] = max(until, l.until[t])
}

// forget drops what ended before a time.
func (s *revokedSet) forget(before int64) {
	for i := range s.lanes {
		s.lanes[i].forget(before)
	}
}

func (l *setLane) forget(before int64) {
	l.Lock()
	defer l.Unlock()
	was := len(l.until)
	for t, until := range l.until {
		if until < before {
			delete(l.until, t)
		}
	}
	if len(l.until) < was/2 {
		l.shrink()
	}
}

// shrink moves what is left to a smaller map: a map gives no memory back when something is deleted from it.
func (l *setLane) shrink() {
	kept := make(map[revokedToken]int64, len(l.until))
	for t, until := range l.until {
		kept[t] = until
	}
	l.until = kept
}

func (s *revokedSet) size() (n int) {
	for i := range s.lanes {
		l := &s.lanes[i]
		l.Lock()
		n += len(l.until)
		l.Unlock()
	}
	return n
}
