package api

import (
	"context"
	"net/http"
	"time"
)

// Config is what anyone may know of the instance.
type Config struct {
	Initialized    bool `json:"initialized"`
	NeedsSetupCode bool `json:"setupCodeRequired"`
}

// Config reads the instance's public settings.
func (c *Caller) Config(ctx context.Context) (Config, error) {
	var answer struct{ Config Config }
	err := c.get(ctx, "/api/v1/admin/config", nil, &answer)
	return answer.Config, err
}

// Setup is what setting up an empty instance asks for.
type Setup struct {
	Email        string `json:"email"`
	Password     string `json:"password"`
	Organization string `json:"organization"`
	SetupCode    string `json:"setupCode"`
}

// Bootstrap sets up the instance, and returns the token of its first machine identity, with the name of that.
func (c *Caller) Bootstrap(ctx context.Context, s Setup) (identity, token string, err error) {
	var answer struct {
		Identity struct {
			Name        string
			Credentials struct{ Token string }
		}
	}
	err = c.post(ctx, "/api/v1/admin/bootstrap", s, &answer)
	return answer.Identity.Name, answer.Identity.Credentials.Token, err
}

// Login begins a session with a password, and returns its access token, which is for no organization yet.
func (c *Caller) Login(ctx context.Context, email, password string) (token string, err error) {
	var answer struct{ AccessToken string }
	err = c.post(ctx, "/api/v3/auth/login", map[string]string{"email": email, "password": password}, &answer)
	return answer.AccessToken, err
}

// LoginWithCode is Login with a code that works once.
func (c *Caller) LoginWithCode(ctx context.Context, code string) (token string, err error) {
	var answer struct{ AccessToken string }
	err = c.post(ctx, "/api/v1/auth/code", map[string]string{"code": code}, &answer)
	return answer.AccessToken, err
}

// Choose returns an access token of the session for an organization.
func (c *Caller) Choose(ctx context.Context, orgID string) (token string, err error) {
	var answer struct{ Token string }
	err = c.post(ctx, "/api/v3/auth/select-organization", map[string]string{"organizationId": orgID}, &answer)
	return answer.Token, err
}

// Logout ends the session.
func (c *Caller) Logout(ctx context.Context) error {
	return c.post(ctx, "/api/v1/auth/logout", nil, nil)
}

// Organization is an organization that the user is a member of.
type Organization struct{ ID, Name, Slug string }

// Organizations lists them.
func (c *Caller) Organizations(ctx context.Context) ([]Organization, error) {
	var answer struct{ Organizations []Organization }
	err := c.get(ctx, "/api/v1/organization", nil, &answer)
	return answer.Organizations, err
}

// User is the user of the session.
type User struct {
	ID, Email, FirstName, LastName string
	SuperAdmin                     bool
	CreatedAt                      time.Time
}

// Me reads the user of the session.
func (c *Caller) Me(ctx context.Context) (User, error) {
	var answer struct{ User User }
	err := c.get(ctx, "/api/v2/users/me", nil, &answer)
	return answer.User, err
}

// Session is a live session of the user.
type Session struct {
	ID        string
	Current   bool `json:"isCurrent"`
	IP        string
	UserAgent string
	LastUsed  time.Time
	ExpiresAt time.Time
	CreatedAt time.Time
}

// Sessions lists them, newest first.
func (c *Caller) Sessions(ctx context.Context) (list []Session, err error) {
	return list, c.get(ctx, "/api/v2/users/me/sessions", nil, &list)
}

// EndSession ends one of the user's sessions.
func (c *Caller) EndSession(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, path("api", "v2", "users", "me", "sessions", id), nil, nil)
}

// EndSessions ends all of them, the one in use included.
func (c *Caller) EndSessions(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, "/api/v2/users/me/sessions", nil, nil)
}

// BeginSession begins another session, for a program, and returns its access token.
func (c *Caller) BeginSession(ctx context.Context, label string) (token string, err error) {
	var answer struct{ AccessToken string }
	err = c.post(ctx, "/api/v2/users/me/sessions", map[string]string{"label": label}, &answer)
	return answer.AccessToken, err
}

// Replica is a process of the server.
type Replica struct {
	ID, Name, Version string
	Lag               int64
	Lease             int64 `json:"leaseMilliseconds"`
	Self              bool
	SeenAt, StartedAt time.Time
}

// Replicas lists them. Only administrators of the instance may.
func (c *Caller) Replicas(ctx context.Context) ([]Replica, error) {
	var answer struct{ Replicas []Replica }
	err := c.get(ctx, "/api/v1/admin/replicas", nil, &answer)
	return answer.Replicas, err
}
