package internal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// owners says which package writes to a table. Other packages call its exported functions, or follow its entries in the log of
// changes.
var owners = map[string][]string{
	"audit":          {"audit_head", "audit_logs"},
	"auth":           {"auth_configs"},
	"auth/assertion": {"assertions"},
	"auth/universal": {"client_secrets", "universal_clients"},
	"base/lockout":   {"lockouts"},
	"feed":           {"change_log", "feed_head", "replicas"},
	"identity":       {"identities", "identity_metadata"},
	"member":         {"instance_admins", "membership_roles", "memberships", "privileges"},
	"ops/transfer":   {"moves"},
	"org":            {"instance", "organization_keys", "organizations", "root_keys"},
	"project":        {"environments", "folders", "project_keys", "projects", "tags"},
	"role":           {"custom_roles"},
	"secret":         {"secret_imports", "secret_versions", "secrets"},
	"token":          {"access_tokens", "signing_keys", "token_counts", "unlisted_revocations"},
	"user":           {"user_links", "user_sessions", "users"},
}

// foreignWrites are the tables that a package writes to without owning them, with the reason. "*" is a table whose name is not
// in the statement.
var foreignWrites = map[string]struct {
	tables []string
	reason string
}{
	"base/sqldb":   {[]string{"feed_head", "replicas"}, "the guard of versions runs before there is a feed"},
	"keys":         {[]string{"*"}, "it seals the columns in its own lists again, with one statement for all of them"},
	"ops/backup":   {[]string{"access_tokens", "assertions", "change_log", "client_secrets", "feed_head", "moves"}, "it restores a stopped installation, and owns none of its features"},
	"ops/doctor":   {[]string{"*", "client_secrets", "secret_versions", "secrets"}, "it repairs what earlier versions left behind, on a stopped installation"},
	"ops/transfer": {[]string{"*"}, "it copies every table"},
}

// foreignReads are the tables that a package reads without owning them: mostly to join them, where a call for each row would
// be too slow. A change of such a table concerns these packages too.
var foreignReads = map[string][]string{
	"audit":          {"organizations", "projects"},
	"auth/universal": {"auth_configs"},
	"keys":           {"*", "organization_keys", "project_keys", "projects", "root_keys", "signing_keys"},
	"member":         {"custom_roles", "identities", "identity_metadata", "projects", "users"},
	"org":            {"memberships"},
	"ops/backup":     {"*", "access_tokens", "assertions", "client_secrets", "replicas", "signing_keys"},
	"ops/doctor": {"*", "audit_logs", "custom_roles", "environments", "feed_head", "folders", "instance", "moves", "privileges", "project_keys", "replicas", "root_keys",
		"signing_keys"},
	"ops/transfer": {"*", "audit_logs", "feed_head", "instance", "signing_keys"},
	"base/quota":   {"*"},
	"base/sqldb":   {"*", "feed_head"},
	"project":      {"memberships", "organization_keys", "custom_roles"},
	"role":         {"membership_roles"},
	"secret":       {"environments", "folders", "tags"},
	"token":        {"identities", "instance_admins"},
	"user":         {"identities", "instance_admins", "memberships", "organizations"},
}

// TestEachTableHasOneOwner: only the owner of a table writes to it, and packages that read it are named above.
func TestEachTableHasOneOwner(t *testing.T) {
	owner := map[string]string{}
	for name, tables := range owners {
		for _, table := range tables {
			if owner[table] != "" {
				t.Errorf("%s has two owners: %s and %s", table, owner[table], name)
			}
			owner[table] = name
		}
	}
	tables := tablesOf(t)
	for _, table := range tables {
		if owner[table] == "" {
			t.Errorf("the table %s has no owner: name one in owners", table)
		}
	}
	for table := range owner {
		if !slices.Contains(tables, table) {
			t.Errorf("owners names the table %s, which no migration makes", table)
		}
	}
	written, read := statements(t, tables)
	for u, at := range written {
		if owner[u.table] != u.by && !slices.Contains(foreignWrites[u.by].tables, u.table) {
			t.Errorf("%s: internal/%s writes to %s, which internal/%s owns: call a function of the owner", at, u.by, u.table, owner[u.table])
		}
	}
	for u, at := range read {
		if owner[u.table] != u.by && written[u] == "" && !slices.Contains(foreignReads[u.by], u.table) {
			t.Errorf("%s: internal/%s reads %s, which internal/%s owns: call a function of the owner, or name the table in foreignReads", at, u.by, u.table, owner[u.table])
		}
	}
	for name, foreign := range foreignWrites {
		for _, table := range foreign.tables {
			if written[use{table, name}] == "" || foreign.reason == "" {
				t.Errorf("internal/%s does not write to %s, or there is no reason: take it out of foreignWrites", name, table)
			}
		}
	}
	for name, tables := range foreignReads {
		for _, table := range tables {
			if read[use{table, name}] == "" {
				t.Errorf("internal/%s does not read %s: take it out of foreignReads", name, table)
			}
		}
	}
}

// use is a table in a statement of a package.
type use struct{ table, by string }

// A statement is found piece by piece: its text may be put together from several literals. A piece that ends where the name of a
// table follows is about a table that is not known here: "*". One that begins with a table is what quota.Check counts.
var (
	writing = regexp.MustCompile(`\b(?:INSERT INTO|UPDATE|DELETE FROM)(?:\s+([a-z_]+)| $)`)
	reading = regexp.MustCompile(`\b(?:FROM|JOIN)(?:\s+([a-z_]+)| $)|^([a-z_]+) WHERE\b`)
)

// statements returns the tables that packages write and read, each with a place where they do.
func statements(t *testing.T, tables []string) (written, read map[use]string) {
	t.Helper()
	written, read = map[use]string{}, map[use]string{}
	for _, path := range sources(t, ".") {
		by := filepath.ToSlash(filepath.Dir(path))
		if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(by, "test") {
			continue
		}
		for at, text := range literals(t, path) {
			note := func(found map[use]string, tables []string, names ...string) {
				name := strings.Join(names, "")
				if name == "" {
					name = "*"
				}
				if name == "*" || slices.Contains(tables, name) {
					found[use{name, by}] = at
				}
			}
			for _, m := range writing.FindAllStringSubmatch(text, -1) {
				note(written, tables, m[1])
			}
			for _, m := range reading.FindAllStringSubmatch(strings.ReplaceAll(text, "DELETE FROM", "DELETE"), -1) {
				note(read, tables, m[1], m[2])
			}
		}
	}
	return written, read
}

// literals returns the strings in a Go file, by their places.
func literals(t *testing.T, path string) map[string]string {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		found[files.Position(literal.Pos()).String()] = text
		return true
	})
	return found
}

// tablesOf returns the names of the tables that the migrations leave behind.
func tablesOf(t *testing.T) []string {
	t.Helper()
	steps, err := filepath.Glob("base/sqldb/migrations/*.sql")
	if err != nil || len(steps) == 0 {
		t.Fatalf("%d migrations, %v", len(steps), err)
	}
	change := regexp.MustCompile(`(?m)^(CREATE TABLE|DROP TABLE|ALTER TABLE)(?: IF (?:NOT )?EXISTS)? (\w+)(?: RENAME TO (\w+))?`)
	found := map[string]bool{}
	for _, path := range steps { // in the order of their numbers
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range change.FindAllStringSubmatch(string(text), -1) {
			switch {
			case m[1] == "CREATE TABLE":
				found[m[2]] = true
			case m[1] == "DROP TABLE":
				delete(found, m[2])
			case m[3] != "":
				delete(found, m[2])
				found[m[3]] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
