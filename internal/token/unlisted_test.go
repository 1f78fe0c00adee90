package token

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/feed"
)

// TestRevokingUnlistedTokensIsBounded: ids that the server has no record of are remembered up to a bound for each caller; what is
// known to be a token can be revoked beyond it, and so can everything by a cut-off.
func TestRevokingUnlistedTokensIsBounded(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.unlisted = 3
		admin, other := f.administrator(), f.administrator()
		revoke := func(tokenID string) error { return f.RevokeAny(t.Context(), admin, f.ident, tokenID) }
		first := id.New()
		want(t, revoke(first), "")
		want(t, revoke(id.New()), "")
		want(t, revoke(id.New()), "")
		err := revoke(id.New())
		if !fault.Is(err, fault.RateLimited) || !strings.Contains(err.Error(), "revoke-tokens") {
			t.Fatalf("beyond the bound: %v", err)
		}
		if wait := fault.From(err).RetryAfter; wait <= 0 || wait > f.maxAge {
			t.Errorf("to be tried again in %v", wait)
		}
		want(t, revoke(first), "") // it is remembered already
		listed, login := f.mint(f.grant()), f.mint(f.login())
		want(t, revoke(listed.Row.ID), "")
		want(t, f.verify(listed.AccessToken), "revoked")
		want(t, f.RevokeAny(t.Context(), other, f.ident, login.Row.ID), "") // who has not used up anything
		want(t, f.verify(login.AccessToken), "revoked")
		want(t, f.RevokeIdentity(t.Context(), admin, f.ident, ""), "")
		if tokens, _ := f.Revocations(); tokens != 5 {
			t.Errorf("%d tokens are remembered; want 5", tokens)
		}
		f.clock.advance(f.maxAge + feed.ClockSlack + time.Second)
		f.clean(10)
		want(t, revoke(id.New()), "")
	})
}

// TestRevokingWhatIsNoToken: what cannot be the id of a token leaves nothing in memory.
func TestRevokingWhatIsNoToken(t *testing.T) {
	f := newFixture(t, "sqlite")
	admin := f.administrator()
	future := uuid.Must(uuid.NewV7())
	future[0] = 0x7f
	for _, odd := range []string{uuid.NewString(), future.String(), uuid.Nil.String(), "x", ""} {
		want(t, f.RevokeAny(t.Context(), admin, f.ident, odd), "not found")
	}
	if tokens, _ := f.Revocations(); tokens != 0 {
		t.Errorf("%d tokens are remembered; want none", tokens)
	}
}

// TestRevokingOfAMethodThatIsNot: a misspelt method revokes nothing, so it is not confirmed.
func TestRevokingOfAMethodThatIsNot(t *testing.T) {
	f := newFixture(t, "sqlite")
	admin, issued := f.administrator(), f.mint(f.grant())
	for _, odd := range []string{"token_auth", "Token-Auth", "tokenauth", "aws-auth", "token-auth,universal-auth", "*"} {
		if err := f.RevokeIdentity(t.Context(), admin, f.ident, odd); !fault.Is(err, fault.Validation) {
			t.Errorf("%q: %v", odd, err)
		}
	}
	want(t, f.verify(issued.AccessToken), "")
	want(t, f.RevokeIdentity(t.Context(), admin, f.ident, TokenAuth), "")
	want(t, f.verify(issued.AccessToken), "revoked")
}
