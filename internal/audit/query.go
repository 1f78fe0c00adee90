package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// Limits of a query (docs/reference/identity.md section 9.1).
const (
	DefaultLimit = 20
	MaxLimit     = 1000
	maxSpan      = 93 * 24 * time.Hour // three months
)

// Filter chooses events. Empty fields choose all.
type Filter struct {
	OrgID, ProjectID   string
	ActorType, ActorID string
	UserAgentType      string
	EventTypes         []string
	Metadata           []Pair // each must be in the event's metadata
	From, To           time.Time
	Offset, Limit      int64
	After              *int64 // only events behind this position, oldest first; nil: newest first, whatever their position

	upTo     int64     // with After: the last position to look at
	projects *[]string // besides events of no project, those of these alone; nil for all
}

// Pair is a name and a text value of an event's metadata.
type Pair struct{ Name, Value string }

// Query returns the events of the actor's organization that match and that it may read, newest first: see Projects. The zero From
// means the midnight before To, the zero To means now. What was noted before the call is there. Errors: PermissionDenied, Validation;
// with a project, NotFound and Forbidden for one that the actor may not enter.
func (l *Log) Query(ctx context.Context, actor *access.Actor, f Filter) ([]Entry, error) {
	if err := l.choose(ctx, actor, &f); err != nil {
		return nil, err
	}
	f.OrgID = actor.OrgID
	// The clock is read before the flush: of what comes after it, something older might still be on its way.
	if err := f.complete(l.db.Now()); err != nil {
		return nil, err
	}
	if err := l.Flush(ctx); err != nil {
		return nil, err
	}
	var rows []row
	err := l.search(ctx, f.OrgID, func(ctx context.Context) (err error) {
		rows, err = l.find(ctx, l.db, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	return entries(rows), l.Note(ctx, actor, Event{Type: ViewAuditLogs})
}

// search runs fn when it is the turn of an organization, for a bounded time.
func (l *Log) search(ctx context.Context, orgID string, fn func(context.Context) error) error {
	return l.db.Search(ctx, "audit "+orgID, fn)
}

// followed is how many positions one call of Follow looks at. A filter may match none of them: then the page is empty, and
// the next one begins behind them.
const followed = 20_000

// Follow returns the events of the actor's organization that match and have a position behind f.After, in the order of
// positions, and the position to go on from: whoever follows it sees each event once, and misses none. There are no dates
// but those that f has. What the actor may read, and the errors, are as in Query.
func (l *Log) Follow(ctx context.Context, actor *access.Actor, f Filter) (page []Entry, next int64, err error) {
	if err := l.choose(ctx, actor, &f); err != nil {
		return nil, 0, err
	}
	f.OrgID = actor.OrgID
	if err := f.checkFollowing(); err != nil {
		return nil, 0, err
	}
	if err := l.Flush(ctx); err != nil {
		return nil, 0, err
	}
	var rows []row
	err = l.search(ctx, f.OrgID, func(ctx context.Context) error {
		return l.db.Read(ctx, func(tx *sqldb.Tx) (err error) { // one snapshot: the head is that of the events
			if next, err = f.end(ctx, tx, l.window); err == nil {
				f.upTo = next
				rows, err = l.find(ctx, tx, f)
			}
			return err
		})
	})
	if err != nil {
		return nil, 0, err
	}
	if int64(len(rows)) == f.Limit {
		next = rows[len(rows)-1].Position
	}
	return entries(rows), next, l.Note(ctx, actor, Event{Type: ViewAuditLogs})
}

// end returns the last position that is looked at. Those that are gone since do not count.
func (f *Filter) end(ctx context.Context, tx *sqldb.Tx, window int64) (last int64, err error) {
	if err := tx.Get(ctx, &last, newest); err != nil {
		return 0, err
	}
	if *f.After > last {
		return 0, fault.Invalid("too_big", fmt.Sprintf("The newest position is %d. Send the \"next\" of the last answer.", last), "after")
	}
	var first int64
	if err := tx.Get(ctx, &first, `SELECT coalesce(min(position), $1) FROM audit_logs WHERE position > $2`, last, *f.After); err != nil {
		return 0, err
	}
	return min(last, first-1+window), nil
}

func entries(rows []row) []Entry {
	shown := make([]Entry, len(rows))
	for i, r := range rows {
		shown[i] = r.entry()
	}
	return shown
}

func (f *Filter) complete(now time.Time) error {
	if f.To.IsZero() {
		f.To = now
	}
	if f.From.IsZero() {
		f.From = f.To.UTC().Truncate(24 * time.Hour)
	}
	if f.To.Sub(f.From) > maxSpan {
		return fault.Invalid("custom", "The dates are more than three months apart. Ask for a shorter time.", "endDate")
	}
	return f.check()
}

func (f *Filter) checkFollowing() error {
	if f.Offset > 0 {
		return fault.Invalid("custom", "Use after without an offset: send the \"next\" of the last answer.", "offset")
	}
	return f.check()
}

func (f *Filter) check() error {
	switch {
	case !f.To.IsZero() && f.To.Before(f.From):
		return fault.Invalid("custom", "The end date is before the start date. Swap them.", "endDate")
	case f.ActorID != "" && f.ActorType == string(access.ActorPlatform):
		return fault.New(fault.BadRequest, "Actors of the type %s have no id to filter by. Leave the actor out.", f.ActorType)
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
	Position      int64        `json:"position,omitempty" doc:"The position in the order in which events became visible, for the parameter after. It is missing for a moment after the event was written"`
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
		ExpiresAt: httpapi.Time(r.ExpiresAt), CreatedAt: created, UpdatedAt: created, OrgID: r.OrgID, ProjectID: r.ProjectID,
		Position: r.Position}
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
