package importer

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "0": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "999999": time.Hour, "99999999999999999999": 0} {
		h := http.Header{}
		h.Set("Retry-After", text)
		if got := retryAfter(h); got != want {
			t.Errorf("%q waits %s, want %s", text, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for body, want := range map[string]string{
		`{"message":"no such thing"}`: "no such thing", `{"message":[{"message":"too long","path":["name",0]},{"message":"bad"}]}`: "[name 0]: too long []: bad",
		`{"message":7}`: "", `{}`: "", `nonsense`: "", `{"message":"a\u001b[31mred\nline"}`: "a [31mred line", `{"message":"` + strings.Repeat("x", 500) + `"}`: strings.Repeat("x", 400) + "...",
	} {
		if got := words([]byte(body)); got != want {
			t.Errorf("%.60s says %q, want %q", body, got, want)
		}
	}
}

// FuzzAnswers reads whatever a server may answer. What comes of it can be printed on one line.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"message":"no","secrets":[{"secretKey":"A","secretValue":"b","tags":[{"slug":"x"}]}]}`))
	f.Add([]byte(`{"message":[{"message":"no","path":["a"]}],"secrets":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if said := words(text); strings.ContainsAny(said, "\n\r\x1b") || !utf8.ValidString(said) || len(said) > 403 {
			t.Errorf("%q says %q", text, said)
		}
		secrets, err := decode[[]wireSecret](&client{side: "source"}, text, "secrets")
		if err != nil {
			return
		}
		for _, s := range *secrets {
			if once, twice := s.item().digest(), s.item().digest(); once != twice {
				t.Errorf("a secret of %q differs from itself", text)
			}
		}
	})
}

// TestDigest tells secrets apart by all that is carried over of them, and by nothing else.
func TestDigest(t *testing.T) {
	some := func(s string) *string { return &s }
	days, yes, no := int64(3), true, false
	base := func() wireSecret {
		return wireSecret{Key: "K", Value: some("v"), Comment: "c", Metadata: []metadata{{"a", "1", false}, {"b", "2", true}}, Tags: []wireTag{{ID: "1", Slug: "x"}, {ID: "2", Slug: "y"}}}
	}
	one := base()
	for name, c := range map[string]struct {
		change func(*wireSecret)
		same   bool
	}{
		"same/order of tags and metadata": {func(s *wireSecret) {
			s.Tags[0], s.Tags[1], s.Metadata[0], s.Metadata[1] = s.Tags[1], s.Tags[0], s.Metadata[1], s.Metadata[0]
		}, true},
		"same/ids of tags":         {func(s *wireSecret) { s.Tags[0].ID = "9" }, true},
		"same/nothing and empty":   {func(s *wireSecret) { s.Note, s.Days, s.Skip = some(""), new(int64), &no }, true},
		"same/what servers trim":   {func(s *wireSecret) { s.Value = some(" " + *s.Value + " ") }, true},
		"differs/value":            {func(s *wireSecret) { s.Value = some("other") }, false},
		"differs/comment":          {func(s *wireSecret) { s.Comment = "" }, false},
		"differs/key":              {func(s *wireSecret) { s.Key = "k" }, false},
		"differs/encoding":         {func(s *wireSecret) { s.Skip = &yes }, false},
		"differs/tag":              {func(s *wireSecret) { s.Tags = s.Tags[:1] }, false},
		"differs/metadata":         {func(s *wireSecret) { s.Metadata[0].Encrypted = true }, false},
		"differs/reminder":         {func(s *wireSecret) { s.Days = &days }, false},
		"differs/note of reminder": {func(s *wireSecret) { s.Note = some("n") }, false},
	} {
		other := base()
		c.change(&other)
		if same := one.item().digest() == other.item().digest(); same != c.same {
			t.Errorf("%s: counts as the same: %v", name, same)
		}
	}
}

func TestSettable(t *testing.T) {
	got := settable(map[string]any{"id": "1", "identityId": "2", "clientId": "3", "createdAt": "4", "accessTokenTTL": 5.0, "caCert": nil})
	if diff := cmp.Diff(map[string]any{"accessTokenTTL": 5.0}, got); diff != "" {
		t.Error(diff)
	}
}

// TestEncodeKeepsMarkup: a value takes no more bytes on the way than it has to.
func TestEncodeKeepsMarkup(t *testing.T) {
	if got, err := encode(map[string]string{"v": "<a>&"}); err != nil || string(got) != `{"v":"<a>&"}`+"\n" {
		t.Errorf("got %s, %v", got, err)
	}
}
