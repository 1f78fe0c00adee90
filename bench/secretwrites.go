package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// changeSecrets compares creating and updating secrets over HTTP with the engine alone writing the same rows, a commit
// for each.
func (st *store) changeSecrets(at *shop) ([]line, error) {
	n := 0
	create := func() (float64, error) {
		n++
		return at.change("POST", n)
	}
	update := func() (float64, error) { return at.change("PATCH", 1) }
	ground, created, updated, err := st.sampleSecrets(at, create, update)
	if err != nil {
		return nil, err
	}
	var table []line
	for _, o := range []operation{{"create a secret", create, ground, created}, {"update a secret", update, append(slices.Clone(ground), created...), updated}} {
		one, err := compare(func() (float64, error) { return st.bare(o.before, o.floor, 1) }, o.ours)
		if err != nil {
			return nil, err
		}
		many, err := compare(func() (float64, error) { return st.bare(o.before, o.floor, inOneCommit) }, o.ours)
		if err != nil {
			return nil, err
		}
		table = append(table,
			line{what: fmt.Sprintf("%s: %s, %d callers (floor: the engine alone, a commit each)", st.name, o.what, callers), unit: "changes/s",
				floor: one.floor, ours: one.ours, least: 0.6},
			line{what: fmt.Sprintf("- beside the engine alone with %d in a commit", inOneCommit), unit: "changes/s", floor: many.floor, ours: many.ours})
	}
	return table, nil
}

// change creates the secrets of the n-th round, or updates them.
func (at *shop) change(method string, n int) (float64, error) {
	requests := make([][]byte, changesPerRound)
	for i := range requests {
		body, err := json.Marshal(map[string]string{"projectId": at.project, "environment": "staging", "secretValue": value(i)})
		if err != nil {
			return 0, err
		}
		requests[i] = request(method, fmt.Sprintf("%s/ROUND_%d_%d", secretsV4, n, i), at.worker, string(body))
	}
	_, perSecond, err := each(at.addr, requests)
	return perSecond, err
}

// sampleSecrets has the server create and update a round of secrets, and returns the statements that write the same rows
// into an empty database: what has to be there before, and both sorts of changes.
func (st *store) sampleSecrets(at *shop, create, update func() (float64, error)) (ground, created, updated [][]statement, err error) {
	e, err := st.engine(at.instance, durable)
	if err != nil {
		return nil, nil, nil, err
	}
	defer e.close()
	if ground, err = e.ground(st.ctx); err != nil {
		return nil, nil, nil, err
	}
	if _, err = create(); err == nil {
		created, err = e.writes(st.ctx, 1)
	}
	if err == nil {
		_, err = update()
	}
	if err == nil {
		updated, err = e.writes(st.ctx, 2)
	}
	return ground, created, updated, err
}

// ground returns the rows that those of secrets refer to.
func (e *engine) ground(ctx context.Context) (changes [][]statement, err error) {
	for _, table := range []string{"organizations", "root_keys", "organization_keys", "projects", "project_keys", "environments", "folders"} {
		rows, err := e.rows(ctx, "SELECT * FROM "+table)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			changes = append(changes, []statement{insertion(table, row)})
		}
	}
	return changes, nil
}

// writes returns what the server wrote for the first or the second version of the secrets of a round.
func (e *engine) writes(ctx context.Context, version int) (changes [][]statement, err error) {
	event := map[int]string{1: "create-secret", 2: "update-secret"}[version]
	secrets, err := e.rows(ctx, "SELECT "+columns+" FROM secrets WHERE key LIKE 'ROUND_1_%' ORDER BY id")
	events, errEvents := e.rows(ctx, "SELECT * FROM audit_logs WHERE event_type = '"+event+"' ORDER BY id")
	if err := errors.Join(err, errEvents); err != nil {
		return nil, err
	}
	if len(secrets) != changesPerRound || len(events) != changesPerRound {
		return nil, fmt.Errorf("%d changes left %d secrets and %d events", changesPerRound, len(secrets), len(events))
	}
	for i, s := range secrets {
		change := []statement{{"INSERT INTO secrets (" + columns + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", s}}
		if version > 1 {
			change = []statement{{older, s[:1]}, {"UPDATE secrets SET version = version + 1, updated_at = $1, value = $2 WHERE id = $3", []any{s[6], s[7], s[0]}}}
		}
		changes = append(changes, append(change,
			statement{"UPDATE folders SET secret_modified_at = $1 WHERE id = $2", []any{s[6], s[1]}}, insertion("audit_logs", events[i])))
	}
	return changes, nil
}

// The columns of secrets that are set here, and the statement that keeps what a secret says as its last version.
const (
	columns = "id, folder_id, key, user_id, version, created_at, updated_at, value, project_key_id"
	older   = `INSERT INTO secret_versions (secret_id, version, value, metadata, tags, skip_multiline, created_at, project_key_id)
		SELECT id, version, value, metadata, tags, skip_multiline, updated_at, project_key_id FROM secrets WHERE id = $1`
)

// bare makes some changes in one commit on a new database, then measures others, so many in a commit.
func (st *store) bare(before, changes [][]statement, together int) (float64, error) {
	e, err := st.empty()
	if err != nil {
		return 0, err
	}
	defer e.close()
	if len(before) > 0 {
		if _, err := e.commits(st.ctx, before, len(before)); err != nil {
			return 0, err
		}
	}
	return e.commits(st.ctx, changes, together)
}
