package console

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/console/api"
)

// auditLog is the page about the log.
type auditLog struct {
	Events                []api.Event
	Type, Actor, From, To string
	Kind                  string // of the actor
	Pages                 pager
	Curl                  string
	NDJSON, CSV           string // addresses of the exports
	Error                 string
}

// auditQuery reads the filters of the address. Dates are days in UTC, and the last one is included. Without any the last week is
// shown: the API itself would show today.
func (v *visit) auditQuery(data *auditLog) (api.AuditQuery, error) {
	query := v.r.URL.Query()
	data.Type, data.Actor, data.Kind, data.From, data.To = query.Get("type"), query.Get("actor"), query.Get("kind"), query.Get("from"), query.Get("to")
	q := api.AuditQuery{EventType: data.Type, Actor: data.Actor, ActorType: data.Kind, From: v.now().Add(-seenFor)}
	for _, day := range []struct {
		text string
		at   *time.Time
		more time.Duration
	}{{data.From, &q.From, 0}, {data.To, &q.To, 24*time.Hour - time.Second}} {
		if day.text == "" {
			continue
		}
		at, err := time.Parse(time.DateOnly, day.text)
		if err != nil {
			return q, problem{http.StatusUnprocessableEntity, "Write a day such as 2026-01-31."}
		}
		*day.at = at.Add(day.more)
	}
	return q, nil
}

func (v *visit) auditPage() error {
	data := auditLog{}
	q, err := v.auditQuery(&data)
	if err != nil {
		return err
	}
	q.Offset, q.Limit = v.offset(), pageSize+1 // one more tells whether there is a next page
	if data.Events, err = v.api.Audit(v.ctx, q); err != nil {
		return err
	}
	more := len(data.Events) > pageSize
	data.Events = data.Events[:min(len(data.Events), pageSize)]
	total := int64(q.Offset + len(data.Events))
	if more {
		total++
	}
	data.Pages = v.pagesOf(q.Offset, len(data.Events), pageSize, total)
	q.Limit = pageSize
	data.Curl = "curl -s '" + v.serverURL() + api.AuditPath + "?" + q.Values().Encode() + "' -H \"Authorization: Bearer $TOKEN\""
	query := v.r.URL.Query()
	query.Del("offset")
	query.Set("format", "ndjson")
	data.NDJSON = v.r.URL.Path + "/export?" + query.Encode()
	query.Set("format", "csv")
	data.CSV = v.r.URL.Path + "/export?" + query.Encode()
	return v.show(http.StatusOK, "audit", "Audit log", data)
}

// An export has at most mostExported events, read exportStep at a time.
const (
	mostExported = 100_000
	exportStep   = 1000
)

// auditExport writes all events that the filters choose, as they are read.
func (v *visit) auditExport() error {
	q, err := v.auditQuery(&auditLog{})
	if err != nil {
		return err
	}
	q.Limit = exportStep
	if q.To.IsZero() {
		q.To = v.now() // what comes in meanwhile must not shift the pages
	}
	format := "ndjson"
	if v.r.URL.Query().Get("format") == "csv" {
		format = "csv"
	}
	events, err := v.api.Audit(v.ctx, q) // before the header, so that a refusal is a page
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", map[string]string{"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}[format])
	h.Set("Content-Disposition", `attachment; filename="audit-`+v.now().UTC().Format("20060102-150405")+"."+format+`"`)
	write := v.writeNDJSON
	if format == "csv" {
		write = v.writeCSV
		if err := v.writeRow("time", "event", "actor type", "actor", "address", "user agent", "project", "request", "details"); err != nil {
			return nil //nolint:nilerr // the browser has gone
		}
	}
	for {
		for _, e := range events {
			if write(e) != nil {
				return nil //nolint:nilerr // the browser has gone
			}
		}
		q.Offset += len(events)
		if len(events) < exportStep || q.Offset >= mostExported {
			return nil
		}
		if events, err = v.api.Audit(v.ctx, q); err != nil {
			panic(http.ErrAbortHandler) // a file that ends early must not look whole
		}
	}
}

func (v *visit) writeNDJSON(e api.Event) error { return json.NewEncoder(v.w).Encode(e) }

func (v *visit) writeCSV(e api.Event) error {
	project := ""
	if e.ProjectID != nil {
		project = *e.ProjectID
	}
	return v.writeRow(e.CreatedAt.UTC().Format(time.RFC3339Nano), e.Event.Type, e.Actor.Type, e.ActorName(), e.IPAddress, e.UserAgent, project, e.RequestID, string(e.Event.Metadata))
}

// writeRow writes cells that no spreadsheet takes for a formula.
func (v *visit) writeRow(cells ...string) error {
	for i, text := range cells {
		if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
			cells[i] = "'" + text
		}
	}
	w := csv.NewWriter(v.w)
	if err := w.Write(cells); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}
