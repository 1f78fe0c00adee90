package universal

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/tally"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// Secret is a client secret as it is stored, without its hash. TTL is in seconds, times are milliseconds UTC.
type Secret struct {
	ID          string `db:"id"`
	ConfigID    string `db:"config_id"`
	IdentityID  string `db:"identity_id"`
	Prefix      string `db:"prefix"`
	Description string `db:"description"`
	Uses        int64  `db:"uses"`
	UsesLimit   int64  `db:"uses_limit"`
	TTL         int64  `db:"ttl"`
	Revoked     bool   `db:"revoked"`
	EndedAt     *int64 `db:"ended_at"` // when it ended or will, by itself or by a revoke
	CreatedAt   int64  `db:"created_at"`
	UpdatedAt   int64  `db:"updated_at"`
}

const columns = `id, config_id, identity_id, prefix, description, uses, uses_limit, ttl, revoked, ended_at, created_at, updated_at`

// Ended reports whether a secret was revoked, has expired, or is used up.
func (s Secret) Ended(now time.Time) bool {
	return s.Revoked || s.EndedAt != nil && *s.EndedAt <= now.UnixMilli()
}

// found is the client of a login, and the secret if it is one of that client's.
type found struct {
	IdentityID string  `db:"identity_id"`
	SecretID   *string `db:"id"`
	UsesLimit  *int64  `db:"uses_limit"`
	TTL        *int64  `db:"ttl"`
	Revoked    *bool   `db:"revoked"`
	CreatedAt  *int64  `db:"created_at"`
}

// find looks up a client id, and among its secrets the one that is presented, from memory where it can. Comparing hashes
// under a secret key tells nothing of the secret, so an index and a map may do it. An unknown client id gives the zero value.
func (s *Service) find(ctx context.Context, p presented) (f found, err error) {
	if f, ok := s.recall(p); ok {
		return f, nil
	}
	at := s.tokens.Birth()
	err = s.db.Get(ctx, &f, `SELECT c.identity_id, s.id, s.uses_limit, s.ttl, s.revoked, s.created_at
		FROM universal_clients c LEFT JOIN client_secrets s ON s.config_id = c.config_id AND s.hash = $1
		WHERE c.client_id = $2`, p.hash, p.clientID)
	if errors.Is(err, sqldb.ErrNoRows) {
		return found{}, nil
	}
	if err != nil {
		return found{}, err
	}
	return f, s.remember(ctx, p, f, at)
}

// hash is the form in which a secret is kept: HMAC-SHA-256 under the pepper, in hex. A secret has 256 random bits, so
// that a slow hash would add nothing.
func (s *Service) hash(secret string) string {
	h := hmac.New(sha256.New, s.pepper)
	h.Write([]byte(secret))
	return hex.EncodeToString(h.Sum(nil))
}

// Start reads the pepper, and makes it in a new database.
func (s *Service) Start(ctx context.Context) error {
	fresh := make([]byte, sha256.Size)
	_, _ = rand.Read(fresh) // never fails
	var sealed []byte
	err := s.db.Write(ctx, func(tx *sqldb.Tx) error {
		root, rootID, err := org.SealingKey(ctx, tx, s.root)
		if err != nil {
			return err
		}
		sealed, err = org.KeepPepper(ctx, tx, root.Seal(fresh, PepperPlace()...), rootID)
		return err
	})
	if err == nil {
		s.pepper, err = s.root.Open(sealed, PepperPlace()...)
	}
	if err != nil {
		return fmt.Errorf("cannot read the key of client secrets: %w", err)
	}
	return nil
}

// PepperPlace is what the sealed key of client secrets is bound to.
func PepperPlace() []string { return []string{"instance", "pepper"} }

// storeClient makes the client id of a new configuration known.
func (s *Service) storeClient(ctx context.Context, tx auth.Tx, c *auth.Config, settings *Settings) error {
	_, err := tx.Exec(ctx, `INSERT INTO universal_clients (client_id, config_id, identity_id) VALUES ($1, $2, $3)`,
		*settings.ClientID, c.ID, c.IdentityID)
	return err
}

func insertSecret(ctx context.Context, tx *sqldb.Tx, r Secret, hash string) error {
	_, err := tx.Exec(ctx, `INSERT INTO client_secrets (id, config_id, identity_id, hash, prefix, description, uses, uses_limit, ttl,
		revoked, ended_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, FALSE, $9, $10, $10)`,
		r.ID, r.ConfigID, r.IdentityID, hash, r.Prefix, r.Description, r.UsesLimit, r.TTL, r.EndedAt, r.CreatedAt)
	return err
}

// spendSecret takes one use of a limited secret; it returns 0 where none is left.
func spendSecret(ctx context.Context, tx *sqldb.Tx, secretID string) (int64, error) {
	return tx.Exec(ctx, `UPDATE client_secrets SET uses = uses + 1, last_used_at = $1,
		ended_at = CASE WHEN uses + 1 >= uses_limit THEN $1 ELSE ended_at END
		WHERE id = $2 AND revoked = FALSE AND uses < uses_limit`, tx.Now().UnixMilli(), secretID)
}

// Flush writes the uses of unlimited secrets that were counted since the last time.
func (s *Service) Flush(ctx context.Context) error {
	return s.uses.Flush(func(part []tally.Count) error {
		crashpoint.Reach(crashpoint.SecretsFlush)
		err := s.db.Write(ctx, func(tx *sqldb.Tx) error {
			for _, c := range part {
				_, err := tx.Exec(ctx, `UPDATE client_secrets SET uses = uses + $1, last_used_at = $2 WHERE id = $3`, c.N, c.Last, c.ID.String())
				if err != nil {
					return err
				}
			}
			return nil
		})
		crashpoint.Reach(crashpoint.SecretsFlushed)
		return err
	})
}

var errNoSecret = fault.New(fault.NotFound, "This identity has no client secret with this ID. List its client secrets to see their IDs.")

// counted reads secrets with read, and adds the uses that this replica has counted and not yet written.
func (s *Service) counted(read func() ([]Secret, error)) (rows []Secret, err error) {
	return rows, s.uses.Read(func(unwritten func(uuid.UUID) tally.Count) error {
		rows, err = read()
		for i := range rows {
			rows[i].Uses += unwritten(uuid.MustParse(rows[i].ID)).N
		}
		return err
	})
}

func (s *Service) secretsOf(ctx context.Context, configID string) ([]Secret, error) {
	return s.counted(func() (rows []Secret, err error) {
		return rows, s.db.Select(ctx, &rows, `SELECT `+columns+` FROM client_secrets WHERE config_id = $1 AND revoked = FALSE
			AND (ended_at IS NULL OR ended_at > $2) ORDER BY created_at DESC, id DESC`, configID, s.db.Now().UnixMilli())
	})
}

func (s *Service) secret(ctx context.Context, identityID, secretID string) (Secret, error) {
	rows, err := s.counted(func() (rows []Secret, err error) {
		return rows, s.db.Select(ctx, &rows, `SELECT `+columns+` FROM client_secrets WHERE id = $1 AND identity_id = $2`, secretID, identityID)
	})
	if err != nil {
		return Secret{}, err
	}
	if len(rows) == 0 {
		return Secret{}, errNoSecret
	}
	return rows[0], nil
}

func markRevoked(ctx context.Context, tx *sqldb.Tx, identityID, secretID string) (row Secret, err error) {
	err = tx.Get(ctx, &row, `UPDATE client_secrets SET revoked = TRUE, updated_at = $1, ended_at = CASE WHEN ended_at < $1 THEN ended_at ELSE $1 END
		WHERE id = $2 AND identity_id = $3 RETURNING `+columns,
		tx.Now().UnixMilli(), secretID, identityID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = errNoSecret
	}
	return row, err
}

// KeepEnded is how long a client secret that ended is still known: as long as a token that was made with it can live by
// default, so that such tokens can be revoked by it. A login with it is told from a guess, and locks nobody out.
const KeepEnded = 90 * 24 * time.Hour

// Clean deletes up to n client secrets that ended long ago, and returns how many went.
func (s *Service) Clean(ctx context.Context, n int64) (deleted int64, err error) {
	err = s.db.Write(ctx, func(tx *sqldb.Tx) error {
		deleted, err = tx.Exec(ctx, `DELETE FROM client_secrets WHERE id IN
			(SELECT id FROM client_secrets WHERE ended_at <= $1 ORDER BY ended_at LIMIT $2)`, tx.Now().Add(-KeepEnded).UnixMilli(), n)
		return err
	})
	return deleted, err
}

// EndSecrets revokes every client secret of an identity, for a caller who also kills the tokens that were made with them.
func (s *Service) EndSecrets(ctx context.Context, tx *feed.Tx, identityID string) error {
	_, err := tx.Exec(ctx, `UPDATE client_secrets SET revoked = TRUE, updated_at = $1, ended_at = CASE WHEN ended_at < $1 THEN ended_at ELSE $1 END WHERE revoked = FALSE
		AND config_id IN (SELECT id FROM auth_configs WHERE identity_id = $2)`, tx.Now().UnixMilli(), identityID)
	return err
}
