package crash

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// state is what the database holds, read while nobody changes it.
type state struct {
	rows    map[string]row
	counts  map[string]int64          // identity and method -> what token_counts says
	changes []change                  // the log, in order
	head    int64                     // of the log
	events  map[string]map[string]int // type of event -> what it is about -> how often
	configs map[string]bool           // identities that have Token Auth
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

// readState reads the database beside the server, as an operator's tool would.
func (h *host) readState() (*state, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(h.data, "sallyport.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	s := &state{rows: map[string]row{}, counts: map[string]int64{}, events: map[string]map[string]int{}, configs: map[string]bool{}}
	for query, take := range map[string]func(*sql.Rows) error{
		`SELECT id, identity_id, method, uses, uses_limit, born, revoked, expires_at FROM access_tokens`: s.takeRow,
		`SELECT identity_id || ' ' || method, total FROM token_counts`:                                   s.takeCount,
		`SELECT seq, kind, key FROM changes ORDER BY seq`:                                                s.takeChange,
		`SELECT event_type, event_metadata FROM audit_logs`:                                              s.takeEvent,
		`SELECT identity_id FROM auth_configs`:                                                           s.takeConfig,
		`SELECT seq FROM feed_head`:                                                                      func(r *sql.Rows) error { return r.Scan(&s.head) },
	} {
		if err := readAll(db, query, take); err != nil {
			return nil, fmt.Errorf("%s: %w", query, err)
		}
	}
	return s, nil
}

func readAll(db *sql.DB, query string, take func(*sql.Rows) error) error {
	rows, err := db.Query(query)
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

// takeEvent counts an event under the token that it is about, or else the identity.
func (s *state) takeEvent(r *sql.Rows) error {
	var kind, metadata string
	if err := r.Scan(&kind, &metadata); err != nil {
		return err
	}
	var about struct {
		Identity string `json:"identityId"`
		Token    string `json:"identityAccessTokenId"`
	}
	if err := json.Unmarshal([]byte(metadata), &about); err != nil {
		return err
	}
	if about.Token == "" {
		about.Token = about.Identity
	}
	if s.events[kind] == nil {
		s.events[kind] = map[string]int{}
	}
	s.events[kind][about.Token]++
	return nil
}

// The events of the changes that the load makes.
const (
	eventCreated  = "create-token-identity-token-auth"
	eventRevoked  = "revoke-identity-access-token"
	eventAttached = "add-identity-token-auth"
	eventDetached = "revoke-identity-token-auth"
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
	for identity, n := range s.events[eventAttached] {
		detached := s.events[eventDetached][identity]
		if has := map[bool]int{true: 1}[s.configs[identity]]; n-detached != has || cut[identity] != detached {
			fault("identity %s: attached %d times, detached %d times with %d cut-offs, has Token Auth %v", identity, n, detached, cut[identity], s.configs[identity])
		}
	}
	return faults
}

// compare compares the facts with the database after a restart: nothing that was acknowledged is missing, and nothing is
// there that was never asked for. What was in doubt is settled from here on, since nothing is under way.
func (f *facts) compare(s *state) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range s.agree(f.adminID) {
		f.contradict("%s", fault)
	}
	cuts := map[string]int64{} // the newest cut-off of each identity, so that dead need not look for each token
	for _, c := range s.changes {
		if identity, _, _ := strings.Cut(c.key, " "); c.kind == "cut-method" {
			cuts[identity] = c.seq
		}
	}
	strangers := 0
	for id, t := range s.rows {
		if f.byID[id] == nil && t.identity != f.adminID {
			strangers++
		}
	}
	if strangers > f.askedInVain {
		f.contradict("%d tokens are there that nobody was given; %d were asked for in vain", strangers, f.askedInVain)
	}
	for _, t := range f.tokens {
		r, there := s.rows[t.id]
		if !there {
			f.contradict("lost: %v", t)
			continue
		}
		f.settle(t, r, r.revoked || r.born < cuts[r.identity])
	}
}

// settle compares one token with its row.
func (f *facts) settle(t *token, r row, dead bool) {
	switch {
	case t.dead && !dead:
		f.contradict("its revoke was acknowledged and is lost: %v", t)
	case dead && !t.dead && !t.doubt:
		f.contradict("dead, though nothing that kills it was asked for: %v", t)
	}
	t.dead, t.doubt = dead, dead
	if limit := t.owner.limit; limit > 0 && (r.uses < t.passed || r.uses > t.began) {
		f.contradict("the row has %d uses: %v", r.uses, t)
	}
	for _, jwt := range t.jwts {
		if exp := expiry(jwt); exp*1000 > r.expiresAt {
			f.contradict("a renewal is lost, the row expires at %d and a JWT at %d: %v", r.expiresAt, exp*1000, t)
		}
	}
}

func expiry(jwt string) int64 {
	var claims struct {
		Exp int64 `json:"exp"`
	}
	parts := strings.Split(jwt, ".")
	if payload, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
		_ = json.Unmarshal(payload, &claims) // an unreadable one has no expiry, and fails elsewhere
	}
	return claims.Exp
}

// probe uses the tokens that choose selects, to compare what the server answers with what is known. Tokens with a use
// limit are used only once dead, so that nothing is spent.
func (f *facts) probe(s *server, random *rand.Rand, all bool) {
	const probers = 4
	var chosen []*token
	f.do(func() {
		for _, t := range f.tokens {
			if all || t.touched || random.IntN(20) == 0 {
				chosen = append(chosen, t)
			}
			t.touched = false
		}
	})
	var group sync.WaitGroup
	for n := range probers {
		group.Go(func() {
			c := newClient(s)
			defer c.close()
			for i := n; i < len(chosen); i += probers {
				f.probeOne(c, chosen[i], all)
			}
		})
	}
	group.Wait()
}

// probeOne uses the newest JWT of a token, or all of them.
func (f *facts) probeOne(c *client, t *token, all bool) {
	if t.owner.limit > 0 && !t.dead {
		return
	}
	jwts := t.jwts[len(t.jwts)-1:]
	if all {
		jwts = t.jwts
	}
	for _, jwt := range jwts {
		a, err := c.call(http.MethodGet, detailsPath, jwt, nil)
		f.do(func() {
			t.began++
			switch {
			case err != nil:
				f.contradict("%v", err)
			case !t.dead && a.status == http.StatusOK:
				t.passed++
			case t.dead && a.status == http.StatusUnauthorized && a.reason == "revoked":
			default:
				f.contradict("answered with %v: %v", a, t)
			}
		})
	}
}
