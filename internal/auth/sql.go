package auth

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/fault"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/id"
	"github.com/sallyport/sallyport/internal/sqldb"
)

// row is a configuration as it is stored.
type row struct {
	ID         string `db:"id"`
	IdentityID string `db:"identity_id"`
	Method     string `db:"method"`
	TTL        int64  `db:"ttl"`
	MaxTTL     int64  `db:"max_ttl"`
	Period     int64  `db:"period"`
	UsesLimit  int64  `db:"uses_limit"`
	TrustedIPs string `db:"trusted_ips"`
	CreatedAt  int64  `db:"created_at"`
	UpdatedAt  int64  `db:"updated_at"`
}

const columns = `id, identity_id, method, ttl, max_ttl, period, uses_limit, trusted_ips, created_at, updated_at`

func (r row) config() (*Config, error) {
	c := &Config{ID: r.ID, IdentityID: r.IdentityID, Method: r.Method, TTL: r.TTL, MaxTTL: r.MaxTTL, Period: r.Period,
		UsesLimit: r.UsesLimit, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
	if err := json.Unmarshal([]byte(r.TrustedIPs), &c.TrustedIPs); err != nil {
		return nil, err
	}
	return c, c.compile()
}

func readConfig(ctx context.Context, db *sqldb.DB, identityID, method string) (*Config, error) {
	var r row
	err := db.Get(ctx, &r, `SELECT `+columns+` FROM auth_configs WHERE identity_id = $1 AND method = $2`, identityID, method)
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r.config()
}

// insertConfig stores a new configuration and gives it its id and times.
func insertConfig(ctx context.Context, tx *sqldb.Tx, c *Config, m Method) error {
	trusted, err := json.Marshal(c.TrustedIPs)
	if err != nil {
		return err
	}
	c.ID, c.CreatedAt = id.New(), tx.Now().UnixMilli()
	c.UpdatedAt = c.CreatedAt
	n, err := tx.Exec(ctx, `INSERT INTO auth_configs (id, identity_id, method, ttl, max_ttl, period, uses_limit, trusted_ips, settings,
		created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '{}', $9, $9)
		ON CONFLICT (identity_id, method) DO NOTHING`,
		c.ID, c.IdentityID, c.Method, c.TTL, c.MaxTTL, c.Period, c.UsesLimit, string(trusted), c.CreatedAt)
	if err == nil && n == 0 {
		err = fault.New(fault.BadRequest, "The identity has %s already. Change it with PATCH, or detach it first.", m.Title)
	}
	return err
}

// lockConfig reads a configuration for a change. Writing to the row first makes changes at the same time queue.
func lockConfig(ctx context.Context, tx *feed.Tx, identityID string, m Method) (*Config, error) {
	var r row
	err := tx.Get(ctx, &r, `UPDATE auth_configs SET updated_at = $1 WHERE identity_id = $2 AND method = $3 RETURNING `+columns,
		tx.Now().UnixMilli(), identityID, m.Slug)
	if err != nil {
		return nil, notAttached(err, m)
	}
	return r.config()
}

func storeConfig(ctx context.Context, tx *feed.Tx, c *Config) error {
	trusted, err := json.Marshal(c.TrustedIPs)
	if err == nil {
		_, err = tx.Exec(ctx, `UPDATE auth_configs SET ttl = $1, max_ttl = $2, period = $3, uses_limit = $4, trusted_ips = $5 WHERE id = $6`,
			c.TTL, c.MaxTTL, c.Period, c.UsesLimit, string(trusted), c.ID)
	}
	return err
}

func deleteConfig(ctx context.Context, tx *feed.Tx, identityID string, m Method) (*Config, error) {
	var r row
	err := tx.Get(ctx, &r, `DELETE FROM auth_configs WHERE identity_id = $1 AND method = $2 RETURNING `+columns, identityID, m.Slug)
	if err != nil {
		return nil, notAttached(err, m)
	}
	return r.config()
}

func notAttached(err error, m Method) error {
	if errors.Is(err, sqldb.ErrNoRows) {
		return fault.New(fault.BadRequest, "The identity has no %s. Attach it first.", m.Title)
	}
	return err
}

func methodsOf(ctx context.Context, db *sqldb.DB, identityIDs []string) (map[string][]string, error) {
	methods := map[string][]string{}
	if len(identityIDs) == 0 {
		return methods, nil
	}
	marks, args := make([]string, len(identityIDs)), make([]any, len(identityIDs))
	for i, identityID := range identityIDs {
		marks[i], args[i] = "$"+strconv.Itoa(i+1), identityID
	}
	var found []row
	err := db.Select(ctx, &found, `SELECT identity_id, method FROM auth_configs WHERE identity_id IN (`+strings.Join(marks, ", ")+`)
		ORDER BY created_at, method`, args...)
	for _, r := range found {
		methods[r.IdentityID] = append(methods[r.IdentityID], r.Method)
	}
	return methods, err
}
