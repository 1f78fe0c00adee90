package httpapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/httpapi"
)

func TestTime(t *testing.T) {
	tests := map[string]struct {
		at   httpapi.Time
		want string
	}{
		"whole seconds keep their decimals": {1767323045000, `"2026-01-02T03:04:05.000Z"`},
		"milliseconds":                      {1767323045678, `"2026-01-02T03:04:05.678Z"`},
		"the beginning":                     {0, `"1970-01-01T00:00:00.000Z"`},
		"before the beginning":              {-1, `"1969-12-31T23:59:59.999Z"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, err := json.Marshal(tt.at); err != nil || string(got) != tt.want {
				t.Errorf("got %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestTimeInOpenAPI(t *testing.T) {
	type timesOut struct {
		Body struct {
			Made httpapi.Time  `json:"made"`
			Used *httpapi.Time `json:"used"`
		}
	}
	a := httpapi.New(httpapi.Options{Authenticate: authenticate})
	handle[httpapi.Empty, timesOut](a, httpapi.Route{Method: "GET", Path: "/times", ID: "times", AnyActor: true})
	text, err := a.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.Join(strings.Fields(string(text)), "")
	for _, want := range []string{`"made":{"format":"date-time","type":"string"}`, `"used":{"format":"date-time","type":["string","null"]}`} {
		if !strings.Contains(plain, want) {
			t.Errorf("the document lacks %s: %s", want, text)
		}
	}
}

func TestTrimmed(t *testing.T) {
	for text, want := range map[httpapi.Text]string{"": "", " a b\u00a0": "a b", "\t": "", "a": "a"} {
		if got := text.Trimmed(); got != want {
			t.Errorf("%q trims to %q, want %q", text, got, want)
		}
	}
}
