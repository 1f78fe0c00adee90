package limit

import (
	"hash/maphash"
	"sync/atomic"
)

// seenSlots is how many texts a Seen remembers: 128 KiB of them.
const seenSlots = 1 << 14

// Seen remembers which texts were good a short while ago. It may forget any of them, and may very rarely (once in 2^50
// texts) take another one for good: it is a hint whom to listen to first, and nothing to rest a decision on. It keeps no
// text, only hashes under a key of its own. It is safe for concurrent use.
type Seen struct {
	seed  maphash.Seed
	slots [seenSlots]atomic.Uint64
}

// NewSeen returns one that has seen nothing.
func NewSeen() *Seen { return &Seen{seed: maphash.MakeSeed()} }

// Add remembers a text, in the place of another one.
func (s *Seen) Add(text string) {
	if slot, hash := s.slot(text); slot.Load() != hash {
		slot.Store(hash)
	}
}

// Has reports whether a text is remembered.
func (s *Seen) Has(text string) bool {
	slot, hash := s.slot(text)
	return slot.Load() == hash
}

func (s *Seen) slot(text string) (*atomic.Uint64, uint64) {
	hash := maphash.String(s.seed, text) | 1 // never 0, which is an empty slot
	return &s.slots[hash>>1%seenSlots], hash
}
