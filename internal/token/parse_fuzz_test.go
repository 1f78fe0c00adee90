package token

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// fixedKid names the key of fixedRing.
const fixedKid = "0192f0c1-2345-7000-8000-000000000001"

// fixedRing is a keyring whose key is always the same, and so are the tokens that it accepts: fuzzing runs in several
// processes, and its corpus outlives them. A ring of a new key would refuse each token of another process.
func fixedRing(t testing.TB) (*keyring, *ecdsa.PrivateKey) {
	t.Helper()
	scalar := sha256.Sum256([]byte("a key that only this test uses"))
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		t.Fatal(err)
	}
	return &keyring{public: map[string]*ecdsa.PublicKey{fixedKid: &private.PublicKey}}, private
}

// fixedClaims are the only claims that were ever signed with the key of fixedRing.
func fixedClaims() *Claims {
	c := goodClaims()
	c.ID, c.IdentityID, c.OrgID = "0192f0c1-2345-7000-8000-00000000000a", "0192f0c1-2345-7000-8000-00000000000b", "0192f0c1-2345-7000-8000-00000000000c"
	c.TokenID = c.ID
	return c
}

// FuzzParse throws text at the parser that begins as real tokens. Whatever it accepts must say what was signed, since
// one payload alone was ever signed with its key.
func FuzzParse(f *testing.F) {
	ring, private := fixedRing(f)
	c := fixedClaims()
	good := sign(f, jose.ES256, private, map[jose.HeaderKey]any{"kid": fixedKid, "typ": "JWT"}, encode(f, c))
	if got, err := parse(ring, good); err != nil || got.ID != c.ID {
		f.Fatalf("the token to start from is refused: %v", err)
	}
	parts := strings.Split(good, ".")
	for _, seed := range []string{good, "", "..", parts[0] + "." + parts[1] + ".", parts[0] + ".." + parts[2], good + "=", " " + good,
		`{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, jwt string) {
		got, err := parse(ring, jwt)
		if err != nil {
			if !fault.Is(err, fault.DeadToken) || fault.From(err).Reason == "" {
				t.Fatalf("refused with %v; want a dead token with a reason", err)
			}
			return
		}
		if diff := cmp.Diff(c, got, cmpopts.IgnoreUnexported(Claims{})); diff != "" {
			t.Fatalf("a token that was never made was accepted:\n%s", diff)
		}
	})
}

// FuzzMutation changes a good token: its parts, decoded, at any place and by anything. None but the token itself, and
// what differs from it in nothing that is signed, may be accepted.
func FuzzMutation(f *testing.F) {
	ring, private := fixedRing(f)
	c := fixedClaims()
	good := sign(f, jose.ES256, private, map[jose.HeaderKey]any{"kid": fixedKid, "typ": "JWT"}, encode(f, c))
	f.Add(uint8(0), uint16(0), uint16(0), []byte(nil))
	f.Add(uint8(0), uint16(0), uint16(500), []byte(`{"alg":"HS256","kid":"`+fixedKid+`"}`))
	f.Add(uint8(0), uint16(0), uint16(500), []byte(`{"alg":"ES256","kid":"`+fixedKid+`","crit":["exp"]}`))
	f.Add(uint8(1), uint16(1), uint16(0), []byte(`"exp":9999999999,`))
	f.Add(uint8(2), uint16(0), uint16(64), make([]byte, 64))
	f.Add(uint8(2), uint16(64), uint16(0), []byte{0})
	f.Fuzz(func(t *testing.T, part uint8, at, cut uint16, with []byte) {
		mutated, same := mutate(t, good, int(part)%3, int(at), int(cut), with)
		if _, err := parse(ring, mutated); (err == nil) != same {
			t.Fatalf("%q: %v; it is the token as it was made: %v", mutated, err, same)
		}
	})
}

// mutate replaces some bytes of a part of a token by others, and tells whether the part is what it was.
func mutate(t *testing.T, jwt string, part, at, cut int, with []byte) (mutated string, same bool) {
	parts := strings.Split(jwt, ".")
	plain, err := base64.RawURLEncoding.DecodeString(parts[part])
	if err != nil {
		t.Fatal(err)
	}
	at = min(at, len(plain))
	cut = min(cut, len(plain)-at)
	changed := string(plain[:at]) + string(with) + string(plain[at+cut:])
	parts[part] = base64.RawURLEncoding.EncodeToString([]byte(changed))
	return strings.Join(parts, "."), changed == string(plain)
}
