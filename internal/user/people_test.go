package user

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

const newPassword = "seven purple otters sing"

// codeOf returns the code of a link.
func codeOf(t *testing.T, l *Link) string {
	t.Helper()
	if l == nil {
		t.Fatal("there is no link")
	}
	_, code, _ := strings.Cut(l.URL, "?code=")
	return code
}

func (f *fixture) invite1(actor *access.Actor, email, role string) Invited {
	f.t.Helper()
	invited, err := f.Invite(f.t.Context(), actor, f.org, []string{email}, role)
	if err != nil || len(invited) != 1 {
		f.t.Fatalf("inviting %s: %v, %v", email, invited, err)
	}
	return invited[0]
}

func (f *fixture) accept1(code string) (*Pair, error) {
	return f.Accept(f.t.Context(), Acceptance{Code: code, Password: newPassword, FirstName: "Grace", LastName: "Hopper"}, home)
}

// membershipOf returns the id of a user's membership in the organization.
func (f *fixture) membershipOf(userID string) (membershipID string) {
	f.t.Helper()
	if err := f.db.Get(f.t.Context(), &membershipID, `SELECT id FROM memberships WHERE user_id = $1 AND org_id = $2 AND scope = 'organization'`, userID, f.org); err != nil {
		f.t.Fatal(err)
	}
	return membershipID
}

// TestInvitation goes from the invitation to a login, and tries each link twice.
func TestInvitation(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		admin := f.in(f.ada)
		one := f.invite1(admin, "grace@example.com", "member")
		code := codeOf(t, one.Link)
		if _, err := f.Login(t.Context(), "grace@example.com", "", home); !fault.Is(err, fault.BadRequest) {
			t.Errorf("a login before the invitation was accepted: %v", err)
		}
		made := must[*Pair](t)(f.accept1(code))
		if a := f.actor(made.Access); a.ID != one.UserID {
			t.Errorf("the session is of %s; want %s", a.ID, one.UserID)
		}
		if _, err := f.accept1(code); !fault.Is(err, fault.BadRequest) {
			t.Errorf("the link works again: %v", err)
		}
		must[*Pair](t)(f.Login(t.Context(), "grace@example.com", newPassword, home))
		if again, err := f.Invite(t.Context(), admin, f.org, []string{"grace@example.com"}, "admin"); err != nil || len(again) != 0 {
			t.Errorf("inviting a member again: %v, %v", again, err)
		}
	})
}

// TestLinksThatAreNotGood: late, replaced, for another purpose, invented, used by two at once, or of a user who is deactivated.
func TestLinksThatAreNotGood(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		admin := f.in(f.ada)
		ended := func(name, code string) {
			t.Helper()
			if _, err := f.accept1(code); !fault.Is(err, fault.BadRequest) {
				t.Errorf("%s: %v", name, err)
			}
		}
		late := codeOf(t, f.invite1(admin, "late@example.com", "member").Link)
		f.advance(invitationLife)
		admin = f.in(f.ada)
		ended("late", late)

		replaced := f.invite1(admin, "replaced@example.com", "member")
		_, renewed, err := f.Renew(t.Context(), admin, f.membershipOf(replaced.UserID))
		if err != nil {
			t.Fatal(err)
		}
		ended("replaced", codeOf(t, replaced.Link))
		if err := f.ResetPassword(t.Context(), codeOf(t, &renewed), newPassword, home); !fault.Is(err, fault.BadRequest) {
			t.Errorf("an invitation resets a password: %v", err)
		}
		must[*Pair](t)(f.accept1(codeOf(t, &renewed)))
		ended("invented", strings.Repeat("0", 64))

		reset, err := f.ResetLink(t.Context(), admin, replaced.UserID)
		if err != nil {
			t.Fatal(err)
		}
		ended("for another purpose", codeOf(t, &reset))

		shut := f.invite1(admin, "shut@example.com", "member")
		must[User](t)(f.Deactivate(t.Context(), admin, shut.UserID))
		ended("of a user who is deactivated", codeOf(t, shut.Link))

		code := codeOf(t, f.invite1(admin, "two@example.com", "member").Link)
		var both sync.WaitGroup
		won := make(chan bool, 2)
		for range 2 {
			both.Go(func() {
				_, err := f.Accept(context.WithoutCancel(t.Context()), Acceptance{Code: code, Password: newPassword, FirstName: "Two"}, home)
				won <- err == nil
			})
		}
		both.Wait()
		if first, second := <-won, <-won; first == second {
			t.Errorf("of two who used a link at once: %v, %v", first, second)
		}
	})
}

// TestPasswordsEndSessions: a change of the password by its owner or with a link ends every session on every replica, and the old
// password is dead.
func TestPasswordsEndSessions(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.exec(`UPDATE users SET first_name = 'Ada', last_name = 'Lovelace'`)
		change := map[string]func(before, after string) error{
			"by its owner": func(before, after string) error {
				return f.ChangePassword(t.Context(), f.in(f.ada), before, after)
			},
			"with a link": func(_, after string) error {
				l, err := f.ResetLink(t.Context(), f.in(f.ada), f.ada)
				if err != nil {
					return err
				}
				return f.ResetPassword(t.Context(), codeOf(t, &l), after, home)
			},
		}
		before := password
		for _, name := range []string{"by its owner", "with a link"} {
			after := newPassword + " " + name
			old := f.session(f.ada)
			if err := change[name](before, after); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, s := range f.replicas() {
				if _, err := f.claims(s, old.Access); !fault.Is(err, fault.DeadToken) {
					t.Errorf("%s: a session goes on: %v", name, err)
				}
				if _, err := s.Refresh(t.Context(), old.Refresh, home); !fault.Is(err, fault.DeadToken) {
					t.Errorf("%s: a session is refreshed: %v", name, err)
				}
			}
			if _, err := f.Login(t.Context(), email, before, home); !fault.Is(err, fault.BadRequest) {
				t.Errorf("%s: the old password works: %v", name, err)
			}
			must[*Pair](t)(f.Login(t.Context(), email, after, home))
			before = after
		}
		want(t, f.ChangePassword(t.Context(), f.in(f.ada), before, "short"), fault.Validation)
		for range 5 {
			want(t, f.ChangePassword(t.Context(), f.in(f.ada), "a guess", newPassword), fault.BadRequest)
		}
		want(t, f.ChangePassword(t.Context(), f.in(f.ada), before, newPassword), fault.BadRequest) // too many guesses
	})
}

// TestDeactivatedUser is shut out in every way there is, and comes back with the same password and memberships.
func TestDeactivatedUser(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		admin := f.in(f.ada)
		one := f.invite1(admin, "grace@example.com", "admin")
		first := must[*Pair](t)(f.accept1(codeOf(t, one.Link)))
		grace := f.in(one.UserID)
		reset, err := f.ResetLink(t.Context(), admin, one.UserID)
		if err != nil {
			t.Fatal(err)
		}
		must[User](t)(f.Deactivate(t.Context(), admin, one.UserID))
		for _, s := range f.replicas() {
			_, use := f.claims(s, first.Access)
			_, refresh := s.Refresh(t.Context(), first.Refresh, home)
			_, choose := s.SelectOrg(t.Context(), grace, f.org)
			_, _, begin := s.Begin(t.Context(), grace, "a program")
			for name, err := range map[string]error{"use": use, "refresh": refresh, "choose": choose, "begin": begin} {
				if !fault.Is(err, fault.DeadToken) {
					t.Errorf("%s: %v", name, err)
				}
			}
			_, login := s.Login(t.Context(), "grace@example.com", newPassword, home)
			_, link := s.ResetLink(t.Context(), admin, one.UserID)
			for name, err := range map[string]error{"login": login, "a reset link": link,
				"an older reset link": s.ResetPassword(t.Context(), codeOf(t, &reset), newPassword, home)} {
				if !fault.Is(err, fault.BadRequest) {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		must[User](t)(f.Activate(t.Context(), admin, one.UserID))
		must[*Pair](t)(f.Login(t.Context(), "grace@example.com", newPassword, home))
		if _, err := f.claims(f.Service, first.Access); !fault.Is(err, fault.DeadToken) {
			t.Errorf("a session from before came back: %v", err)
		}
		if a := f.in(one.UserID); a.Check(access.Edit, access.SubjectMember, nil) != nil {
			t.Error("the role is gone")
		}
		_, err = f.Deactivate(t.Context(), admin, f.ada)
		want(t, err, fault.BadRequest)
		_, err = f.Deactivate(t.Context(), grace, f.ada)
		want(t, err, fault.Forbidden)
	})
}

// TestNobodyInvitesBeyondThemselves: what a member may hand out is bounded by what they hold, for each act that gives rights.
func TestNobodyInvitesBeyondThemselves(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.exec(`INSERT INTO custom_roles (id, org_id, project_id, slug, name, description, permissions, created_at, updated_at)
			VALUES ('r', $1, '', 'people', 'People', '', '[{"subject":"member","action":["read","create","edit","delete"]}]', 1, 1)`, f.org)
		admin, people := f.in(f.ada), f.user("no-access")
		if _, err := f.ChangeMember(t.Context(), admin, f.org, f.membershipOf(people), MemberChanges{Role: &[]string{"people"}[0]}); err != nil {
			t.Fatal(err)
		}
		member := f.in(people)
		boss, peer, invited := f.user("admin"), f.user("no-access"), f.invite1(admin, "boss@example.com", "admin")
		f.exec(`UPDATE memberships SET active = FALSE WHERE user_id = $1`, boss)
		administrator, active := "admin", true
		_, invite := f.Invite(t.Context(), member, f.org, []string{"more@example.com"}, "admin")
		_, _, renew := f.Renew(t.Context(), member, f.membershipOf(invited.UserID))
		_, raise := f.ChangeMember(t.Context(), member, f.org, f.membershipOf(peer), MemberChanges{Role: &administrator})
		_, wake := f.ChangeMember(t.Context(), member, f.org, f.membershipOf(boss), MemberChanges{Active: &active})
		_, remove := f.RemoveMembers(t.Context(), member, f.org, []string{f.membershipOf(invited.UserID)})
		_, own := f.ChangeMember(t.Context(), admin, f.org, f.membershipOf(f.ada), MemberChanges{Role: &administrator})
		for name, err := range map[string]error{"invite": invite, "renew": renew, "raise": raise, "wake": wake, "remove": remove} {
			if !fault.Is(err, fault.Boundary) {
				t.Errorf("%s: %v", name, err)
			}
		}
		f.invite1(member, "peer@example.com", "people")
		want(t, own, fault.BadRequest)
		_, elsewhere := f.Members(t.Context(), admin, f.ada)
		want(t, elsewhere, fault.NotFound)
	})
}

// TestAnotherOrganizationTakesOverNobody: where there are several organizations, an administrator of one gets no link for, and adds no
// account of, a user whom they did not invite first.
func TestAnotherOrganizationTakesOverNobody(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		invited := f.invite1(f.in(f.ada), "grace@example.com", "admin")
		f.exec(`INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ('other', 'Other', 'other', 1, 1)`)
		head := f.user("no-access")
		f.join(head, "other", "admin")
		jwt := must[string](t)(f.SelectOrg(t.Context(), f.actor(f.session(head).Access), "other"))
		_, err := f.Invite(t.Context(), f.actor(jwt), "other", []string{"grace@example.com"}, "admin")
		want(t, err, fault.Forbidden)
		must[*Pair](t)(f.accept1(codeOf(t, invited.Link))) // the first link stays good
		_, err = f.Invite(t.Context(), f.actor(jwt), "other", []string{"grace@example.com"}, "admin")
		want(t, err, fault.Forbidden)
	})
}

// TestRemovedMember loses the organization at once on every replica, and what they held in projects, and keeps the account.
func TestRemovedMember(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		admin := f.in(f.ada)
		one := f.invite1(admin, "grace@example.com", "member")
		must[*Pair](t)(f.accept1(codeOf(t, one.Link)))
		jwt := must[string](t)(f.SelectOrg(t.Context(), f.actor(f.session(one.UserID).Access), f.org))
		if _, err := f.RemoveMembers(t.Context(), admin, f.org, []string{f.membershipOf(one.UserID)}); err != nil {
			t.Fatal(err)
		}
		for _, s := range f.replicas() {
			if _, err := f.claims(s, jwt); !fault.Is(err, fault.DeadToken) {
				t.Errorf("a token for the organization works: %v", err)
			}
		}
		again := f.invite1(admin, "grace@example.com", "no-access")
		if again.Link != nil {
			t.Error("there is a link that takes over an account")
		}
		if _, err := f.claims(f.Service, jwt); !fault.Is(err, fault.DeadToken) {
			t.Errorf("joining again brought a token back: %v", err)
		}
		must[*Pair](t)(f.Login(t.Context(), "grace@example.com", newPassword, home))
	})
}

// TestExpiredLinksGo: a sweep deletes what is late, and nothing else.
func TestExpiredLinksGo(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.invite1(f.in(f.ada), "late@example.com", "member")
		f.advance(invitationLife - time.Hour)
		admin := f.in(f.ada)
		live := f.invite1(admin, "live@example.com", "member")
		f.advance(time.Hour)
		if n, err := f.CleanLinks(t.Context(), 10); n != 1 || err != nil {
			t.Errorf("%d links went, %v", n, err)
		}
		must[*Pair](t)(f.accept1(codeOf(t, live.Link)))
	})
}
