package token

import (
	"github.com/puzpuzpuz/xsync/v4"

	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/feed"
)

// revocations holds in memory what was taken back, and nothing of the tokens that live: single tokens, and cut-offs.
type revocations struct {
	tokens *revokedSet
	cuts   *xsync.Map[cutScope, cutoff]
}

// cutScope is a set of tokens that can be cut off at once.
type cutScope struct {
	kind feed.Kind
	key  string
}

type cutoff struct {
	seq   int64 // tokens born below it are dead
	until int64 // milliseconds
}

func newRevocations() *revocations {
	return &revocations{tokens: newRevokedSet(), cuts: xsync.NewMap[cutScope, cutoff]()}
}

// cutScopes lists the sets that a token belongs to.
func cutScopes(c *Claims) [6]cutScope {
	return [6]cutScope{
		{feed.CutIdentity, c.IdentityID},
		{feed.CutMethod, feed.Key(c.IdentityID, c.Method)},
		{feed.CutSecret, c.ClientSecretID},
		{feed.CutMembership, feed.Key(c.IdentityID, c.OrgID)},
		{feed.CutOrg, c.OrgID},
		{feed.CutInstance, ""},
	}
}

func (r *revocations) follow(f *feed.Feed) {
	f.Follow(feed.TokenRevoked, r.revoke)
	for _, scope := range cutScopes(&Claims{}) {
		f.Follow(scope.kind, r.cut)
	}
}

// revoke and cut keep the longest memory, and cut the highest sequence number, since at start entries come in any order.
func (r *revocations) revoke(e feed.Entry) {
	token, identity := feed.Cut(e.Key)
	t, ok := id.Parse(token)
	i, okIdentity := id.Parse(identity)
	if ok && okIdentity {
		r.tokens.add(revokedToken{t, i}, e.Until)
	}
}

func (r *revocations) cut(e feed.Entry) {
	r.cuts.Compute(cutScope{e.Kind, e.Key}, func(old cutoff, _ bool) (cutoff, xsync.ComputeOp) {
		return cutoff{max(old.seq, e.Seq), max(old.until, e.Until)}, xsync.UpdateOp
	})
}

// holds reports whether a single token was revoked.
func (r *revocations) holds(tokenID, identityID string) bool {
	t, ok := id.Parse(tokenID)
	i, okIdentity := id.Parse(identityID)
	return ok && okIdentity && r.tokens.has(revokedToken{t, i})
}

// dead reports whether the token was revoked or cut off.
func (r *revocations) dead(c *Claims) bool {
	if r.tokens.has(revokedToken{c.id, c.identity}) {
		return true
	}
	for i := range c.cuts {
		if cut, ok := r.cuts.Load(c.cuts[i]); ok && c.Born < cut.seq {
			return true
		}
	}
	return false
}

// forget drops what ended before a time in milliseconds: the tokens that it concerned have expired.
func (r *revocations) forget(before int64) {
	r.tokens.forget(before)
	r.cuts.DeleteMatching(func(_ cutScope, c cutoff) (bool, bool) { return c.until < before, false })
}

func (r *revocations) size() (tokens, cutoffs int) { return r.tokens.size(), r.cuts.Size() }
