package project

import (
	"context"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/role"
)

const memberColumns = `SELECT m.id, m.project_id, m.created_at, m.updated_at, o.last_login_method, o.last_login_at,
	i.id AS "identity.id", i.org_id AS "identity.org_id", i.project_id AS "identity.project_id", i.name AS "identity.name",
	i.delete_protection AS "identity.delete_protection", i.created_at AS "identity.created_at", i.updated_at AS "identity.updated_at"`

// memberQuery has each identity of a project once.
const memberQuery = ` FROM memberships m JOIN identities i ON i.id = m.identity_id
	LEFT JOIN memberships o ON o.identity_id = m.identity_id AND o.scope = 'organization' AND o.org_id = m.org_id
	WHERE m.project_id = $1`

func (s *Service) member(ctx context.Context, projectID, identityID string) (*Member, error) {
	var found []Member
	err := s.DB.Select(ctx, &found, memberColumns+memberQuery+` AND m.identity_id = $2`, projectID, identityID)
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "The identity %q is not a member of the project.", brief(identityID))
	}
	if err != nil {
		return nil, err
	}
	return &found[0], s.complete(ctx, found)
}

// members returns a page of members and how many match in all.
func (s *Service) members(ctx context.Context, projectID string, q MemberSearch) (found []Member, total int64, err error) {
	where, args := q.where([]any{projectID}, s.DB.Now().UnixMilli())
	order := ` ORDER BY i.name, i.id`
	if q.Descending {
		order = ` ORDER BY i.name DESC, i.id DESC`
	}
	limit := ` LIMIT $` + strconv.Itoa(len(args)+1) + ` OFFSET $` + strconv.Itoa(len(args)+2)
	err = s.DB.Search(ctx, "members "+projectID, func(ctx context.Context) error {
		if err := s.DB.Get(ctx, &total, `SELECT count(*)`+memberQuery+where, args...); err != nil {
			return err
		}
		return s.DB.Select(ctx, &found, memberColumns+memberQuery+where+order+limit, append(args, q.Limit, q.Offset)...)
	})
	if err != nil {
		return nil, 0, err
	}
	return found, total, s.complete(ctx, found)
}

// where turns the conditions of a search into SQL. Arguments are numbered in the order of their first use.
func (q MemberSearch) where(args []any, now int64) (string, []any) {
	text := ""
	if q.owned {
		text = ` AND i.project_id = $1`
	}
	if q.Name != "" {
		text += ` AND ` + sqldb.Contains("i.name", q.Name, func(v any) string {
			args = append(args, v)
			return "$" + strconv.Itoa(len(args))
		})
	}
	if len(q.Roles) > 0 {
		args = append(args, now)
		notEnded := `(NOT r.temporary OR r.access_end > $` + strconv.Itoa(len(args)) + `)`
		marks := make([]string, len(q.Roles))
		for i, slug := range q.Roles {
			args = append(args, slug)
			marks[i] = "$" + strconv.Itoa(len(args))
		}
		text += ` AND EXISTS (SELECT 1 FROM membership_roles r LEFT JOIN custom_roles c ON c.id = r.custom_role_id
			WHERE r.membership_id = m.id AND ` + notEnded + ` AND coalesce(c.slug, r.role) IN (` + strings.Join(marks, ", ") + `))`
	}
	return text, args
}

// complete adds roles, login methods and metadata to members.
func (s *Service) complete(ctx context.Context, members []Member) error {
	ids, identities := make([]string, len(members)), make([]string, len(members))
	for i, m := range members {
		ids[i], identities[i] = m.ID, m.Identity.ID
	}
	held, err := role.HeldBy(ctx, s.DB, ids)
	if err != nil {
		return err
	}
	methods, err := s.Identities.Methods(ctx, identities)
	if err != nil {
		return err
	}
	locked, err := s.Identities.LockedOut(ctx, identities)
	if err != nil {
		return err
	}
	metadata, err := s.Identities.MetadataOf(ctx, identities)
	for i := range members {
		m := &members[i]
		m.Roles, m.Methods, m.LockedOut, m.Metadata = held[m.ID], methods[m.Identity.ID], locked[m.Identity.ID], metadata[m.Identity.ID]
	}
	return err
}
