package user

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/org"
)

// peopleRoutes mounts invitations, passwords and deactivation (docs/reference/people.md section 4). Links come in the answer, since
// no mail server is needed; the two routes that take one are ours.
func (s *Service) peopleRoutes(api *httpapi.API) {
	const invite, admin = "/api/v1/invite-org/signup", "/api/v1/admin/user-management/users/{userId}"
	create := httpapi.Permission{Action: access.Create, Subject: access.SubjectMember}
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: invite, ID: "invite-users", Tag: tag, Summary: "Invite users to the organization",
		Description: "Adds the users as members. The answer has a link for each user without an account, valid once within 72 hours. " +
			"Addresses of members are skipped.", Permission: create}, s.inviteRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: invite + "-resend", ID: "renew-invitation", Tag: tag,
		Summary: "Make a new invitation link for a member who has not accepted one", Permission: create}, s.renewRoute)
	open := func(path, id, summary, description string) httpapi.Route {
		return httpapi.Route{Method: http.MethodPost, Path: path, ID: id, Tag: tag, Summary: summary, Description: description, Open: true,
			Errors: []int{http.StatusTooManyRequests}}
	}
	accept := open("/api/v1/account/accept-invitation", "accept-invitation", "Accept an invitation",
		"Sets the password and the name of an invited user, and starts a session as a login does.")
	accept.Cookie = true
	httpapi.HandleOpen(api, accept, s.acceptRoute)
	httpapi.HandleOpen(api, open("/api/v1/account/reset-password", "reset-password", "Set a new password with a link",
		"Ends all sessions of the user."), s.resetRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v2/password/user/password-reset", ID: "change-password", Tag: tag,
		Summary: "Change your password", Description: "Ends all of your sessions, this one included.", AnyActor: true, UserOnly: true, NoOrg: true,
		Errors: []int{http.StatusTooManyRequests}}, s.changePasswordRoute)
	byAdmin := func(path, id, summary string) httpapi.Route {
		return httpapi.Route{Method: http.MethodPost, Path: admin + path, ID: id, Tag: tag, Summary: summary, Description: "For instance administrators.", AnyActor: true}
	}
	httpapi.Handle(api, byAdmin("/password-reset-link", "create-password-reset-link", "Make a link by which a user sets a new password"), s.resetLinkRoute)
	httpapi.Handle(api, byAdmin("/deactivate", "deactivate-user", "Shut a user out of the instance, and end their sessions"), s.deactivateRoute)
	httpapi.Handle(api, byAdmin("/activate", "activate-user", "Let a deactivated user log in again"), s.activateRoute)
}

type inviteInput struct {
	Body struct {
		Emails   []httpapi.Text `json:"inviteeEmails" minItems:"1" maxItems:"100" maxLength:"320" doc:"E-mail addresses"`
		OrgID    httpapi.Text   `json:"organizationId" minLength:"1" maxLength:"64"`
		RoleSlug httpapi.Text   `json:"organizationRoleSlug,omitempty" maxLength:"64" default:"member" doc:"Slug of the role"`
	}
}

type wireLink struct {
	Email string `json:"email"`
	Link  string `json:"link" doc:"Give it to the user. It is valid once, and cannot be shown again"`
}

type inviteOutput struct {
	Body struct {
		Message string     `json:"message"`
		Links   []wireLink `json:"completeInviteLinks"`
	}
}

func (s *Service) inviteRoute(ctx context.Context, actor *access.Actor, in *inviteInput) (*inviteOutput, error) {
	emails := make([]string, len(in.Body.Emails))
	for i, e := range in.Body.Emails {
		var err error
		if emails[i], err = org.ParseEmail(e.Trimmed(), fmt.Sprintf("inviteeEmails.%d", i)); err != nil {
			return nil, err
		}
	}
	invited, err := s.Invite(ctx, actor, in.Body.OrgID.Trimmed(), emails, in.Body.RoleSlug.Trimmed())
	if err != nil {
		return nil, err
	}
	out := &inviteOutput{}
	out.Body.Message, out.Body.Links = fmt.Sprintf("%d users were added", len(invited)), []wireLink{}
	for _, one := range invited {
		if one.Link != nil {
			out.Body.Links = append(out.Body.Links, wireLink{one.Email, one.Link.URL})
		}
	}
	return out, nil
}

type renewInput struct {
	Body struct {
		MembershipID httpapi.Text `json:"membershipId" minLength:"1" maxLength:"64"`
	}
}

type renewOutput struct {
	Body struct {
		Token wireLink `json:"signupToken"`
	}
}

func (s *Service) renewRoute(ctx context.Context, actor *access.Actor, in *renewInput) (*renewOutput, error) {
	email, link, err := s.Renew(ctx, actor, in.Body.MembershipID.Trimmed())
	if err != nil {
		return nil, err
	}
	out := &renewOutput{}
	out.Body.Token = wireLink{email, link.URL}
	return out, nil
}

type acceptInput struct {
	Body struct {
		Code      httpapi.Text `json:"code" minLength:"1" maxLength:"128" doc:"Of the link"`
		Password  string       `json:"password" minLength:"1" maxLength:"1024"`
		FirstName httpapi.Text `json:"firstName" minLength:"1" maxLength:"64"`
		LastName  httpapi.Text `json:"lastName,omitempty" maxLength:"64"`
	}
}

func (s *Service) acceptRoute(ctx context.Context, client access.Client, in *acceptInput) (*loginOutput, error) {
	made, err := s.Accept(ctx, Acceptance{Code: in.Body.Code.Trimmed(), Password: strings.TrimSpace(in.Body.Password),
		FirstName: in.Body.FirstName.Trimmed(), LastName: in.Body.LastName.Trimmed()}, client)
	if err != nil {
		return nil, err
	}
	s.setCookie(ctx, made.Refresh)
	out := &loginOutput{}
	out.Body.AccessToken = made.Access
	return out, nil
}

type resetInput struct {
	Body struct {
		Code     httpapi.Text `json:"code" minLength:"1" maxLength:"128" doc:"Of the link"`
		Password string       `json:"password" minLength:"1" maxLength:"1024"`
	}
}

func (s *Service) resetRoute(ctx context.Context, client access.Client, in *resetInput) (*messageOutput, error) {
	return message("The password is set. Log in with it", s.ResetPassword(ctx, in.Body.Code.Trimmed(), strings.TrimSpace(in.Body.Password), client))
}

type changePasswordInput struct {
	Body struct {
		Old string `json:"oldPassword" minLength:"1" maxLength:"1024"`
		New string `json:"newPassword" minLength:"1" maxLength:"1024"`
	}
}

func (s *Service) changePasswordRoute(ctx context.Context, actor *access.Actor, in *changePasswordInput) (*messageOutput, error) {
	return message("The password is changed. Log in with it", s.ChangePassword(ctx, actor, strings.TrimSpace(in.Body.Old), strings.TrimSpace(in.Body.New)))
}

type linkOutput struct {
	Body struct {
		Link      string       `json:"link" doc:"Give it to the user. It is valid once, and cannot be shown again"`
		ExpiresAt httpapi.Time `json:"expiresAt"`
	}
}

func (s *Service) resetLinkRoute(ctx context.Context, actor *access.Actor, in *userInput) (*linkOutput, error) {
	link, err := s.ResetLink(ctx, actor, in.UserID)
	if err != nil {
		return nil, err
	}
	out := &linkOutput{}
	out.Body.Link, out.Body.ExpiresAt = link.URL, httpapi.Time(link.ExpiresAt)
	return out, nil
}

func (s *Service) deactivateRoute(ctx context.Context, actor *access.Actor, in *userInput) (*userOutput, error) {
	return oneUser(s.Deactivate(ctx, actor, in.UserID))
}

func (s *Service) activateRoute(ctx context.Context, actor *access.Actor, in *userInput) (*userOutput, error) {
	return oneUser(s.Activate(ctx, actor, in.UserID))
}

func oneUser(u User, err error) (*userOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &userOutput{}
	out.Body.User = u.wire()
	return out, nil
}
