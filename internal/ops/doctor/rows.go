package doctor

import (
	"context"
	"fmt"
	"strings"
)

// leftover is what a program leaves in rows that it writes next to a newer one: a column that it does not know stays empty, and
// programs that know it cannot read the row, or misjudge it. Replicas that are too old are kept off since schema version 19, which
// also repaired what was there; this finds what came otherwise, such as by a partial restore.
type leftover struct {
	what   string   // rows of which sort
	find   string   // ids of them
	repair []string // statements that complete them; none if nothing is left to do it with
}

// versioned are secrets whose value is in the row of their version, where programs from before schema version 11 put it.
const versioned = `value IS NULL AND EXISTS (SELECT 1 FROM secret_versions v WHERE v.secret_id = secrets.id AND v.version = secrets.version)`

// projectOf and keyOf find the project of a secret, and its first key, which has the project's id.
const (
	projectOf = `SELECT e.project_id FROM secrets s JOIN folders f ON f.id = s.folder_id JOIN environments e ON e.id = f.environment_id `
	keyOf     = projectOf + `JOIN project_keys k ON k.id = e.project_id WHERE s.id = `
)

// ends is when a client secret ends, as far as it is known.
const ends = `CASE WHEN revoked THEN updated_at WHEN uses_limit > 0 AND uses >= uses_limit THEN coalesce(last_used_at, updated_at)
	WHEN ttl > 0 THEN created_at + ttl * 1000 END`

// rooted are the tables with something that is sealed with the root key, with the column that holds it.
var rooted = [][2]string{{"signing_keys", "sealed"}, {"auth_configs", "settings"}, {"organization_keys", "sealed"}, {"instance", "pepper"}}

// leftovers returns what to look for, in the order in which it is repaired: each column that steps 3 to 18 of the schema added and
// filled, and that programs from before them leave empty.
func leftovers() []leftover {
	all := []leftover{
		{"versions of secrets that do not name their key", `SELECT secret_id FROM secret_versions WHERE project_key_id IS NULL`,
			[]string{`UPDATE secret_versions SET project_key_id = (` + keyOf + `secret_versions.secret_id) WHERE project_key_id IS NULL`}},
		{"secrets whose value is in the row of their version", `SELECT id FROM secrets WHERE ` + versioned,
			[]string{`UPDATE secrets SET (updated_at, project_key_id, tags, skip_multiline, reminder_days, reminder_note, metadata, comment, value) =
				(SELECT v.created_at, v.project_key_id, v.tags, v.skip_multiline, v.reminder_days, v.reminder_note, v.metadata, v.comment, v.value
				FROM secret_versions v WHERE v.secret_id = secrets.id AND v.version = secrets.version) WHERE ` + versioned,
				`DELETE FROM secret_versions WHERE EXISTS (SELECT 1 FROM secrets s WHERE s.id = secret_versions.secret_id AND s.version = secret_versions.version
				AND s.value IS NOT NULL)`}},
		{"secrets whose value is lost", `SELECT id FROM secrets WHERE value IS NULL AND NOT (` + versioned + `)`, nil},
		{"secrets that do not name their key", `SELECT id FROM secrets WHERE value IS NOT NULL AND project_key_id IS NULL`,
			[]string{`UPDATE secrets SET project_key_id = (` + keyOf + `secrets.id) WHERE value IS NOT NULL AND project_key_id IS NULL`}},
		{"client secrets that do not say when they end", `SELECT id FROM client_secrets WHERE ended_at IS NULL AND ` + ends + ` IS NOT NULL`,
			[]string{`UPDATE client_secrets SET ended_at = ` + ends + ` WHERE ended_at IS NULL`}},
	}
	for _, table := range rooted {
		nameless := `root_key_id IS NULL AND ` + table[1] + ` IS NOT NULL AND EXISTS (SELECT 1 FROM root_keys)`
		all = append(all, leftover{"rows of " + table[0] + " that do not name their root key", `SELECT id FROM ` + table[0] + ` WHERE ` + nameless,
			[]string{`UPDATE ` + table[0] + ` SET root_key_id = (SELECT max(id) FROM root_keys) WHERE ` + nameless + ` AND (SELECT count(*) FROM root_keys) = 1`}})
	}
	return all
}

// rows looks for rows that no program can read, or that it misjudges.
func (x *examination) rows(ctx context.Context) (Finding, error) {
	if x.at < x.Schema {
		return good("looked at once the schema is up to date")
	}
	var found []string
	lost := false
	for _, l := range leftovers() {
		ids, err := x.ids(ctx, l.find)
		if err != nil {
			return Finding{}, err
		}
		if len(ids) > 0 {
			found = append(found, fmt.Sprintf("%d %s: %s", len(ids), l.what, strings.Join(ids[:min(len(ids), rulesShown)], ", ")))
			lost = lost || l.repair == nil
		}
	}
	switch {
	case len(found) == 0:
		return good("none that an older version left incomplete")
	case lost:
		return Finding{Says: strings.Join(found, "; "), Do: "run sallyport doctor --repair. What is lost is in a backup, if anywhere: its folder can be read once these rows are restored or deleted"}, nil
	}
	return Finding{Says: strings.Join(found, "; "), Do: "run sallyport doctor --repair"}, nil
}

// ids reads the first column of what a query finds.
func (x *examination) ids(ctx context.Context, query string) (found []string, err error) {
	rows, err := x.source.DB.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		found = append(found, id)
	}
	return found, rows.Err()
}
