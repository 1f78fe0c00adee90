package audit

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

type queryInput struct {
	ProjectID     httpapi.Text `query:"projectId"`
	Environment   httpapi.Text `query:"environment" maxLength:"64" doc:"Slug of the environment that the event is about"`
	SecretPath    httpapi.Text `query:"secretPath" maxLength:"4096" doc:"Folder that the event is about; one slash at its end is ignored"`
	SecretKey     httpapi.Text `query:"secretKey" maxLength:"4096" doc:"Name of a secret that the event is about"`
	ActorType     string       `query:"actorType" enum:"platform,user,service,identity,machine,unknownUser"`
	Actor         httpapi.Text `query:"actor" doc:"Id of the actor"`
	EventType     httpapi.Text `query:"eventType" maxLength:"4096" doc:"Event types, with commas between"`
	UserAgentType httpapi.Text `query:"userAgentType"`
	EventMetadata httpapi.Text `query:"eventMetadata" maxLength:"4096" doc:"name=value pairs, at most 20, with commas between"`
	StartDate     time.Time    `query:"startDate" doc:"Default: the midnight (UTC) before the end date"`
	EndDate       time.Time    `query:"endDate" doc:"Default: now"`
	Offset        int64        `query:"offset" minimum:"0" default:"0"`
	Limit         int64        `query:"limit" minimum:"1" maximum:"1000" default:"20"`
	After         string       `query:"after" pattern:"^[0-9]{1,18}$" doc:"A position: return the events after it, oldest first, of all times unless dates are given. 0 begins with the oldest event. Send the next of each answer to continue: you then see each event once and miss none. A page can be short or empty before the newest event: continue as long as next grows"`
}

type queryOutput struct {
	Body struct {
		AuditLogs []Entry `json:"auditLogs"`
		Next      *int64  `json:"next,omitempty" doc:"Only with after: the position to send as after to continue"`
	}
}

// Routes mounts the query of the log.
func (l *Log) Routes(api *httpapi.API) {
	httpapi.Handle(api, httpapi.Route{
		Method: http.MethodGet, Path: "/api/v1/organization/audit-logs", ID: "list-audit-logs", Tag: "Audit Logs",
		Summary: "List audit events", Description: "Events of the caller's organization, newest first; with after, in the order in which they became visible.",
		Permission: httpapi.Permission{Action: access.Read, Subject: access.SubjectAuditLogs},
	}, func(ctx context.Context, actor *access.Actor, in *queryInput) (*queryOutput, error) {
		filter, err := in.filter()
		if err != nil {
			return nil, err
		}
		out := &queryOutput{}
		if filter.After != nil {
			out.Body.Next = new(int64)
			out.Body.AuditLogs, *out.Body.Next, err = l.Follow(ctx, actor, filter)
			return out, err
		}
		out.Body.AuditLogs, err = l.Query(ctx, actor, filter)
		return out, err
	})
}

func (in *queryInput) filter() (Filter, error) {
	pairs, err := in.pairs()
	var after *int64
	if n, failed := strconv.ParseInt(in.After, 10, 64); failed == nil { // the pattern has refused all but "" and numbers
		after = &n
	}
	return Filter{
		ProjectID: string(in.ProjectID), ActorType: in.ActorType, ActorID: string(in.Actor),
		UserAgentType: string(in.UserAgentType), EventTypes: splitList(string(in.EventType)), Metadata: pairs,
		From: in.StartDate, To: in.EndDate, Offset: in.Offset, Limit: in.Limit, After: after,
	}, err
}

// pairs returns what must be in the metadata of an event.
func (in *queryInput) pairs() ([]Pair, error) {
	pairs, err := parsePairs(string(in.EventMetadata))
	path := string(in.SecretPath)
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	for _, p := range []Pair{{"environment", string(in.Environment)}, {"secretPath", path}, {"secretKey", string(in.SecretKey)}} {
		if p.Value != "" {
			pairs = append(pairs, p)
		}
	}
	return pairs, err
}
