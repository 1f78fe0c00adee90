package hostile

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// post sends a JSON body as the administrator, and returns the status and how long the answer took.
func post(t *testing.T, path, body string) (int, time.Duration) {
	t.Helper()
	began := time.Now()
	got := send(t, request("POST", path, target.Admin, "Content-Type: application/json", "Content-Length: "+strconv.Itoa(len(body)))+body)
	return status(got), time.Since(began)
}

// TestJSONBombs: small texts that become large, deep or slow.
func TestJSONBombs(t *testing.T) {
	const size = 4 << 20
	before := resident(t)
	for name, body := range map[string]string{
		"deep lists":                  strings.Repeat("[", size),
		"deep objects":                strings.Repeat(`{"a":`, size/5),
		"deep in a name":              `{"name":` + strings.Repeat("[", size/2) + strings.Repeat("]", size/2) + `}`,
		"wide list":                   "[" + strings.Repeat("0,", size/2) + "0]",
		"wide list of objects":        `{"name":"x","metadata":[` + strings.Repeat("{},", size/3) + "{}]}",
		"number of many digits":       `{"name":` + strings.Repeat("9", size) + `}`,
		"number with a vast exponent": `{"name":1e` + strings.Repeat("9", size) + `}`,
		"escapes":                     `{"name":"` + strings.Repeat(`\u0000`, size/6) + `"}`,
		"half surrogates":             `{"name":"` + strings.Repeat(`\ud800`, size/6) + `"}`,
		"string without end":          `{"name":"` + strings.Repeat("a", size),
		"one key, many times":         `{` + strings.Repeat(`"name":"a",`, size/11) + `"name":1}`,
	} {
		t.Run("refused/"+name, func(t *testing.T) {
			got, took := post(t, "/api/v1/identities", body)
			if got < 400 || got > 422 {
				t.Errorf("answered %d, want a refusal", got)
			}
			if took > patience/2 {
				t.Errorf("it took %s", took)
			}
		})
	}
	if grown := resident(t) - before; grown > 512<<20 {
		t.Errorf("the server took %d MB more memory", grown>>20)
	}
	servesOthers(t)
}

// TestFloodOfKeys: keys that collide cannot be made for maps whose hash has a secret key, as those of Go; so the time of an
// object grows as its number of keys does. Eight times the keys would take 64 times as long if it were quadratic.
func TestFloodOfKeys(t *testing.T) {
	small, large := keys(1_500), keys(12_000)
	fastest := func(body string) time.Duration {
		best := patience
		for range 7 {
			if got, took := post(t, "/api/v1/identities", body); got != 422 {
				t.Fatalf("answered %d, want 422", got)
			} else if took < best {
				best = took
			}
		}
		return best
	}
	a, b := fastest(small), fastest(large)
	t.Logf("%d bytes of keys took %s, %d took %s", len(small), a, len(large), b)
	if b > 30*a {
		t.Errorf("eight times the keys took %.1f times as long", float64(b)/float64(a))
	}
}

// keys returns an object of n keys that differ little, and without what the route wants.
func keys(n int) string {
	var body strings.Builder
	body.WriteByte('{')
	for i := range n {
		fmt.Fprintf(&body, `"%s%06d":{},`, strings.Repeat("a", 32), i)
	}
	return body.String() + `"role":"no-access"}`
}
