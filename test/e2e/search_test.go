package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

func TestSearchIdentities(t *testing.T) {
	s := harness.StartReady(t)
	for name, role := range map[string]string{"alpha": "member", "alpine": "admin", "beta_1": "member", "beta%1": "no-access", "Über": "no-access"} {
		create(t, s, object{"name": name, "role": role}).Want(200)
	}
	admin := "Instance Admin Identity"
	all := []string{admin, "alpha", "alpine", "beta%1", "beta_1", "Über"}
	in := func(values ...string) object { return object{"$in": append([]string{}, values...)} }
	for name, c := range map[string]struct {
		body object
		want []string
	}{
		"nothing finds all by name":               {object{}, all},
		"an empty search finds all":               {object{"search": object{}}, all},
		"a null search finds all":                 {object{"search": nil}, all},
		"a plain name finds just that":            {object{"search": object{"name": "alpha"}}, []string{"alpha"}},
		"$eq finds just that":                     {object{"search": object{"name": object{"$eq": "alpine"}}}, []string{"alpine"}},
		"$contains finds parts":                   {object{"search": object{"name": object{"$contains": "alp"}}}, []string{"alpha", "alpine"}},
		"$contains takes any case":                {object{"search": object{"name": object{"$contains": "ALP"}}}, []string{"alpha", "alpine"}},
		"$contains finds letters beyond ASCII":    {object{"search": object{"name": object{"$contains": "Über"}}}, []string{"Über"}},
		"$contains takes % and _ literally":       {object{"search": object{"name": object{"$contains": "a%"}}}, []string{"beta%1"}},
		"$in finds each":                          {object{"search": object{"name": in("alpha", "beta_1", "none")}}, []string{"alpha", "beta_1"}},
		"an empty $in finds nobody":               {object{"search": object{"name": in()}}, []string{}},
		"a role finds its identities":             {object{"search": object{"role": "member"}}, []string{"alpha", "beta_1"}},
		"$in of roles":                            {object{"search": object{"role": in("admin", "member")}}, []string{admin, "alpha", "alpine", "beta_1"}},
		"name and role must both hold":            {object{"search": object{"name": object{"$contains": "alp"}, "role": "admin"}}, []string{"alpine"}},
		"operators of one field must all hold":    {object{"search": object{"name": object{"$contains": "alp", "$in": []string{"alpha", "beta_1"}}}}, []string{"alpha"}},
		"$or finds what either finds":             {object{"search": object{"$or": []object{{"name": "alpha"}, {"role": "admin"}}}}, []string{admin, "alpha", "alpine"}},
		"$or beside a field narrows it":           {object{"search": object{"role": "member", "$or": []object{{"name": "alpha"}, {"name": "alpine"}}}}, []string{"alpha"}},
		"$or with an empty alternative finds all": {object{"search": object{"$or": []object{{"name": "alpha"}, {}}}}, all},
		"what matches nobody finds nobody":        {object{"search": object{"name": "none"}}, []string{}},
		"desc turns the order":                    {object{"orderDirection": "desc"}, []string{"Über", "beta_1", "beta%1", "alpine", "alpha", admin}},
		"orderBy role sorts by role, then name":   {object{"orderBy": "role"}, []string{admin, "alpine", "alpha", "beta_1", "beta%1", "Über"}},
		"limit and offset page":                   {object{"limit": 2, "offset": 1}, []string{"alpha", "alpine"}},
		"an offset past the end finds nobody":     {object{"offset": 1 << 40}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.Admin.Call(t, http.MethodPost, harness.Identities+"/search", c.body).Want(200)
			if got := a.List("identities", "identity.name"); !cmp.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
			if c.body["limit"] == nil && c.body["offset"] == nil && a.Number("totalCount") != int64(len(c.want)) {
				t.Errorf("totalCount is %d, want %d", a.Number("totalCount"), len(c.want))
			}
		})
	}
	t.Run("totalCount counts beyond the page", func(t *testing.T) {
		a := s.Admin.Call(t, http.MethodPost, harness.Identities+"/search", object{"limit": 1, "search": object{"role": "member"}}).Want(200)
		if n := a.Number("totalCount"); n != 2 {
			t.Errorf("totalCount is %d, want 2", n)
		}
	})
}

func TestSearchIdentitiesRefused(t *testing.T) {
	t.Parallel()
	many := func(n int, v any) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = v
		}
		return list
	}
	for name, body := range map[string]object{
		"unknown order":               {"orderBy": "age"},
		"unknown direction":           {"orderDirection": "up"},
		"limit 0":                     {"limit": 0},
		"limit 101":                   {"limit": 101},
		"negative offset":             {"offset": -1},
		"search of a string":          {"search": "alpha"},
		"search of a list":            {"search": []string{"alpha"}},
		"name of a number":            {"search": object{"name": 1}},
		"name of a list":              {"search": object{"name": []string{"a"}}},
		"$eq of an object":            {"search": object{"name": object{"$eq": object{}}}},
		"$in of a string":             {"search": object{"name": object{"$in": "a"}}},
		"$in of 101 values":           {"search": object{"name": object{"$in": many(101, "a")}}},
		"$or of an object":            {"search": object{"$or": object{}}},
		"$or of strings":              {"search": object{"$or": []string{"a"}}},
		"$or of 2000 alternatives":    {"search": object{"$or": many(2000, object{"name": "a"})}},
		"$or of 2000 empty ones":      {"search": object{"$or": many(2000, object{})}},
		"$or of 500 with 100 values":  {"search": object{"$or": many(500, object{"name": object{"$in": many(100, "a")}})}},
		"256 characters":              {"search": object{"name": strings.Repeat("a", 256)}},
		"control character":           {"search": object{"name": object{"$contains": "a\x00"}}},
		"control character in a role": {"search": object{"role": "a\x00"}},
	} {
		t.Run("refused/"+name, func(t *testing.T) {
			shared.Admin.Call(t, http.MethodPost, harness.Identities+"/search", body).WantError(422, "ValidationFailure")
		})
	}
}
