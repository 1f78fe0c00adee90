package ledger

import (
	"database/sql"
	"fmt"
	"net/http"
)

// Rotate rotates every key that the instance has, from the top down and again and again, until the server is gone.
func (l *Ledger) Rotate(s *Server) {
	w := &worker{client: newClient(s), ledger: l}
	defer w.close()
	paths := []string{"/api/v1/admin/keys/rotate", "/api/v1/organization/keys/rotate",
		"/api/v1/organization/keys/projects/" + l.project + "/rotate"}
	rotate := func(path string) bool {
		return w.ask(http.MethodPost, path, l.admin, map[string]any{"resume": false}, func(a answer) {
			// 400 says that there is no new root key, or that a replica that was killed lately had not been given it.
			if a.status != http.StatusOK && a.status != http.StatusBadRequest {
				l.contradict("a rotation was answered with %v", a)
			}
		})
	}
	for n := 0; rotate(paths[n%len(paths)]); n++ {
	}
}

// Founded reports whether an instance was set up, with all that belongs to it or nothing.
func Founded(db *sql.DB) (done bool, err error) {
	var organizations, users, identities, tokens, events int
	err = db.QueryRow(`SELECT initialized, (SELECT count(*) FROM organizations), (SELECT count(*) FROM users), (SELECT count(*) FROM identities),
		(SELECT count(*) FROM access_tokens), (SELECT count(*) FROM audit_logs WHERE event_type = 'bootstrap-instance') FROM instance`).
		Scan(&done, &organizations, &users, &identities, &tokens, &events)
	want := map[bool]int{true: 1}[done]
	if got := [...]int{organizations, users, identities, tokens, events}; err == nil && got != [...]int{want, want, want, want, want} {
		err = fmt.Errorf("the instance is set up: %v, with %v organizations, users, identities, tokens and events of it", done, got)
	}
	return done, err
}
