package user

import (
	"context"
	"net/http"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

const tag = "Users"

// Routes mounts the login of users and their sessions (docs/reference/identity.md sections 8.6 to 8.8).
func (s *Service) Routes(api *httpapi.API) {
	own := func(method, path, id, summary string) httpapi.Route {
		return httpapi.Route{Method: method, Path: path, ID: id, Tag: tag, Summary: summary, AnyActor: true, UserOnly: true, NoOrg: true}
	}
	httpapi.HandleOpen(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v3/auth/login", ID: "login-user", Tag: tag,
		Summary:     "Log in with an e-mail address and a password",
		Description: "Starts a session. The refresh token comes as the cookie `jid`. Choose an organization with the access token next.",
		Open:        true, Cookie: true, Errors: []int{http.StatusTooManyRequests}}, s.loginRoute)
	httpapi.Handle(api, own(http.MethodPost, "/api/v3/auth/select-organization", "select-organization",
		"Get an access token for one of your organizations"), s.selectRoute)
	httpapi.HandleOpen(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/auth/token", ID: "refresh-user-token", Tag: tag,
		Summary:     "Get the next access token of a session",
		Description: "Takes the cookie `jid` and replaces it. The previous one is valid for 30 seconds longer; an older one ends the session.",
		Open:        true, Errors: []int{http.StatusUnauthorized}}, s.refreshRoute)
	logout := own(http.MethodPost, "/api/v1/auth/logout", "logout-user", "End the session that you use")
	logout.Cookie = true
	httpapi.Handle(api, logout, s.logoutRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/auth/checkAuth", ID: "check-auth", Tag: tag,
		Summary: "Check that your access token is accepted", AnyActor: true, NoOrg: true}, s.checkRoute)
	httpapi.Handle(api, own(http.MethodGet, "/api/v1/user", "get-user", "Read your own user"), s.selfRoute)
	httpapi.Handle(api, own(http.MethodGet, "/api/v2/users/me", "get-me", "Read your own user"), s.selfRoute)
	httpapi.Handle(api, own(http.MethodGet, "/api/v2/users/me/sessions", "list-own-sessions", "List your live sessions, newest first"), s.sessionsRoute)
	begin := own(http.MethodPost, "/api/v2/users/me/sessions", "create-own-session", "Begin another session, for a program that works as you")
	begin.NoOrg = false
	begin.Description = "The new session is for the organization of the token in use. It has no refresh token, and it ends no later than the session in use. End it like any other one."
	httpapi.Handle(api, begin, s.beginRoute)
	httpapi.HandleOpen(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/auth/code", ID: "login-code", Tag: tag,
		Summary:     "Log in with a code that works once",
		Description: "Starts a session, as a login with a password does. `sallyport dev` makes such a code for its link; each is valid for 10 minutes.",
		Open:        true, Cookie: true, Errors: []int{http.StatusTooManyRequests}}, s.codeRoute)
	httpapi.Handle(api, own(http.MethodDelete, "/api/v2/users/me/sessions", "revoke-own-sessions", "End all of your sessions, this one included"), s.endAllOwnRoute)
	httpapi.Handle(api, own(http.MethodDelete, "/api/v2/users/me/sessions/{sessionId}", "revoke-own-session", "End one of your sessions"), s.endOwnRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/users/{userId}/revoke-sessions", ID: "revoke-user-sessions", Tag: tag,
		Summary:     "End every session of a user",
		Description: "For administrators of an organization that the user is a member of, and of the instance.",
		Permission:  httpapi.Permission{Action: access.Edit, Subject: access.SubjectMember}}, s.endAllRoute)
	s.adminRoutes(api)
	s.peopleRoutes(api)
	s.memberRoutes(api)
	s.retiredRoutes(api)
}

// setCookie hands out the refresh token; "" takes it away. Scripts cannot read it, and it goes to this site alone.
func (s *Service) setCookie(ctx context.Context, jwt string) {
	c := &http.Cookie{ //nolint:gosec // not secure only where the site is served without TLS
		Name: "jid", Value: jwt, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.secureCookie}
	if jwt == "" {
		c.MaxAge = -1
	}
	httpapi.SetCookie(ctx, c)
}

type loginInput struct {
	Body struct {
		Email    httpapi.Text `json:"email" minLength:"1" maxLength:"320"`
		Password string       `json:"password" minLength:"1" maxLength:"1024"`
	}
}

type loginOutput struct {
	Body struct {
		AccessToken string `json:"accessToken"`
	}
}

func (s *Service) loginRoute(ctx context.Context, client access.Client, in *loginInput) (*loginOutput, error) {
	made, err := s.Login(ctx, in.Body.Email.Trimmed(), strings.TrimSpace(in.Body.Password), client)
	if err != nil {
		return nil, err
	}
	s.setCookie(ctx, made.Refresh)
	out := &loginOutput{}
	out.Body.AccessToken = made.Access
	return out, nil
}

type selectInput struct {
	Body struct {
		OrganizationID httpapi.Text `json:"organizationId" minLength:"1" maxLength:"64"`
	}
}

type selectOutput struct {
	Body struct {
		Token string `json:"token"`
		MFA   bool   `json:"isMfaEnabled" doc:"Always false"`
	}
}

func (s *Service) selectRoute(ctx context.Context, actor *access.Actor, in *selectInput) (*selectOutput, error) {
	jwt, err := s.SelectOrg(ctx, actor, in.Body.OrganizationID.Trimmed())
	if err != nil {
		return nil, err
	}
	out := &selectOutput{}
	out.Body.Token = jwt
	return out, nil
}

type refreshInput struct {
	Cookie string `cookie:"jid" doc:"The refresh token"`
}

type refreshOutput struct {
	Body struct {
		Token string `json:"token"`
		OrgID string `json:"organizationId,omitempty" doc:"What the token is for, once it was chosen"`
	}
}

var errNoCookie = fault.New(fault.Unauthenticated, "Send the cookie jid that you got when you logged in, or log in again.")

func (s *Service) refreshRoute(ctx context.Context, client access.Client, in *refreshInput) (*refreshOutput, error) {
	if in.Cookie == "" {
		return nil, errNoCookie
	}
	made, err := s.Refresh(ctx, in.Cookie, client)
	if err != nil {
		return nil, err
	}
	s.setCookie(ctx, made.Refresh)
	out := &refreshOutput{}
	out.Body.Token, out.Body.OrgID = made.Access, made.OrgID
	return out, nil
}

type messageOutput struct {
	Body struct {
		Message string `json:"message"`
	}
}

func message(text string, err error) (*messageOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &messageOutput{}
	out.Body.Message = text
	return out, nil
}

func (s *Service) logoutRoute(ctx context.Context, actor *access.Actor, _ *httpapi.Empty) (*messageOutput, error) {
	err := s.Logout(ctx, actor)
	if err == nil {
		s.setCookie(ctx, "")
	}
	return message("You are logged out", err)
}

// checkRoute asks for no permission: whoever got here has a live token.
func (s *Service) checkRoute(context.Context, *access.Actor, *httpapi.Empty) (*messageOutput, error) {
	return message("Authenticated", nil)
}

func (s *Service) endAllOwnRoute(ctx context.Context, actor *access.Actor, _ *httpapi.Empty) (*messageOutput, error) {
	return message("All of your sessions have ended", s.EndAllOwn(ctx, actor))
}

type sessionInput struct {
	SessionID string `path:"sessionId"`
}

func (s *Service) endOwnRoute(ctx context.Context, actor *access.Actor, in *sessionInput) (*messageOutput, error) {
	return message("The session has ended", s.EndOwn(ctx, actor, in.SessionID))
}

type userInput struct {
	UserID string `path:"userId"`
}

func (s *Service) endAllRoute(ctx context.Context, actor *access.Actor, in *userInput) (*messageOutput, error) {
	return message("All sessions of the user have ended", s.EndAll(ctx, actor, in.UserID))
}
