package audit

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/fault"
	"github.com/sallyport/sallyport/internal/httpapi"
)

// Limits of a query (identity.md section 9.1).
const (
	DefaultLimit = 20
	MaxLimit     = 1000
	maxSpan      = 93 * 24 * time.Hour // three months
)

// EventViewed is recorded when somebody starts to read the log.
const EventViewed = "view-audit-logs"

// Filter chooses events. Empty fields choose all.
type Filter struct {
	OrgID, ProjectID   string
	ActorType, ActorID string
	UserAgentType      string
	EventTypes         []string
	Metadata           []Pair // each must be in the event's metadata
	From, To           time.Time
	Offset, Limit      int64
}

// Pair is a name and a text value of an event's metadata.
type Pair struct{ Name, Value string }

// Query returns the events of the actor's organisation that match, newest first. The zero From means the midnight
// before To, the zero To means now. Errors: PermissionDenied, Validation.
func (l *Log) Query(ctx context.Context, actor *access.Actor, f Filter) ([]Entry, error) {
	if err := actor.Check(access.Read, access.SubjectAuditLogs, access.Fields{}); err != nil {
		return nil, err
	}
	f.OrgID = actor.OrgID
	if err := f.complete(l.db.Now()); err != nil {
		return nil, err
	}
	if f.Offset == 0 {
		if err := l.Note(ctx, actor, Event{Type: EventViewed}); err != nil {
			return nil, err
		}
	}
	rows, err := l.find(ctx, f)
	entries := make([]Entry, len(rows))
	for i, r := range rows {
		entries[i] = r.entry()
	}
	return entries, err
}

func (f *Filter) complete(now time.Time) error {
	if f.To.IsZero() {
		f.To = now
	}
	if f.From.IsZero() {
		f.From = f.To.UTC().Truncate(24 * time.Hour)
	}
	switch {
	case f.To.Before(f.From):
		return fault.Invalid("custom", "The end date lies before the start date. Swap them.", "endDate")
	case f.To.Sub(f.From) > maxSpan:
		return fault.Invalid("custom", "The dates lie more than three months apart. Ask for a shorter time.", "endDate")
	case f.ActorID != "" && f.ActorType == string(access.ActorPlatform):
		return fault.New(fault.BadRequest, "Actors of type %s have no id to filter by. Leave the actor out.", f.ActorType)
	}
	return nil
}

// Entry is an event as the API shows it.
type Entry struct {
	ID            string       `json:"id"`
	IPAddress     string       `json:"ipAddress,omitempty"`
	UserAgent     string       `json:"userAgent,omitempty"`
	UserAgentType string       `json:"userAgentType,omitempty"`
	RequestID     string       `json:"reqId,omitempty" doc:"The X-Request-Id of the request"`
	ExpiresAt     httpapi.Time `json:"expiresAt"`
	CreatedAt     httpapi.Time `json:"createdAt"`
	UpdatedAt     httpapi.Time `json:"updatedAt"`
	OrgID         string       `json:"orgId"`
	ProjectID     *string      `json:"projectId"`
	Event         struct {
		Type     string          `json:"type"`
		Metadata json.RawMessage `json:"metadata"`
	} `json:"event"`
	Actor struct {
		Type     string          `json:"type"`
		Metadata json.RawMessage `json:"metadata"`
	} `json:"actor"`
}

func (r row) entry() Entry {
	created := httpapi.Time(r.CreatedAt)
	e := Entry{ID: r.ID, IPAddress: r.IP, UserAgent: r.UserAgent, UserAgentType: r.UserAgentType, RequestID: r.RequestID,
		ExpiresAt: httpapi.Time(r.ExpiresAt), CreatedAt: created, UpdatedAt: created, OrgID: r.OrgID, ProjectID: r.ProjectID}
	e.Event.Type, e.Event.Metadata = r.EventType, json.RawMessage(r.EventMetadata)
	e.Actor.Type, e.Actor.Metadata = r.ActorType, json.RawMessage(r.ActorMetadata)
	return e
}

// maxPairs bounds the metadata filter, so that nobody makes the database work on a huge condition.
const maxPairs = 20

// parsePairs reads `k=v,k2=v2`.
func parsePairs(text string) ([]Pair, error) {
	parts := splitList(text)
	if len(parts) > maxPairs {
		return nil, fault.Invalid("too_big", "Filter by at most 20 pairs at once.", "eventMetadata")
	}
	var pairs []Pair
	for _, part := range parts {
		name, value, ok := strings.Cut(part, "=")
		if !ok || name == "" {
			return nil, fault.Invalid("custom", "Write the metadata filter as name=value, several with commas between.", "eventMetadata")
		}
		pairs = append(pairs, Pair{name, value})
	}
	return pairs, nil
}

// splitList splits at commas and drops what is empty.
func splitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}

// jsonPair is how a pair stands in the stored metadata.
func jsonPair(p Pair) string {
	name, _ := json.Marshal(p.Name) // a string always marshals
	value, _ := json.Marshal(p.Value)
	return string(name) + ":" + string(value)
}
