package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// changesPerRound is how many tokens one round creates and revokes.
const changesPerRound = 800

// inOneCommit is how many changes the second floor has in a commit: one of each caller.
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
	e, err := openEngine(b.ctx, s.dir, durable)
	if err != nil {
		return nil, err
	}
	rows, err := e.sample(b.ctx)
	if err := errors.Join(err, e.close()); err != nil {
		return nil, err
	}
	var table []line
	for _, o := range s.operations(rows) {
		lines, err := b.change(s, o)
		if err != nil {
			return nil, err
		}
		table = append(table, lines...)
	}
	return table, nil
}

// operation is a sort of change: over HTTP, and what SQLite alone has to write for it.
type operation struct {
	what          string
	ours          func() (perSecond float64, err error)
	before, floor [][]statement
}

func (s *instance) operations(rows sampled) []operation {
	var ready [][]string // tokens that were created and not revoked, one list a round
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
	return []operation{{"create a token", create, nil, rows.created}, {"revoke a token", revoke, rows.created, rows.revoked}}
}

// change compares an operation with both floors, and tells how many changes the server had in a commit.
func (b *bench) change(s *instance, o operation) ([]line, error) {
	commits, changes, err := s.grouped()
	if err != nil {
		return nil, err
	}
	one, err := compare(1, func() (float64, error) { return b.write(o.before, o.floor, 1) }, o.ours)
	if err != nil {
		return nil, err
	}
	many, err := compare(1, func() (float64, error) { return b.write(o.before, o.floor, inOneCommit) }, o.ours)
	if err != nil {
		return nil, err
	}
	commitsAfter, changesAfter, err := s.grouped()
	return []line{
		{what: fmt.Sprintf("%s, %d callers (floor: SQLite alone, a commit each)", o.what, callers), unit: "changes/s",
			floor: one.floor, ours: one.ours, least: 0.7},
		{what: fmt.Sprintf("- beside SQLite alone with %d in a commit", inOneCommit), unit: "changes/s", floor: many.floor, ours: many.ours},
		{what: "- changes in one commit of the server", ours: (changesAfter - changes) / (commitsAfter - commits)},
	}, err
}

// grouped returns how many groups of changes the server has committed, and how many changes they held.
func (s *instance) grouped() (commits, changes float64, err error) {
	res, err := http.Get("http://" + s.addr + "/metrics")
	if err != nil {
		return 0, 0, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, 0, err
	}
	commits, errCommits := metric(text, "sallyport_grouped_commits_total")
	changes, errChanges := metric(text, "sallyport_grouped_changes_total")
	return commits, changes, errors.Join(errCommits, errChanges)
}

// metric returns the value of a metric without labels.
func metric(text []byte, name string) (float64, error) {
	_, after, _ := strings.Cut("\n"+string(text), "\n"+name+" ")
	value, _, _ := strings.Cut(after, "\n")
	return strconv.ParseFloat(value, 64)
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
