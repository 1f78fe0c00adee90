package id_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/id"
)

func TestParse(t *testing.T) {
	const good = "0199c8a0-1b2c-7def-8123-456789abcdef"
	tests := map[string]struct {
		text string
		ok   bool
	}{
		"accepted":               {good, true},
		"accepted/any version":   {"00000000-0000-0000-0000-000000000000", true},
		"refused/empty":          {"", false},
		"refused/upper case":     {strings.ToUpper(good), false},
		"refused/no dashes":      {strings.ReplaceAll(good, "-", ""), false},
		"refused/in braces":      {"{" + good + "}", false},
		"refused/as URN":         {"urn:uuid:" + good, false},
		"refused/one digit less": {good[:35], false},
		"refused/one digit more": {good + "0", false},
		"refused/dash misplaced": {"0199c8a01-b2c-7def-8123-456789abcdef", false},
		"refused/no hex digit":   {"0199c8a0-1b2c-7def-8123-456789abcdeg", false},
		"refused/a byte above":   {good[:35] + "\xff", false},
		"refused/a space before": {" " + good[:35], false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			u, ok := id.Parse(tt.text)
			if ok != tt.ok || id.Valid(tt.text) != tt.ok {
				t.Fatalf("accepted: %v, want %v", ok, tt.ok)
			}
			if ok && u.String() != tt.text {
				t.Errorf("means %s", u)
			}
		})
	}
}

// What is accepted means what the UUID library says it means, and is written in its canonical form.
func TestParseAgreesWithTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes")).String()
		if rapid.Bool().Draw(t, "spoil") {
			at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
			text = text[:at] + string(rune(rapid.ByteRange(0, 127).Draw(t, "byte"))) + text[at+1:]
		}
		want, err := uuid.Parse(text)
		wantOK := err == nil && want.String() == text
		got, ok := id.Parse(text)
		if ok != wantOK || ok && got != want {
			t.Fatalf("%q: %v %v, want %v %v", text, got, ok, want, wantOK)
		}
	})
}

// TestNew: ids are unique, in the order in which they were made, of version 7, and read back.
func TestNew(t *testing.T) {
	last := ""
	for range 1000 {
		made := id.New()
		u, ok := id.Parse(made)
		if !ok || u.Version() != 7 || made <= last {
			t.Fatalf("%q after %q", made, last)
		}
		last = made
	}
}

func TestSecretsAndRequestIDs(t *testing.T) {
	request := regexp.MustCompile(`^req-[A-Za-z0-9]{14}$`)
	secret := regexp.MustCompile(`^[0-9a-f]{64}$`)
	seen := map[string]bool{}
	for range 1000 {
		r, s := id.Request(), id.Secret(32)
		if !request.MatchString(r) || !secret.MatchString(s) || seen[r] || seen[s] {
			t.Fatalf("%q, %q", r, s)
		}
		seen[r], seen[s] = true, true
	}
	if s := id.Secret(0); s != "" {
		t.Errorf("no bytes are %q", s)
	}
}

// TestCredible: only what New makes is credible, from now or from any time before.
func TestCredible(t *testing.T) {
	now := id.New()
	u, _ := id.Parse(now)
	at := func(later int64) string { // the same id, made so many milliseconds later
		v, ms := u, later
		for i := range 6 {
			ms += int64(u[i]) << (40 - 8*i)
		}
		for i := range 6 {
			v[i] = byte(ms >> (40 - 8*i))
		}
		return v.String()
	}
	for name, test := range map[string]struct {
		text string
		want bool
	}{
		"now":                {now, true},
		"ten years ago":      {at(-10 * 365 * 24 * 3_600_000), true},
		"within the slack":   {at(3_000_000), true},
		"beyond the slack":   {at(4_000_000), false},
		"random":             {uuid.New().String(), false},
		"the nil UUID":       {uuid.Nil.String(), false},
		"the greatest":       {uuid.Max.String(), false},
		"of another variant": {now[:19] + "c" + now[20:], false},
		"in upper case":      {strings.ToUpper(now[:35]) + "A", false},
		"no UUID":            {"a,b", false},
		"nothing":            {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := id.Credible(test.text, time.Hour); got != test.want {
				t.Errorf("%s: %v; want %v", test.text, got, test.want)
			}
		})
	}
}
