package user

import (
	"context"
	"errors"
	"slices"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/lockout"
	"github.com/sallyport/sallyport/internal/base/quota"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/member"
)

// Invited is a user who was invited. Link is nil for someone who has an account already: they are a member at once, and log in as
// they always do. So an invitation never takes over an account.
type Invited struct {
	Email  string
	UserID string
	Link   *Link
}

// Invite makes people members of the organization with a role, and returns the links by which new ones choose a password. Addresses
// of members are skipped. All are invited, or none. Errors: PermissionDenied, NotFound for an unknown role, Boundary for a
// role that allows more than the actor may, BadRequest where there would be more members than the quota allows.
func (s *Service) Invite(ctx context.Context, actor *access.Actor, orgID string, emails []string, roleSlug string) (invited []Invited, err error) {
	if err := actor.Check(access.Create, access.SubjectMember, nil); err != nil {
		return nil, err
	}
	if err := inOrg(actor, orgID); err != nil {
		return nil, err
	}
	roles, err := s.assignable(ctx, actor, roleSlug, "Nobody was invited")
	if err != nil {
		return nil, err
	}
	slices.Sort(emails)
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		invited = nil
		for _, email := range slices.Compact(emails) {
			one, err := s.invite(ctx, tx, actor, email, roles)
			if err != nil {
				return err
			}
			if one != nil {
				invited = append(invited, *one)
			}
		}
		return nil
	})
	return invited, err
}

// assignable returns a role for a membership, if the actor may hand it out.
func (s *Service) assignable(ctx context.Context, actor *access.Actor, slug, base string) ([]member.Assignment, error) {
	r, err := s.roles.Find(ctx, actor.OrgID, slug)
	if err != nil {
		return nil, err
	}
	return member.MayAssign(actor, "", member.Permanent(r), base, s.db.Now())
}

// invite makes one person a member; nil for someone who is.
func (s *Service) invite(ctx context.Context, tx *feed.Tx, actor *access.Actor, email string, roles []member.Assignment) (*Invited, error) {
	u, made, err := s.accountFor(ctx, tx.Tx, email)
	if err != nil {
		return nil, err
	}
	already, err := isMember(ctx, tx.Tx, u.ID, actor.OrgID)
	if err != nil || already {
		return nil, err
	}
	if !made {
		if err := mayVouch(ctx, tx.Tx, actor, u); err != nil {
			return nil, err
		}
	}
	if err := s.membersQuota().Check(ctx, tx.Tx, `memberships WHERE org_id = $1 AND scope = 'organization' AND user_id IS NOT NULL`, actor.OrgID); err != nil {
		return nil, err
	}
	if _, err = member.Join(ctx, tx.Tx, member.Draft{OrgID: actor.OrgID, UserID: u.ID, Roles: roles}); err != nil {
		return nil, err
	}
	member.Changed(tx, u.ID, actor.OrgID)
	one := &Invited{Email: email, UserID: u.ID}
	if !u.Accepted {
		l, err := s.newLink(ctx, tx.Tx, u.ID, invitation)
		if err != nil {
			return nil, err
		}
		one.Link = &l
	}
	return one, s.record(ctx, tx.Tx, actor, audit.Event{Type: audit.InviteUser,
		Metadata: map[string]any{"userId": u.ID, "email": email, "role": roles[0].Role.Slug}})
}

// defaultMembers is how many users an organization has at most, unless a setting says otherwise.
const defaultMembers = 10_000

func (s *Service) membersQuota() quota.Quota {
	return quota.Quota{Setting: "--quota-members", Owner: "Your organization has", Things: "users", Most: s.quota}
}

// mayVouch asks that the actor may act for an account that exists: add it to the organization, or get a link that completes it. Nobody
// has proved that an address is theirs, so where there are several organizations only an administrator of the instance may.
func mayVouch(ctx context.Context, tx *sqldb.Tx, actor *access.Actor, u *User) error {
	if actor.InstanceAdmin {
		return nil
	}
	var organizations int64
	if err := tx.Get(ctx, &organizations, `SELECT count(*) FROM organizations`); err != nil {
		return err
	}
	if u.SuperAdmin || organizations > 1 {
		return fault.New(fault.Forbidden, "The user with this address has an account on this server already. Ask an administrator of the instance to add the user.")
	}
	return nil
}

// accountFor returns the user with an e-mail address. If there is none it makes one, without a password.
func (s *Service) accountFor(ctx context.Context, tx *sqldb.Tx, email string) (u *User, made bool, err error) {
	u = &User{}
	err = tx.Get(ctx, u, `SELECT `+columns+` FROM users u WHERE u.email = $1`, email)
	if !errors.Is(err, sqldb.ErrNoRows) {
		return u, false, err
	}
	u = &User{ID: id.New(), Email: email}
	_, err = tx.Exec(ctx, `INSERT INTO users (id, email, first_name, last_name, password_hash, super_admin, created_at, updated_at)
		VALUES ($1, $2, '', '', '', FALSE, $3, $3)`, u.ID, email, tx.Now().UnixMilli())
	return u, true, err
}

// Renew makes another invitation link for a member who has not accepted one yet; the older link is dead then. Errors: PermissionDenied,
// NotFound, BadRequest for a member who has accepted.
func (s *Service) Renew(ctx context.Context, actor *access.Actor, membershipID string) (email string, link Link, err error) {
	if err := actor.Check(access.Create, access.SubjectMember, nil); err != nil {
		return "", link, err
	}
	m, err := s.member(ctx, actor.OrgID, membershipID)
	if err != nil {
		return "", link, err
	}
	if m.User.Accepted {
		return "", link, fault.New(fault.BadRequest, "This user has accepted an invitation already, and can log in.")
	}
	if err := s.covers(ctx, actor, m, "No invitation was made"); err != nil { // the link lets its holder act with the user's roles
		return "", link, err
	}
	err = s.db.Write(ctx, func(tx *sqldb.Tx) error {
		if err := mayVouch(ctx, tx, actor, &m.User); err != nil {
			return err
		}
		if link, err = s.newLink(ctx, tx, m.User.ID, invitation); err != nil {
			return err
		}
		return s.record(ctx, tx, actor, audit.Event{Type: audit.InviteUser, Metadata: map[string]any{"userId": m.User.ID, "email": m.User.Email}})
	})
	return m.User.Email, link, err
}

// Acceptance is what an invited person says of themselves.
type Acceptance struct {
	Code, Password      string
	FirstName, LastName string
}

// Accept gives an invited user a password and a name, and begins a session. Errors: BadRequest for a link that was used, is late or
// unknown; Validation for a weak password; RateLimited.
func (s *Service) Accept(ctx context.Context, in Acceptance, client access.Client) (*Pair, error) {
	userID, err := s.holder(ctx, invitation, in.Code)
	if err != nil {
		return nil, err
	}
	u, err := s.ByID(ctx, userID)
	if err == nil {
		err = s.orgs.CheckNewPassword(in.Password, u.Email, in.FirstName, in.LastName)
	}
	if err != nil {
		return nil, err
	}
	leave, err := s.hashing.Enter(ctx, lockout.Caller(client.IP))
	if err != nil {
		return nil, err
	}
	defer leave()
	hash, err := s.orgs.HashPassword(in.Password)
	if err != nil {
		return nil, err
	}
	var made *account
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		made, err = s.accept(ctx, tx, userID, hash, in, client)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.begin(ctx, made, s.tokens.Birth(), client)
}

// accept stores the password of an invited user. It only ever completes an account that has none.
func (s *Service) accept(ctx context.Context, tx *feed.Tx, userID, hash string, in Acceptance, client access.Client) (*account, error) {
	if err := useLink(ctx, tx.Tx, userID, invitation, in.Code); err != nil {
		return nil, err
	}
	n, err := tx.Exec(ctx, `UPDATE users SET password_hash = $1, first_name = $2, last_name = $3, updated_at = $4
		WHERE id = $5 AND password_hash = '' AND deactivated_at IS NULL`, hash, in.FirstName, in.LastName, tx.Now().UnixMilli(), userID)
	if err == nil && n == 0 {
		err = errLink
	}
	if err != nil {
		return nil, err
	}
	tx.Append(feed.UserRow, userID, feed.Evict)
	u, err := accountByID(ctx, tx.Tx, userID)
	if err != nil {
		return nil, err
	}
	return u, s.audit.Record(ctx, tx.Tx, u.actor(client), audit.Event{Type: audit.AcceptInvitation, Metadata: map[string]any{"userId": userID}})
}
