package versions

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
)

// load is what callers do while versions change: they write secrets and read them elsewhere, and revoke tokens and try them elsewhere.
// A request that no replica answers, or that one answers with 503, is repeated at the next one, as proxies and clients do.
type load struct {
	*site
	prefix  string // of the names of its secrets
	stop    atomic.Bool
	workers sync.WaitGroup
	answers atomic.Int64
	mu      sync.Mutex
	wrong   []string
}

// run starts the load. end stops it and fails the test for each wrong answer.
func (s *site) run(names ...string) (end func(t *testing.T)) {
	s.loads++
	l := &load{site: s, prefix: fmt.Sprintf("L%d", s.loads)}
	for n := range 3 {
		l.workers.Go(func() {
			for i := 0; !l.stop.Load(); i++ {
				l.turn(n, i, names)
			}
		})
	}
	return func(t *testing.T) {
		t.Helper()
		l.stop.Store(true)
		l.workers.Wait()
		if l.answers.Load() == 0 {
			t.Error("the load got no answer")
		}
		for _, text := range l.wrong[:min(len(l.wrong), 10)] {
			t.Error(text)
		}
	}
}

// turn is what a worker does again and again. It ends early when the load does.
func (l *load) turn(worker, i int, known []string) {
	name := fmt.Sprintf("%s_%d_%d", l.prefix, worker, i)
	path := strings.Split(l.secret(name), "?")[0]
	var token string
	for _, step := range []func() bool{
		func() bool { return l.anywhere(i, 200, "GET", l.secret(known[i%len(known)]), l.Admin, nil) != nil },
		func() bool { return l.anywhere(i, 200, "POST", path, l.Admin, l.written(name)) != nil },
		func() bool { return l.everywhere(200, l.secret(name), l.Admin, `"secretValue":"`+name+`"`) },
		func() bool { return l.anywhere(i+1, 200, "PATCH", path, l.Admin, l.written("changed")) != nil },
		func() bool { return l.everywhere(200, l.secret(name), l.Admin, `"secretValue":"changed"`) },
		func() bool {
			made := l.anywhere(i, 200, "POST", "/api/v1/auth/token-auth/identities/"+l.AdminID+"/tokens", l.Admin, map[string]any{})
			if made != nil {
				token = made.Text("accessToken")
			}
			return made != nil
		},
		func() bool { return l.everywhere(200, details, token, "") },
		func() bool {
			return l.anywhere(i+2, 200, "POST", revoke, "", map[string]any{"accessToken": token}) != nil
		},
		func() bool { return l.everywhere(401, details, token, "") },
	} {
		if !step() {
			return
		}
	}
}

// anywhere asks one replica after the other until one answers, from the given one on. It returns nil if none does before the load ends.
func (l *load) anywhere(from, status int, method, path, token string, body any) *cluster.Answer {
	for try := from; ; try++ {
		i := try % len(l.Replicas)
		answer := l.call(i, method, path, token, body)
		if answered(answer) {
			l.answers.Add(1)
			repeated := method == "POST" && try > from && answer.Status == 400 && strings.Contains(string(answer.Body), "already") // the first answer was lost
			if answer.Status != status && !repeated {
				l.note(i, answer, status, method, path)
			}
			return answer
		}
		if l.stop.Load() {
			return nil
		}
		<-time.After(time.Millisecond)
	}
}

// everywhere reads from each replica once. One that does not answer, or cannot decide, says nothing wrong.
func (l *load) everywhere(status int, path, token, holds string) bool {
	for i := range l.Replicas {
		answer := l.call(i, "GET", path, token, nil)
		if answered(answer) && (answer.Status != status || !strings.Contains(string(answer.Body), holds)) {
			l.note(i, answer, status, "GET", path)
		}
	}
	return true
}

// answered reports whether a replica decided.
func answered(answer *cluster.Answer) bool { return answer.Status != 0 && answer.Status != 503 }

func (l *load) note(replica int, answer *cluster.Answer, status int, method, path string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, fmt.Sprintf("%s answered %s %s with %d %s; want %d", l.Replicas[replica].Name, method, path, answer.Status, answer.Body, status))
}
