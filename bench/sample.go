package main

import (
	"context"
	"fmt"
	"strings"
)

// sampled is what the server wrote, as the statements that write it again into an empty database.
type sampled struct{ created, revoked [][]statement }

// sample reads what the server wrote for the tokens that were created and revoked so far: n of each.
func (e *engine) sample(ctx context.Context, n int) (sampled, error) {
	var found [4][][]any
	for i, query := range []string{
		"SELECT * FROM access_tokens WHERE revoked ORDER BY id",
		"SELECT * FROM audit_logs WHERE event_type = 'create-token-identity-token-auth' ORDER BY id",
		"SELECT * FROM change_log WHERE kind = 'token' ORDER BY seq",
		"SELECT * FROM audit_logs WHERE event_type = 'revoke-identity-access-token' ORDER BY id",
	} {
		var err error
		if found[i], err = e.rows(ctx, query); err != nil {
			return sampled{}, err
		}
		if len(found[i]) != n {
			return sampled{}, fmt.Errorf("the server wrote %d rows where %d changes were made: %s", len(found[i]), n, query)
		}
	}
	var all sampled
	for i := range n {
		token, change := found[0][i], found[2][i]
		all.created = append(all.created, []statement{
			insertion("access_tokens", token),
			{`INSERT INTO token_counts (identity_id, method, total) VALUES ($1, $2, 1)
				ON CONFLICT (identity_id, method) DO UPDATE SET total = token_counts.total + 1`, []any{token[1], token[3]}},
			insertion("audit_logs", found[1][i]),
		})
		all.revoked = append(all.revoked, []statement{
			{`UPDATE access_tokens SET revoked = TRUE, updated_at = $1 WHERE id = $2 RETURNING expires_at`, []any{change[4], token[0]}},
			insertion("audit_logs", found[3][i]),
			{`UPDATE feed_head SET seq = seq + $1 WHERE id = 'head' RETURNING seq`, []any{1}},
			insertion("change_log", change),
		})
	}
	return all, nil
}

// insertion writes a whole row.
func insertion(table string, row []any) statement {
	marks := make([]string, len(row))
	for i := range row {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	return statement{"INSERT INTO " + table + " VALUES (" + strings.Join(marks, ", ") + ")", row}
}
