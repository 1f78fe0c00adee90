package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// shelf has what answers are made of.
type shelf struct {
	Embedded
	Text  string            `json:"text"`
	Few   string            `json:"few,omitempty"`
	Count int64             `json:"count"`
	Ratio float64           `json:"ratio"`
	On    *bool             `json:"on"`
	Part  *string           `json:"part,omitempty"`
	At    httpapi.Time      `json:"at"`
	Raw   json.RawMessage   `json:"raw,omitempty"`
	Any   any               `json:"any"`
	Map   map[string]any    `json:"map"`
	Names map[string]string `json:"names,omitempty"`
	List  []shelf           `json:"list"`
}

func shelves(depth int) *rapid.Generator[shelf] {
	return rapid.Custom(func(t *rapid.T) shelf {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"\x00\x1f\x7f", "<&>\u2028\u2029", "\xff\xc0", "\"\\/\b\f\n\r\t", "😀", "\ufffd"}))
		value := rapid.OneOf(rapid.Just[any](nil), rapid.Map(text, func(s string) any { return s }), rapid.Map(rapid.Float64Range(-1e30, 1e30), func(f float64) any { return f }))
		s := shelf{Text: text.Draw(t, "text"), Few: text.Draw(t, "few"), Count: rapid.Int64().Draw(t, "count"), Ratio: rapid.Float64Range(-1e30, 1e30).Draw(t, "ratio"),
			On: rapid.Ptr(rapid.Bool(), true).Draw(t, "on"), Part: rapid.Ptr(text, true).Draw(t, "part"), At: httpapi.Time(rapid.Int64Range(0, 1<<42).Draw(t, "at")),
			Any: value.Draw(t, "any"), Map: rapid.MapOfN(text, value, 0, 4).Draw(t, "map"), Names: rapid.MapOfN(text, text, 0, 4).Draw(t, "names")}
		s.Inner = text.Draw(t, "inner")
		s.Raw, _ = json.Marshal(value.Draw(t, "raw"))
		if depth > 0 {
			s.List = rapid.SliceOfN(shelves(depth-1), 0, 3).Draw(t, "list")
		}
		return s
	})
}

// TestAnswersAreWhatEncodingJSONWrites compares the JSON library of answers with the one that everybody knows.
func TestAnswersAreWhatEncodingJSONWrites(t *testing.T) {
	var next shelf
	a := httpapi.New(httpapi.Options{Authenticate: authenticate})
	httpapi.HandleOpen(a, httpapi.Route{Method: "GET", Path: "/shelf", ID: "shelf", Open: true},
		func(context.Context, access.Client, *httpapi.Empty) (*struct{ Body shelf }, error) {
			return &struct{ Body shelf }{next}, nil
		})
	h := a.Handler()
	rapid.Check(t, func(t *rapid.T) {
		next = shelves(2).Draw(t, "shelf")
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(next); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/shelf", nil))
		if got, want := w.Body.String(), strings.TrimSuffix(want.String(), "\n"); got != want {
			t.Fatalf("answered\n%s\nwant\n%s", got, want)
		}
	})
}
