package api

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"time"
)

// Event is an entry of the audit log.
type Event struct {
	ID    string
	Actor struct {
		Type     string
		Metadata map[string]any
	}
	Event struct {
		Type     string
		Metadata json.RawMessage
	}
	IPAddress string
	UserAgent string
	ProjectID *string
	RequestID string `json:"reqId"`
	CreatedAt time.Time
}

// ActorName names who did it, as far as the event tells.
func (e Event) ActorName() string {
	for _, key := range []string{"name", "email", "username"} {
		if name, ok := e.Actor.Metadata[key].(string); ok && name != "" {
			return name
		}
	}
	return e.Actor.Type
}

// Facts are the details of the event.
func (e Event) Facts() map[string]any {
	facts := map[string]any{}
	_ = json.Unmarshal(e.Event.Metadata, &facts) // always an object
	return facts
}

// AuditQuery chooses events. The zero value of a field leaves it out.
type AuditQuery struct {
	Actor, ActorType, EventType, Metadata, ProjectID string
	From, To                                         time.Time
	Offset, Limit                                    int
}

// Values is the query as the API reads it.
func (q AuditQuery) Values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"actor": q.Actor, "actorType": q.ActorType, "eventType": q.EventType, "eventMetadata": q.Metadata, "projectId": q.ProjectID} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for name, at := range map[string]time.Time{"startDate": q.From, "endDate": q.To} {
		if !at.IsZero() {
			v.Set(name, at.UTC().Format(time.RFC3339))
		}
	}
	if q.Offset > 0 {
		v.Set("offset", strconv.Itoa(q.Offset))
	}
	v.Set("limit", strconv.Itoa(q.Limit))
	return v
}

// AuditPath is where the log is read.
const AuditPath = "/api/v1/organization/audit-logs"

// Audit reads events, newest first. The reading itself is recorded.
func (c *Caller) Audit(ctx context.Context, q AuditQuery) ([]Event, error) {
	var answer struct{ AuditLogs []Event }
	err := c.get(ctx, AuditPath, q.Values(), &answer)
	return answer.AuditLogs, err
}
