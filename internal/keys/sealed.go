package keys

import (
	"context"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/auth/universal"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/token"
)

// column is a column of ciphertexts. Every one must be here, or be sealed with a project's key by the package secret: a
// test compares this with the schema and with all that calls Seal.
type column struct {
	table  string
	sealed string                      // the column
	owner  string                      // the column that the binding is made of
	key    string                      // the column that names the key
	place  func(owner string) []string // the binding
}

// underRoot is what is sealed with the root key.
var underRoot = []column{
	{"signing_keys", "sealed", "id", "root_key_id", token.KeyPlace},
	{"auth_configs", "settings", "id", "root_key_id", auth.ConfigPlace},
	{"organization_keys", "sealed", "org_id", "root_key_id", org.KeyPlace},
	{"instance", "pepper", "id", "root_key_id", func(string) []string { return universal.PepperPlace() }},
}

// underOrganization is what is sealed with the key of an organization.
var underOrganization = column{"project_keys", "sealed", "project_id", "organization_key_id", project.KeyPlace}

// ciphertext is a row of a column.
type ciphertext struct {
	ID     string `db:"id"`
	Owner  string `db:"owner"`
	Sealed []byte `db:"sealed"`
}

// reseal seals some of what the key of an id sealed with another one, and returns how much it found. open opens what is
// there; with gives the new key and its id. What someone else changes at the same time is left to them.
func (c column) reseal(ctx context.Context, db *sqldb.DB, from string, open *seal.Key, with func(context.Context, *sqldb.Tx) (*seal.Key, string, error)) (int64, error) {
	var rows []ciphertext
	err := db.Select(ctx, &rows, `SELECT id, `+c.owner+` AS owner, `+c.sealed+` AS sealed FROM `+c.table+` WHERE `+c.key+` = $1 LIMIT $2`, from, stepRows)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	// In one order, so that two who rotate at once do not wait for each other in a ring.
	slices.SortFunc(rows, func(a, b ciphertext) int { return strings.Compare(a.ID, b.ID) })
	return int64(len(rows)), db.Write(ctx, func(tx *sqldb.Tx) error {
		key, keyID, err := with(ctx, tx)
		for _, r := range rows {
			if err == nil {
				err = c.update(ctx, tx, r, open, key, from, keyID)
			}
		}
		return err
	})
}

// update seals one row again, if it is still as it was read.
func (c column) update(ctx context.Context, tx *sqldb.Tx, r ciphertext, open, key *seal.Key, from, to string) error {
	if len(r.Sealed) == 0 { // what a deleted project left: there is nothing to be opened any more
		_, err := tx.Exec(ctx, `UPDATE `+c.table+` SET `+c.key+` = $1 WHERE id = $2 AND `+c.key+` = $3`, to, r.ID, from)
		return err
	}
	plain, err := open.Open(r.Sealed, c.place(r.Owner)...)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE `+c.table+` SET `+c.sealed+` = $1, `+c.key+` = $2 WHERE id = $3 AND `+c.key+` = $4 AND `+c.sealed+` = $5`,
		key.Seal(plain, c.place(r.Owner)...), to, r.ID, from, r.Sealed)
	return err
}

// count returns how many rows are sealed with the key of an id.
func (c column) count(ctx context.Context, db *sqldb.DB, keyID string) (n int64, err error) {
	return n, db.Get(ctx, &n, `SELECT count(*) FROM `+c.table+` WHERE `+c.key+` = $1`, keyID)
}
