package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type auditCmd struct {
	List auditListCmd `cmd:"" help:"List audit events, newest first."`
	Tail auditTailCmd `cmd:"" help:"Print audit events as they happen, oldest first, each once."`
}

// auditFilter says which events are wanted.
type auditFilter struct {
	Project     string   `short:"p" complete:"project" help:"Only events of this project, by its ID or slug."`
	Environment string   `name:"env" short:"e" placeholder:"SLUG" help:"Only events about this environment."`
	Path        string   `help:"Only events about this folder."`
	Secret      string   `placeholder:"KEY" help:"Only events about secrets of this name."`
	Type        []string `placeholder:"TYPE" help:"Only events of these types, such as create-identity."`
	Actor       string   `placeholder:"ID" help:"Only events of the identity or user with this ID."`
	Server      `embed:""`
}

// query returns the session and the filter as the API wants it.
func (c auditFilter) query(con *terminal.Console) (*session, url.Values, error) {
	se, err := c.open(con)
	if err != nil {
		return nil, nil, err
	}
	query := url.Values{}
	for name, value := range map[string]string{"environment": c.Environment, "secretPath": c.Path, "secretKey": c.Secret, "actor": c.Actor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for _, t := range c.Type {
		if before := query.Get("eventType"); before != "" {
			t = before + "," + t
		}
		query.Set("eventType", t)
	}
	if c.Project != "" {
		id, err := se.project(c.Project)
		if err != nil {
			return nil, nil, err
		}
		query.Set("projectId", id)
	}
	return se, query, nil
}

const auditLogs = "/api/v1/organization/audit-logs"

// event is the part of an audit event that a line shows.
type event struct {
	Created string `json:"createdAt"`
	IP      string `json:"ipAddress"`
	Request string `json:"reqId"`
	Actor   struct {
		Type     string         `json:"type"`
		Metadata map[string]any `json:"metadata"`
	} `json:"actor"`
	Event struct {
		Type     string         `json:"type"`
		Metadata map[string]any `json:"metadata"`
	} `json:"event"`
}

// who names the actor of an event.
func (e event) who() string {
	for _, key := range []string{"name", "email", "username", "identityId", "userId"} {
		if text, ok := e.Actor.Metadata[key].(string); ok && text != "" {
			return text
		}
	}
	return e.Actor.Type
}

func (e event) print(con *terminal.Console) {
	con.Print("%s  %-28s  %-20s  %s  %s\n", e.Created, terminal.Printable(e.Event.Type), terminal.Printable(e.who()), terminal.Printable(e.IP), about(e.Event.Metadata))
}

// about shows what an event is about as JSON on one line.
func about(metadata map[string]any) string {
	text, err := json.Marshal(metadata)
	if err != nil || metadata == nil {
		return "{}"
	}
	return string(text)
}

type auditListCmd struct {
	Limit       int           `short:"n" default:"50" help:"How many events, at most 1000."`
	Since       time.Duration `default:"24h" help:"How far back to look."`
	auditFilter `embed:""`
}

// Run lists events of the last time.
func (c *auditListCmd) Run(con *terminal.Console) error {
	se, query, err := c.query(con)
	if err != nil {
		return err
	}
	query.Set("limit", strconv.Itoa(c.Limit))
	query.Set("startDate", time.Now().Add(-c.Since).UTC().Format(time.RFC3339))
	raw, err := se.one(auditLogs+"?"+query.Encode(), "auditLogs")
	if err != nil {
		return err
	}
	who := terminal.Column{Title: "ACTOR", Path: "actor", Show: func(value any) string {
		text, _ := json.Marshal(map[string]any{"actor": value}) // it was JSON before
		var e event
		_ = json.Unmarshal(text, &e)
		return e.who()
	}}
	what := terminal.Column{Title: "ABOUT", Path: "event.metadata", Show: func(value any) string {
		metadata, _ := value.(map[string]any)
		return about(metadata)
	}}
	return c.List(con, raw, col("TIME", "createdAt"), col("TYPE", "event.type"), who, col("ADDRESS", "ipAddress"), col("REQUEST", "reqId"), what)
}

type auditTailCmd struct {
	Follow      bool          `short:"f" help:"Go on until you press Ctrl-C."`
	After       int64         `default:"-1" placeholder:"POSITION" help:"Begin after this position of the log. 0 is the oldest event. Default: the events of the last hour."`
	Every       time.Duration `default:"2s" help:"How often --follow looks for new events."`
	auditFilter `embed:""`
}

// Run reads the log by position, so that nothing is missed and nothing comes twice. Without --follow it ends at the event that
// was the newest when it began: reading the log is an event itself, so that there always is a newer one.
func (c *auditTailCmd) Run(con *terminal.Console) error {
	if c.Every < 100*time.Millisecond {
		return terminal.Exit(terminal.WrongCall, errors.New("--every must be at least 100ms"))
	}
	se, query, err := c.query(con)
	if err != nil {
		return err
	}
	end, err := se.newestEvent()
	if err != nil {
		return err
	}
	query.Set("limit", "1000")
	if c.After < 0 {
		c.After = 0
		query.Set("startDate", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
	}
	every := time.NewTicker(c.Every)
	defer every.Stop()
	for c.Follow || c.After < end {
		before := c.After
		if err := c.page(se, query); con.Ctx.Err() != nil {
			return nil // the user has seen enough
		} else if err != nil {
			return err
		}
		if !c.Follow && c.After == before {
			return nil
		}
		if c.Follow && c.After >= end && !tick(con.Ctx, every.C) {
			return nil
		}
	}
	return nil
}

// mostDates is how far back one search may look.
const mostDates = 80 * 24 * time.Hour

// newestEvent returns the position of the newest event; 0 if there is none in mostDates.
func (se *session) newestEvent() (int64, error) {
	var answer struct {
		Logs []struct {
			Position int64 `json:"position"`
		} `json:"auditLogs"`
	}
	query := url.Values{"limit": {"1"}, "startDate": {time.Now().Add(-mostDates).UTC().Format(time.RFC3339)}}
	if err := se.Get(se.con.Ctx, auditLogs+"?"+query.Encode(), &answer); err != nil || len(answer.Logs) == 0 {
		return 0, err
	}
	return answer.Logs[0].Position, nil
}

// tick waits for the next look, and reports whether there is one.
func tick(ctx context.Context, next <-chan time.Time) bool {
	select {
	case <-ctx.Done():
		return false
	case <-next:
		return true
	}
}

// page prints the next events. Reads of the log by the caller, such as those of this command, are left out unless they are
// asked for.
func (c *auditTailCmd) page(se *session, query url.Values) error {
	query.Set("after", strconv.FormatInt(c.After, 10))
	var answer struct {
		Logs []json.RawMessage `json:"auditLogs"`
		Next int64             `json:"next"`
	}
	if err := se.Get(se.con.Ctx, auditLogs+"?"+query.Encode(), &answer); err != nil {
		return err
	}
	me, err := readClaims(se.Token)
	if err != nil {
		return err
	}
	for _, raw := range answer.Logs {
		var e event
		if err := json.Unmarshal(raw, &e); err != nil {
			return err
		}
		if len(c.Type) == 0 && e.Event.Type == readOfLog && e.Actor.Metadata["identityId"] == me.IdentityID {
			continue
		}
		if c.Form == "json" {
			se.con.Print("%s\n", raw)
			continue
		}
		e.print(se.con)
	}
	c.After = max(c.After, answer.Next)
	return nil
}

// readOfLog is the type of the event that a read of the log leaves.
const readOfLog = "view-audit-logs"
