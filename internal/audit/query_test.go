package audit

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

func TestQueryChecksPermission(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		nobody := admin(t)
		nobody.Ability = nil
		_, err := f.Query(t.Context(), nobody, Filter{Limit: 1})
		if !fault.Is(err, fault.PermissionDenied) {
			t.Errorf("got %v; want a refusal", err)
		}
	})
}

func TestQueryRefuses(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for name, c := range map[string]struct {
			filter Filter
			want   fault.Kind
		}{
			"refused/end before start":     {Filter{From: noon, To: noon.Add(-time.Millisecond)}, fault.Validation},
			"refused/more than 3 months":   {Filter{From: noon.Add(-maxSpan - time.Millisecond), To: noon}, fault.Validation},
			"refused/start in the future":  {Filter{From: noon.Add(time.Hour)}, fault.Validation},
			"refused/actor of no identity": {Filter{ActorType: "platform", ActorID: "x"}, fault.BadRequest},
		} {
			t.Run(name, func(t *testing.T) {
				if _, err := f.Query(t.Context(), admin(t), c.filter); !fault.Is(err, c.want) {
					t.Errorf("got %v", err)
				}
			})
		}
		if err := f.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := f.types(); len(got) != 0 {
			t.Errorf("refused queries left %v", got)
		}
	})
}

// TestQueryDefaults: from the midnight (UTC) before the end to now, ends included.
func TestQueryDefaults(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		actor, midnight := admin(t), noon.Add(-12*time.Hour)
		for n, at := range []time.Time{midnight.Add(-time.Millisecond), midnight, noon, noon.Add(time.Millisecond)} {
			f.clock.ms.Store(at.UnixMilli())
			f.record(actor, Event{Type: Type{numbered(n)}})
		}
		f.clock.ms.Store(noon.UnixMilli())
		for name, c := range map[string]struct {
			filter Filter
			want   []string
		}{
			"nothing asked":         {Filter{}, []string{numbered(2), numbered(1)}},
			"end alone":             {Filter{To: midnight.Add(-time.Millisecond)}, []string{numbered(0)}},
			"start alone":           {Filter{From: midnight.Add(-time.Hour)}, []string{numbered(2), numbered(1), numbered(0)}},
			"both, in another zone": {Filter{From: noon.In(time.FixedZone("", 3600)), To: noon.Add(time.Hour)}, []string{numbered(3), numbered(2)}},
			"an instant":            {Filter{From: midnight, To: midnight}, []string{numbered(1)}},
		} {
			t.Run(name, func(t *testing.T) {
				c.filter.Limit = 10
				var got []string
				for _, e := range f.query(actor, c.filter) {
					if e.Event.Type != ViewAuditLogs.name { // of the cases before
						got = append(got, e.Event.Type)
					}
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	})
}

// TestEachReadingIsAnEvent, whichever page it is.
func TestEachReadingIsAnEvent(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		actor := admin(t)
		for offset := range int64(3) {
			f.query(actor, Filter{Offset: offset, Limit: 5})
		}
		if err := f.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.follow(actor, 0, 1)
		if err := f.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{ViewAuditLogs.name, ViewAuditLogs.name, ViewAuditLogs.name, ViewAuditLogs.name}, f.types()); diff != "" {
			t.Error(diff)
		}
	})
}

// odd are values that a careless LIKE, quoting or folding of case would take for one another.
var odd = []string{"a", "A", "%", "_", `\`, `\%`, `"`, `a"b`, "'", "é", "É", "a,b", "a=b", "<a>", "\u0001", "", "ab", `{"k":"a"}`, `","k":"a`}

var (
	agentTexts = []string{"terraform", "cli", "curl"}
	kinds      = []string{"create-identity", "delete-identity", "x", "X"}
)

// recorded is an event together with who and when.
type recorded struct {
	Event
	actor *access.Actor
	at    int64
}

func drawEvent(t *rapid.T, actors []*access.Actor) recorded {
	actor := *rapid.SampledFrom(actors).Draw(t, "actor")
	actor.Client.UserAgent = rapid.SampledFrom(agentTexts).Draw(t, "agent")
	metadata := map[string]any{"n": 1}
	for _, name := range []string{"k", "K", "%"} {
		if rapid.Bool().Draw(t, "has "+name) {
			metadata[name] = rapid.SampledFrom(odd).Draw(t, "value")
		}
	}
	return recorded{Event{Type: Type{rapid.SampledFrom(kinds).Draw(t, "type")}, Metadata: metadata,
		ProjectID: rapid.SampledFrom([]string{"", "p", "P"}).Draw(t, "project")}, &actor, 0}
}

// drawFilter draws a filter in which each field is set now and then.
func drawFilter(t *rapid.T, actors []*access.Actor) Filter {
	f := Filter{Offset: rapid.Int64Range(0, 3).Draw(t, "offset"), Limit: rapid.Int64Range(1, 5).Draw(t, "limit"), From: noon.Add(-time.Hour)}
	sometimes := func(name string) bool { return rapid.IntRange(0, 3).Draw(t, "by "+name) == 0 }
	if sometimes("project") {
		f.ProjectID = rapid.SampledFrom([]string{"p", "P", "q"}).Draw(t, "project")
	}
	if sometimes("actor") {
		f.ActorID = rapid.SampledFrom(actors).Draw(t, "actor").ID
	}
	if sometimes("actor type") {
		f.ActorType = rapid.SampledFrom([]string{"identity", "user"}).Draw(t, "actor type")
	}
	if sometimes("agent") {
		f.UserAgentType = userAgentType(rapid.SampledFrom(agentTexts).Draw(t, "agent"))
	}
	if sometimes("type") {
		f.EventTypes = rapid.SliceOfNDistinct(rapid.SampledFrom(kinds), 1, 3, rapid.ID).Draw(t, "types")
	}
	for range rapid.IntRange(0, 2).Draw(t, "pairs") {
		f.Metadata = append(f.Metadata, Pair{rapid.SampledFrom([]string{"k", "K", "%", "n"}).Draw(t, "name"), rapid.SampledFrom(odd).Draw(t, "value")})
	}
	return f
}

func (f Filter) chooses(orgID string, r recorded) bool {
	meets := func(p Pair) bool { return r.Metadata.(map[string]any)[p.Name] == p.Value }
	return r.actor.OrgID == orgID &&
		(f.ProjectID == "" || f.ProjectID == r.ProjectID) &&
		(f.ActorID == "" || f.ActorID == r.actor.ID) &&
		(f.ActorType == "" || f.ActorType == string(r.actor.Type)) &&
		(f.UserAgentType == "" || f.UserAgentType == userAgentType(r.actor.Client.UserAgent)) &&
		(len(f.EventTypes) == 0 || slices.Contains(f.EventTypes, r.Type.name)) &&
		!slices.ContainsFunc(f.Metadata, func(p Pair) bool { return !meets(p) })
}

// TestQueryFindsWhatANaiveFilterFinds, on both engines alike, page by page.
func TestQueryFindsWhatANaiveFilterFinds(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		rapid.Check(t, func(rt *rapid.T) {
			first, stranger := admin(t), admin(t)
			second, person := *first, *first
			second.ID, person.ID, person.Type = stranger.ID, stranger.TokenID, access.ActorUser
			actors := []*access.Actor{first, &second, &person, stranger}
			var all []recorded
			for range rapid.IntRange(0, 12).Draw(rt, "events") {
				r := drawEvent(rt, actors)
				f.clock.advance(time.Millisecond) // so that their order is certain
				r.at = f.clock.ms.Load()
				f.record(r.actor, r.Event)
				all = append(all, r)
			}
			for range 10 {
				f.clock.advance(time.Millisecond)
				filter := drawFilter(rt, actors)
				var want []int64
				for _, r := range slices.Backward(all) {
					if filter.chooses(first.OrgID, r) {
						want = append(want, r.at)
					}
				}
				want = want[min(filter.Offset, int64(len(want))):]
				want = want[:min(filter.Limit, int64(len(want)))]
				var got []int64
				for _, e := range f.query(first, filter) {
					got = append(got, int64(e.CreatedAt))
				}
				if diff := cmp.Diff(append([]int64{}, want...), append([]int64{}, got...)); diff != "" {
					rt.Fatalf("%+v\n%s", filter, diff)
				}
				view := *first // the next query finds the event of this one
				all = append(all, recorded{Event{Type: ViewAuditLogs, Metadata: map[string]any{}}, &view, f.clock.ms.Load()})
			}
		})
	})
}

// TestMetadataIsStoredAsJSON, whatever its Go type.
func TestMetadataIsStoredAsJSON(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		actor := admin(t)
		f.record(actor, Event{Type: Type{"x"}, Metadata: struct {
			IPs []string `json:"ips"`
			N   int      `json:"n"`
		}{[]string{"0.0.0.0/0"}, 5}})
		got := f.query(actor, Filter{Limit: 1})
		if len(got) != 1 || !json.Valid(got[0].Event.Metadata) || string(got[0].Event.Metadata) != `{"ips":["0.0.0.0/0"],"n":5}` {
			t.Errorf("got %+v", got)
		}
	})
}

func TestParsePairs(t *testing.T) {
	many := ""
	for range maxPairs + 1 {
		many += "a=b,"
	}
	for name, c := range map[string]struct {
		text string
		want []Pair
		ok   bool
	}{
		"empty":            {"", nil, true},
		"one":              {"a=b", []Pair{{"a", "b"}}, true},
		"two":              {"a=b,c=d", []Pair{{"a", "b"}, {"c", "d"}}, true},
		"equals in value":  {"a=b=c", []Pair{{"a", "b=c"}}, true},
		"empty value":      {"a=", []Pair{{"a", ""}}, true},
		"stray commas":     {",a=b,,", []Pair{{"a", "b"}}, true},
		"refused/no name":  {"=b", nil, false},
		"refused/no sign":  {"a", nil, false},
		"refused/too many": {many, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parsePairs(c.text)
			if diff := cmp.Diff(c.want, got); c.ok && diff != "" {
				t.Error(diff)
			}
			if c.ok != (err == nil) || !c.ok && !fault.Is(err, fault.Validation) {
				t.Errorf("error %v", err)
			}
		})
	}
}
