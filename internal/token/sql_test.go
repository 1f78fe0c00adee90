package token

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// TestRowsAreWhatWasMinted: every column comes back as it went in.
func TestRowsAreWhatWasMinted(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		name := "deploy \u00e9\u4e16 '%_"
		full := Grant{IdentityID: f.ident, IdentityName: "robot", OrgID: f.org, Method: "universal-auth", ClientSecretID: id.New(),
			Name: &name, Limits: Limits{TTL: 60, MaxTTL: 600, Period: 30}, UsesLimit: 9, Born: Birth{Seq: 5, At: f.db.Now()}}
		for label, g := range map[string]Grant{"by hand": f.grant(), "with everything": full} {
			t.Run(label, func(t *testing.T) {
				issued := f.mint(g)
				if diff := cmp.Diff(issued.Row, f.row(issued.Row.ID)); diff != "" {
					t.Error(diff)
				}
				if issued.Row.TTL != issued.ExpiresIn || issued.Row.ExpiresAt != f.clock.Now().UnixMilli()+issued.ExpiresIn*1000 {
					t.Errorf("the row says %d s until %d; the token lives for %d s", issued.Row.TTL, issued.Row.ExpiresAt, issued.ExpiresIn)
				}
			})
		}
	})
}

func TestFind(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		issued := f.mint(f.grant())
		for name, c := range map[string]struct{ org, method, token, want string }{
			"found":                        {f.org, TokenAuth, issued.Row.ID, ""},
			"refused/unknown":              {f.org, TokenAuth, id.New(), "not found"},
			"refused/no id":                {f.org, TokenAuth, "' OR 1=1 --", "not found"},
			"refused/empty":                {f.org, TokenAuth, "", "not found"},
			"refused/another method":       {f.org, "universal-auth", issued.Row.ID, "not found"},
			"refused/another organization": {id.New(), TokenAuth, issued.Row.ID, "not found"},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := f.Find(t.Context(), c.org, c.method, c.token)
				want(t, err, c.want)
			})
		}
		f.removeIdentity(f.ident)
		_, err := f.Find(t.Context(), f.org, TokenAuth, issued.Row.ID)
		want(t, err, "not found")
	})
}

// TestListPages: newest first, all of them once, with the true total on every page.
func TestListPages(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		var made []string
		for n := range 11 {
			if n%3 == 0 { // several have the same time: their ids decide
				f.clock.advance(time.Second)
			}
			made = append(made, f.mint(f.grant()).Row.ID)
			f.mint(f.login()) // without a row
		}
		limited := f.login()
		limited.UsesLimit = 1
		f.mint(limited) // of another method
		slices.Reverse(made)
		for _, limit := range []int64{1, 3, 11, 100} {
			var seen []string
			for offset := int64(0); ; offset += limit {
				rows, total, err := f.List(t.Context(), f.ident, TokenAuth, Page{Offset: offset, Limit: limit})
				if err != nil || total != 11 {
					t.Fatalf("total %d, %v; want 11", total, err)
				}
				for _, row := range rows {
					seen = append(seen, row.ID)
				}
				if len(rows) == 0 {
					break
				}
			}
			if diff := cmp.Diff(made, seen); diff != "" {
				t.Errorf("pages of %d:\n%s", limit, diff)
			}
		}
		rows, total, err := f.List(t.Context(), id.New(), TokenAuth, Page{Limit: 10})
		if err != nil || len(rows) != 0 || total != 0 {
			t.Errorf("an unknown identity has %d of %d tokens, %v", len(rows), total, err)
		}
	})
}

func TestRename(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		issued := f.mint(f.grant())
		f.clock.advance(time.Second)
		rename := func(tokenID string, name *string) (row Row, err error) {
			err = f.db.Write(t.Context(), func(tx *sqldb.Tx) error {
				row, err = Rename(t.Context(), tx, tokenID, name)
				return err
			})
			return row, err
		}
		name := "deploy"
		for _, c := range []struct {
			to   *string
			want *string
		}{{&name, &name}, {nil, &name}, {new(string), new(string)}} {
			row, err := rename(issued.Row.ID, c.to)
			if err != nil {
				t.Fatal(err)
			}
			expected := issued.Row
			expected.Name, expected.UpdatedAt = c.want, f.clock.Now().UnixMilli()
			if diff := cmp.Diff(expected, row); diff != "" {
				t.Error(diff)
			}
		}
		_, err := rename(id.New(), &name)
		want(t, err, "not found")
	})
}
