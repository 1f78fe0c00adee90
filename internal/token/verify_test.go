package token

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/tally"
	"github.com/sallyport/sallyport/internal/feed"
)

func TestVerifyTellsTheClaims(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		issued := f.mint(f.grant())
		got, err := f.Verify(t.Context(), issued.AccessToken, goodIP)
		if err != nil {
			t.Fatal(err)
		}
		now := f.clock.Now().Unix()
		want := &Claims{ID: issued.Row.ID, TokenID: issued.Row.ID, Type: Type, IdentityID: f.ident, IdentityName: "robot",
			Method: TokenAuth, OrgID: f.org, IssuedAt: now, ExpiresAt: now + 3600, TTL: 3600, MaxTTL: 86400, CreatedAt: now}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Claims{})); diff != "" {
			t.Error(diff)
		}
	})
}

// flaws are what can be wrong with a token, in the order in which Verify must notice.
var flaws = []struct {
	reason string
	spoil  func(f *fixture, issued *Issued, ip *netip.Addr)
}{
	{"signature", func(_ *fixture, issued *Issued, _ *netip.Addr) {
		// The last character but one: the last has bits that carry nothing.
		text := []byte(issued.AccessToken)
		at := len(text) - 2
		text[at] = map[bool]byte{true: 'B', false: 'A'}[text[at] == 'A']
		issued.AccessToken = string(text)
	}},
	{"expired", func(f *fixture, _ *Issued, _ *netip.Addr) { f.clock.advance(time.Hour) }},
	{"revoked", func(f *fixture, issued *Issued, _ *netip.Addr) {
		f.revocations().revoke(feed.Entry{Key: feed.Key(issued.Row.ID, issued.Row.IdentityID), Until: 1 << 60})
	}},
	{"forbidden", func(_ *fixture, _ *Issued, ip *netip.Addr) { *ip = badIP }},
	{"used-up", func(f *fixture, issued *Issued, _ *netip.Addr) {
		f.write(func(tx *sqldb.Tx) error {
			_, err := tx.Exec(f.t.Context(), `UPDATE access_tokens SET uses = uses_limit WHERE id = $1`, issued.Row.ID)
			return err
		})
	}},
}

func (f *fixture) revocations() *revocations { return f.revoked }

// TestVerifyOrder gives a token one flaw and all later ones too: the first flaw must be the one that is told, and
// nothing may be spent by it.
func TestVerifyOrder(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for first, flaw := range flaws {
			t.Run("refused/"+flaw.reason, func(t *testing.T) {
				g := f.grant()
				g.UsesLimit = 2
				issued, ip := f.mint(g), goodIP
				for _, later := range flaws[first:] {
					later.spoil(f, issued, &ip)
				}
				before := f.row(issued.Row.ID).Uses
				_, err := f.Verify(t.Context(), issued.AccessToken, ip)
				want(t, err, flaw.reason)
				if after := f.row(issued.Row.ID).Uses; after != before {
					t.Errorf("uses went from %d to %d", before, after)
				}
			})
		}
	})
}

// TestFailuresCountNoUse is the same for a token without a limit, whose uses are counted in memory.
func TestFailuresCountNoUse(t *testing.T) {
	for _, flaw := range flaws[:len(flaws)-1] {
		t.Run("refused/"+flaw.reason, func(t *testing.T) {
			f := newFixture(t, sqldb.SQLite)
			issued, ip := f.mint(f.grant()), goodIP
			flaw.spoil(f, issued, &ip)
			_, err := f.Verify(t.Context(), issued.AccessToken, ip)
			want(t, err, flaw.reason)
			if err := f.uses.Flush(func(counted []tally.Count) error { return fmt.Errorf("counted %v", counted) }); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestVerifyUntilTheSecondOfExpiry(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	issued := f.mint(f.grant())
	f.clock.advance(time.Hour - time.Millisecond)
	want(t, f.verify(issued.AccessToken), "")
	f.clock.advance(time.Millisecond)
	want(t, f.verify(issued.AccessToken), "expired")
	f.clock.advance(-time.Millisecond) // a clock that was set back
	want(t, f.verify(issued.AccessToken), "")
}

// TestRememberedSignature: the cache of verified JWTs saves the signature and nothing else.
func TestRememberedSignature(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		first, second, third := f.mint(f.grant()), f.mint(f.grant()), f.mint(f.grant())
		for _, issued := range []*Issued{first, second, third} {
			want(t, f.verify(issued.AccessToken), "")
			if f.verified.find(issued.AccessToken) == nil {
				t.Fatal("a verified token is not remembered")
			}
		}
		// From here on no signature can be verified: another key has the id of ours.
		f.keys.ring.Store(&keyring{public: map[string]*ecdsa.PublicKey{kidOf(t, f.Service): &newECDSA(t, elliptic.P256()).PublicKey}})
		want(t, f.verify(first.AccessToken), "")

		if err := f.Revoke(t.Context(), f.actor(), first.Row); err != nil {
			t.Fatal(err)
		}
		want(t, f.verify(first.AccessToken), "revoked")
		want(t, f.verify(second.AccessToken), "")
		_, err := f.Verify(t.Context(), second.AccessToken, badIP)
		want(t, err, "forbidden")
		f.cut(feed.CutIdentity, f.ident)
		want(t, f.verify(second.AccessToken), "revoked")
		f.clock.advance(time.Hour)
		want(t, f.verify(third.AccessToken), "expired")
	})
}

// kidOf returns the id of the one signing key.
func kidOf(t *testing.T, s *Service) string {
	t.Helper()
	ring := s.keys.ring.Load()
	if len(ring.public) != 1 {
		t.Fatalf("%d signing keys; want one", len(ring.public))
	}
	for kid := range ring.public {
		return kid
	}
	return ""
}

func TestRememberedSignatureOfADroppedKey(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	issued := f.mint(f.grant())
	want(t, f.verify(issued.AccessToken), "")
	f.keys.ring.Store(&keyring{public: map[string]*ecdsa.PublicKey{}})
	want(t, f.verify(issued.AccessToken), "signature")
}

func TestRefusedTokensAreNotRemembered(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	jwt := f.mint(f.grant()).AccessToken
	want(t, f.verify(jwt[:len(jwt)-4]), "signature")
	want(t, f.verify("x"), "malformed")
	f.verified.items.CleanUp()
	if n := f.verified.items.EstimatedSize(); n != 0 {
		t.Errorf("%d are remembered", n)
	}
}

// TestVerifyMakesNoDatabaseTrip closes the database: a token without a use limit is still decided.
func TestVerifyMakesNoDatabaseTrip(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	issued := f.mint(f.grant())
	g := f.grant()
	g.UsesLimit = 1
	limited := f.mint(g)
	if err := f.db.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, f.verify(issued.AccessToken), "")
	if err := f.verify(limited.AccessToken); !errors.Is(err, sqldb.ErrClosed) {
		t.Errorf("a use was taken without a database: %v", err)
	}
}

// TestAddressesThatCannotBeLookedUp: what cannot be decided is refused, as it is.
func TestAddressesThatCannotBeLookedUp(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	g := f.grant()
	g.UsesLimit = 1
	issued := f.mint(g)
	down := errors.New("down")
	f.addressAllowed = func(context.Context, string, string, netip.Addr) (bool, error) { return true, down }
	if err := f.verify(issued.AccessToken); !errors.Is(err, down) {
		t.Fatalf("got %v", err)
	}
	if n := f.row(issued.Row.ID).Uses; n != 0 {
		t.Errorf("%d uses were spent", n)
	}
}
