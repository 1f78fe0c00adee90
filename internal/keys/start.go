package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/token"
)

// Start checks that this server was given all root keys that it takes to read and write the database; else the error says
// what to do. Call it once the replica is in the register, which a rotation looks at: so neither can miss the other.
func (s *Service) Start(ctx context.Context) error {
	if err := s.adopt(ctx); err != nil {
		return err
	}
	var rows []struct {
		ID    string `db:"id"`
		State string `db:"state"`
	}
	if err := s.db.Select(ctx, &rows, `SELECT id, state FROM root_keys ORDER BY id`); err != nil {
		return err
	}
	held := s.rootKeys.IDs()
	for _, r := range rows {
		if slices.Contains(held, r.ID) {
			continue
		}
		if r.State == "active" {
			return fmt.Errorf("the root key does not open this database: it is sealed with the root key %s, and this server was given another one (%s); start with the one that it is sealed with",
				r.ID, strings.Join(held, ", "))
		}
		return fmt.Errorf("the root key of this database is being rotated, and this server was not given one of both keys, %s; start with the new key and the old one until `sallyport keys rotate root` says that it is done",
			r.ID)
	}
	return s.tidy(ctx)
}

// adopt gives the root key of a database from before root keys had names its name.
func (s *Service) adopt(ctx context.Context) error {
	var named bool
	if err := s.db.Get(ctx, &named, `SELECT EXISTS (SELECT 1 FROM root_keys)`); err != nil || named {
		return err
	}
	var key ciphertext
	err := s.db.Get(ctx, &key, `SELECT id, id AS owner, sealed FROM signing_keys ORDER BY created_at, id LIMIT 1`)
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil // new: what seals first gives the name
	}
	if err != nil {
		return err
	}
	_, keyID, err := s.rootKeys.OpenedBy(key.Sealed, token.KeyPlace(key.ID)...)
	if err != nil {
		return fmt.Errorf("the root key does not open this database: it was made with another one; start with the root key that it was made with: %w", err)
	}
	return s.db.Write(ctx, func(tx *sqldb.Tx) error {
		err := org.NameRoot(ctx, tx, keyID)
		for _, c := range underRoot {
			if err == nil {
				_, err = tx.Exec(ctx, `UPDATE `+c.table+` SET `+c.key+` = $1 WHERE `+c.key+` IS NULL AND `+c.sealed+` IS NOT NULL`, keyID)
			}
		}
		return err
	})
}
