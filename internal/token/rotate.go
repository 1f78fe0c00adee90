package token

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// keyCache holds the keyring, and reads it anew when another replica changed the keys.
type keyCache struct {
	ring    atomic.Pointer[keyring]
	changes atomic.Uint64 // entries of the feed about keys
	read    atomic.Uint64 // changes when the ring was read
	mu      sync.Mutex    // one reader at a time
}

// keyring returns the signing keys, read anew where the feed told of a change.
func (s *Service) keyring(ctx context.Context) (*keyring, error) {
	if s.keys.read.Load() == s.keys.changes.Load() {
		return s.keys.ring.Load(), nil
	}
	if err := s.readKeys(ctx); err != nil {
		return nil, err
	}
	return s.keys.ring.Load(), nil
}

// readKeys reads the signing keys, and makes the first one in a new database.
func (s *Service) readKeys(ctx context.Context) error {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	before := s.keys.changes.Load() // a change that comes in from here on has the keys read once more
	rows, err := signingKeys(ctx, s.db)
	if err == nil && len(rows) == 0 {
		crashpoint.Reach(crashpoint.FirstKey)
		if err = s.db.Write(ctx, func(tx *sqldb.Tx) error { return makeFirstKey(ctx, tx, s.root) }); err == nil {
			crashpoint.Reach(crashpoint.FirstKeyMade)
			rows, err = signingKeys(ctx, s.db)
		}
	}
	if err != nil {
		return err
	}
	ring, err := openKeys(rows, s.root)
	if err == nil {
		s.keys.ring.Store(ring)
		s.keys.read.Store(before)
	}
	return err
}

// RotateKeys makes a new signing key for all tokens from KeyActivation on. Tokens that live stay good: the old keys
// verify until the last token that they signed has expired. It is for instance administrators; else Forbidden.
func (s *Service) RotateKeys(ctx context.Context, actor *access.Actor) (keyID string, err error) {
	if !actor.InstanceAdmin {
		return "", fault.New(fault.Forbidden, "Only an instance administrator can rotate the signing keys.")
	}
	key, err := newSigningKey()
	if err != nil {
		return "", err
	}
	return key.row.ID, s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := insertKey(ctx, tx.Tx, s.root, key); err != nil {
			return err
		}
		tx.Append(feed.SigningKeys, "", feed.Evict)
		return s.audit.Record(ctx, tx.Tx, actor, audit.Event{Type: audit.RotateSigningKeys, Metadata: map[string]any{"keyId": key.row.ID}})
	})
}

// CutInstance kills every token of the instance for good, whatever this database knows of it: the keys that signed them
// are replaced. It is for a database that was restored from a backup, and may lack revocations.
func (s *Service) CutInstance(ctx context.Context, actor *access.Actor) error {
	key, err := newSigningKey()
	if err != nil {
		return err
	}
	return s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := deleteKeys(ctx, tx.Tx); err != nil {
			return err
		}
		if err := insertKey(ctx, tx.Tx, s.root, key); err != nil {
			return err
		}
		tx.Append(feed.SigningKeys, "", feed.Evict)
		until, err := s.ExpiryBound(ctx, tx.Tx)
		if err != nil {
			return err
		}
		tx.Append(feed.CutInstance, "", until) // so that the tokens also show as revoked
		return s.audit.Record(ctx, tx.Tx, actor, audit.Event{Type: audit.RevokeAllTokens, Metadata: map[string]any{"keyId": key.row.ID}})
	})
}

// DropKeys deletes keys whose last token has expired, and returns how many: those with a successor that has been signing
// for the longest life of a token.
func (s *Service) DropKeys(ctx context.Context, _ int64) (deleted int64, err error) {
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		longest, err := org.TokenAge(ctx, tx.Tx)
		if err != nil {
			return err
		}
		before := tx.Now().Add(-time.Duration(longest)*time.Second - KeyActivation - feed.ClockSlack).UnixMilli()
		if deleted, err = deleteSucceeded(ctx, tx.Tx, before); err == nil && deleted > 0 {
			tx.Append(feed.SigningKeys, "", feed.Evict)
		}
		return err
	})
	return deleted, err
}

// keyRow is a signing key as it is stored.
type keyRow struct {
	ID        string `db:"id"`
	Sealed    []byte `db:"sealed"`
	Public    string `db:"public"` // JWK, for whoever reads the database without the root key
	CreatedAt int64  `db:"created_at"`
}

// signingKeys returns the keys, oldest first.
func signingKeys(ctx context.Context, db *sqldb.DB) (rows []keyRow, err error) {
	return rows, db.Select(ctx, &rows, `SELECT id, sealed, public, created_at FROM signing_keys ORDER BY created_at, id`)
}

// HasKeys reports whether the database holds signing keys, sealed with the root key that it was made with.
func HasKeys(ctx context.Context, db *sqldb.DB) (has bool, err error) {
	return has, db.Get(ctx, &has, `SELECT EXISTS (SELECT 1 FROM signing_keys)`)
}

// makeFirstKey makes a key unless another replica was quicker. Locking the instance first makes them queue.
func makeFirstKey(ctx context.Context, tx *sqldb.Tx, root *seal.Key) error {
	if err := org.LockInstance(ctx, tx); err != nil {
		return err
	}
	var n int64
	if err := tx.Get(ctx, &n, `SELECT count(*) FROM signing_keys`); err != nil || n > 0 {
		return err
	}
	key, err := newSigningKey()
	if err == nil {
		err = insertKey(ctx, tx, root, key)
	}
	return err
}

func insertKey(ctx context.Context, tx *sqldb.Tx, root *seal.Key, key signingKey) error {
	sealing, rootID, err := org.SealingKey(ctx, tx, root)
	if err == nil {
		_, err = tx.Exec(ctx, `INSERT INTO signing_keys (id, sealed, root_key_id, public, created_at) VALUES ($1, $2, $3, $4, $5)`,
			key.row.ID, key.sealed(sealing).Sealed, rootID, key.row.Public, tx.Now().UnixMilli())
	}
	return err
}

func deleteKeys(ctx context.Context, tx *sqldb.Tx) error {
	_, err := tx.Exec(ctx, `DELETE FROM signing_keys`)
	return err
}

// deleteSucceeded deletes the keys that are older than one that was made before a time in milliseconds.
func deleteSucceeded(ctx context.Context, tx *sqldb.Tx, before int64) (int64, error) {
	return tx.Exec(ctx, `DELETE FROM signing_keys WHERE created_at <
		(SELECT max(created_at) FROM signing_keys WHERE created_at < $1)`, before)
}
