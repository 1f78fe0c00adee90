package token

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/tally"
)

// The states of a stored token.
const (
	StateLive    = "live"
	StateRevoked = "revoked"
	StateExpired = "expired"
	StateUsedUp  = "used-up"
)

// Filter chooses stored tokens of an organization. The zero value of a field leaves it out.
type Filter struct {
	State      string
	IdentityID string
	Method     string
	IdleSince  int64  // not used since then; made before, if never used. Milliseconds UTC
	ExpiresBy  int64  // expires until then
	After      string // id of the last one of the page before
	Limit      int
}

// Listed is a stored token with the name of its identity.
type Listed struct {
	Row
	IdentityName string `db:"identity_name"`
	State        string
}

// A page of All looks at no more than looks times batch rows.
const (
	batch = 200
	looks = 10
)

// All returns stored tokens of the actor's organization, newest first, and the Filter.After of the next page; "" for no more. A
// page may be short or empty before the last one: whether a token was cut off with others is not in its row. Tokens of
// instance administrators are for such alone. Errors: PermissionDenied.
func (s *Service) All(ctx context.Context, actor *access.Actor, f Filter) (page []Listed, next string, err error) {
	if err := actor.Check(access.Read, access.SubjectIdentity, nil); err != nil {
		return nil, "", err
	}
	now := s.db.Now()
	for range looks {
		rows, err := s.someOf(ctx, actor, f, now)
		if err != nil {
			return nil, "", err
		}
		for _, row := range rows {
			f.After = row.ID
			if row.State = s.state(row.Row, now); (f.State == "" || f.State == row.State) && row.idle(f.IdleSince) {
				page = append(page, row)
			}
			if len(page) == f.Limit {
				return page, f.After, nil
			}
		}
		if len(rows) < batch {
			return page, "", nil
		}
	}
	return page, f.After, nil
}

// idle reports whether the token was not used since a time, or made before if it was never used; 0 for any.
func (r Row) idle(since int64) bool {
	last := r.CreatedAt
	if r.LastUsedAt != nil {
		last = *r.LastUsedAt
	}
	return since == 0 || last < since
}

// someOf reads the next rows, with the uses that are not written yet.
func (s *Service) someOf(ctx context.Context, actor *access.Actor, f Filter, now time.Time) (rows []Listed, err error) {
	return rows, s.uses.Read(func(unwritten func(uuid.UUID) tally.Count) error {
		if rows, err = s.storedOf(ctx, actor, f, now); err != nil {
			return err
		}
		for i := range rows {
			rows[i].add(unwritten(uuid.MustParse(rows[i].ID)))
		}
		return nil
	})
}

// storedOf reads the next rows as they are stored. What the database can tell of the state it tells.
func (s *Service) storedOf(ctx context.Context, actor *access.Actor, f Filter, now time.Time) (rows []Listed, err error) {
	return rows, s.db.Select(ctx, &rows, `SELECT `+columns+`, i.name AS identity_name FROM access_tokens t JOIN identities i ON i.id = t.identity_id
		WHERE t.org_id = $1 AND ($2 = '' OR t.id < $2) AND ($3 = '' OR t.identity_id = $3) AND ($4 = '' OR t.method = $4)
		AND (CAST($5 AS BIGINT) = 0 OR coalesce(t.last_used_at, t.created_at) < $5) AND (CAST($6 AS BIGINT) = 0 OR t.expires_at <= $6)
		AND ($7 <> 'live' OR (t.revoked = FALSE AND t.expires_at > $8)) AND ($7 <> 'expired' OR t.expires_at <= $8)
		AND ($9 OR NOT EXISTS (SELECT 1 FROM instance_admins a WHERE a.identity_id = t.identity_id))
		ORDER BY t.id DESC LIMIT $10`, actor.OrgID, f.After, f.IdentityID, f.Method, f.IdleSince, f.ExpiresBy, f.State, now.UnixMilli(), actor.InstanceAdmin, batch)
}

// state names the state of a token: what ended it by hand comes first.
func (s *Service) state(r Row, now time.Time) string {
	switch {
	case s.Dead(r):
		return StateRevoked
	case r.ExpiresAt <= now.UnixMilli():
		return StateExpired
	case r.UsesLimit > 0 && r.Uses >= r.UsesLimit:
		return StateUsedUp
	}
	return StateLive
}

type allInput struct {
	State      string       `query:"state" enum:"live,revoked,expired,used-up"`
	IdentityID httpapi.Text `query:"identityId" maxLength:"64"`
	Method     httpapi.Text `query:"authMethod" maxLength:"64"`
	IdleSince  time.Time    `query:"idleSince" doc:"Tokens that were not used since then, and those that were never used and made before"`
	ExpiresBy  time.Time    `query:"expiresBy" doc:"Tokens that expire by then"`
	After      httpapi.Text `query:"after" maxLength:"64" doc:"The next of the page before"`
	Limit      int64        `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

func (in *allInput) filter() Filter {
	f := Filter{State: in.State, IdentityID: in.IdentityID.Trimmed(), Method: in.Method.Trimmed(), After: in.After.Trimmed(), Limit: int(in.Limit)}
	if !in.IdleSince.IsZero() {
		f.IdleSince = in.IdleSince.UnixMilli()
	}
	if !in.ExpiresBy.IsZero() {
		f.ExpiresBy = in.ExpiresBy.UnixMilli()
	}
	return f
}

type wireListed struct {
	ID           string        `json:"id"`
	Name         *string       `json:"name"`
	IdentityID   string        `json:"identityId"`
	IdentityName string        `json:"identityName"`
	Method       string        `json:"authMethod"`
	State        string        `json:"state" enum:"live,revoked,expired,used-up"`
	Uses         int64         `json:"accessTokenNumUses"`
	UsesLimit    int64         `json:"accessTokenNumUsesLimit"`
	LastUsedAt   *httpapi.Time `json:"accessTokenLastUsedAt" doc:"Without a limit of uses, up to 10 s behind"`
	ExpiresAt    httpapi.Time  `json:"expiresAt"`
	CreatedAt    httpapi.Time  `json:"createdAt"`
}

type allOutput struct {
	Body struct {
		Tokens []wireListed `json:"tokens"`
		Next   *string      `json:"next" doc:"Send it as after to go on; null after the last page. A page can be short or empty before"`
	}
}

// allRoute answers a page of the stored tokens of an organization.
func (s *Service) allRoute(ctx context.Context, actor *access.Actor, in *allInput) (*allOutput, error) {
	rows, next, err := s.All(ctx, actor, in.filter())
	if err != nil {
		return nil, err
	}
	out := &allOutput{}
	out.Body.Tokens = make([]wireListed, 0, len(rows))
	for _, r := range rows {
		out.Body.Tokens = append(out.Body.Tokens, wireListed{r.ID, r.Name, r.IdentityID, r.IdentityName, r.Method, r.State, r.Uses, r.UsesLimit,
			(*httpapi.Time)(r.LastUsedAt), httpapi.Time(r.ExpiresAt), httpapi.Time(r.CreatedAt)})
	}
	if next != "" {
		out.Body.Next = &next
	}
	return out, nil
}

func (s *Service) allRoutes(api *httpapi.API) {
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/organization/tokens", ID: "list-org-tokens", Tag: tag,
		Summary:     "List the stored access tokens of your organization, newest first",
		Description: "Tokens of Token Auth, and tokens of logins with a use limit. Other logins store no token. Pages follow each other by `after`, so a list of any length is read at the same speed.",
		Permission:  httpapi.Permission{Action: access.Read, Subject: access.SubjectIdentity}}, s.allRoute)
}
