package ledger

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
)

// Workers is how many identities a ledger works with, each with a worker of its own.
const Workers = 8

// SetUp bootstraps an empty instance and makes the identities that are worked with, half of them with a use limit.
func SetUp(s *Server) (*Ledger, error) {
	c := newClient(s)
	defer c.close()
	l, orgID, err := bootstrap(c)
	if err != nil {
		return nil, err
	}
	var made struct {
		Project struct {
			ID string `json:"id"`
		} `json:"project"`
	}
	if err := l.must(c, "/api/v1/projects", map[string]any{"projectName": "Crash"}, &made); err != nil {
		return nil, err
	}
	l.project = made.Project.ID
	for n := range Workers {
		if err := l.hire(c, n, orgID); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// Bootstrap bootstraps an empty instance, and makes nothing there to work with.
func Bootstrap(s *Server) (*Ledger, error) {
	c := newClient(s)
	defer c.close()
	l, _, err := bootstrap(c)
	return l, err
}

func bootstrap(c *client) (l *Ledger, orgID string, err error) {
	l = &Ledger{byID: map[string]*token{}}
	var setup struct {
		Organization struct {
			ID string `json:"id"`
		} `json:"organization"`
		Identity struct {
			ID          string `json:"id"`
			Credentials struct {
				Token string `json:"token"`
			} `json:"credentials"`
		} `json:"identity"`
	}
	err = l.must(c, "/api/v1/admin/bootstrap", map[string]any{"email": email, "password": password, "organization": "Crash"}, &setup)
	l.admin, l.adminID = setup.Identity.Credentials.Token, setup.Identity.ID
	return l, setup.Organization.ID, err
}

// hire makes the identity and the secret of a worker.
func (l *Ledger) hire(c *client, n int, orgID string) error {
	var made struct {
		Identity struct {
			ID string `json:"id"`
		} `json:"identity"`
	}
	if err := l.must(c, "/api/v1/identities", map[string]any{"name": fmt.Sprint("worker ", n), "organizationId": orgID, "role": "no-access"}, &made); err != nil {
		return err
	}
	secret := &note{path: fmt.Sprintf("/api/v4/secrets/WORKER_%d", n)}
	own := &workload{id: made.Identity.ID, limit: int64(n%2) * 3, began: 1, secret: secret} // attachAll finishes it
	l.identities = append(l.identities, own)
	if err := l.admit(c, own); err != nil {
		return err
	}
	return l.must(c, secret.path, l.place(map[string]any{"secretValue": "0"}), &struct{}{})
}

// must posts as the administrator, and reads the answer, which must be 200.
func (l *Ledger) must(c *client, path string, body, v any) error {
	a, err := c.call(http.MethodPost, path, l.admin, body)
	for tries := 0; err == nil && a.status == http.StatusServiceUnavailable && tries < 100; tries++ {
		a, err = c.call(http.MethodPost, path, l.admin, body)
	}
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("%s: %v", path, a)
	}
	if err != nil {
		return err
	}
	return a.read(v)
}

// Admin returns the token of the first administrator, and its identity.
func (l *Ledger) Admin() (jwt, identityID string) { return l.admin, l.adminID }

// Project returns the id of the project that holds the secrets.
func (l *Ledger) Project() string { return l.project }

// Revive compares a server that has just started, and its database, with the ledger, and gives back to its identities
// what they lost when the server died halfway. With all, every token is tried, else those of the last life and some more.
// What does not fit is among the contradictions; an error means that the database could not be read.
func (l *Ledger) Revive(s *Server, db *sql.DB, random *rand.Rand, all bool) error {
	held, err := readState(db)
	if err != nil {
		return err
	}
	l.compare(held)
	l.probe(s, random, all)
	l.attachAll(s, held)
	return nil
}

// attachAll gives Token Auth back to the identities that lost it when the server died between the two steps, and looks at
// the secrets, the user's session, and what is dead.
func (l *Ledger) attachAll(s *Server, held *state) {
	w := &worker{client: newClient(s), ledger: l}
	defer w.close()
	for _, own := range l.identities {
		if w.own = own; !held.configs[own.id] {
			w.attach()
		}
		w.read()
		if locked := own.logins.failed >= locksAfter; locked && own.logins.free != nil {
			w.login(own.logins.free)
		}
		l.do(func() { own.finished = own.began })
	}
	if l.session != nil {
		w.look(l.session)
	}
	for _, jwt := range l.endedJWTs {
		w.ended(jwt)
	}
}

// UseBeforeEnd uses tokens and has stop end the server in order: every use must be written by then.
func (l *Ledger) UseBeforeEnd(s *Server, db *sql.DB, stop func() error) error {
	passed := map[string]int64{}
	for id, tok := range l.byID {
		passed[id] = -tok.passed
	}
	before, err := readState(db)
	if err != nil {
		return err
	}
	w := &worker{client: newClient(s), ledger: l, random: rand.New(rand.NewPCG(1, 1))}
	for range 200 {
		w.use()
	}
	w.close()
	if err := stop(); err != nil {
		return fmt.Errorf("the server ended with %w after SIGTERM", err)
	}
	after, err := readState(db)
	if err != nil {
		return err
	}
	for id, tok := range l.byID {
		if n := passed[id] + tok.passed; after.rows[id].uses < before.rows[id].uses+n {
			l.contradict("%d uses of the last life are in the row after a clean end; want %d: %v", after.rows[id].uses-before.rows[id].uses, n, tok)
		}
	}
	return nil
}
