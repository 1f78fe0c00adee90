package token

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"sync/atomic"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/bounded"
	"github.com/sallyport/sallyport/internal/testhook/bug"
)

// verifiedSize bounds the JWTs that are remembered, in bytes: about 60,000 of them.
const verifiedSize = 100 << 20

// memorySize is about what is remembered of a JWT besides its text, in bytes.
const memorySize = 1 << 10

// verified remembers JWTs whose signature was good. They are found by a fast hash under a key of this process; what is found
// counts only if the whole text is the same.
type verified struct {
	seed  maphash.Seed
	items bounded.Cache[uint64, *memory]
}

// newVerified returns a memory of verifiedSize, or of what caches may take where memory is little; 0 stands for no such bound.
func newVerified(caches int64) verified {
	size := int64(verifiedSize)
	if caches > 0 {
		size = min(size, caches)
	}
	return verified{maphash.MakeSeed(), bounded.New(&bounded.Options[uint64, *memory]{MaximumWeight: uint64(size),
		Weigher: func(_ uint64, m *memory) uint32 { return uint32(len(m.text) + memorySize) }})} //nolint:gosec // maxJWT bounds it
}

// memory is one JWT that is remembered, and what was last found of it.
type memory struct {
	text    []byte
	claims  *Claims
	good    atomic.Uint64 // the mark of the feed before Service.good found it good; 0: never
	verdict atomic.Pointer[verdict]
}

// verdict is what a whole check came to.
type verdict struct {
	mark  uint64 // of the feed, before the check looked at anything
	ip    netip.Addr
	actor access.Actor // without what belongs to one request
}

func (v *verified) find(jwt string) *memory {
	m, ok := v.items.GetIfPresent(maphash.String(v.seed, jwt))
	if !ok || !same(m.text, jwt) {
		return nil
	}
	return m
}

func (v *verified) keep(jwt string, c *Claims) {
	c.memory = &memory{text: []byte(jwt), claims: c}
	v.items.Set(maphash.String(v.seed, jwt), c.memory)
}

// same compares texts in a time that depends on nothing but their lengths.
func same(kept []byte, jwt string) bool {
	if len(kept) != len(jwt) {
		return false
	}
	var block, diff [256]byte
	var differ uint64
	for len(kept) > 0 {
		n := copy(block[:], jwt)
		subtle.XORBytes(diff[:], kept[:n], block[:n])
		for i := 0; i < len(diff); i += 8 { // what is left of an earlier block differs only if that did
			differ |= binary.NativeEndian.Uint64(diff[i:])
		}
		kept, jwt = kept[n:], jwt[n:]
	}
	return differ == 0
}

func (m *memory) foundGood(mark uint64) bool {
	if m == nil {
		return false
	}
	was := m.good.Load()
	return was != 0 && (was == mark || bug.OldVerdict)
}

func (m *memory) noteGood(mark uint64) {
	if m != nil {
		m.good.Store(mark)
	}
}

// Recall returns the actor that Remember kept for a JWT, if nothing has changed since: it answers as a whole check would, and
// counts the use. It is shared, so copy it. Otherwise Recall returns nil, and the caller has to check. What time alone changes is
// looked at each time: the lease, the expiry, the address. docs/revocation.md says why that is enough.
func (s *Service) Recall(ctx context.Context, jwt string, ip netip.Addr) (*access.Actor, error) {
	m := s.verified.find(jwt)
	if m == nil {
		return nil, nil
	}
	v := m.verdict.Load()
	if v == nil || v.ip != ip {
		return nil, nil
	}
	if err := s.feed.Current(ctx); err != nil { // before the mark is read: what it reads may change the mark
		return nil, err
	}
	now := s.db.Now()
	if now.Unix() >= m.claims.ExpiresAt || v.mark != s.feed.Mark() && !bug.OldVerdict {
		return nil, nil
	}
	s.count(m.claims, now)
	return &v.actor, nil
}

// Remember keeps what a check of claims from Verify came to, for Recall: the actor, without what belongs to one request. mark is
// Feed.Mark as it was before that check looked at anything. Nothing is kept of a token whose uses are limited, nor of an actor whose
// rights change by time.
func (s *Service) Remember(c *Claims, mark uint64, ip netip.Addr, actor access.Actor) {
	if c.memory == nil || mark == 0 || c.UsesLimit > 0 || actor.ChangesAt != 0 {
		return
	}
	c.memory.verdict.Store(&verdict{mark: mark, ip: ip, actor: actor})
}
