package member

import (
	"context"
	"errors"
	"strconv"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

const userColumns = `SELECT m.id, m.project_id, m.created_at, m.updated_at,
	u.id AS "user.id", u.email AS "user.email", u.first_name AS "user.first_name", u.last_name AS "user.last_name"`

// usersQuery has each user of a project once.
const usersQuery = ` FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.project_id = $1`

// The ways to name one user of a project.
const (
	byMembership = ` AND m.id = $2`
	byEmail      = ` AND u.email = $2`
	byUser       = ` AND u.id = $2`
)

func noUserMember(what string) error {
	return fault.New(fault.NotFound, "No user %q is a member of the project. List its memberships to see who is.", shortened(what))
}

// userWith returns the id of the user of an organization with an e-mail address. One who is a user elsewhere is as unknown
// as one who is none.
func userWith(ctx context.Context, tx *sqldb.Tx, orgID, email string) (userID string, err error) {
	err = tx.Get(ctx, &userID, `SELECT u.id FROM users u JOIN memberships o ON o.user_id = u.id AND o.scope = 'organization' AND o.active
		WHERE u.email = $1 AND o.org_id = $2`, email, orgID)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = fault.New(fault.NotFound, "Your organization has no user with the e-mail address %q.", shortened(email))
	}
	return userID, err
}

// userMember returns one user of a project, named in one of the ways above.
func (s *Service) userMember(ctx context.Context, projectID, by, what string) (*UserMember, error) {
	var found []UserMember
	err := s.db.Select(ctx, &found, userColumns+usersQuery+by, projectID, what)
	if err == nil && len(found) == 0 {
		err = noUserMember(what)
	}
	if err != nil {
		return nil, err
	}
	return &found[0], s.addHeld(ctx, found)
}

// usersWith returns those users of a project who have one of the e-mail addresses.
func (s *Service) usersWith(ctx context.Context, projectID string, emails []string) (found []UserMember, err error) {
	marks, args := "", []any{projectID}
	for _, e := range emails {
		if args = append(args, e); len(args) > 2 {
			marks += ", "
		}
		marks += "$" + strconv.Itoa(len(args))
	}
	err = s.db.Select(ctx, &found, userColumns+usersQuery+` AND u.email IN (`+marks+`) ORDER BY u.email`, args...)
	if err == nil {
		err = s.addHeld(ctx, found)
	}
	return found, err
}

func (s *Service) userPage(ctx context.Context, projectID string, offset, limit int64) (found []UserMember, total int64, err error) {
	if err := s.db.Get(ctx, &total, `SELECT count(*)`+usersQuery, projectID); err != nil {
		return nil, 0, err
	}
	err = s.db.Select(ctx, &found, userColumns+usersQuery+` ORDER BY u.email LIMIT $2 OFFSET $3`, projectID, limit, offset)
	if err == nil {
		err = s.addHeld(ctx, found)
	}
	return found, total, err
}

func (s *Service) addHeld(ctx context.Context, members []UserMember) error {
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	held, err := s.HeldBy(ctx, ids)
	for i := range members {
		members[i].Roles = held[members[i].ID]
	}
	return err
}
