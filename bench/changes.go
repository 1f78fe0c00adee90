package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// changesPerRound is how many tokens one round creates and revokes.
const changesPerRound = 800

// together is how many changes the second floor has in a commit: one of each caller.
const inOneCommit = callers

// changes compares creating and revoking tokens over HTTP with SQLite alone writing the same rows: once with a commit
// for each change, and once with as many changes in a commit as there are callers.
func changes(b *bench) ([]line, error) {
	s, err := b.setUp()
	if err != nil {
		return nil, err
	}
	table, err := b.changes(s)
	return table, errors.Join(err, s.stop())
}

func (b *bench) changes(s *instance) ([]line, error) {
	ids, _, err := s.create() // also the sample of rows that the floor writes
	if err != nil {
		return nil, err
	}
	if _, err := s.revoke(ids); err != nil {
		return nil, err
	}
	rows, err := b.sample(s)
	if err != nil {
		return nil, err
	}
	var ready [][]string // tokens that were created and not revoked
	create := func() (float64, error) {
		ids, perSecond, err := s.create()
		ready = append(ready, ids)
		return perSecond, err
	}
	revoke := func() (float64, error) {
		ids := ready[0]
		ready = ready[1:]
		return s.revoke(ids)
	}
	var table []line
	for _, c := range []struct {
		what   string
		ours   func() (float64, error)
		insert func(dir string, each int) (float64, error)
	}{
		{"create a token", create, func(dir string, each int) (float64, error) { return b.write(dir, nil, rows.created, each) }},
		{"revoke a token", revoke, func(dir string, each int) (float64, error) { return b.write(dir, rows.created, rows.revoked, each) }},
	} {
		for _, each := range []int{1, inOneCommit} {
			found, err := compare(func() (float64, error) { return b.onNew(c.insert, each) }, c.ours)
			if err != nil {
				return nil, err
			}
			l := line{what: fmt.Sprintf("%s, %d callers (floor: SQLite alone, a commit each)", c.what, callers), unit: "changes/s",
				floor: found.floor, ours: found.ours, least: 0.7}
			if each > 1 {
				l.what, l.least = fmt.Sprintf("- beside SQLite alone with %d in a commit", each), 0
			}
			table = append(table, l)
		}
	}
	return table, nil
}

// create makes tokens of the administrator's own identity and returns their ids.
func (s *instance) create() (ids []string, perSecond float64, err error) {
	requests := make([][]byte, changesPerRound)
	for i := range requests {
		requests[i] = request("POST", "/api/v1/auth/token-auth/identities/"+s.identity+"/tokens", s.token, fmt.Sprintf(`{"name":"worker %d"}`, i))
	}
	bodies, perSecond, err := each(s.addr, requests)
	if err != nil {
		return nil, 0, err
	}
	ids = make([]string, len(bodies))
	for i, body := range bodies {
		var made struct{ TokenData struct{ ID string } }
		if err := json.Unmarshal(body, &made); err != nil {
			return nil, 0, err
		}
		ids[i] = made.TokenData.ID
	}
	return ids, perSecond, nil
}

// revoke kills tokens by their ids.
func (s *instance) revoke(ids []string) (perSecond float64, err error) {
	requests := make([][]byte, len(ids))
	for i, id := range ids {
		requests[i] = request("POST", "/api/v1/auth/token-auth/tokens/"+id+"/revoke", s.token, "")
	}
	bodies, perSecond, err := each(s.addr, requests)
	if err == nil && !bytes.Contains(bodies[0], []byte("revoked")) {
		err = fmt.Errorf("a revoke answered %s", bodies[0])
	}
	return perSecond, err
}

// sampled is what the server wrote, as the statements that write it again into an empty database.
type sampled struct{ created, revoked [][]statement }

// sample reads what the server wrote for the tokens that were created and revoked so far.
func (b *bench) sample(s *instance) (sampled, error) {
	e, err := openEngine(b.ctx, s.dir, durable)
	if err != nil {
		return sampled{}, err
	}
	defer e.close()
	var found [4][][]any
	for i, query := range []string{
		"SELECT * FROM access_tokens WHERE revoked ORDER BY id",
		"SELECT * FROM audit_logs WHERE event_type = 'create-token-identity-token-auth' ORDER BY id",
		"SELECT * FROM changes WHERE kind = 'token' ORDER BY seq",
		"SELECT * FROM audit_logs WHERE event_type = 'revoke-identity-access-token' ORDER BY id",
	} {
		if found[i], err = e.rows(b.ctx, query); err != nil {
			return sampled{}, err
		}
		if len(found[i]) != changesPerRound {
			return sampled{}, fmt.Errorf("the server wrote %d rows where %d changes were made: %s", len(found[i]), changesPerRound, query)
		}
	}
	var all sampled
	for i := range changesPerRound {
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
			insertion("changes", change),
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

// onNew runs a floor on a new database.
func (b *bench) onNew(run func(dir string, each int) (float64, error), each int) (float64, error) {
	dir, err := b.folder()
	if err != nil {
		return 0, err
	}
	if err := b.schema(dir); err != nil {
		return 0, err
	}
	return run(dir, each)
}

// write makes some changes in one commit beforehand, then measures others, so many in a commit.
func (b *bench) write(dir string, before, changes [][]statement, each int) (float64, error) {
	e, err := openEngine(b.ctx, dir, durable)
	if err != nil {
		return 0, err
	}
	defer e.close()
	if len(before) > 0 {
		if _, err := e.commits(b.ctx, before, len(before)); err != nil {
			return 0, err
		}
	}
	return e.commits(b.ctx, changes, each)
}
