// Package audit owns the record of who did what: writing it inside the transaction of the change, and reading it. It
// does not decide what is worth a record; each feature does.
package audit

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/bounded"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// DefaultRetention is how long events are kept unless a setting says otherwise: a year.
const DefaultRetention = 365 * 24 * time.Hour

// Event is what happened. It must never hold a secret, a token or a client secret.
type Event struct {
	Type      Type
	OrgID     string // "" means the actor's organization
	ProjectID string // "" means none
	Metadata  any    // becomes a JSON object; nil an empty one; a json.RawMessage is what json.Marshal made before
}

// Log writes and reads events.
type Log struct {
	db        *sqldb.DB
	retention time.Duration
	window    int64 // of positions that one call of Follow looks at
	notes     notes
	repeats   repeats
	callers   bounded.Cache[caller, shown]

	// Projects says whose events of projects an actor may read. Whoever builds a server sets it before the first query; where it is
	// not set there are no projects.
	Projects Projects
}

// New returns a log that keeps events for retention; 0 means DefaultRetention. Run writes what was only noted.
func New(db *sqldb.DB, retention time.Duration) *Log {
	if retention <= 0 {
		retention = DefaultRetention
	}
	return &Log{db: db, retention: retention, window: followed, callers: bounded.New(&bounded.Options[caller, shown]{MaximumSize: maxCallers})}
}

// Record writes an event in the transaction of the change that it tells of, so that neither exists without the other.
func (l *Log) Record(ctx context.Context, tx *sqldb.Tx, actor *access.Actor, e Event) error {
	row, err := l.row(actor, e, tx.Now())
	if err != nil {
		return err
	}
	return l.insert(ctx, tx, row)
}

// row is an event as it is stored. Times are milliseconds UTC.
type row struct {
	ID            string  `db:"id"`
	OrgID         string  `db:"org_id"`
	ProjectID     *string `db:"project_id"`
	ActorType     string  `db:"actor_type"`
	ActorID       *string `db:"actor_id"`
	ActorMetadata string  `db:"actor_metadata"`
	EventType     string  `db:"event_type"`
	EventMetadata string  `db:"event_metadata"`
	IP            string  `db:"ip"`
	UserAgent     string  `db:"user_agent"`
	UserAgentType string  `db:"user_agent_type"`
	RequestID     string  `db:"request_id"`
	CreatedAt     int64   `db:"created_at"`
	Position      int64   `db:"position"` // 0: it has none yet
	ExpiresAt     int64   `db:"expires_at"`
}

func (l *Log) row(actor *access.Actor, e Event, now time.Time) (row, error) {
	if e.OrgID == "" {
		e.OrgID = actor.OrgID
	}
	if e.Metadata == nil {
		e.Metadata = struct{}{}
	}
	metadata, encoded := e.Metadata.(json.RawMessage)
	var err error
	if !encoded {
		metadata, err = json.Marshal(e.Metadata)
	}
	if err != nil {
		return row{}, err
	}
	by, err := l.shown(actor)
	return row{
		ID: id.New(), OrgID: e.OrgID, ProjectID: optional(e.ProjectID), ActorType: string(actor.Type), ActorID: optional(actor.ID),
		ActorMetadata: by.actor, EventType: e.Type.name, EventMetadata: string(metadata),
		IP: by.ip, UserAgent: actor.Client.UserAgent, UserAgentType: by.agent,
		RequestID: actor.Client.RequestID, CreatedAt: now.UnixMilli(), ExpiresAt: now.Add(l.retention).UnixMilli(),
	}, err
}

// caller is all that an event says of its actor, but for the request.
type caller struct {
	kind                           access.ActorType
	id, name, method, token, agent string
	ip                             netip.Addr
}

// shown is how events show a caller.
type shown struct{ actor, ip, agent string }

// maxCallers is how many callers are remembered as events show them: those who cause many events do so in a row.
const maxCallers = 4096

// shown returns how events show an actor.
func (l *Log) shown(a *access.Actor) (shown, error) {
	key := caller{a.Type, a.ID, a.Name, a.AuthMethod, a.TokenID, a.Client.UserAgent, a.Client.IP}
	if found, ok := l.callers.GetIfPresent(key); ok {
		return found, nil
	}
	actor, err := json.Marshal(actorMetadata(a))
	made := shown{string(actor), address(a.Client.IP), userAgentType(a.Client.UserAgent)}
	if err == nil {
		l.callers.Set(key, made)
	}
	return made, err
}

// actorMetadata is what the API shows of an actor (docs/reference/identity.md section 6.4); tokenId says which token
// was used.
func actorMetadata(a *access.Actor) (m who) {
	m.AuthMethod, m.TokenID = a.AuthMethod, a.TokenID
	switch a.Type {
	case access.ActorIdentity:
		m.IdentityID, m.Name = &a.ID, &a.Name
	case access.ActorUser:
		m.UserID, m.Email, m.Username = &a.ID, &a.Name, &a.Name
	}
	return m
}

// who is what the API shows of an actor.
type who struct {
	AuthMethod string  `json:"authMethod,omitempty"`
	Email      *string `json:"email,omitempty"`
	IdentityID *string `json:"identityId,omitempty"`
	Name       *string `json:"name,omitempty"`
	TokenID    string  `json:"tokenId,omitempty"`
	UserID     *string `json:"userId,omitempty"`
	Username   *string `json:"username,omitempty"`
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func address(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.Unmap().WithZone("").String()
}

// agents maps a mark in the User-Agent header to the type that the API names (docs/reference/identity.md section 6.4).
var agents = []struct{ mark, name string }{
	{"k8-operator", "k8-operator"}, {"k8-external-secrets-operator", "k8-external-secrets-operator"}, {"terraform", "terraform"},
	{"infisical-nodejs-sdk", "InfisicalNodeSDK"}, {"infisical-python-sdk", "InfisicalPythonSDK"}, {"infisical-go-sdk", "InfisicalGoSDK"},
	{"mozilla", "web"},
}

func userAgentType(agent string) string {
	agent = strings.ToLower(agent)
	if agent == "cli" {
		return "cli"
	}
	for _, a := range agents {
		if strings.Contains(agent, a.mark) {
			return a.name
		}
	}
	return "other"
}
