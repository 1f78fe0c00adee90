package identity

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/quota"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/role"
)

const columns = `id, org_id, project_id, name, delete_protection, created_at, updated_at`

func (s *Service) read(ctx context.Context, identityID string) (*Identity, error) {
	if !id.Valid(identityID) {
		return nil, Unknown(identityID)
	}
	i := &Identity{}
	err := s.DB.Get(ctx, i, `SELECT `+columns+` FROM identities WHERE id = $1`, identityID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = Unknown(identityID)
	}
	return i, err
}

// Insert makes an identity with one role. The caller has checked that the role may be handed out.
func Insert(ctx context.Context, tx *sqldb.Tx, orgID, name string, r *role.Role) (Identity, error) {
	d, err := insert(ctx, tx, orgID, Changes{Name: &name}, role.Permanent(r), nil)
	return d.Identity, err
}

// create makes an identity for an actor, if there is room for it.
func (s *Service) create(ctx context.Context, tx *sqldb.Tx, actor *access.Actor, c Changes, roles []role.Assignment) (Detail, error) {
	if err := s.room(ctx, tx, actor); err != nil {
		return Detail{}, err
	}
	return insert(ctx, tx, actor.OrgID, c, roles, &actor.ID)
}

// DefaultQuota and DefaultMemberQuota are how many identities an organization has, and one member has created, at most, unless a
// setting says otherwise.
const (
	DefaultQuota       = 100_000
	DefaultMemberQuota = 10_000
)

// room refuses one more identity where the organization, or the actor, has as many as there may be.
func (s *Service) room(ctx context.Context, tx *sqldb.Tx, actor *access.Actor) error {
	err := org.Lock(ctx, tx, actor.OrgID)
	if err == nil {
		err = quota.Quota{Setting: "--quota-identities", Owner: "Your organization has", Things: "identities", Most: cmp.Or(s.Quota, DefaultQuota)}.
			Check(ctx, tx, `identities WHERE org_id = $1`, actor.OrgID)
	}
	if err == nil {
		err = quota.Quota{Setting: "--quota-member-identities", Owner: "You have", Things: "identities that you created", Most: cmp.Or(s.MemberQuota, DefaultMemberQuota)}.
			Check(ctx, tx, `identities WHERE org_id = $1 AND created_by = $2`, actor.OrgID, actor.ID)
	}
	return err
}

// insert stores an identity that somebody, or with nil the server itself, makes.
func insert(ctx context.Context, tx *sqldb.Tx, orgID string, c Changes, roles []role.Assignment, by *string) (Detail, error) {
	now := tx.Now().UnixMilli()
	d := Detail{Identity: Identity{ID: id.New(), OrgID: orgID, CreatedAt: now, UpdatedAt: now}, Methods: []string{}}
	if c.Name != nil {
		d.Name = *c.Name
	}
	if c.DeleteProtection != nil {
		d.DeleteProtection = *c.DeleteProtection
	}
	d.ProjectID = c.ProjectID
	_, err := tx.Exec(ctx, `INSERT INTO identities (id, org_id, project_id, name, delete_protection, created_at, updated_at, created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $6, $7)`, d.ID, orgID, d.ProjectID, d.Name, d.DeleteProtection, now, by)
	if err == nil {
		_, err = role.Join(ctx, tx, role.Member{OrgID: orgID, IdentityID: d.ID, Roles: roles})
	}
	if err == nil && c.Metadata != nil {
		d.Metadata, err = insertMetadata(ctx, tx, d.ID, *c.Metadata)
	}
	return d, err
}

func update(ctx context.Context, tx *feed.Tx, identityID string, c Changes, roles []role.Assignment) (Detail, error) {
	d := Detail{}
	err := tx.Get(ctx, &d.Identity, `UPDATE identities SET name = coalesce($1, name),
		delete_protection = coalesce($2, delete_protection), updated_at = $3 WHERE id = $4 RETURNING `+columns,
		c.Name, c.DeleteProtection, tx.Now().UnixMilli(), identityID)
	if errors.Is(err, sqldb.ErrNoRows) {
		return d, Unknown(identityID)
	}
	if err == nil {
		tx.Append(feed.IdentityRow, identityID, feed.Evict)
		err = replaceMetadata(ctx, tx.Tx, &d, c.Metadata)
	}
	if err == nil && roles != nil {
		err = setRoles(ctx, tx, identityID, d.OrgID, roles)
	}
	return d, err
}

func setRoles(ctx context.Context, tx *feed.Tx, identityID, orgID string, roles []role.Assignment) error {
	err := role.SetRoles(ctx, tx, identityID, orgID, roles)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = errNotMember
	}
	return err
}

func replaceMetadata(ctx context.Context, tx *sqldb.Tx, d *Detail, metadata *[]Metadata) error {
	if metadata == nil {
		return tx.Select(ctx, &d.Metadata, metadataQuery, d.ID)
	}
	_, err := tx.Exec(ctx, `DELETE FROM identity_metadata WHERE identity_id = $1`, d.ID)
	if err == nil {
		d.Metadata, err = insertMetadata(ctx, tx, d.ID, *metadata)
	}
	return err
}

const metadataQuery = `SELECT id, key, value FROM identity_metadata WHERE identity_id = $1 ORDER BY id`

func insertMetadata(ctx context.Context, tx *sqldb.Tx, identityID string, metadata []Metadata) ([]Metadata, error) {
	made := make([]Metadata, len(metadata))
	for n, m := range metadata {
		made[n] = Metadata{ID: id.New(), Key: m.Key, Value: m.Value}
		_, err := tx.Exec(ctx, `INSERT INTO identity_metadata (id, identity_id, key, value) VALUES ($1, $2, $3, $4)`,
			made[n].ID, identityID, m.Key, m.Value)
		if err != nil {
			return nil, err
		}
	}
	return made, nil
}

// remove deletes the row, unless it is protected at this very moment. What hangs on it goes by foreign keys.
func remove(ctx context.Context, tx *feed.Tx, identityID string) error {
	n, err := tx.Exec(ctx, `DELETE FROM identities WHERE id = $1 AND delete_protection = FALSE`, identityID)
	if err != nil || n == 1 {
		return err
	}
	var there bool
	err = tx.Get(ctx, &there, `SELECT EXISTS (SELECT 1 FROM identities WHERE id = $1)`, identityID)
	if err == nil && !there {
		return Unknown(identityID)
	}
	if err == nil {
		err = fault.New(fault.BadRequest, "The identity has delete protection. Turn it off first (hasDeleteProtection: false).")
	}
	return err
}

// member is a membership of an identity with its first role.
type member struct {
	ID              string  `db:"id"`
	Role            string  `db:"role"`
	Custom          custom  `db:"custom"`
	OrgID           string  `db:"org_id"`
	LastLoginMethod *string `db:"last_login_method"`
	LastLoginAt     *int64  `db:"last_login_at"`
	CreatedAt       int64   `db:"created_at"`
	UpdatedAt       int64   `db:"updated_at"`
	Identity        `db:"identity"`
}

// custom is the custom role of a member; its fields are nil for a built-in one.
type custom struct {
	ID          *string `db:"id"`
	Name        *string `db:"name"`
	Slug        *string `db:"slug"`
	Description *string `db:"description"`
	Permissions *string `db:"permissions"`
}

// The tables of a member. The organization is asked of identities alone: their index by name lets a page of many be read without
// the others, and a second condition on that of memberships, which is the same, would have SQLite begin there.
const (
	memberTables = ` FROM identities i
	JOIN memberships m ON m.identity_id = i.id AND m.scope = 'organization'`
	// roleTables have one row for each member: r.id is the oldest of its roles that have not ended at $1, or the oldest of all.
	roleTables = `
	JOIN membership_roles r ON r.membership_id = m.id AND r.id = (SELECT x.id FROM membership_roles x WHERE x.membership_id = m.id
		ORDER BY CASE WHEN x.temporary AND x.access_end <= $1 THEN 1 ELSE 0 END, x.id LIMIT 1)
	LEFT JOIN custom_roles c ON c.id = r.custom_role_id`
)

const memberColumns = `SELECT m.id, r.role, m.org_id, m.last_login_method, m.last_login_at, m.created_at, m.updated_at,
	c.id AS "custom.id", c.name AS "custom.name", c.slug AS "custom.slug", c.description AS "custom.description", c.permissions AS "custom.permissions",
	i.id AS "identity.id", i.org_id AS "identity.org_id", i.project_id AS "identity.project_id", i.name AS "identity.name",
	i.delete_protection AS "identity.delete_protection", i.created_at AS "identity.created_at", i.updated_at AS "identity.updated_at"`

func (s *Service) member(ctx context.Context, orgID, identityID string) (m member, err error) {
	err = s.DB.Get(ctx, &m, memberColumns+memberTables+roleTables+` WHERE i.org_id = $2 AND i.id = $3`, s.DB.Now().UnixMilli(), orgID, identityID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = Unknown(identityID)
	}
	return m, err
}

func (s *Service) metadata(ctx context.Context, identityID string) (metadata []Metadata, err error) {
	return metadata, s.DB.Select(ctx, &metadata, metadataQuery, identityID)
}

// MetadataOf returns the metadata of identities, by their ids.
func (s *Service) MetadataOf(ctx context.Context, identityIDs []string) (map[string][]Metadata, error) {
	found := map[string][]Metadata{}
	for batch := range slices.Chunk(identityIDs, 500) {
		marks, args := make([]string, len(batch)), make([]any, len(batch))
		for i, identityID := range batch {
			marks[i], args[i] = "$"+strconv.Itoa(i+1), identityID
		}
		var rows []struct {
			IdentityID string `db:"identity_id"`
			Metadata
		}
		err := s.DB.Select(ctx, &rows, `SELECT identity_id, id, key, value FROM identity_metadata
			WHERE identity_id IN (`+strings.Join(marks, ", ")+`) ORDER BY id`, args...)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			found[r.IdentityID] = append(found[r.IdentityID], r.Metadata)
		}
	}
	return found, nil
}

// orders are the orders that a search can ask for.
var orders = map[string]string{
	"name asc": `i.name, i.id`, "name desc": `i.name DESC, i.id DESC`,
	"role asc": `coalesce(c.slug, r.role), i.name, i.id`, "role desc": `coalesce(c.slug, r.role) DESC, i.name DESC, i.id DESC`,
}

// search returns a page of the members that match, and how many match in all; those of projects are listed there. Which
// ones match is read from indexes alone, unless it depends on their roles.
func (s *Service) search(ctx context.Context, orgID string, q Search) (members []member, total int64, err error) {
	now := s.DB.Now().UnixMilli()
	counted, countArgs := q.where(nil, orgID, now)
	where, args := q.where([]any{now}, orgID, now)
	order := ` ORDER BY ` + orders[q.order()]
	limit := ` LIMIT $` + strconv.Itoa(len(args)+1) + ` OFFSET $` + strconv.Itoa(len(args)+2)
	page := ` WHERE i.id IN (SELECT i.id` + memberTables + where + order + limit + `)` + order
	if q.OrderBy == "role" {
		page = where + order + limit
	}
	err = s.DB.Search(ctx, "identities "+orgID, func(ctx context.Context) error {
		return s.DB.Read(ctx, func(tx *sqldb.Tx) error {
			if err := tx.Get(ctx, &total, `SELECT count(*)`+memberTables+counted, countArgs...); err != nil {
				return err
			}
			return tx.Select(ctx, &members, memberColumns+memberTables+roleTables+page, append(args, q.Limit, q.Offset)...)
		})
	})
	return members, total, err
}

// where turns the conditions into SQL, for members of an organization as they are at a time. Arguments come behind args, and
// are numbered in the order of their first use.
func (q Search) where(args []any, orgID string, now int64) (string, []any) {
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	text := ` WHERE i.org_id = ` + arg(orgID) + ` AND i.project_id IS NULL`
	groups := make([]string, 0, len(q.AnyOf))
	for _, all := range q.AnyOf {
		parts := make([]string, 0, len(all))
		for _, m := range all {
			parts = append(parts, m.where(arg, now))
		}
		if len(all) == 0 {
			parts = append(parts, "TRUE")
		}
		groups = append(groups, "("+strings.Join(parts, " AND ")+")")
	}
	if len(groups) == 0 {
		return text, args
	}
	return text + " AND (" + strings.Join(groups, " OR ") + ")", args
}

func (m Match) where(arg func(any) string, now int64) string {
	if m.Field == "role" { // any role that it has, or will have
		return `EXISTS (SELECT 1 FROM membership_roles h LEFT JOIN custom_roles k ON k.id = h.custom_role_id
			WHERE h.membership_id = m.id AND (NOT h.temporary OR h.access_end > ` + arg(now) + `) AND ` + m.on("coalesce(k.slug, h.role)", arg) + `)`
	}
	return m.on("i.name", arg)
}

// on is the condition on a column.
func (m Match) on(column string, arg func(any) string) string {
	switch m.Op {
	case "$contains":
		return sqldb.Contains(column, m.Values[0], arg)
	case "$in":
		if len(m.Values) == 0 {
			return "FALSE"
		}
		marks := make([]string, len(m.Values))
		for i, v := range m.Values {
			marks[i] = arg(v)
		}
		return column + ` IN (` + strings.Join(marks, ", ") + `)`
	default:
		return column + ` = ` + arg(m.Values[0])
	}
}
