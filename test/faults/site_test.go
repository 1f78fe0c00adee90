package faults

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
)

const (
	detailsPath = "/api/v1/identities/details"
	tokensPath  = "/api/v1/auth/token-auth/tokens/"
	methodPath  = "/api/v1/auth/token-auth/identities/"
)

// site is a cluster with the administrator's requests to it.
type site struct {
	*cluster.Cluster
	t     *testing.T
	began time.Time
}

// in returns the site for a part of its test.
func (s *site) in(t *testing.T) *site { return &site{s.Cluster, t, s.began} }

// now is the time since the site began. It only grows.
func (s *site) now() time.Duration { return time.Since(s.began) }

// token is one that may be taken back. A time is 0 while it has not come.
type token struct {
	id, jwt string
	asked   atomic.Int64 // when a revoke was first asked for, by the site's clock
	acked   atomic.Int64 // when one was first answered with 200
}

// call asks a replica. The answer has status 0 if none came.
func (s *site) call(replica int, method, path, token string, body any) *cluster.Answer {
	ctx, cancel := context.WithTimeout(context.Background(), 2*within)
	defer cancel()
	answer, err := s.Replicas[replica].Call(ctx, method, path, token, body)
	if err != nil {
		return &cluster.Answer{Header: http.Header{}, Body: []byte(err.Error())}
	}
	return answer
}

// use uses a token and returns the status.
func (s *site) use(replica int, t *token) int {
	return s.call(replica, "GET", detailsPath, t.jwt, nil).Status
}

// status asks for a page that needs no token, and returns its status.
func (s *site) status(replica int, path string) int {
	return s.call(replica, "GET", path, "", nil).Status
}

// wants checks what one replica answers to a token.
func (s *site) wants(replica int, t *token, status int) {
	s.t.Helper()
	if got := s.use(replica, t); got != status {
		s.t.Errorf("%s answered %d to the token %s; want %d (asked for its revoke at %s, told it is done at %s)",
			s.Replicas[replica].Name, got, t.id, status, time.Duration(t.asked.Load()), time.Duration(t.acked.Load()))
	}
}

// expect checks what each replica answers to a token.
func (s *site) expect(t *token, status int) {
	s.t.Helper()
	for i := range s.Replicas {
		s.wants(i, t, status)
	}
}

// tryMint asks for a token of an identity, which is nil if the answer is not 200.
func (s *site) tryMint(replica int, identityID, name string) (*token, *cluster.Answer) {
	answer := s.call(replica, "POST", methodPath+identityID+"/tokens", s.Admin, map[string]any{"name": name})
	if answer.Status != http.StatusOK {
		return nil, answer
	}
	return &token{id: answer.Text("tokenData.id"), jwt: answer.Text("accessToken")}, answer
}

// mintOf makes a token of an identity.
func (s *site) mintOf(replica int, identityID string) *token {
	s.t.Helper()
	t, answer := s.tryMint(replica, identityID, "fault")
	if t == nil {
		s.t.Fatalf("a token was refused with %d %s", answer.Status, answer.Body)
	}
	return t
}

// mint makes tokens that live for as long as tokens may.
func (s *site) mint(replica, n int) (tokens []*token) {
	s.t.Helper()
	for range n {
		tokens = append(tokens, s.mintOf(replica, s.AdminID))
	}
	return tokens
}

// identity makes an identity whose tokens live so long, and returns its id.
func (s *site) identity(life time.Duration) (id string) {
	s.t.Helper()
	id = s.admin("/api/v1/identities", map[string]any{"name": "short", "organizationId": s.OrgID, "role": "no-access"}).Text("identity.id")
	s.admin(methodPath+id, map[string]any{"accessTokenTTL": int(life.Seconds()), "accessTokenMaxTTL": int(life.Seconds())})
	return id
}

// admin posts what must succeed.
func (s *site) admin(path string, body any) *cluster.Answer {
	s.t.Helper()
	answer := s.call(0, "POST", path, s.Admin, body)
	if answer.Status != http.StatusOK {
		s.t.Fatalf("POST %s was answered with %d %s", path, answer.Status, answer.Body)
	}
	return answer
}

// tryRevoke asks to take a token back, and notes when. A dead token is not found: that is as true as a 200.
func (s *site) tryRevoke(replica int, t *token) *cluster.Answer {
	t.asked.CompareAndSwap(0, int64(s.now()))
	answer := s.call(replica, "POST", tokensPath+t.id+"/revoke", s.Admin, nil)
	if answer.Status == http.StatusOK || answer.Status == http.StatusNotFound {
		t.acked.CompareAndSwap(0, int64(s.now()))
	}
	return answer
}

// revoke takes a token back, if it still lives.
func (s *site) revoke(replica int, t *token) {
	s.t.Helper()
	if a := s.tryRevoke(replica, t); a.Status != http.StatusOK && a.Status != http.StatusNotFound {
		s.t.Fatalf("%s answered a revoke with %d %s", s.Replicas[replica].Name, a.Status, a.Body)
	}
}

// ready waits until every replica says that it can work, and can.
func (s *site) ready() {
	s.t.Helper()
	live := s.Admin
	for i, r := range s.Replicas {
		eventually(s.t, r.Name+" is ready", func() bool {
			return s.status(i, "/readyz") == 200 && s.call(i, "GET", detailsPath, live, nil).Status == 200 && s.leaseLeft(i) > 0
		})
	}
}

// leaseLeft is for how long a replica may still answer from memory, by its metrics.
func (s *site) leaseLeft(replica int) time.Duration {
	const name = "\nsallyport_feed_lease_seconds "
	body := s.call(replica, "GET", "/metrics", "", nil).Body
	_, rest, found := bytes.Cut(body, []byte(name))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	seconds, err := strconv.ParseFloat(string(line), 64)
	if !found || err != nil {
		return -time.Hour
	}
	return time.Duration(seconds * float64(time.Second))
}

// setClock has the wall clock of a settable replica be wrong from now on.
func (s *site) setClock(replica int, shift time.Duration) {
	s.t.Helper()
	path := filepath.Join(s.Replicas[replica].Data, "clock-shift")
	err := os.WriteFile(path+".new", []byte(fmt.Sprint(shift)), 0o600)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}
