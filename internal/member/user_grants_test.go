package member

import (
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/role"
)

// TestGrantsOfUsers: users have the roles of their membership as identities have, and their own mark as administrators.
func TestGrantsOfUsers(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		userID := id.New()
		grants := func() *Grants {
			t.Helper()
			g, err := f.Of(t.Context(), userID, f.org)
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		change := func(query string, args ...any) {
			t.Helper()
			f.exec(query, args...)
			err := f.feed.Change(t.Context(), func(tx *feed.Tx) error { Changed(tx, userID, f.org); return nil })
			if err != nil {
				t.Fatal(err)
			}
		}
		f.exec(`INSERT INTO users (id, email, first_name, last_name, password_hash, super_admin, created_at, updated_at)
			VALUES ($1, 'a@example.com', '', '', '', FALSE, 0, 0)`, userID)
		f.join(role.BuiltIn(role.Admin)) // an identity's rights are not the user's
		if g := grants(); g.Member || g.Ability.AllowsSome(access.Read, access.SubjectIdentity) {
			t.Error("a user without a membership has rights")
		}
		err := f.db.Write(t.Context(), func(tx *sqldb.Tx) error {
			_, err := Join(t.Context(), tx, Draft{OrgID: f.org, UserID: userID, Roles: Permanent(role.BuiltIn("member"))})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		change(`UPDATE users SET updated_at = 1`)
		g := grants()
		if !g.Member || g.InstanceAdmin || !g.Ability.AllowsSome(access.Create, access.SubjectIdentity) || g.Ability.AllowsSome(access.EditAuth, access.SubjectIdentity) {
			t.Errorf("the rights of a member are %+v", g)
		}
		change(`UPDATE users SET super_admin = TRUE`)
		if g := grants(); !g.InstanceAdmin || g.Ability.AllowsSome(access.EditAuth, access.SubjectIdentity) {
			t.Errorf("the rights of an instance administrator are %+v", g)
		}
		change(`UPDATE memberships SET active = FALSE WHERE user_id = $1`, userID)
		if g := grants(); g.Member || g.InstanceAdmin {
			t.Errorf("the rights of an inactive member are %+v", g)
		}
	})
}
