package assertion

import (
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
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
		{"[ab]c", "bc", true}, {"*", "", false}, {"*", "a/b", false}, {"a[", "a[", true}, {"a[", "b", false},
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
		"accepted/from 1970":               {Claims{ExpiresAt: n + 100, NotBefore: 0, IssuedAt: 0, all: map[string]any{"nbf": json.Number("0")}}, true},
	} {
		if err := c.claims.checkTimes(now); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestZeroIsATime: the start of 1970 is a NumericDate like any other, and not a missing one.
func TestZeroIsATime(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"exp", "nbf", "iat"} {
		for _, zero := range []string{"0", "0.5", "0e0", "0.0"} {
			c, err := parseClaims([]byte(`{"exp":4000000000,"` + name + `":` + zero + `}`))
			if err != nil {
				t.Errorf("%s of %s: %v", name, zero, err)
				continue
			}
			err = c.checkTimes(time.Unix(1_800_000_000, 0))
			if name == "exp" && fault.From(err).Reason != "expired" || name != "exp" && err != nil {
				t.Errorf("%s of %s: %v", name, zero, err)
			}
		}
		for _, odd := range []string{"-1", "1e300", `"0"`, "true", "{}"} {
			if _, err := parseClaims([]byte(`{"` + name + `":` + odd + `}`)); err == nil {
				t.Errorf("%s of %s is taken", name, odd)
			}
		}
	}
}

// TestSubjectIsOnePattern: commas of a bound subject are part of it, as in distinguished names.
func TestSubjectIsOnePattern(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		bound, subject string
		want           bool
	}{
		{"CN=*,O=Acme", "CN=build,O=Acme", true}, {"CN=*,O=Acme", "CN=eve,O=Evil", false}, {"CN=*,O=Acme", "O=Acme", false}, {"CN=*,O=Acme", "CN=*", false},
		{"a,b", "a,b", true}, {"a,b", "a", false}, {"a,b", "b", false}, {"{a,b}", "b", true}, {"{a,b},c", "b,c", true}, {"a", "a", true}, {"a*", "a,b", true},
		{"repo:acme/*:ref:refs/heads/*", "repo:acme/site:ref:refs/heads/main", true},
	} {
		bound := httpapi.Text(c.bound)
		b := &Bounds{Subject: &bound}
		if err := b.Complete(); err != nil {
			t.Fatal(err)
		}
		if got := b.checkSubject(&Claims{Subject: c.subject}) == nil; got != c.want {
			t.Errorf("a subject bound to %q takes %q: %v, want %v", c.bound, c.subject, got, c.want)
		}
	}
}

// TestDiscoveredIssuers: a document describes an issuer to the letter, or all tenants' issuers by a template.
func TestDiscoveredIssuers(t *testing.T) {
	t.Parallel()
	const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	for _, c := range []struct {
		described, meant string
		want             bool
	}{
		{"https://a.example", "https://a.example", true}, {"https://a.example/", "https://a.example", false}, {"https://a.example", "https://a.example/", false},
		{"", "https://a.example", false}, {"https://A.example", "https://a.example", false},
		{"https://sts.example/{tenantid}/", "https://sts.example/" + tenant + "/", true},
		{"https://login.example/{tenantid}/v2.0", "https://login.example/" + tenant + "/v2.0", true},
		{"https://login.example/{tenantid}/v2.0", "https://login.example/" + tenant + "/v1.0", false},
		{"https://login.example/{tenantid}/v2.0", "https://login.example/a/b/v2.0", false},
		{"https://login.example/{tenantid}/v2.0", "https://login.example//v2.0", false},
		{"https://login.example/{tenantid}/v2.0", "https://login.example/v2.0", false},
		{"https://login.example/{tenantid}/v2.0", "https://login.example/{tenantid}/v2.0", false},
		{"{tenantid}", "https://evil.example", false},
	} {
		if got := speaksFor(c.described, c.meant); got != c.want {
			t.Errorf("a document of %q speaks for %q: %v, want %v", c.described, c.meant, got, c.want)
		}
	}
}

// TestOddMembersOfKeys: what is not needed of a key does no harm, however odd it is, and what is needed is read in every
// form that issuers write it in.
func TestOddMembersOfKeys(t *testing.T) {
	t.Parallel()
	const x, y = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	hex := base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("ab", 32)))
	for name, members := range map[string]string{
		"plain":                    ``,
		"x5t of a hex SHA-256":     `,"x5t":"` + hex + `"`,
		"x5t in another alphabet":  `,"x5t":"+/8="`,
		"x5t#S256 of three bytes":  `,"x5t#S256":"AAAA"`,
		"x5c without certificates": `,"x5c":["not one"]`,
		"x5c of null":              `,"x5c":null`,
		"x5u without scheme":       `,"x5u":"::"`,
		"x5u of a number":          `,"x5u":7`,
		"key_ops of a text":        `,"key_ops":"verify"`,
		"use of null":              `,"use":null`,
		"alg of a list":            `,"alg":[]`,
		"ext and a date":           `,"ext":"true","nbf":"now"`,
		"a private part":           `,"d":"+"`,
	} {
		found := parseKeys([]byte(`{"keys":[{"kty":"EC","crv":"P-256","kid":"1","x":"` + x + `","y":"` + y + `"` + members + `}]}`))
		if len(found) != 1 || found[0].KeyID != "1" || !found[0].IsPublic() {
			t.Errorf("a key with %s is read as %v", name, found)
		}
	}
	std := base64.StdEncoding.EncodeToString(unbase64(t, y))
	signed := base64.RawURLEncoding.EncodeToString(append([]byte{0}, unbase64(t, x)...))
	plain := parseKeys([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"` + x + `","y":"` + y + `"}]}`))
	odd := parseKeys([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"` + signed + `","y":"` + std + `"}]}`))
	if len(odd) != 1 || !odd[0].Key.(*ecdsa.PublicKey).Equal(plain[0].Key) {
		t.Errorf("a key with a sign byte and padding is read as %v", odd)
	}
	for name, key := range map[string]string{"for encryption": `"use":"enc"`, "without y": `"y":""`, "off the curve": `"y":"` + x + `"`} {
		if found := parseKeys([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"` + x + `","y":"` + y + `",` + key + `}]}`)); len(found) != 0 {
			t.Errorf("a key %s is read as %v", name, found)
		}
	}
}

// TestShortCoordinates: some issuers drop the zeros at the beginning of a coordinate.
func TestShortCoordinates(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 31, 32, 33} {
		o := append(make(octets, size-1), 7).ofSize(32)
		if len(o) != 32 || o[31] != 7 {
			t.Errorf("a coordinate of %d bytes becomes %v", size, o)
		}
	}
}

func unbase64(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestIssuersAreToldApart: what is kept and what is under way goes by one key, which tells apart whatever is asked
// differently.
func TestIssuersAreToldApart(t *testing.T) {
	t.Parallel()
	seen := map[string]issuer{}
	for _, i := range []issuer{{}, {url: "a"}, {caCert: "a"}, {url: "a", caCert: "b"}, {url: "ab"}, {url: "a", discovered: true}, {discovered: true},
		{url: "a", discovered: true, name: "b"}, {url: "a", caCert: "b", discovered: true}, {url: "a\x00b"}, {url: "a", name: "b"}} {
		key, err := i.key()
		if other, taken := seen[key]; err != nil || taken {
			t.Errorf("%+v and %+v are both %s, %v", i, other, key, err)
		}
		seen[key] = i
	}
}

func TestHintsOfGitHub(t *testing.T) {
	t.Parallel()
	ids := `"repository_id":"456789","repository_owner_id":"123456"`
	for name, c := range map[string]struct{ claims, has string }{
		"by name":             {`{"sub":"repo:octocat/my-repo:ref:refs/heads/main",` + ids + `}`, "has the form " + gitHubByName},
		"by id":               {`{"sub":"repo:octocat-123456/my-repo-456789:ref:refs/heads/main",` + ids + `}`, "has the form " + gitHubByID},
		"by name with digits": {`{"sub":"repo:octocat-7/my-repo-456789:environment:prod",` + ids + `}`, "has the form " + gitHubByName},
		"ids as numbers":      {`{"sub":"repo:octocat-1/my-repo-2","repository_id":2,"repository_owner_id":1}`, "has the form " + gitHubByID},
		"of GitLab":           {`{"sub":"project_path:acme/site:ref_type:branch:ref:main","project_id":"22"}`, ""},
		"without ids":         {`{"sub":"repo:octocat/my-repo:ref:refs/heads/main"}`, ""},
		"with odd ids":        {`{"sub":"repo:octocat/my-repo","repository_id":"x","repository_owner_id":["1"]}`, ""},
	} {
		parsed, err := parseClaims([]byte(c.claims))
		if err != nil {
			t.Fatal(err)
		}
		hint := hintOfGitHub(parsed)
		if !strings.Contains(hint, c.has) || c.has == "" && hint != "" {
			t.Errorf("%s: the hint is %q", name, hint)
		}
		if hint != "" && !(strings.Contains(hint, gitHubByName) && strings.Contains(hint, gitHubByID) && strings.Contains(hint, "repository_owner_id")) {
			t.Errorf("%s: the hint %q lacks a form or the claims", name, hint)
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
			if keys, err := Static([]string{text})(t.Context(), "", false); err != nil || len(keys) != 1 {
				t.Errorf("a key that was accepted is not used: %v", err)
			}
		}
		_ = CheckCACert("c", text)
	})
}
