package member

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// listing is how the identities of a scope are read.
type listing struct {
	columns string
	tables  string // one row for each identity
	chosen  string // the condition on the scope, whose id follows
	details string // tables of columns alone
}

const identityColumns = `, m.id, m.org_id, m.project_id, m.created_at, m.updated_at,
	i.id AS "identity.id", i.org_id AS "identity.org_id", i.project_id AS "identity.project_id", i.name AS "identity.name",
	i.delete_protection AS "identity.delete_protection", i.created_at AS "identity.created_at", i.updated_at AS "identity.updated_at"`

// inOrganization asks of the organization in identities alone: their index by name lets a page of many be read without the
// memberships, and a second condition on memberships, which is the same, would have SQLite begin there. Its details find the
// oldest role that has not ended at $1, or the oldest of all. Identities of projects are listed there.
var inOrganization = listing{
	columns: `SELECT m.last_login_method, m.last_login_at, r.role, c.id AS "custom.id", c.name AS "custom.name", c.slug AS "custom.slug",
	c.description AS "custom.description", c.permissions AS "custom.permissions"` + identityColumns,
	tables: ` FROM identities i JOIN memberships m ON m.identity_id = i.id AND m.scope = 'organization'`,
	chosen: ` WHERE i.project_id IS NULL AND i.org_id = `,
	details: ` JOIN membership_roles r ON r.membership_id = m.id AND r.id = (SELECT x.id FROM membership_roles x WHERE x.membership_id = m.id
		ORDER BY CASE WHEN x.temporary AND x.access_end <= $1 THEN 1 ELSE 0 END, x.id LIMIT 1)
	LEFT JOIN custom_roles c ON c.id = r.custom_role_id`,
}

var inProject = listing{
	columns: `SELECT o.last_login_method, o.last_login_at` + identityColumns,
	tables:  ` FROM memberships m JOIN identities i ON i.id = m.identity_id`,
	chosen:  ` WHERE m.project_id = `,
	details: ` LEFT JOIN memberships o ON o.identity_id = m.identity_id AND o.scope = 'organization' AND o.org_id = m.org_id`,
}

// Find returns the membership of an identity in a scope, for a caller who has checked the permission. NotFound if there is
// none.
func (s *Service) Find(ctx context.Context, sc Scope, identityID string) (*Member, error) {
	l, where, args := inOrganization, ` WHERE i.org_id = $2 AND i.id = $3`, []any{s.db.Now().UnixMilli(), sc.Actor.OrgID, identityID}
	unknown := fault.New(fault.NotFound, "There is no machine identity with ID %q in your organization.", identityID)
	if sc.ProjectID != "" {
		l, where, args = inProject, ` WHERE m.project_id = $1 AND m.identity_id = $2`, []any{sc.ProjectID, identityID}
		unknown = fault.New(fault.NotFound, "The identity %q is not a member of the project.", shortened(identityID))
	}
	var found []Member
	err := s.db.Select(ctx, &found, l.columns+l.tables+l.details+where, args...)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, unknown
	}
	return &found[0], s.complete(ctx, found)
}

// locate returns the project and the identity of a membership in the projects of an organization.
func (s *Service) locate(ctx context.Context, orgID, membershipID string) (projectID, identityID string, err error) {
	var at struct {
		ProjectID  string `db:"project_id"`
		IdentityID string `db:"identity_id"`
	}
	err = s.db.Get(ctx, &at, `SELECT m.project_id, m.identity_id FROM memberships m JOIN projects p ON p.id = m.project_id
		WHERE m.id = $1 AND p.org_id = $2 AND p.deleted_at IS NULL AND m.identity_id IS NOT NULL`, membershipID, orgID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = fault.New(fault.NotFound, "There is no membership of an identity with ID %q in the projects of your organization.", shortened(membershipID))
	}
	return at.ProjectID, at.IdentityID, err
}

// orders are the orders that a search can ask for; those by role in an organization alone.
var orders = map[string]string{
	"name asc": `i.name, i.id`, "name desc": `i.name DESC, i.id DESC`,
	"role asc": `coalesce(c.slug, r.role), i.name, i.id`, "role desc": `coalesce(c.slug, r.role) DESC, i.name DESC, i.id DESC`,
}

// search returns a page of the members that match, and how many match in all. Which ones match in an organization is read
// from indexes alone, unless it depends on their roles.
func (s *Service) search(ctx context.Context, orgID, projectID string, q Search) (found []Member, total int64, err error) {
	now := s.db.Now().UnixMilli()
	l, scope, first := inOrganization, orgID, []any{now}
	if projectID != "" {
		l, scope, first = inProject, projectID, nil
	}
	counted, countArgs := q.where(nil, l, scope, now)
	where, args := q.where(first, l, scope, now)
	order := ` ORDER BY ` + orders[q.order()]
	limit := ` LIMIT $` + strconv.Itoa(len(args)+1) + ` OFFSET $` + strconv.Itoa(len(args)+2)
	page := where + order + limit
	if projectID == "" && q.OrderBy != "role" {
		page = ` WHERE i.id IN (SELECT i.id` + l.tables + page + `)` + order
	}
	err = s.db.Search(ctx, "identities "+scope, func(ctx context.Context) error {
		return s.db.Read(ctx, func(tx *sqldb.Tx) error {
			if err := tx.Get(ctx, &total, `SELECT count(*)`+l.tables+counted, countArgs...); err != nil {
				return err
			}
			return tx.Select(ctx, &found, l.columns+l.tables+l.details+page, append(args, q.Limit, q.Offset)...)
		})
	})
	if err != nil {
		return nil, 0, err
	}
	return found, total, s.complete(ctx, found)
}

// where turns the conditions into SQL, for members of a scope as they are at a time. Arguments come behind args, and are
// numbered in the order of their first use.
func (q Search) where(args []any, l listing, scope string, now int64) (string, []any) {
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	text := l.chosen + arg(scope)
	if q.OwnedBy != "" {
		text += ` AND i.project_id = ` + arg(q.OwnedBy)
	}
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

// complete adds roles, login methods and metadata to members.
func (s *Service) complete(ctx context.Context, members []Member) error {
	ids, identities := make([]string, len(members)), make([]string, len(members))
	for i, m := range members {
		ids[i], identities[i] = m.ID, m.Identity.ID
	}
	held, err := s.HeldBy(ctx, ids)
	if err != nil {
		return err
	}
	methods, err := s.methods(ctx, identities)
	if err != nil {
		return err
	}
	locked, err := s.lockedOut(ctx, identities)
	if err != nil {
		return err
	}
	metadata, err := s.metadataOf(ctx, identities)
	for i := range members {
		m := &members[i]
		m.Roles, m.Methods, m.LockedOut, m.Metadata = held[m.ID], methods[m.Identity.ID], locked[m.Identity.ID], metadata[m.Identity.ID]
	}
	return err
}

// metadataOf returns the metadata of identities, by their ids.
func (s *Service) metadataOf(ctx context.Context, identityIDs []string) (map[string][]Metadata, error) {
	found := map[string][]Metadata{}
	for batch := range slices.Chunk(identityIDs, 500) {
		marks, args := list(batch)
		var rows []struct {
			IdentityID string `db:"identity_id"`
			Metadata
		}
		err := s.db.Select(ctx, &rows, `SELECT identity_id, id, key, value FROM identity_metadata WHERE identity_id IN (`+marks+`) ORDER BY id`, args...)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			found[r.IdentityID] = append(found[r.IdentityID], r.Metadata)
		}
	}
	return found, nil
}

// shortened cuts what a caller sent to a length that fits into a message.
func shortened(s string) string {
	const most = 64
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
