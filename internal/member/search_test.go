package member_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/role"
)

// oddNames are names that a careless LIKE, quoting or folding of case would take for one another.
var oddNames = []string{"a", "A", "ab", "aB", "%", "a%b", "_", "a_b", "axb", `\`, `a\b`, `\%`, "'", `"`, "é", "É", "ß", "日本", "", " a", "a "}

var slugs = []string{role.Admin, "member", role.NoAccess}

// someone is an identity of the naive search.
type someone struct{ id, name, role string }

func drawMatch(t *rapid.T) member.Match {
	if rapid.Bool().Draw(t, "by role") {
		return member.Match{Field: "role", Op: rapid.SampledFrom([]string{"$eq", "$in"}).Draw(t, "op"), Values: []string{rapid.SampledFrom(slugs).Draw(t, "role")}}
	}
	m := member.Match{Field: "name", Op: rapid.SampledFrom([]string{"$eq", "$contains", "$in"}).Draw(t, "op"), Values: []string{rapid.SampledFrom(oddNames).Draw(t, "name")}}
	if m.Op == "$in" {
		m.Values = rapid.SliceOfN(rapid.SampledFrom(oddNames), 0, 3).Draw(t, "names")
	}
	return m
}

func drawSearch(t *rapid.T) member.Search {
	return member.Search{AnyOf: rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(drawMatch), 0, 3), 0, 3).Draw(t, "any of"),
		OrderBy: rapid.SampledFrom([]string{"name", "role"}).Draw(t, "order"), Descending: rapid.Bool().Draw(t, "descending"),
		Offset: rapid.Int64Range(0, 4).Draw(t, "offset"), Limit: rapid.Int64Range(1, 6).Draw(t, "limit")}
}

func meets(m member.Match, s someone) bool {
	field := map[string]string{"name": s.name, "role": s.role}[m.Field]
	if m.Op == "$contains" {
		return strings.Contains(strings.ToLower(field), strings.ToLower(m.Values[0]))
	}
	return slices.Contains(m.Values, field)
}

func chooses(q member.Search, s someone) bool {
	fails := func(m member.Match) bool { return !meets(m, s) }
	whole := func(all []member.Match) bool { return !slices.ContainsFunc(all, fails) }
	return len(q.AnyOf) == 0 || slices.ContainsFunc(q.AnyOf, whole)
}

func compare(q member.Search, a, b someone) int {
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
			all = append(all, someone{f.create(f.org, name, slug), name, slug})
		}
		f.create(f.newOrg(), "a", role.Admin)
		searcher := f.stranger(role.Admin)
		rapid.Check(t, func(rt *rapid.T) {
			q := drawSearch(rt)
			var want []someone
			for _, s := range all {
				if chooses(q, s) {
					want = append(want, s)
				}
			}
			slices.SortFunc(want, func(a, b someone) int { return compare(q, a, b) })
			total := int64(len(want))
			want = want[min(q.Offset, total):]
			want = want[:min(q.Limit, int64(len(want)))]
			found, count, _, err := f.members.Search(f.t.Context(), searcher, member.InOrganization, q)
			if err != nil || count != total {
				rt.Fatalf("total %d, %v; want %d", count, err, total)
			}
			var got []someone
			for _, m := range found {
				got = append(got, someone{m.Identity.ID, m.Identity.Name, m.Role})
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
		identityID := f.create(f.org, "robot", "member")
		f.exec(`INSERT INTO membership_roles (id, membership_id, role, temporary, access_start, access_end, created_at, updated_at)
			SELECT $1, id, 'admin', TRUE, 0, 1, 0, 0 FROM memberships WHERE identity_id = $2`, id.New(), identityID)
		found, total, _, err := f.members.Search(t.Context(), f.stranger(role.Admin), member.InOrganization, member.Search{OrderBy: "name", Limit: 10})
		if err != nil || total != 1 || len(found) != 1 || found[0].Role != "member" {
			t.Errorf("%+v of %d, %v; want the identity once, as a member", found, total, err)
		}
	})
}

func TestSearchChecksPermission(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	_, _, _, err := f.members.Search(t.Context(), f.actor(f.org, role.NoAccess), member.InOrganization, member.Search{OrderBy: "name", Limit: 10})
	want(t, err, fault.PermissionDenied)
}

// stranger has a role in the organization, and is not one of its identities.
func (f *fixture) stranger(slug string) *access.Actor {
	f.t.Helper()
	return f.strangerTo(f.org, slug)
}

// strangerTo is stranger in an organization.
func (f *fixture) strangerTo(orgID, slug string) *access.Actor {
	f.t.Helper()
	rules, _ := access.OrgRole(slug)
	rights, err := access.Resolve([]access.Grant{{Rules: rules}}, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	return &access.Actor{Type: access.ActorIdentity, ID: id.New(), Name: slug, OrgID: orgID, Rights: rights}
}
