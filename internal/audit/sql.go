package audit

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/sqldb"
)

const columns = `id, org_id, project_id, actor_type, actor_id, actor_metadata, event_type, event_metadata, ip, user_agent,
	user_agent_type, request_id, created_at, expires_at`

// several is how many events one statement stores where many wait. More would be slower: SQLite's driver goes through all
// arguments for each of them.
const several = 5

var insertOne, insertSeveral = inserting(1), inserting(several)

// inserting returns the statement that stores n events. One of a project goes earlier where the project says so.
func inserting(n int) string {
	values := make([]string, n)
	for i := range values {
		var marks []any
		for column := 1; column <= 14; column++ {
			marks = append(marks, "$"+strconv.Itoa(14*i+column))
		}
		values[i] = fmt.Sprintf(`(%[1]s, %[2]s, %[3]s, %[4]s, %[5]s, %[6]s, %[7]s, %[8]s, %[9]s, %[10]s, %[11]s, %[12]s, %[13]s,
		coalesce((SELECT %[13]s + p.audit_days * 86400000 FROM projects p
		WHERE p.id = %[3]s AND p.audit_days > 0 AND %[13]s + p.audit_days * 86400000 < %[14]s), %[14]s))`, marks...)
	}
	return `INSERT INTO audit_logs (` + columns + `) VALUES ` + strings.Join(values, ", ")
}

// insert stores an event.
func insert(ctx context.Context, tx *sqldb.Tx, r row) error {
	_, err := tx.Exec(ctx, insertOne, r.values(nil)...)
	return err
}

// insertAll stores events, in their order.
func insertAll(ctx context.Context, tx *sqldb.Tx, rows []row) error {
	values := make([]any, 0, several*14)
	for len(rows) >= several {
		values = values[:0]
		for i := range rows[:several] {
			values = rows[i].values(values)
		}
		if _, err := tx.Exec(ctx, insertSeveral, values...); err != nil {
			return err
		}
		rows = rows[several:]
	}
	for _, r := range rows {
		if err := insert(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

// values appends what a row has in each column.
func (r *row) values(to []any) []any {
	return append(to, r.ID, r.OrgID, r.ProjectID, r.ActorType, r.ActorID, r.ActorMetadata, r.EventType, r.EventMetadata, r.IP, r.UserAgent,
		r.UserAgentType, r.RequestID, r.CreatedAt, r.ExpiresAt)
}

// find returns the events that match, newest first.
func (l *Log) find(ctx context.Context, f Filter) (rows []row, err error) {
	w := where{}
	w.add("org_id = ", f.OrgID)
	w.add("created_at >= ", f.From.UnixMilli())
	w.add("created_at <= ", f.To.UnixMilli())
	w.addIf(f.ProjectID, "project_id = ")
	w.addIf(f.ActorType, "actor_type = ")
	w.addIf(f.ActorID, "actor_id = ")
	w.addIf(f.UserAgentType, "user_agent_type = ")
	w.in("event_type", f.EventTypes)
	for _, pair := range f.Metadata {
		// The text holds the pair if it is another without it. (LIKE takes "a" for "A" on SQLite, and not on PostgreSQL.)
		w.add("event_metadata <> replace(event_metadata, ", jsonPair(pair))
		w.text.WriteString(", '')")
	}
	query := `SELECT ` + columns + ` FROM audit_logs WHERE ` + w.text.String() + ` ORDER BY created_at DESC, id DESC LIMIT `
	query += w.arg(f.Limit) + ` OFFSET ` + w.arg(f.Offset)
	return rows, l.db.Select(ctx, &rows, query, w.args...)
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

func (w *where) in(column string, values []string) {
	if len(values) == 0 {
		return
	}
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = w.arg(v)
	}
	w.text.WriteString(" AND " + column + " IN (" + strings.Join(marks, ", ") + ")")
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
