package user

import (
	"context"
	"strconv"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/member"
)

const identityColumns = `i.id, i.name, EXISTS (SELECT 1 FROM instance_admins a WHERE a.identity_id = i.id) AS instance_admin`

func (s *Service) findIdentities(ctx context.Context, q Search) (found []AdminIdentity, total int64, err error) {
	where, args := q.where("i.name")
	where = ` FROM identities i WHERE ` + where
	err = s.page(ctx, &found, &total, identityColumns, where, ` ORDER BY i.name, i.id`, q, args)
	return found, total, err
}

func (s *Service) findUsers(ctx context.Context, q Search) (found []User, total int64, err error) {
	where, args := q.where(`u.email || ' ' || u.first_name || ' ' || u.last_name`)
	where = ` FROM users u WHERE ` + where + ` AND (u.super_admin OR NOT $` + strconv.Itoa(len(args)+1) + `)`
	err = s.page(ctx, &found, &total, columns, where, ` ORDER BY u.email, u.id`, q, append(args, q.AdminsOnly))
	return found, total, err
}

// where returns the condition that a text holds the term, and its arguments.
func (q Search) where(text string) (where string, args []any) {
	where = sqldb.Contains(text, q.Term, func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	})
	return where, args
}

// page reads how many rows a condition chooses, and a page of them.
func (s *Service) page(ctx context.Context, found, total any, columns, where, order string, q Search, args []any) error {
	return s.db.Search(ctx, "users", func(ctx context.Context) error {
		return s.db.Read(ctx, func(tx *sqldb.Tx) error {
			if err := tx.Get(ctx, total, `SELECT count(*)`+where, args...); err != nil {
				return err
			}
			limit := ` LIMIT $` + strconv.Itoa(len(args)+1) + ` OFFSET $` + strconv.Itoa(len(args)+2)
			return tx.Select(ctx, found, `SELECT `+columns+where+order+limit, append(args, q.Limit, q.Offset)...)
		})
	})
}

// keepsAnAdmin returns an error if nobody administers the instance any more.
func keepsAnAdmin(ctx context.Context, tx *sqldb.Tx) error {
	var left bool
	err := tx.Get(ctx, &left, `SELECT EXISTS (SELECT 1 FROM instance_admins) OR EXISTS (SELECT 1 FROM users WHERE super_admin)`)
	if err == nil && !left {
		err = errLastAdmin
	}
	return err
}

// keepsAUser returns an error if no user administers the instance any more.
func keepsAUser(ctx context.Context, tx *sqldb.Tx) error {
	var left bool
	err := tx.Get(ctx, &left, `SELECT EXISTS (SELECT 1 FROM users WHERE super_admin)`)
	if err == nil && !left {
		err = errLastUser
	}
	return err
}

// dropIdentity returns the identity as it was; ErrNoRows if there is none.
func dropIdentity(ctx context.Context, tx *sqldb.Tx, identityID string) (i AdminIdentity, err error) {
	if err := tx.Get(ctx, &i, `SELECT `+identityColumns+` FROM identities i WHERE i.id = $1`, identityID); err != nil {
		return i, err
	}
	if !i.InstanceAdmin {
		return i, errNoAdmin
	}
	return i, member.EndInstanceAdmin(ctx, tx, identityID)
}

// setAdmin returns the user as it is then; ErrNoRows if there is none.
func setAdmin(ctx context.Context, tx *sqldb.Tx, userID string, admin bool) (u User, err error) {
	_, err = tx.Exec(ctx, `UPDATE users SET super_admin = $1, updated_at = $2 WHERE id = $3`, admin, tx.Now().UnixMilli(), userID)
	if err != nil {
		return u, err
	}
	return userByID(ctx, tx, userID)
}

func userByID(ctx context.Context, tx *sqldb.Tx, userID string) (u User, err error) {
	return u, tx.Get(ctx, &u, `SELECT `+columns+` FROM users u WHERE u.id = $1`, userID)
}

// deleteUser deletes a user. What hangs on it goes by foreign keys.
func deleteUser(ctx context.Context, tx *sqldb.Tx, userID string) error {
	_, err := tx.Exec(ctx, `DELETE FROM users WHERE id = $1`, userID)
	return err
}
