package token

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/tally"
)

// Row is a token as it is stored. Durations are seconds, times milliseconds UTC.
type Row struct {
	ID             string  `db:"id"`
	IdentityID     string  `db:"identity_id"`
	OrgID          string  `db:"org_id"`
	Method         string  `db:"method"`
	ClientSecretID *string `db:"client_secret_id"`
	Name           *string `db:"name"`
	TTL            int64   `db:"ttl"` // the true life of its first JWT
	MaxTTL         int64   `db:"max_ttl"`
	Period         int64   `db:"period"`
	Uses           int64   `db:"uses"`
	UsesLimit      int64   `db:"uses_limit"`
	Born           int64   `db:"born"`
	Revoked        bool    `db:"revoked"`
	ExpiresAt      int64   `db:"expires_at"` // of its newest JWT
	LastUsedAt     *int64  `db:"last_used_at"`
	LastRenewedAt  *int64  `db:"last_renewed_at"`
	CreatedAt      int64   `db:"created_at"`
	UpdatedAt      int64   `db:"updated_at"`
}

// claims returns as much of the claims as the revocations look at.
func (r Row) claims() *Claims {
	c := &Claims{ID: r.ID, IdentityID: r.IdentityID, Method: r.Method, OrgID: r.OrgID, Born: r.Born}
	if r.ClientSecretID != nil {
		c.ClientSecretID = *r.ClientSecretID
	}
	c.id, c.identity = uuid.MustParse(r.ID), uuid.MustParse(r.IdentityID)
	c.cuts = cutScopes(c)
	return c
}

const columns = `t.id, t.identity_id, t.org_id, t.method, t.client_secret_id, t.name, t.ttl, t.max_ttl, t.period, t.uses,
	t.uses_limit, t.born, t.revoked, t.expires_at, t.last_used_at, t.last_renewed_at, t.created_at, t.updated_at`

// ErrNotFound says that a token is unknown, out of reach, or dead already; callers cannot tell which.
var ErrNotFound = fault.New(fault.NotFound, "There is no live token with this ID that you can reach. List the identity's tokens to see their IDs.")

// Find returns the token of an id that was made by a method for an identity of the organization; else NotFound.
func (s *Service) Find(ctx context.Context, orgID, method, tokenID string) (Row, error) {
	rows, err := s.Counted(func() (rows []Row, err error) {
		return rows, s.db.Select(ctx, &rows, `SELECT `+columns+` FROM access_tokens t JOIN identities i ON i.id = t.identity_id
			WHERE t.id = $1 AND t.method = $2 AND i.org_id = $3`, tokenID, method, orgID)
	})
	if err != nil {
		return Row{}, err
	}
	if len(rows) == 0 {
		return Row{}, ErrNotFound
	}
	return rows[0], nil
}

// Page is a part of a list, newest first.
type Page struct {
	Offset, Limit int64
}

// List returns a page of the tokens that an identity got by a method, newest first, and how many there are in all.
func (s *Service) List(ctx context.Context, identityID, method string, page Page) (rows []Row, total int64, err error) {
	rows, err = s.Counted(func() ([]Row, error) {
		rows, total, err = s.list(ctx, identityID, method, page)
		return rows, err
	})
	return rows, total, err
}

func (s *Service) list(ctx context.Context, identityID, method string, page Page) (rows []Row, total int64, err error) {
	err = s.db.Read(ctx, func(tx *sqldb.Tx) error {
		err := tx.Get(ctx, &total, `SELECT coalesce(max(total), 0) FROM token_counts WHERE identity_id = $1 AND method = $2`,
			identityID, method)
		if err != nil || page.Offset >= total {
			return err
		}
		query, skip, n := page.query(total)
		return tx.Select(ctx, &rows, query, identityID, method, n, skip)
	})
	return rows, total, err
}

// query returns the query for a page of so many tokens in all, how many of them it is to skip, and how many to return.
// The inner query walks the index alone, and from the end that is nearer: so a far page reads no rows but its own, and
// the farthest is as quick as the first. One in the middle of a million steps over half a million entries of the index.
func (p Page) query(total int64) (text string, skip, n int64) {
	skip, n = p.Offset, min(p.Limit, total-p.Offset)
	order := `created_at DESC, id DESC`
	if older := total - p.Offset - n; older < skip {
		skip, order = older, `created_at, id`
	}
	return `SELECT ` + columns + ` FROM access_tokens t WHERE t.id IN
		(SELECT id FROM access_tokens WHERE identity_id = $1 AND method = $2 ORDER BY ` + order + ` LIMIT $3 OFFSET $4)
		ORDER BY t.created_at DESC, t.id DESC`, skip, n
}

// Rename gives a token another name and returns its row; nil leaves the name.
func Rename(ctx context.Context, tx *sqldb.Tx, tokenID string, name *string) (Row, error) {
	_, err := tx.Exec(ctx, `UPDATE access_tokens SET name = coalesce($1, name), updated_at = $2 WHERE id = $3`,
		name, tx.Now().UnixMilli(), tokenID)
	if err != nil {
		return Row{}, err
	}
	row, err := rowByID(ctx, tx, tokenID)
	if err != nil {
		return Row{}, err
	}
	if row == nil {
		return Row{}, ErrNotFound
	}
	return *row, nil
}

// insertRow stores a token and returns how many the identity then has of the method.
func insertRow(ctx context.Context, tx *sqldb.Tx, r Row) (total int64, err error) {
	_, err = tx.Exec(ctx, `INSERT INTO access_tokens (id, identity_id, org_id, method, client_secret_id, name, ttl, max_ttl,
		period, uses, uses_limit, born, revoked, expires_at, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, FALSE, $12, $13, $13)`,
		r.ID, r.IdentityID, r.OrgID, r.Method, r.ClientSecretID, r.Name, r.TTL, r.MaxTTL, r.Period, r.UsesLimit, r.Born,
		r.ExpiresAt, r.CreatedAt)
	if err == nil {
		err = tx.Get(ctx, &total, `INSERT INTO token_counts (identity_id, method, total) VALUES ($1, $2, 1)
			ON CONFLICT (identity_id, method) DO UPDATE SET total = token_counts.total + 1 RETURNING total`, r.IdentityID, r.Method)
	}
	return total, err
}

// markRevoked flips the row of a live token and returns when its last JWT expires, in milliseconds.
func markRevoked(ctx context.Context, tx *sqldb.Tx, tokenID string, now int64) (until int64, err error) {
	err = tx.Get(ctx, &until, `UPDATE access_tokens SET revoked = TRUE, updated_at = $1
		WHERE id = $2 AND revoked = FALSE RETURNING expires_at`, now, tokenID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = ErrNotFound
	}
	return until, err
}

// markRevokedOf flips the row of a token, if it has one and is of that identity, and returns when its last JWT expires, in
// milliseconds. found is false where there is no such row.
func markRevokedOf(ctx context.Context, tx *sqldb.Tx, tokenID, identityID string) (until int64, found bool, err error) {
	err = tx.Get(ctx, &until, `UPDATE access_tokens SET revoked = TRUE, updated_at = CASE WHEN revoked THEN updated_at ELSE $1 END
		WHERE id = $2 AND identity_id = $3 RETURNING expires_at`, tx.Now().UnixMilli(), tokenID, identityID)
	if errors.Is(err, sqldb.ErrNoRows) {
		return 0, false, nil
	}
	return until, err == nil, err
}

// touchRenewed notes a renewal in the row of a live token that has uses left; it returns 0 where there is none.
func touchRenewed(ctx context.Context, tx *sqldb.Tx, c *Claims, now int64) (int64, error) {
	return tx.Exec(ctx, `UPDATE access_tokens SET last_renewed_at = $1, updated_at = $1,
		expires_at = CASE WHEN expires_at > $2 THEN expires_at ELSE $2 END
		WHERE id = $3 AND revoked = FALSE AND (uses_limit = 0 OR uses < uses_limit)`, now, c.ExpiresAt*1000, c.ID)
}

// whyNot returns why a live token with uses left was not found in its row.
func whyNot(ctx context.Context, tx *sqldb.Tx, tokenID string) error {
	row, err := rowByID(ctx, tx, tokenID)
	switch {
	case err != nil:
		return err
	case row == nil || row.Revoked:
		return ErrRevoked
	}
	return errUsedUp
}

func rowByID(ctx context.Context, tx *sqldb.Tx, tokenID string) (*Row, error) {
	var row Row
	err := tx.Get(ctx, &row, `SELECT `+columns+` FROM access_tokens t WHERE t.id = $1`, tokenID)
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, nil
	}
	return &row, err
}

func spendUse(ctx context.Context, tx *sqldb.Tx, tokenID string, now int64) (int64, error) {
	return tx.Exec(ctx, `UPDATE access_tokens SET uses = uses + 1, last_used_at = $1
		WHERE id = $2 AND revoked = FALSE AND uses < uses_limit`, now, tokenID)
}

func usesLeft(ctx context.Context, db *sqldb.DB, tokenID string) (left bool, err error) {
	return left, db.Get(ctx, &left, `SELECT EXISTS (SELECT 1 FROM access_tokens WHERE id = $1 AND revoked = FALSE AND uses < uses_limit)`, tokenID)
}

// addUses writes counted uses.
func addUses(ctx context.Context, tx *sqldb.Tx, part []tally.Count) error {
	for _, c := range part {
		_, err := tx.Exec(ctx, `UPDATE access_tokens SET uses = uses + $1,
			last_used_at = CASE WHEN last_used_at > $2 THEN last_used_at ELSE $2 END WHERE id = $3`, c.N, c.Last, c.ID.String())
		if err != nil {
			return err
		}
	}
	return nil
}
