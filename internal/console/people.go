package console

import (
	"errors"
	"net/http"

	"github.com/sallyport/sallyport/internal/console/api"
)

// passwordForm is the page behind a link that works once: it changes nothing until its button is pressed.
type passwordForm struct {
	Code, First, Last string
	Error             string
	Fields            map[string]string
}

func (v *visit) invitationPage() error {
	return v.show(http.StatusOK, "invitation", "Accept the invitation", passwordForm{Code: v.r.URL.Query().Get("code")})
}

func (v *visit) acceptInvitation() error {
	form := passwordForm{Code: v.r.PostFormValue("code"), First: v.value("first"), Last: v.value("last")}
	token, err := v.api.Accept(v.ctx, form.Code, v.r.PostFormValue("password"), form.First, form.Last)
	if refused := (*api.Error)(nil); errors.As(err, &refused) {
		form.Error, form.Fields = messages(refused, "password", "firstName", "lastName")
		return v.show(refused.Status, "invitation", "Accept the invitation", form)
	}
	if err != nil {
		return err
	}
	v.begin(token)
	return v.arrive("", nil)
}

func (v *visit) resetPage() error {
	return v.show(http.StatusOK, "passwordreset", "Set a new password", passwordForm{Code: v.r.URL.Query().Get("code")})
}

func (v *visit) resetPassword() error {
	form := passwordForm{Code: v.r.PostFormValue("code")}
	err := v.api.ResetPassword(v.ctx, form.Code, v.r.PostFormValue("password"))
	if refused := (*api.Error)(nil); errors.As(err, &refused) {
		form.Error, form.Fields = messages(refused, "password")
		return v.show(refused.Status, "passwordreset", "Set a new password", form)
	}
	if err != nil {
		return err
	}
	return v.redirect("/login")
}

// membersOf is the page about the users of an organization.
type membersOf struct {
	List                        []api.Member
	Roles                       []api.OrgRole
	Email, Role                 string
	Error                       string
	Links                       []api.Invitation // just made, and shown once
	Purpose                     string
	CanInvite, CanRemove, Admin bool
	Done                        string
}

func (v *visit) membersPage() error {
	data := membersOf{}
	data.Done = map[string]string{"removed": "The user is not a member any more.", "invited": "The user is a member now."}[v.r.URL.Query().Get("done")]
	return v.showMembers(http.StatusOK, data)
}

func (v *visit) showMembers(status int, data membersOf) (err error) {
	if data.List, err = v.api.Members(v.ctx, v.org.ID); err != nil {
		return err
	}
	if data.Roles, err = v.roles(); err != nil {
		return err
	}
	data.CanInvite, data.CanRemove, data.Admin = v.rights.Can("create", "member"), v.rights.Can("delete", "member"), v.me.SuperAdmin
	if data.Role == "" {
		data.Role = "member"
	}
	return v.show(status, "members", "Members", data)
}

func (v *visit) invite() error {
	data := membersOf{Email: v.value("email"), Role: v.value("role")}
	links, err := v.api.Invite(v.ctx, v.org.ID, data.Email, data.Role)
	if refused := (*api.Error)(nil); errors.As(err, &refused) && refused.Status != http.StatusUnauthorized {
		data.Error = refused.Error()
		return v.showMembers(refused.Status, data)
	}
	if err != nil {
		return err
	}
	if len(links) == 0 {
		return v.redirect(v.r.URL.Path + "?done=invited") // the user has an account already
	}
	return v.showMembers(http.StatusOK, membersOf{Links: links, Purpose: "an invitation, valid for 72 hours"})
}

// changeMember invites again, makes a link for a new password, or takes a user out of the organization.
func (v *visit) changeMember() error {
	id := v.r.PathValue("id")
	switch v.r.PathValue("act") {
	case "invite-again":
		one, err := v.api.InviteAgain(v.ctx, id)
		if err != nil {
			return err
		}
		return v.showMembers(http.StatusOK, membersOf{Links: []api.Invitation{one}, Purpose: "an invitation, valid for 72 hours"})
	case "reset":
		link, err := v.api.ResetLink(v.ctx, id)
		if err != nil {
			return err
		}
		return v.showMembers(http.StatusOK, membersOf{Links: []api.Invitation{{Email: v.value("email"), Link: link}}, Purpose: "a link for a new password, valid for an hour"})
	case "remove":
		if err := v.api.RemoveMember(v.ctx, v.org.ID, id); err != nil {
			return err
		}
		return v.redirect("/o/" + v.org.Slug + "/members?done=removed")
	}
	return errMissing
}
