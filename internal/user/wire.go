package user

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// wireUser is a user as the API shows it.
type wireUser struct {
	ID         string `json:"id"`
	Username   string `json:"username" doc:"The e-mail address"`
	Email      string `json:"email"`
	FirstName  string `json:"firstName"`
	LastName   string `json:"lastName"`
	SuperAdmin bool   `json:"superAdmin" doc:"Whether the user administers the instance"`
}

func (u *User) wire() wireUser {
	return wireUser{u.ID, u.Email, u.Email, u.FirstName, u.LastName, u.SuperAdmin}
}

type selfOutput struct {
	Body struct {
		User wireSelf `json:"user"`
	}
}

// wireSelf is what users see of themselves.
type wireSelf struct {
	ID          string       `json:"id"`
	Username    string       `json:"username" doc:"The e-mail address"`
	Email       string       `json:"email"`
	FirstName   string       `json:"firstName"`
	LastName    string       `json:"lastName"`
	SuperAdmin  bool         `json:"superAdmin" doc:"Whether you administer the instance"`
	IsAccepted  bool         `json:"isAccepted" doc:"Always true: who logs in has accepted"`
	AuthMethods []string     `json:"authMethods"`
	MFA         bool         `json:"isMfaEnabled" doc:"Always false"`
	CreatedAt   httpapi.Time `json:"createdAt"`
	UpdatedAt   httpapi.Time `json:"updatedAt"`
}

func (s *Service) selfRoute(ctx context.Context, actor *access.Actor, _ *httpapi.Empty) (*selfOutput, error) {
	u, err := s.Self(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := &selfOutput{}
	out.Body.User = wireSelf{ID: u.ID, Username: u.Email, Email: u.Email, FirstName: u.FirstName, LastName: u.LastName,
		SuperAdmin: u.SuperAdmin, IsAccepted: true, AuthMethods: []string{Method},
		CreatedAt: httpapi.Time(u.CreatedAt), UpdatedAt: httpapi.Time(u.UpdatedAt)}
	return out, nil
}

// wireSession is a session as its user sees it.
type wireSession struct {
	ID             string       `json:"id"`
	UserID         string       `json:"userId"`
	Current        bool         `json:"isCurrent" doc:"The one that this request belongs to"`
	IP             string       `json:"ip" doc:"Where the login came from"`
	UserAgent      string       `json:"userAgent"`
	RefreshVersion int64        `json:"refreshVersion"`
	AccessVersion  int64        `json:"accessVersion" doc:"Always 1"`
	LastUsed       httpapi.Time `json:"lastUsed" doc:"At most 10 seconds behind"`
	ExpiresAt      httpapi.Time `json:"expiresAt"`
	CreatedAt      httpapi.Time `json:"createdAt"`
	UpdatedAt      httpapi.Time `json:"updatedAt"`
}

type sessionsOutput struct {
	Body []wireSession
}

func (s *Service) sessionsRoute(ctx context.Context, actor *access.Actor, _ *httpapi.Empty) (*sessionsOutput, error) {
	sessions, err := s.Sessions(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := &sessionsOutput{Body: make([]wireSession, len(sessions))}
	for i, x := range sessions {
		out.Body[i] = wireSession{ID: x.ID, UserID: x.UserID, Current: x.ID == actor.TokenID, IP: x.IP, UserAgent: x.UserAgent,
			RefreshVersion: x.RefreshVersion, AccessVersion: 1, LastUsed: httpapi.Time(x.LastUsedAt),
			ExpiresAt: httpapi.Time(x.ExpiresAt), CreatedAt: httpapi.Time(x.CreatedAt), UpdatedAt: httpapi.Time(x.UpdatedAt)}
	}
	return out, nil
}
