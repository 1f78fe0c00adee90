package audit

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

const columns = `id, org_id, project_id, actor_type, actor_id, actor_metadata, event_type, event_metadata, ip, user_agent,
	user_agent_type, request_id, created_at, position, expires_at`

// several is how many events one statement stores where many wait. More would be slower: SQLite's driver goes through all
// arguments for each of them.
const several = 12

// newest is the highest position that was ever given.
const newest = `SELECT max(position) FROM (SELECT position FROM audit_head UNION ALL SELECT max(position) FROM audit_logs) AS positions`

// insert stores an event. Where transactions run one after the other it has its position at once; else it gets it later. One
// of a project goes earlier where the project says so.
func (l *Log) insert(ctx context.Context, tx *sqldb.Tx, r row) error {
	if err := settle(ctx, tx, &r); err != nil {
		return err
	}
	position := "$14"
	if l.db.OneWriter() {
		position = "$14 + 1 + (" + newest + ")"
	}
	_, err := tx.Exec(ctx, `INSERT INTO audit_logs (`+columns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, `+position+`, coalesce((SELECT $13 + p.audit_days * 86400000 FROM projects p
		WHERE p.id = $3 AND p.audit_days > 0 AND $13 + p.audit_days * 86400000 < $15), $15))`, r.values(nil, r.ExpiresAt)...)
	return err
}

// settle gives an event that is of no organization to the oldest one, which the server was set up with: an event that
// belonged to nobody could be read by nobody.
func settle(ctx context.Context, tx *sqldb.Tx, r *row) error {
	if r.OrgID != "" {
		return nil
	}
	err := tx.Get(ctx, &r.OrgID, `SELECT id FROM organizations ORDER BY created_at, id LIMIT 1`)
	if errors.Is(err, sqldb.ErrNoRows) {
		err = nil
	}
	return err
}

var insertOne, insertSeveral = inserting(1), inserting(several)

// width is how many columns there are.
const width = 15

// inserting returns the statement that stores n events as they are.
func inserting(n int) string {
	rows := make([]string, n)
	for i := range rows {
		marks := make([]string, width)
		for column := range marks {
			marks[column] = "$" + strconv.Itoa(width*i+column+1)
		}
		rows[i] = "(" + strings.Join(marks, ", ") + ")"
	}
	return `INSERT INTO audit_logs (` + columns + `) VALUES ` + strings.Join(rows, ", ")
}

// insertAll stores events as insert does, in their order, and asks each project once how long it keeps them.
func insertAll(ctx context.Context, tx *sqldb.Tx, rows []row) error {
	for i := range rows {
		if err := settle(ctx, tx, &rows[i]); err != nil {
			return err
		}
	}
	days, err := keptFor(ctx, tx, rows)
	if err != nil {
		return err
	}
	values := make([]any, 0, several*width)
	for len(rows) > 0 {
		n, query := several, insertSeveral
		if len(rows) < several {
			n, query = 1, insertOne
		}
		values = values[:0]
		for i := range rows[:n] {
			values = rows[i].values(values, rows[i].expiry(days))
		}
		if _, err := tx.Exec(ctx, query, values...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// keptFor returns for how many days the projects of events keep them, by id; 0 for one that does not say.
func keptFor(ctx context.Context, tx *sqldb.Tx, rows []row) (map[string]int64, error) {
	days := map[string]int64{}
	for i := range rows {
		id := rows[i].ProjectID
		if id == nil {
			continue
		}
		if _, known := days[*id]; known {
			continue
		}
		var own []int64
		if err := tx.Select(ctx, &own, `SELECT audit_days FROM projects WHERE id = $1 AND audit_days > 0`, *id); err != nil {
			return nil, err
		}
		days[*id] = 0
		if len(own) > 0 {
			days[*id] = own[0]
		}
	}
	return days, nil
}

// expiry is when the event goes, in milliseconds UTC: earlier where its project says so.
func (r *row) expiry(days map[string]int64) int64 {
	if r.ProjectID == nil || days[*r.ProjectID] == 0 {
		return r.ExpiresAt
	}
	return min(r.ExpiresAt, r.CreatedAt+days[*r.ProjectID]*(24*time.Hour).Milliseconds())
}

// values appends what a row has in each column.
func (r *row) values(to []any, expiresAt int64) []any {
	return append(to, r.ID, r.OrgID, r.ProjectID, r.ActorType, r.ActorID, r.ActorMetadata, r.EventType, r.EventMetadata, r.IP, r.UserAgent,
		r.UserAgentType, r.RequestID, r.CreatedAt, r.Position, expiresAt)
}

// source is where events are read from: the database, or one snapshot of it.
type source interface {
	Select(ctx context.Context, dst any, query string, args ...any) error
}

// find returns the events that match, newest first; those after a position in the order of positions.
func (l *Log) find(ctx context.Context, from source, f Filter) (rows []row, err error) {
	w := where{}
	order := "created_at DESC, id DESC"
	if f.After != nil {
		// The condition on the organization is one that no index serves, so that both engines go by position.
		w.add("org_id || '' = ", f.OrgID)
		w.add("position > ", *f.After)
		w.add("position <= ", f.upTo)
		order = "position"
	} else {
		w.add("org_id = ", f.OrgID)
	}
	w.since("created_at >= ", f.From)
	w.since("created_at <= ", f.To)
	w.addIf(f.ProjectID, "project_id = ")
	if f.projects != nil {
		w.text.WriteString(" AND (project_id IS NULL")
		w.among(" OR project_id", *f.projects)
		w.text.WriteString(")")
	}
	w.addIf(f.ActorType, "actor_type = ")
	w.addIf(f.ActorID, "actor_id = ")
	w.addIf(f.UserAgentType, "user_agent_type = ")
	w.in("event_type", f.EventTypes)
	for _, pair := range f.Metadata {
		// The text holds the pair if it is another without it. (LIKE takes "a" for "A" on SQLite, and not on PostgreSQL.)
		w.add("event_metadata <> replace(event_metadata, ", jsonPair(pair))
		w.text.WriteString(", '')")
	}
	// It is all found before the first row is read: until then SQLite can be stopped. See sqldb.Search.
	query := `WITH found AS MATERIALIZED (SELECT ` + columns + ` FROM audit_logs WHERE ` + w.text.String() + ` ORDER BY ` + order + ` LIMIT `
	query += w.arg(f.Limit) + ` OFFSET ` + w.arg(f.Offset) + `) SELECT ` + columns + ` FROM found ORDER BY ` + order
	return rows, from.Select(ctx, &rows, query, w.args...)
}

// where builds a condition whose arguments are numbered in the order of their first use.
type where struct {
	text strings.Builder
	args []any
}

func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

func (w *where) add(condition string, v any) {
	if w.text.Len() > 0 {
		w.text.WriteString(" AND ")
	}
	w.text.WriteString(condition + w.arg(v))
}

func (w *where) addIf(v, condition string) {
	if v != "" {
		w.add(condition, v)
	}
}

// since adds a condition on a time; the zero time means none.
func (w *where) since(condition string, t time.Time) {
	if !t.IsZero() {
		w.add(condition, t.UnixMilli())
	}
}

func (w *where) in(column string, values []string) {
	w.among(" AND "+column, values)
}

// among adds a text with " IN " and the values, if there are any.
func (w *where) among(text string, values []string) {
	if len(values) == 0 {
		return
	}
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = w.arg(v)
	}
	w.text.WriteString(text + " IN (" + strings.Join(marks, ", ") + ")")
}

// Prune deletes up to n events whose time is over, and returns how many went.
func (l *Log) Prune(ctx context.Context, n int64) (deleted int64, err error) {
	err = l.db.Write(ctx, func(tx *sqldb.Tx) error {
		deleted, err = tx.Exec(ctx, `DELETE FROM audit_logs WHERE id IN
			(SELECT id FROM audit_logs WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`, tx.Now().UnixMilli(), n)
		return err
	})
	return deleted, err
}
