package assertion

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestClaimPaths(t *testing.T) {
	t.Parallel()
	c, err := parseClaims([]byte(`{"a":{"b":{"c":"deep"},"b.c":"dotted"},"a.b":"name","https://x.example/role":"url",
		"kubernetes.io":{"pod":{"name":"p"}},"no":null,"list":[1,"x",true],"n":1.50,"empty":{},"":"nameless"}`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"a.b": "name", "a.b.c": "dotted", "https://x.example/role": "url", "kubernetes.io.pod.name": "p", "no": nil, "missing": nil,
		"a.b.c.d": nil, "a.": nil, ".a": nil, "a..b": nil, ".": nil, "": "nameless", "n": json.Number("1.50"), "list.0": nil, "empty.x": nil,
	} {
		if diff := cmp.Diff(want, c.Value(path)); diff != "" {
			t.Errorf("%q: %s", path, diff)
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list, value string
		want        bool
	}{
		{"main", "main", true}, {"main", "Main", false}, {"main", "main2", false}, {"main,dev", "dev", true}, {" main , dev ", "dev", true},
		{"main,dev", "main,dev", true}, {"CN=a,OU=b", "CN=a,OU=b", true}, {"", "", true}, {"", "x", false}, {",,", "x", false},
		{"refs/heads/*", "refs/heads/main", true}, {"refs/heads/*", "refs/heads/a/b", false}, {"refs/heads/**", "refs/heads/a/b", true},
		{"{a,b}-?", "b-1", true}, {"{a,b}-?", "c-1", false}, {"x,{a,b}", "b", true}, {`a\*`, "a*", true}, {`a\*`, "ab", false}, {`a\,b`, "a,b", true},
		{"[ab]c", "bc", true}, {"*", "", true}, {"*", "a/b", false}, {"a[", "a[", true}, {"a[", "b", false},
	} {
		if got := Matches(c.list, c.value); got != c.want {
			t.Errorf("Matches(%q, %q) = %v, want %v", c.list, c.value, got, c.want)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 900_000_000)
	n := now.Unix()
	for name, c := range map[string]struct {
		claims Claims
		ok     bool
	}{
		"accepted/lives":                   {Claims{ExpiresAt: n + 1}, true},
		"accepted/clock ahead by leeway":   {Claims{ExpiresAt: n + 100, NotBefore: n + 30, IssuedAt: n + 30}, true},
		"refused/expires now":              {Claims{ExpiresAt: n}, false},
		"refused/no end":                   {Claims{}, false},
		"refused/not yet valid":            {Claims{ExpiresAt: n + 100, NotBefore: n + 31}, false},
		"refused/issued beyond the leeway": {Claims{ExpiresAt: n + 100, IssuedAt: n + 31}, false},
	} {
		if err := c.claims.checkTimes(now); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"a\x00\x1b[2Jb\n": "a[2Jb", strings.Repeat("é", 200): strings.Repeat("é", 127), "\xff": "\ufffd"} {
		if got := Printable(text); got != want {
			t.Errorf("Printable(%q) = %q, want %q", text, got, want)
		}
	}
}

func FuzzClaims(f *testing.F) {
	f.Add([]byte(`{"iss":"a","sub":"b","aud":["c"],"exp":1,"nbf":2.5,"iat":3,"a":{"b":[true]}}`), "a.b", "{true,x},*")
	f.Add([]byte(`{"aud":"x","exp":1e300}`), "aud", "x")
	f.Add([]byte(`[]`), "", "")
	f.Fuzz(func(t *testing.T, payload []byte, path, list string) {
		c, err := parseClaims(payload)
		if err != nil {
			return
		}
		for _, at := range []int64{c.ExpiresAt, c.NotBefore, c.IssuedAt} {
			if at < 0 || at > maxTime || at*1000 > math.MaxInt64/2 {
				t.Errorf("a time of %d", at)
			}
		}
		if value := c.Value(path); value != nil {
			matchesClaim(list, value)
		}
		for name, fact := range c.Facts() {
			if text := fact.(string); !utf8.ValidString(text) || len(text) > maxPrintable {
				t.Errorf("%s: %q", name, text)
			}
		}
		if _, isText := c.all["sub"].(string); isText && c.Subject != c.all["sub"] {
			t.Errorf("the subject %q is read as %q", c.all["sub"], c.Subject)
		}
	})
}

func FuzzMatches(f *testing.F) {
	f.Add("a,b", "b")
	f.Add("{a,b}*,[c-d]", "c")
	f.Add(`\{`, "{")
	f.Fuzz(func(t *testing.T, list, value string) {
		if len(list) > maxClaimList || len(value) > 1<<14 {
			return
		}
		if !Matches(value, value) {
			t.Errorf("%q does not match itself", value)
		}
		// What is allowed alone is allowed in a list too, unless the list reads it otherwise: spaces around an entry do not count,
		// nor do empty ones.
		plain := list != "" && !strings.ContainsAny(list, `\{}[],`) && strings.TrimSpace(list) == list
		if plain && Matches(list, value) && CheckList(list) == nil && !Matches("other, "+list, value) {
			t.Errorf("%q matches %q, but not after another entry", list, value)
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"1"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AAAA"},{"kty":"RSA","n":"AQ","e":"AQAB"},7,null]}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		for _, key := range parseKeys(document) {
			if !usable(key.Key) || !key.IsPublic() {
				t.Errorf("a key of type %T is kept", key.Key)
			}
		}
	})
}

func FuzzPublicKey(f *testing.F) {
	f.Add("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----")
	f.Fuzz(func(t *testing.T, text string) {
		if CheckPublicKey("k", text) == nil {
			if keys, err := Static([]string{text})(t.Context(), ""); err != nil || len(keys) != 1 {
				t.Errorf("a key that was accepted is not used: %v", err)
			}
		}
		_ = CheckCACert("c", text)
	})
}
