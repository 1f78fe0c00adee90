package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/org"
)

// row is a configuration as it is stored. settings is the method's own part, sealed.
type row struct {
	ID         string `db:"id"`
	IdentityID string `db:"identity_id"`
	Method     string `db:"method"`
	TTL        int64  `db:"ttl"`
	MaxTTL     int64  `db:"max_ttl"`
	UsesLimit  int64  `db:"uses_limit"`
	TrustedIPs string `db:"trusted_ips"`
	Settings   []byte `db:"settings"`
	CreatedAt  int64  `db:"created_at"`
	UpdatedAt  int64  `db:"updated_at"`
}

const columns = `id, identity_id, method, ttl, max_ttl, uses_limit, trusted_ips, settings, created_at, updated_at`

// open makes the configuration of a row.
func (s *Service) open(r row) (*Config, error) {
	m, ok := s.methods[r.Method]
	if !ok {
		return nil, fmt.Errorf("the database has a configuration of %q, a login method that this program does not have", r.Method)
	}
	text, err := s.root.Open(r.Settings, ConfigPlace(r.ID)...)
	if err != nil {
		return nil, err
	}
	own, err := m.decode(text)
	if err != nil {
		return nil, err
	}
	shared := own.(common).Common()
	*shared = Shared{TTL: &r.TTL, MaxTTL: &r.MaxTTL, UsesLimit: &r.UsesLimit}
	if err := json.Unmarshal([]byte(r.TrustedIPs), &shared.TrustedIPs); err != nil {
		return nil, err
	}
	c := &Config{ID: r.ID, IdentityID: r.IdentityID, Method: r.Method, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
	return c, c.set(own.(common))
}

// ConfigPlace is what the sealed settings of a configuration are bound to.
func ConfigPlace(configID string) []string { return []string{"auth_configs", configID} }

// storedParts is what is stored of settings.
type storedParts struct {
	trusted string // addresses, as JSON
	sealed  []byte // all settings, sealed for their row
	rootID  string // with which root key
}

func (s *Service) parts(ctx context.Context, tx *sqldb.Tx, c *Config) (p storedParts, err error) {
	list, err := json.Marshal(c.Shared().TrustedIPs)
	if err != nil {
		return p, err
	}
	text, err := json.Marshal(c.own)
	if err != nil {
		return p, err
	}
	root, rootID, err := org.SealingKey(ctx, tx, s.root)
	if err != nil {
		return p, err
	}
	return storedParts{string(list), root.Seal(text, ConfigPlace(c.ID)...), rootID}, nil
}

func (s *Service) readConfig(ctx context.Context, identityID, method string) (*Config, error) {
	var r row
	err := s.db.Get(ctx, &r, `SELECT `+columns+` FROM auth_configs WHERE identity_id = $1 AND method = $2`, identityID, method)
	if errors.Is(err, sqldb.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.open(r)
}

// insertConfig stores a new configuration and gives it its id and times.
func (s *Service) insertConfig(ctx context.Context, tx *sqldb.Tx, c *Config, title string) error {
	c.ID, c.CreatedAt = id.New(), tx.Now().UnixMilli()
	c.UpdatedAt = c.CreatedAt
	p, err := s.parts(ctx, tx, c)
	if err != nil {
		return err
	}
	shared := c.Shared()
	n, err := tx.Exec(ctx, `INSERT INTO auth_configs (id, identity_id, method, ttl, max_ttl, uses_limit, trusted_ips, settings, root_key_id,
		created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
		ON CONFLICT (identity_id, method) DO NOTHING`,
		c.ID, c.IdentityID, c.Method, *shared.TTL, *shared.MaxTTL, *shared.UsesLimit, p.trusted, p.sealed, p.rootID, c.CreatedAt)
	if err == nil && n == 0 {
		err = fault.New(fault.BadRequest, "The identity has %s already. Change it with PATCH, or detach it first.", title)
	}
	if sqldb.IsForeignKey(err) { // it was deleted since the caller looked
		err = identity.Unknown(c.IdentityID)
	}
	return err
}

// lockConfig reads a configuration for a change. Writing to the row first makes changes at the same time queue.
func (s *Service) lockConfig(ctx context.Context, tx *feed.Tx, identityID string, m info) (*Config, error) {
	var r row
	err := tx.Get(ctx, &r, `UPDATE auth_configs SET updated_at = $1 WHERE identity_id = $2 AND method = $3 RETURNING `+columns,
		tx.Now().UnixMilli(), identityID, m.slug)
	if err != nil {
		return nil, notAttached(err, m.title)
	}
	return s.open(r)
}

func (s *Service) storeConfig(ctx context.Context, tx *feed.Tx, c *Config) error {
	p, err := s.parts(ctx, tx.Tx, c)
	if err == nil {
		shared := c.Shared()
		_, err = tx.Exec(ctx, `UPDATE auth_configs SET ttl = $1, max_ttl = $2, uses_limit = $3, trusted_ips = $4, settings = $5, root_key_id = $6
			WHERE id = $7`,
			*shared.TTL, *shared.MaxTTL, *shared.UsesLimit, p.trusted, p.sealed, p.rootID, c.ID)
	}
	return err
}

func (s *Service) deleteConfig(ctx context.Context, tx *feed.Tx, identityID string, m info) (*Config, error) {
	var r row
	err := tx.Get(ctx, &r, `DELETE FROM auth_configs WHERE identity_id = $1 AND method = $2 RETURNING `+columns, identityID, m.slug)
	if err != nil {
		return nil, notAttached(err, m.title)
	}
	return s.open(r)
}

func notAttached(err error, title string) error {
	if errors.Is(err, sqldb.ErrNoRows) {
		return fault.New(fault.BadRequest, "The identity has no %s. Attach it first.", title)
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
