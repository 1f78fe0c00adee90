package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
)

// state is what the database holds, read while nobody changes it.
type state struct {
	rows    map[string]row
	counts  map[string]int64          // identity and method -> what token_counts says
	changes []change                  // the log, in order
	head    int64                     // of the log
	events  map[string]map[string]int // type of event -> what it is about -> how often
	configs map[string]bool           // identities that have Token Auth
	secrets map[string]int64          // id -> version

	clientSecrets map[string]secretRow
	failed        map[string]int // identity -> wrong client secrets in a row, locksAfter where it is locked out
}

type secretRow struct {
	uses    int64
	revoked bool
}

type row struct {
	identity, method string
	uses, limit      int64
	born             int64
	revoked          bool
	expiresAt        int64
}

type change struct {
	seq       int64
	kind, key string
}

// readState reads the database beside the server, as an operator's tool would, as of one moment.
func readState(db *sql.DB) (*state, error) {
	tx, err := db.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true, Isolation: isolation(db)})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // it changed nothing
	s := &state{rows: map[string]row{}, counts: map[string]int64{}, events: map[string]map[string]int{}, configs: map[string]bool{},
		secrets: map[string]int64{}, clientSecrets: map[string]secretRow{}, failed: map[string]int{}}
	for query, take := range map[string]func(*sql.Rows) error{
		`SELECT id, identity_id, method, uses, uses_limit, born, revoked, expires_at FROM access_tokens`:           s.takeRow,
		`SELECT identity_id || ' ' || method, total FROM token_counts`:                                             s.takeCount,
		`SELECT seq, kind, key FROM change_log ORDER BY seq`:                                                       s.takeChange,
		`SELECT event_type, event_metadata FROM audit_logs`:                                                        s.takeEvent,
		`SELECT identity_id FROM auth_configs WHERE method = 'token-auth'`:                                         s.takeConfig,
		`SELECT id, uses, revoked FROM client_secrets`:                                                             s.takeClientSecret,
		`SELECT target, failures, locked_until > 0 FROM lockouts WHERE method = 'universal-auth' AND caller <> ''`: s.takeFailures,
		`SELECT id, version FROM secrets`:                                                                          s.takeSecret,
		`SELECT seq FROM feed_head`:                                                                                func(r *sql.Rows) error { return r.Scan(&s.head) },
	} {
		if err := readAll(tx, query, take); err != nil {
			return nil, fmt.Errorf("%s: %w", query, err)
		}
	}
	return s, nil
}

func readAll(tx *sql.Tx, query string, take func(*sql.Rows) error) error {
	rows, err := tx.Query(query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := take(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *state) takeRow(r *sql.Rows) error {
	var id string
	var t row
	err := r.Scan(&id, &t.identity, &t.method, &t.uses, &t.limit, &t.born, &t.revoked, &t.expiresAt)
	s.rows[id] = t
	return err
}

func (s *state) takeCount(r *sql.Rows) error {
	var key string
	var total int64
	err := r.Scan(&key, &total)
	s.counts[key] = total
	return err
}

func (s *state) takeChange(r *sql.Rows) error {
	var c change
	err := r.Scan(&c.seq, &c.kind, &c.key)
	s.changes = append(s.changes, c)
	return err
}

func (s *state) takeConfig(r *sql.Rows) error {
	var identity string
	err := r.Scan(&identity)
	s.configs[identity] = true
	return err
}

func (s *state) takeSecret(r *sql.Rows) error {
	var id string
	var version int64
	err := r.Scan(&id, &version)
	s.secrets[id] = version
	return err
}

func (s *state) takeClientSecret(r *sql.Rows) error {
	var id string
	var c secretRow
	err := r.Scan(&id, &c.uses, &c.revoked)
	s.clientSecrets[id] = c
	return err
}

func (s *state) takeFailures(r *sql.Rows) error {
	var identity string
	var failed int
	var locked bool
	err := r.Scan(&identity, &failed, &locked)
	if locked {
		failed = locksAfter
	}
	s.failed[identity] = failed
	return err
}

// takeEvent counts an event under the token or secret that it is about, or else the identity.
func (s *state) takeEvent(r *sql.Rows) error {
	var kind, metadata string
	if err := r.Scan(&kind, &metadata); err != nil {
		return err
	}
	var about struct {
		Identity string `json:"identityId"`
		Token    string `json:"identityAccessTokenId"`
		Secret   string `json:"secretId"`
	}
	if err := json.Unmarshal([]byte(metadata), &about); err != nil {
		return err
	}
	if s.events[kind] == nil {
		s.events[kind] = map[string]int{}
	}
	s.events[kind][cmp.Or(about.Token, about.Secret, about.Identity)]++
	return nil
}

// The events of the changes that the load makes.
const (
	eventCreated  = "create-token-identity-token-auth"
	eventRevoked  = "revoke-identity-access-token"
	eventAttached = "add-identity-token-auth"
	eventDetached = "revoke-identity-token-auth"
	eventMade     = "create-secret"
	eventWritten  = "update-secret"
)

// agree compares the database with itself: rows with their counts, changes with their events and entries in the log.
func (s *state) agree(adminID string) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	counted, revoked, cut := map[string]int64{}, map[string]bool{}, map[string]int{}
	for i, c := range s.changes {
		if c.seq != int64(i)+1 {
			fault("the log has the entry %d where %d must be", c.seq, i+1)
		}
		first, _, _ := strings.Cut(c.key, " ")
		switch c.kind {
		case "token":
			revoked[first] = true
		case "cut-method":
			cut[first]++
		}
	}
	if s.head != int64(len(s.changes)) {
		fault("the head of the log is %d, with %d entries", s.head, len(s.changes))
	}
	for id, t := range s.rows {
		counted[t.identity+" "+t.method]++
		if n := s.events[eventCreated][id]; n != 1 && t.identity != adminID {
			fault("the token %s has %d events of its creation", id, n)
		}
		if n := s.events[eventRevoked][id]; (n > 0) != t.revoked || revoked[id] != t.revoked {
			fault("the token %s: revoked %v, with %d events, entry in the log %v", id, t.revoked, n, revoked[id])
		}
		if t.limit > 0 && t.uses > t.limit {
			fault("the token %s has %d uses, of %d", id, t.uses, t.limit)
		}
	}
	for _, kind := range []string{eventCreated, eventRevoked} {
		for id := range s.events[kind] {
			if _, ok := s.rows[id]; !ok {
				fault("there is an event %s of the token %s, which is not there", kind, id)
			}
		}
	}
	for key, n := range counted {
		if s.counts[key] != n {
			fault("%d tokens are counted for %s, there are %d", s.counts[key], key, n)
		}
	}
	for id, version := range s.secrets {
		if n := s.events[eventWritten][id] + s.events[eventMade][id]; int64(n) != version {
			fault("the secret %s has the version %d, with %d events", id, version, n)
		}
	}
	for identity, n := range s.events[eventAttached] {
		detached := s.events[eventDetached][identity]
		if has := map[bool]int{true: 1}[s.configs[identity]]; n-detached != has || cut[identity] != detached {
			fault("identity %s: attached %d times, detached %d times with %d cut-offs, has Token Auth %v", identity, n, detached, cut[identity], s.configs[identity])
		}
	}
	return faults
}

// isolation returns the level that shows one moment. SQLite has one level, which does; its driver refuses to hear of
// others.
func isolation(db *sql.DB) sql.IsolationLevel {
	if strings.Contains(fmt.Sprintf("%T", db.Driver()), "sqlite") {
		return sql.LevelDefault
	}
	return sql.LevelRepeatableRead
}
