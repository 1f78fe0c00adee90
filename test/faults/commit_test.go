package faults

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/sallyport/sallyport/test/cluster"
)

// TestConnectionLostInACommit: the answer to a change is what became of it, never a guess.
func TestConnectionLostInACommit(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Postgres: postgres, Replicas: 2})
	for name, c := range map[string]struct {
		breakage cluster.Breakage
		want     int
		times    int
	}{
		"refused/PostgreSQL never got the COMMIT":   {cluster.Breakage{}, http.StatusServiceUnavailable, 5},
		"done/only the answer was lost":             {cluster.Breakage{Deliver: true}, http.StatusOK, 5},
		"refused/and PostgreSQL is away for a time": {cluster.Breakage{Cut: true}, http.StatusServiceUnavailable, 1},
		"done/and PostgreSQL is away for a time":    {cluster.Breakage{Cut: true, Deliver: true}, http.StatusOK, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			s.ready()
			for n := range c.times {
				s.loseRevoke(c.breakage, c.want)
				s.loseCreation(c.breakage, c.want, fmt.Sprint(name, n))
			}
		})
	}
}

// loseRevoke breaks the commit of a revoke.
func (s *site) loseRevoke(b cluster.Breakage, want int) {
	s.t.Helper()
	token := s.mint(0, 1)[0]
	b.Word = token.id
	answer := s.lose(b, func() *cluster.Answer { return s.tryRevoke(1, token) })
	if answer.Status != want {
		s.t.Errorf("a revoke was answered with %d %s; want %d", answer.Status, answer.Body, want)
	}
	s.expect(token, map[int]int{http.StatusOK: http.StatusUnauthorized, http.StatusServiceUnavailable: http.StatusOK}[want])
	s.revoke(1, token)
	s.expect(token, http.StatusUnauthorized)
}

// loseCreation breaks the commit of a new token.
func (s *site) loseCreation(b cluster.Breakage, want int, name string) {
	s.t.Helper()
	b.Word = name
	answer := s.lose(b, func() *cluster.Answer {
		_, answer := s.tryMint(1, s.AdminID, name)
		return answer
	})
	if answer.Status != want {
		s.t.Errorf("a creation was answered with %d %s; want %d", answer.Status, answer.Body, want)
	}
	if got := s.rows("SELECT count(*) FROM access_tokens WHERE name = $1", name); (got == 1) != (want == http.StatusOK) {
		s.t.Errorf("the database holds %d tokens after the answer %d", got, answer.Status)
	}
}

// lose makes a request whose commit is broken, and mends the link two leases later.
func (s *site) lose(b cluster.Breakage, request func() *cluster.Answer) *cluster.Answer {
	s.t.Helper()
	link := s.Replicas[1].Link
	broken := link.BreakCommit(b)
	answered := make(chan *cluster.Answer, 1)
	go func() { answered <- request() }()
	<-broken
	if b.Cut {
		pause(s.t.Context(), 2*lease)
	}
	link.Heal()
	answer := <-answered
	s.ready()
	return answer
}

// rows counts in the database itself.
func (s *site) rows(query string, args ...any) (n int) {
	s.t.Helper()
	conn, err := s.Postgres.Connect(s.t.Context(), s.Database)
	must(s.t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	must(s.t, conn.QueryRow(s.t.Context(), query, args...).Scan(&n))
	return n
}
