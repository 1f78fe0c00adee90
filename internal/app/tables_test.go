package app

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// ends reads from docs/operations.md what ends the rows of each table.
func ends(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## What ends the rows of each table\n")
	section, _, _ = strings.Cut(section, "\n## ")
	found := map[string]string{}
	name := regexp.MustCompile("`([a-z_]+)`")
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 {
			continue
		}
		for _, table := range name.FindAllStringSubmatch(cells[1], -1) {
			if found[table[1]] != "" {
				t.Errorf("docs/operations.md says twice what ends the rows of %s", table[1])
			}
			found[table[1]] = strings.TrimSpace(cells[2])
		}
	}
	return found
}

// tables returns the names of all tables but the one of the schema's versions.
func tables(t *testing.T, db *sqldb.DB) (names []string) {
	t.Helper()
	query := map[sqldb.Engine]string{
		sqldb.SQLite:   `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'sallyport_versions'`,
		sqldb.Postgres: `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_name <> 'sallyport_versions'`,
	}[db.Engine()]
	if err := db.Select(t.Context(), &names, query); err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// TestEveryTableSaysWhatEndsItsRows walks the schema: a table that nobody thought about grows forever.
func TestEveryTableSaysWhatEndsItsRows(t *testing.T) {
	documented := ends(t)
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for _, table := range tables(t, db) {
			if documented[table] == "" {
				t.Errorf("docs/operations.md does not say what ends the rows of %s. Decide it, write it there, and if rows end by themselves, delete them in internal/app/run.go", table)
			}
		}
		for table := range documented {
			if !slices.Contains(tables(t, db), table) {
				t.Errorf("docs/operations.md speaks of %s, and there is no such table", table)
			}
		}
	})
}

// kept are the rows that stay in the tables whose rows end by themselves: what is still in use.
var kept = map[string]int{"signing_keys": 1}

// TestRowsThatEndByThemselvesDo fills the tables whose rows end by themselves, as callers do, waits for years, and cleans up.
func TestRowsThatEndByThemselvesDo(t *testing.T) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			s := newSiteOn(t, sqldbtest.URL(t, engine))
			s.fill()
			count := func() map[string]int {
				rows := map[string]int{}
				for table, what := range ends(t) {
					if strings.HasPrefix(what, "by itself") {
						var n int
						if err := s.db.Get(t.Context(), &n, "SELECT count(*) FROM "+table); err != nil {
							t.Fatal(err)
						}
						rows[table] = n
					}
				}
				return rows
			}
			want := map[string]int{}
			for table, n := range count() {
				want[table] = kept[table]
				if n <= want[table] {
					t.Errorf("%s has %d rows before they can end: the test fills too little of it", table, n)
				}
			}
			s.now = s.now.Add(3 * 365 * 24 * time.Hour)
			s.clean(t.Context())
			s.now = s.now.Add(2 * time.Hour)
			s.clean(t.Context()) // of what the first round deleted, others had to be told
			if diff := cmp.Diff(want, count()); diff != "" {
				t.Errorf("rows after three years (-want +got): %s", diff)
			}
		})
	}
}

// fill leaves rows behind of every sort that ends by itself.
func (s *site) fill() {
	s.t.Helper()
	identityID, _, _ := s.tokenWith(`{}`)
	universal := "/api/v1/auth/universal-auth/identities/" + identityID
	client := textAt(s.call(200, http.MethodPost, universal, ""), "identityUniversalAuth", "clientId")
	login := func(status int, secret string) {
		s.call(status, http.MethodPost, "/api/v1/auth/universal-auth/login", fmt.Sprintf(`{"clientId":%q,"clientSecret":%q}`, client, secret))
	}
	for range 300 { // more than one step of cleaning up deletes
		s.call(200, http.MethodPost, universal+"/client-secrets", `{"ttl":60}`)
	}
	login(200, textAt(s.call(200, http.MethodPost, universal+"/client-secrets", `{"numUsesLimit":1}`), "clientSecret"))
	revoked := s.call(200, http.MethodPost, universal+"/client-secrets", "")
	s.call(200, http.MethodPost, universal+"/client-secrets/"+textAt(revoked, "clientSecretData", "id")+"/revoke", "")
	login(401, "wrong")
	s.call(200, http.MethodPost, "/api/v3/auth/login", `{"email":"a@example.com","password":"correct horse"}`)
	s.call(200, http.MethodPost, "/api/v1/invite-org/signup", fmt.Sprintf(`{"inviteeEmails":["b@example.com"],"organizationId":%q}`, s.org))
	project := textAt(s.call(200, http.MethodPost, "/api/v1/projects", `{"projectName":"P"}`), "project", "id")
	s.call(200, http.MethodDelete, "/api/v1/projects/"+project, "")
	s.now = s.now.Add(time.Hour) // after which the first key has a successor
	s.call(200, http.MethodPost, "/api/v1/admin/signing-keys/rotate", "")
	sqldbtest.Exec(s.t, s.db, `INSERT INTO assertions (id, expires_at) VALUES ('spent', $1)`, s.now.Add(time.Minute).UnixMilli())
	sqldbtest.Exec(s.t, s.db, `INSERT INTO unlisted_revocations (actor_id, total, since) VALUES ('actor', 1, $1)`, s.now.UnixMilli())
}
