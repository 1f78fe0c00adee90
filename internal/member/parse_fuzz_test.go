package member

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/feed"
)

func TestParseSearch(t *testing.T) {
	name := func(op string, values ...string) Match { return Match{"name", op, values} }
	asRole := func(op string, values ...string) Match { return Match{"role", op, values} }
	many := `["` + strings.Repeat(`x","`, maxConditions) + `x"]`
	alternatives := `[` + strings.Repeat(`{},`, maxConditions) + `{}]`
	for label, c := range map[string]struct {
		text string
		want [][]Match
		ok   bool
	}{
		"nothing":                             {"", nil, true},
		"null":                                {"null", nil, true},
		"everybody":                           {"{}", [][]Match{nil}, true},
		"a name":                              {`{"name":"a"}`, [][]Match{{name("$eq", "a")}}, true},
		"a null name":                         {`{"name":null}`, [][]Match{nil}, true},
		"operators":                           {`{"name":{"$eq":"a","$contains":"b","$in":["c","d"]}}`, [][]Match{{name("$eq", "a"), name("$contains", "b"), name("$in", "c", "d")}}, true},
		"an empty list is met by nobody":      {`{"name":{"$in":[]}}`, [][]Match{{name("$in")}}, true},
		"name and role":                       {`{"role":{"$in":["admin"]},"name":"a"}`, [][]Match{{name("$eq", "a"), asRole("$in", "admin")}}, true},
		"alternatives":                        {`{"$or":[{"name":"a"},{"role":"admin"}]}`, [][]Match{{name("$eq", "a")}, {asRole("$eq", "admin")}}, true},
		"alternatives beside a field":         {`{"role":"admin","$or":[{"name":"a"},{}]}`, [][]Match{{asRole("$eq", "admin"), name("$eq", "a")}, {asRole("$eq", "admin")}}, true},
		"no alternatives":                     {`{"$or":[]}`, [][]Match{nil}, true},
		"refused/text":                        {`"a"`, nil, false},
		"refused/list":                        {`[]`, nil, false},
		"refused/number as name":              {`{"name":5}`, nil, false},
		"refused/list as name":                {`{"name":["a"]}`, nil, false},
		"refused/number in list":              {`{"name":{"$in":[5]}}`, nil, false},
		"refused/object in $or":               {`{"$or":{"name":"a"}}`, nil, false},
		"refused/text in $or":                 {`{"$or":["a"]}`, nil, false},
		"refused/nul":                         {`{"name":"a\u0000"}`, nil, false},
		"refused/half a surrogate":            {`{"name":"\ud800"}`, nil, false},
		"refused/256 bytes":                   {`{"name":"` + strings.Repeat("x", 256) + `"}`, nil, false},
		"refused/too many values":             {`{"name":{"$in":` + many + `}}`, nil, false},
		"refused/too many alternatives":       {`{"$or":` + alternatives + `}`, nil, false},
		"refused/too many values, multiplied": {`{"name":{"$in":["a","b"]},"$or":` + strings.ReplaceAll(alternatives, "{},{}", "{}") + `}`, nil, false},
	} {
		t.Run(label, func(t *testing.T) {
			got, err := parseSearch(json.RawMessage(c.text))
			if c.ok != (err == nil) || !c.ok && !fault.Is(err, fault.Validation) {
				t.Fatalf("error %v", err)
			}
			if diff := gocmp.Diff(c.want, got, gocmp.Comparer(sameMatch)); c.ok && diff != "" {
				t.Error(diff)
			}
		})
	}
}

func sameMatch(a, b Match) bool {
	return a.Field == b.Field && a.Op == b.Op && slices.Equal(a.Values, b.Values)
}

// FuzzSearch throws JSON at the parser and the database: whatever is accepted can be searched for.
func FuzzSearch(f *testing.F) {
	for _, seed := range []string{"", "null", "{}", `{"name":"a","role":"admin"}`, `{"name":{"$eq":"a","$contains":"%","$in":["b"]}}`,
		`{"$or":[{"name":"a"},{"role":{"$in":[]}}]}`, `{"name":{"$contains":"\\"}}`, `{"$or":[{"$or":[]}]}`, `[`} {
		f.Add(seed)
	}
	db := sqldbtest.Open(f, sqldb.SQLite)
	log := feed.New(feed.Options{DB: db, Logger: slog.New(slog.DiscardHandler)})
	members := replica(db, log)
	start(f, log)
	rights, err := access.Resolve([]access.Grant{{Rules: []access.Rule{allow(access.SubjectIdentity, access.Read)}}}, 0)
	if err != nil {
		f.Fatal(err)
	}
	reader := &access.Actor{Type: access.ActorIdentity, ID: id.New(), OrgID: id.New(), Rights: rights}
	f.Fuzz(func(t *testing.T, text string) {
		anyOf, err := parseSearch(json.RawMessage(text))
		if err != nil {
			if !fault.Is(err, fault.Validation) {
				t.Fatalf("got %v; want a fault of validation", err)
			}
			return
		}
		if _, _, _, err := members.Search(t.Context(), reader, InOrganization, Search{AnyOf: anyOf, OrderBy: "name", Limit: 1}); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	})
}
