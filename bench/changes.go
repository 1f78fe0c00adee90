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

// changesPerRound is how many changes one round of the small parts makes.
const changesPerRound = 800

// inOneCommit is how many changes the second floor has in a commit: one of each caller.
const inOneCommit = callers

// changes compares creating and revoking tokens over HTTP with the engine alone writing the same rows: with as many changes
// in a commit as there are callers, and for SQLite with a commit for each change too.
func changes(b *bench) ([]line, error) {
	return b.onBoth(func(st *store) ([]line, error) {
		s, err := st.setUp()
		if err != nil {
			return nil, err
		}
		table, err := st.changes(s)
		return table, errors.Join(err, s.stop())
	})
}

// perTurn is how many changes a turn makes: about two seconds of them.
func (st *store) perTurn() int {
	if st.pg != nil {
		return 5 * changesPerRound
	}
	return 16 * changesPerRound
}

func (st *store) changes(s *instance) ([]line, error) {
	ids, _, err := s.create(st.perTurn()) // also the sample of rows that the floor writes
	if err != nil {
		return nil, err
	}
	if _, err := s.revoke(ids); err != nil {
		return nil, err
	}
	e, err := st.engine(s, durable)
	if err != nil {
		return nil, err
	}
	rows, err := e.sample(st.ctx, st.perTurn())
	if err := errors.Join(err, e.close()); err != nil {
		return nil, err
	}
	var table []line
	for _, o := range st.operations(s, rows) {
		lines, err := st.change(s, o)
		if err != nil {
			return nil, err
		}
		table = append(table, lines...)
	}
	return table, nil
}

// operation is a sort of change: over HTTP, and what the engine alone has to write for it.
type operation struct {
	what          string
	ours          func() (perSecond float64, err error)
	before, floor [][]statement
}

func (st *store) operations(s *instance, rows sampled) []operation {
	create := func() (float64, error) {
		_, perSecond, err := s.create(st.perTurn())
		return perSecond, err
	}
	revoke := func() (float64, error) {
		ids, _, err := s.create(st.perTurn())
		if err != nil {
			return 0, err
		}
		return s.revoke(ids)
	}
	return []operation{{"create a token", create, nil, rows.created}, {"revoke a token", revoke, rows.created, rows.revoked}}
}

// change compares an operation with its floors, and tells how many changes the server had in a commit.
func (st *store) change(s *instance, o operation) ([]line, error) {
	var table []line
	one := line{what: fmt.Sprintf("%s: %s, %d callers (floor: the engine alone, a commit each)", st.name, o.what, callers), unit: "changes/s", least: 0.7}
	many := line{what: fmt.Sprintf("%s: %s, %d callers (floor: the engine alone, %d in a commit)", st.name, o.what, callers, inOneCommit), unit: "changes/s", least: 0.6}
	if st.pg != nil { // against a commit each it is measured with the replicas
		one.what, many.least = "", 0
	}
	for _, l := range []struct {
		line
		each int
	}{{one, 1}, {many, inOneCommit}} {
		if l.what == "" || !st.wants(l.what) {
			continue
		}
		commits, changes, err := s.grouped()
		if err != nil {
			return nil, err
		}
		c, err := compare(func() (float64, error) { return st.bare(o.before, o.floor, l.each) }, o.ours)
		if err != nil {
			return nil, err
		}
		commitsAfter, changesAfter, err := s.grouped()
		if err != nil {
			return nil, err
		}
		l.line.floor, l.ours = c.floor, c.ours
		table = append(table, l.line, line{what: "- changes in one commit of the server", ours: (changesAfter - changes) / (commitsAfter - commits)})
	}
	return table, nil
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

// create makes n tokens of the administrator's own identity and returns their ids.
func (s *instance) create(n int) (ids []string, perSecond float64, err error) {
	requests := make([][]byte, n)
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
