// Package org owns organizations, and the instance with its one-time bootstrap. It does not know what members of an
// organization may do.
package org

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/limit"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

// cacheSize bounds how many organizations are kept in memory.
const cacheSize = 10_000

// Organization is a tenant: what one token can reach lies in one organization.
type Organization struct {
	ID        string `db:"id"`
	Name      string `db:"name"`
	Slug      string `db:"slug"`
	CreatedAt int64  `db:"created_at"` // milliseconds UTC
	UpdatedAt int64  `db:"updated_at"`
}

// Service finds organizations and sets up the instance.
type Service struct {
	db               *sqldb.DB
	feed             *feed.Feed
	audit            *audit.Log
	root             *seal.Key
	cost             Cost
	hashing          *limit.Line
	minPassword      int
	requireSetupCode bool
	makeUser         func(ctx context.Context, tx *sqldb.Tx, u User, hash string) error
	makeAdmin        func(ctx context.Context, tx *sqldb.Tx, org Organization) (Admin, error)

	cache *feed.Cache[*Organization]
}

// Find returns an organization by its id, from memory where it can; NotFound if there is none.
func (s *Service) Find(ctx context.Context, orgID string) (*Organization, error) {
	return s.cache.Load(ctx, orgID, func(ctx context.Context) (*Organization, error) {
		o := &Organization{}
		err := s.db.Get(ctx, o, `SELECT id, name, slug, created_at, updated_at FROM organizations WHERE id = $1`, orgID)
		if errors.Is(err, sqldb.ErrNoRows) {
			err = fault.New(fault.NotFound, "There is no organization with ID %q.", orgID)
		}
		return o, err
	})
}

// Lock lines up the changes of an organization that count before they add: until tx is done none of them sees less than another
// one has added.
func Lock(ctx context.Context, tx *sqldb.Tx, orgID string) error {
	_, err := tx.Exec(ctx, `UPDATE organizations SET name = name WHERE id = $1`, orgID)
	return err
}

var notSlug = regexp.MustCompile(`[^a-z0-9]+`)

// slugOf makes a slug of a name: its letters and digits, and a random end that makes it unique.
func slugOf(name string) string {
	base := strings.Trim(notSlug.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if len(base) > 25 {
		base = strings.TrimRight(base[:25], "-")
	}
	if base == "" {
		base = "org"
	}
	return base + "-" + id.Secret(3)
}

// insert makes an organization.
func insert(ctx context.Context, tx *sqldb.Tx, name string) (Organization, error) {
	now := tx.Now().UnixMilli()
	o := Organization{ID: id.New(), Name: name, Slug: slugOf(name), CreatedAt: now, UpdatedAt: now}
	_, err := tx.Exec(ctx, `INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)`,
		o.ID, o.Name, o.Slug, now)
	return o, err
}
