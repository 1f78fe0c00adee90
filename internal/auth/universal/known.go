package universal

import (
	"context"

	"github.com/sallyport/sallyport/internal/base/bounded"
	"github.com/sallyport/sallyport/internal/token"
)

// knownSize bounds the client secrets that are remembered, in bytes: about 10,000 of them.
const (
	knownSize  = 5 << 20
	knownEntry = 512 // bytes of one, with its place in the cache
)

// presented is what a caller presents: a client id, and the hash of a client secret.
type presented struct{ clientID, hash string }

// known is a live client secret that a login found before, and when it began to look.
type known struct {
	found
	orgID string
	at    token.Birth
}

// newMemory returns a memory of knownSize, or of a sixteenth of what caches may take; 0 stands for no such bound.
func newMemory(caches int64) bounded.Cache[presented, known] {
	size := int64(knownSize)
	if caches > 0 {
		size = max(knownEntry, min(size, caches/16))
	}
	return bounded.New(&bounded.Options[presented, known]{MaximumWeight: uint64(size),
		Weigher: func(presented, known) uint32 { return knownEntry }})
}

// recall returns a client secret from memory. Everything that ends a client secret also cuts off the tokens that were made with
// it. So a remembered secret is as good as a token that was born when it was read: no longer than that is it used.
func (s *Service) recall(p presented) (found, bool) {
	k, ok := s.known.GetIfPresent(p)
	if !ok || s.tokens.CutOff(k.at, k.IdentityID, k.orgID, Slug, *k.SecretID) {
		return found{}, false
	}
	return k.found, true
}

// remember keeps a live client secret that was read after at.
func (s *Service) remember(ctx context.Context, p presented, f found, at token.Birth) error {
	if f.SecretID == nil || *f.Revoked {
		return nil
	}
	i, err := s.identities.ByID(ctx, f.IdentityID)
	if err == nil {
		s.known.Set(p, known{f, i.OrgID, at})
	}
	return err
}
