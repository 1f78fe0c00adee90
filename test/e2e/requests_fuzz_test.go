package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// FuzzRequests makes a good request to any route, on a target that lives, and then changes fields of its body, parameters of
// its query and segments of its path: each two bytes of edits say where and how. Whatever comes of it is answered in the form
// that every answer has, is no 5xx, and if it is refused nothing was changed.
func FuzzRequests(f *testing.F) {
	s := harness.StartReady(f, harness.Unswept)
	s.Watch(f)
	var routes []httpapi.Route
	for _, r := range s.App.API().Routes() {
		if !slices.Contains(last, r.ID) && !r.UserOnly && !endsTheRun(r) {
			routes = append(routes, r)
		}
	}
	for i := 0; i < len(routes); i += 12 { // the others are found: making a target for each takes a while
		f.Add(uint16(i), []byte{byte(i), byte(i + 7), byte(3 * i), byte(i + 11)}, "worker", "limit=1")
	}
	f.Fuzz(func(t *testing.T, which uint16, edits []byte, text, query string) {
		if len(edits) > 16 {
			return
		}
		r := routes[int(which)%len(routes)]
		good := requestOf(t, s, r)
		before := s.Changes(t)
		sent := edited(t, good, edits, text, query)
		req, ok := fuzzed(r, sent.path, "", "application/json", sent.body.([]byte))
		if !ok {
			return
		}
		a := answerTo(s, req)
		for _, fault := range faultsOf(a) {
			if a.Status != 304 {
				t.Errorf("%s %q %.2000s: %s: %d %.500s", r.Method, sent.path, sent.body, fault, a.Status, a.Body)
			}
		}
		if after := s.Changes(t); a.Status >= 400 && after != before {
			t.Errorf("%s %q %.2000s was refused with %d %.500s, and rows were changed: %s", r.Method, sent.path, sent.body, a.Status, a.Body, cmp.Diff(before, after))
		}
	})
}

// edited returns a request with its edits made and its body as text.
func edited(t *testing.T, good request, edits []byte, text, query string) request {
	t.Helper()
	raw, err := json.Marshal(good.body)
	if err != nil {
		t.Fatal(err)
	}
	var body any
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatal(err)
	}
	path := good.path
	for i := 0; i+1 < len(edits); i += 2 {
		where, how := int(edits[i]), int(edits[i+1])
		switch places := placesIn(&body, nil); {
		case where%8 == 7:
			path = withQuery(path, query)
		case where%8 == 6:
			segments := strings.Split(path, "/")
			segments[where/8%len(segments)] = text
			path = strings.Join(segments, "/")
		case body != nil:
			place := places[where%len(places)]
			place.set(values(*place.at, text)[how%len(values(nil, ""))])
		}
	}
	if raw, err = json.Marshal(body); err != nil {
		t.Fatal(err)
	}
	if body == nil {
		raw = nil
	}
	return request{path, raw}
}

// place is a value somewhere in a JSON text, and how to put another one there.
type place struct {
	at  *any
	set func(any)
}

// placesIn returns the places of a JSON value in a fixed order, the whole of it first.
func placesIn(at *any, set func(any)) []place {
	if set == nil {
		set = func(v any) { *at = v }
	}
	all := []place{{at, set}}
	switch v := (*at).(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			inner := v[name]
			all = append(all, placesIn(&inner, func(to any) { v[name] = to })...)
		}
	case []any:
		for i := range v {
			inner := v[i]
			all = append(all, placesIn(&inner, func(to any) { v[i] = to })...)
		}
	}
	return all
}

// values are what an edit may put in the place of a value.
func values(old any, text string) []any {
	return []any{nil, text, "", strings.Repeat(text, 300), true, false, 0, -1, 1.5, 1 << 53, 1e300, []any{}, []any{old, old}, map[string]any{}, map[string]any{text: old},
		map[string]any{"$in": []any{text}}, "/" + text, "${" + text + "}", "0.0.0.0/0", text + "\u0000", "2026-01-01T00:00:00Z", "01890000-0000-7000-8000-000000000000", "admin", []any{old, text, nil}}
}
