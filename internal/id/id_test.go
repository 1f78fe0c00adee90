package id_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/id"
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
