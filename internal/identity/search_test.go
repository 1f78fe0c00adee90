package identity

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/role"
)

// oddNames are names that a careless LIKE, quoting or folding of case would take for one another.
var oddNames = []string{"a", "A", "ab", "aB", "%", "a%b", "_", "a_b", "axb", `\`, `a\b`, `\%`, "'", `"`, "é", "É", "ß", "日本", "", " a", "a "}

var slugs = []string{role.Admin, "member", role.NoAccess}

// someone is an identity of the naive search.
type someone struct{ id, name, role string }

func drawMatch(t *rapid.T) Match {
	if rapid.Bool().Draw(t, "by role") {
		return Match{"role", rapid.SampledFrom([]string{"$eq", "$in"}).Draw(t, "op"), []string{rapid.SampledFrom(slugs).Draw(t, "role")}}
	}
	m := Match{Field: "name", Op: rapid.SampledFrom([]string{"$eq", "$contains", "$in"}).Draw(t, "op"), Values: []string{rapid.SampledFrom(oddNames).Draw(t, "name")}}
	if m.Op == "$in" {
		m.Values = rapid.SliceOfN(rapid.SampledFrom(oddNames), 0, 3).Draw(t, "names")
	}
	return m
}

func drawSearch(t *rapid.T) Search {
	return Search{AnyOf: rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(drawMatch), 0, 3), 0, 3).Draw(t, "any of"),
		OrderBy: rapid.SampledFrom([]string{"name", "role"}).Draw(t, "order"), Descending: rapid.Bool().Draw(t, "descending"),
		Offset: rapid.Int64Range(0, 4).Draw(t, "offset"), Limit: rapid.Int64Range(1, 6).Draw(t, "limit")}
}

func (m Match) meets(s someone) bool {
	field := map[string]string{"name": s.name, "role": s.role}[m.Field]
	if m.Op == "$contains" {
		return strings.Contains(strings.ToLower(field), strings.ToLower(m.Values[0]))
	}
	return slices.Contains(m.Values, field)
}

func (q Search) chooses(s someone) bool {
	fails := func(m Match) bool { return !m.meets(s) }
	whole := func(all []Match) bool { return !slices.ContainsFunc(all, fails) }
	return len(q.AnyOf) == 0 || slices.ContainsFunc(q.AnyOf, whole)
}

func (q Search) compare(a, b someone) int {
	byRole := 0
	if q.OrderBy == "role" {
		byRole = cmp.Compare(a.role, b.role)
	}
	order := cmp.Or(byRole, cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id))
	if q.Descending {
		order = -order
	}
	return order
}

// TestSearchFindsWhatANaiveFilterFinds, on both engines alike, in the same order, page by page, with the true total.
func TestSearchFindsWhatANaiveFilterFinds(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		var all []someone
		for n, name := range append(oddNames, oddNames...) { // names need not be unique
			slug := slugs[n%len(slugs)]
			all = append(all, someone{f.create(name, slug).ID, name, slug})
		}
		elsewhere := id.New()
		f.addOrg(elsewhere)
		if _, err := f.Create(t.Context(), f.actor(elsewhere, role.Admin), elsewhere, changes("a", role.Admin)); err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(rt *rapid.T) {
			q := drawSearch(rt)
			var want []someone
			for _, s := range all {
				if q.chooses(s) {
					want = append(want, s)
				}
			}
			slices.SortFunc(want, q.compare)
			total := int64(len(want))
			want = want[min(q.Offset, total):]
			want = want[:min(q.Limit, int64(len(want)))]
			found, count, err := f.Search(f.t.Context(), f.admin(), q)
			if err != nil || count != total {
				rt.Fatalf("total %d, %v; want %d", count, err, total)
			}
			var got []someone
			for _, m := range found {
				got = append(got, someone{m.Identity.ID, m.Name, m.Role})
			}
			if diff := gocmp.Diff(append([]someone{}, want...), append([]someone{}, got...), gocmp.AllowUnexported(someone{})); diff != "" {
				rt.Fatalf("%+v\n%s", q, diff)
			}
		})
	})
}

// TestSearchOfManyRoles has each identity once, with the oldest of its roles.
func TestSearchOfManyRoles(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		d := f.create("robot", "member")
		f.exec(`INSERT INTO membership_roles (id, membership_id, role, temporary, access_start, access_end, created_at, updated_at)
			SELECT $1, id, 'admin', TRUE, 0, 1, 0, 0 FROM memberships WHERE identity_id = $2`, id.New(), d.ID)
		found, total, err := f.Search(t.Context(), f.admin(), Search{OrderBy: "name", Limit: 10})
		if err != nil || total != 1 || len(found) != 1 || found[0].Role != "member" {
			t.Errorf("%+v of %d, %v; want the identity once, as a member", found, total, err)
		}
	})
}

func TestSearchChecksPermission(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	_, _, err := f.Search(t.Context(), f.actor(f.org, role.NoAccess), Search{OrderBy: "name", Limit: 10})
	want(t, err, fault.PermissionDenied)
}

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
	house := newFixture(f, sqldb.SQLite)
	admin := house.admin()
	f.Fuzz(func(t *testing.T, text string) {
		anyOf, err := parseSearch(json.RawMessage(text))
		if err != nil {
			want(t, err, fault.Validation)
			return
		}
		if _, _, err := house.Search(t.Context(), admin, Search{AnyOf: anyOf, OrderBy: "name", Limit: 1}); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	})
}
