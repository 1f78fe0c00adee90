package api

import (
	"context"
	"net/http"
)

// Member is a user of the organization.
type Member struct {
	ID         string // of the membership
	UserID     string
	Role       string
	CustomSlug *string `json:"customRoleSlug"`
	Status     string
	Active     bool `json:"isActive"`
	User       struct {
		Email, FirstName, LastName string
		SuperAdmin                 bool
		Deactivated                bool `json:"isDeactivated"`
	}
}

// Label is the role as people know it.
func (m Member) Label() string {
	if m.CustomSlug != nil {
		return *m.CustomSlug
	}
	return m.Role
}

func members(orgID string) string { return path("api", "v2", "organizations", orgID, "memberships") }

// Members lists the users of an organization.
func (c *Caller) Members(ctx context.Context, orgID string) ([]Member, error) {
	var answer struct{ Users []Member }
	err := c.get(ctx, members(orgID), nil, &answer)
	return answer.Users, err
}

// Invitation is a link that lets somebody in once.
type Invitation struct{ Email, Link string }

// Invite adds a user to the organization, and returns the link for one who has no account yet.
func (c *Caller) Invite(ctx context.Context, orgID, email, role string) ([]Invitation, error) {
	var answer struct {
		Links []Invitation `json:"completeInviteLinks"`
	}
	err := c.post(ctx, "/api/v1/invite-org/signup", map[string]any{"inviteeEmails": []string{email}, "organizationId": orgID, "organizationRoleSlug": role}, &answer)
	return answer.Links, err
}

// InviteAgain makes another link; the one before is dead then.
func (c *Caller) InviteAgain(ctx context.Context, membershipID string) (Invitation, error) {
	var answer struct{ SignupToken Invitation }
	err := c.post(ctx, "/api/v1/invite-org/signup-resend", map[string]string{"membershipId": membershipID}, &answer)
	return answer.SignupToken, err
}

// RemoveMember takes a user out of the organization.
func (c *Caller) RemoveMember(ctx context.Context, orgID, membershipID string) error {
	return c.call(ctx, http.MethodDelete, members(orgID)+path(membershipID), nil, nil)
}

// Accept takes an invitation, and returns the access token of a session.
func (c *Caller) Accept(ctx context.Context, code, password, firstName, lastName string) (token string, err error) {
	var answer struct{ AccessToken string }
	err = c.post(ctx, "/api/v1/account/accept-invitation", map[string]string{"code": code, "password": password, "firstName": firstName, "lastName": lastName}, &answer)
	return answer.AccessToken, err
}

// ResetPassword sets a password with the code of a link, and ends all sessions of the user.
func (c *Caller) ResetPassword(ctx context.Context, code, password string) error {
	return c.post(ctx, "/api/v1/account/reset-password", map[string]string{"code": code, "password": password}, nil)
}

// ChangePassword changes the user's own, and ends all of their sessions.
func (c *Caller) ChangePassword(ctx context.Context, old, password string) error {
	return c.post(ctx, "/api/v2/password/user/password-reset", map[string]string{"oldPassword": old, "newPassword": password}, nil)
}

// ResetLink makes a link by which a user sets a new password. Only administrators of the instance may.
func (c *Caller) ResetLink(ctx context.Context, userID string) (link string, err error) {
	var answer struct{ Link string }
	err = c.post(ctx, path("api", "v1", "admin", "user-management", "users", userID, "password-reset-link"), nil, &answer)
	return answer.Link, err
}
