package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/test/load/result"
)

// known is a result with four points: of open loops, but for a plot of throughput.
func known(t testing.TB, kind Kind) []*result.Result {
	t.Helper()
	var texts []string
	for i := 1; i <= 4; i++ {
		rate := 1000 * i
		if kind == Throughput {
			rate = 0
		}
		texts = append(texts, fmt.Sprintf(`{"callers":%d,"rate":%d,"kinds":{"verify":{"count":10,"perSecond":%d,"p50ms":0.%d,"p99ms":%d}},
			"replicas":[{"url":"http://127.0.0.1","residentBytesAfter":%d000000,"revokedTokensAfter":%d000}]}`, i*i, rate, 5000*i, i, i, 40*i, i))
	}
	r, err := result.Parse([]byte(`{"schema":1,"settings":{"label":"a < b"},"points":[` + strings.Join(texts, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return []*result.Result{r}
}

func TestPicture(t *testing.T) {
	for _, c := range []struct {
		kind  Kind
		words []string // that stand in it
		lines int      // of four points each
	}{
		{Latency, []string{"A title", "intended load (operations/s)", "latency from the intended start (ms)", "verify, a < b: p50", "verify, a < b: p99", "2000"}, 2},
		{Throughput, []string{"A title", "callers", "answers/s", "verify, a < b", "16"}, 1},
		{Memory, []string{"A title", "live revocations (thousands)", "resident memory of the server (MB)", "a < b"}, 1},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			picture, err := Draw(c.kind, "A title", known(t, c.kind))
			if err != nil {
				t.Fatal(err)
			}
			again, _ := Draw(c.kind, "A title", known(t, c.kind))
			if !bytes.Equal(picture, again) {
				t.Error("the same results give another picture")
			}
			words, marks := elements(t, picture)
			for _, word := range c.words {
				if !words[word] {
					t.Errorf("the picture does not say %q", word)
				}
			}
			if want := c.lines * (4 + 1); marks != want { // one more in the legend
				t.Errorf("%d marks, want %d", marks, want)
			}
		})
	}
}

// elements reads an SVG, and returns its texts and how many marks in the first color it has.
func elements(t testing.TB, svg []byte) (words map[string]bool, marks int) {
	t.Helper()
	words = map[string]bool{}
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return words, marks
		}
		if err != nil {
			t.Fatalf("no XML: %v", err)
		}
		switch token := token.(type) {
		case xml.CharData:
			words[string(token)] = true
		case xml.StartElement:
			for _, a := range token.Attr {
				if a.Name.Local == "style" && strings.Contains(strings.ToUpper(a.Value), "FILL:#0072B2") {
					marks++
				}
			}
		}
	}
}

func TestNothingToDraw(t *testing.T) {
	r := &result.Result{Schema: result.Schema, Points: []result.Point{{Callers: 1}}}
	var got []string
	for _, kind := range []Kind{Latency, Throughput, Memory, "pie"} {
		_, err := Draw(kind, "", []*result.Result{r})
		got = append(got, fmt.Sprint(err))
	}
	want := []string{"there is nothing in the results for a plot of latency", "there is nothing in the results for a plot of throughput",
		"there is nothing in the results for a plot of memory", `there is no plot of "pie"`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

// FuzzDraw draws whatever can be read as results.
func FuzzDraw(f *testing.F) {
	f.Add([]byte(`{"schema":1,"points":[{"callers":1,"rate":5,"kinds":{"a":{"count":1,"perSecond":0,"p50ms":1,"p99ms":1}}}]}`))
	f.Add([]byte(`{"schema":1,"points":[{"callers":1,"kinds":{"a":{"count":1,"perSecond":2}}},{"replicas":[{"residentBytesAfter":0,"revokedTokensAfter":0}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := result.Parse(text)
		if err != nil {
			return
		}
		for _, kind := range []Kind{Latency, Throughput, Memory} {
			if picture, err := Draw(kind, r.Settings.Label, []*result.Result{r}); err == nil {
				elements(t, picture)
			}
		}
	})
}
