package hostile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
)

// little is a server with the least memory that is supported.
type little struct {
	t         *testing.T
	server    *cluster.Replica
	admin     string
	projectID string
}

func startLittle(t *testing.T) *little {
	t.Helper()
	c, err := cluster.Start(t.Context(), cluster.Options{Binary: program, Replicas: 1, Lease: 2 * time.Second, Env: []string{
		"SALLYPORT_TRUSTED_PROXIES=127.0.0.1", fmt.Sprint("GOMEMLIMIT=", smallest/10*9)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	l := &little{t: t, server: c.Replicas[0], admin: c.Admin}
	made := l.call("POST", "/api/v1/projects", map[string]any{"projectName": "Large"})
	if l.projectID = made.Text("project.id"); l.projectID == "" {
		t.Fatalf("a project is answered %d %s", made.Status, made.Body)
	}
	return l
}

// call sends a request of the administrator.
func (l *little) call(method, path string, body any) *cluster.Answer {
	l.t.Helper()
	answer, err := l.server.Call(l.t.Context(), method, path, l.admin, body)
	if err != nil {
		l.t.Fatalf("%s %s: %v\n%s", method, path, err, l.server.Tail(5))
	}
	return answer
}

// check fails when the server took more memory than there is, or is gone.
func (l *little) check(what string) {
	l.t.Helper()
	if !l.server.Running() {
		l.t.Fatalf("%s ended the server:\n%s", what, l.server.Tail(20))
	}
	most := memoryOf(l.t, l.server, "VmHWM:") - memoryOf(l.t, l.server, "RssFile:")
	l.t.Logf("%s: %d MB", what, most>>20)
	if most > smallest {
		l.t.Errorf("%s: %d MB were in use; at most %d are supported", what, most>>20, smallest>>20)
	}
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", l.server.PID()), []byte("5"), 0); err != nil { // the next peak is one of its own
		l.t.Fatal(err)
	}
}

// place is a folder of the project, as requests name it.
func (l *little) place(more map[string]any) map[string]any {
	more["projectId"], more["environment"], more["secretPath"] = l.projectID, "dev", "/"
	return more
}

// TestWorstRequestsInLittleMemory: the largest that each heavy route accepts, or refuses, fits in the least memory that is supported.
func TestWorstRequestsInLittleMemory(t *testing.T) {
	l := startLittle(t)
	const most, secret = 7_900_000, "/api/v4/secrets/"
	list := "/api/v4/secrets?environment=dev&projectId=" + l.projectID
	text := func(n int) string { return strings.Repeat("x", n) }
	batch := make([]map[string]any, 100)
	for i := range batch {
		batch[i] = map[string]any{"secretKey": fmt.Sprint("B", i), "secretValue": text(75_000)}
	}
	values := make([]map[string]any, 33_000)
	for i := range values {
		values[i] = map[string]any{"key": "k", "value": "v"}
	}
	for _, step := range []struct {
		what, method, path string
		body               any
		want               []int
	}{
		{"largest body", "POST", secret + "LARGE", l.place(map[string]any{"secretValue": text(most)}), []int{200}},
		{"largest secret", "GET", strings.Replace(list, "?", "/LARGE?", 1), nil, []int{200}},
		{"largest change", "PATCH", secret + "LARGE", l.place(map[string]any{"secretValue": text(most)}), []int{400}},
		{"largest deletion", "DELETE", secret + "LARGE", l.place(map[string]any{}), []int{200}},
		{"largest batch", "POST", "/api/v4/secrets/batch", l.place(map[string]any{"secrets": batch}), []int{200}},
		{"list of 7.5 MB", "GET", list, nil, []int{200}},
		{"one more", "POST", secret + "MORE", l.place(map[string]any{"secretValue": text(most)}), []int{200}},
		{"list that is too large", "GET", list, nil, []int{400}},
		{"many values", "POST", "/api/v1/identities", map[string]any{"name": "n", "metadata": values}, []int{422}},
		{"bodies at the limit", "POST", "/api/v1/identities", map[string]any{"name": text(8_380_000)}, []int{422}},
	} {
		if got := l.call(step.method, step.path, step.body); !slices.Contains(step.want, got.Status) {
			t.Errorf("%s is answered %d %.200s", step.what, got.Status, got.Body)
		}
		l.check(step.what)
	}
	l.roles()
	l.check("roles")
}

// roles makes as large roles as there may be, and lists them.
func (l *little) roles() {
	l.t.Helper()
	rules := func(role int) (rules []map[string]any) {
		for i := range 40 {
			values := make([]string, 200)
			for j := range values {
				values[j] = fmt.Sprintf("%020d", 1000*i+j)
			}
			rules = append(rules, map[string]any{"subject": "secrets", "action": []string{"read"},
				"conditions": map[string]any{"secretName": map[string]any{"$in": append(values[:199], fmt.Sprint(role))}}})
		}
		return rules
	}
	path := "/api/v1/projects/" + l.projectID + "/roles"
	for i := range 20 {
		body := map[string]any{"slug": fmt.Sprint("large-", i), "name": "Large", "permissions": rules(i)}
		if got := l.call("POST", path, body); got.Status != http.StatusOK {
			l.t.Fatalf("a role is answered %d %.300s", got.Status, got.Body)
		}
	}
	if got := l.call("GET", path, nil); got.Status != http.StatusOK && got.Status != http.StatusBadRequest {
		l.t.Errorf("the roles are answered %d %.300s", got.Status, got.Body)
	}
}

// TestFloodsInLittleMemory: whatever callers flood the server with, it lives, keeps within the least memory that is supported, and
// answers ordinary requests all the time.
func TestFloodsInLittleMemory(t *testing.T) {
	idleConnections(t)
	l := startLittle(t)
	if got := l.call("POST", "/api/v4/secrets/LARGE", l.place(map[string]any{"secretValue": strings.Repeat("x", 4_000_000)})); got.Status != http.StatusOK {
		t.Fatalf("answered %d %.300s", got.Status, got.Body)
	}
	post := func(path, token string, length int) string {
		return strings.Replace(request("POST", path, token, "Content-Type: application/json", fmt.Sprint("Content-Length: ", length)), "Connection: close\r\n", "", 1)
	}
	secret := kept("GET", "/api/v4/secrets/LARGE?environment=dev&projectId="+l.projectID, l.admin)
	blanks := strings.Repeat(" ", 1<<20)
	for _, flood := range []struct {
		what string
		many int
		text string
		more string // sent again and again
	}{
		{"silent connections", 3000, "", ""},
		{"idle connections", 2000, kept("GET", "/healthz", ""), ""},
		{"slow headers", 2000, "GET " + details + " HTTP/1.1\r\nHost: x\r\n", "X-More: a\r\n"},
		{"long headers", 1000, "GET " + details + " HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("x", 60<<10), ""},
		{"headers of many lines", 1000, "GET " + details + " HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A:\r\n", 15_000), ""},
		{"unfinished bodies", 100, post("/api/v1/identities", l.admin, 8<<20), blanks[:1<<16]},
		{"unfinished logins", 1000, post("/api/v1/auth/universal-auth/login", "", 64<<10) + blanks[:60<<10], ""},
		{"slow bodies", 1500, post("/api/v1/identities", l.admin, 100_000), " "},
		{"answers that nobody reads", 300, strings.Repeat(secret, 3), ""},
		{"documents that nobody reads", 1500, strings.Repeat(kept("GET", "/api/docs/json", ""), 5), ""},
		{"HTTP/2", 500, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", strings.Repeat("\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08", 100)},
		{"upgrades to HTTP/2", 500, kept("GET", "/healthz", "", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"), ""},
	} {
		l.during(flood.what, func(ctx context.Context) { l.connect(ctx, flood.many, flood.text, flood.more) })
	}
	l.during("logins", l.logins)
}

// during floods the server for a while, and asks it for something ordinary meanwhile.
func (l *little) during(what string, flood func(ctx context.Context)) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 1500*time.Millisecond)
	defer cancel()
	var flooding sync.WaitGroup
	flooding.Go(func() { flood(ctx) })
	served := 0
	for ctx.Err() == nil {
		answer, err := l.ordinary()
		if errors.Is(err, syscall.ECONNRESET) { // closed for another one: clients try again
			answer, err = l.ordinary()
		}
		if err != nil {
			l.t.Errorf("%s: an ordinary request is not answered: %v", what, err)
			break
		}
		if answer != http.StatusOK && answer != http.StatusServiceUnavailable {
			l.t.Errorf("%s: an ordinary request is answered %d", what, answer)
		}
		served++
	}
	flooding.Wait()
	if served == 0 {
		l.t.Errorf("%s: no ordinary request was answered", what)
	}
	l.check(what)
}

// ordinary sends a small request over a connection of its own.
func (l *little) ordinary() (int, error) {
	conn, err := net.DialTimeout("tcp", l.server.Addr, patience)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, request("GET", details, l.admin)); err != nil {
		return 0, err
	}
	text, err := io.ReadAll(conn)
	return status(string(text)), err
}

// connect opens connections, sends a text over each, and more again and again, until ctx ends.
func (l *little) connect(ctx context.Context, many int, text, more string) {
	var conns []net.Conn
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	dialer := &net.Dialer{}
	for range many {
		conn, err := dialer.DialContext(ctx, "tcp", l.server.Addr)
		if err != nil {
			return // the time is over
		}
		conns = append(conns, conn)
		push(conn, text)
	}
	for more != "" && ctx.Err() == nil {
		for _, conn := range conns {
			push(conn, more)
		}
	}
	<-ctx.Done()
}

// logins asks for the hashes of many passwords.
func (l *little) logins(ctx context.Context) {
	var all sync.WaitGroup
	for n := range 12 {
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				body := map[string]any{"email": fmt.Sprintf("nobody-%d-%d@example.com", n, i), "password": "wrong"}
				_, _ = l.server.Call(ctx, http.MethodPost, "/api/v3/auth/login", "", body) // whatever the answer is
			}
		})
	}
	all.Wait()
}

// push sends a text as far as the server takes it at once.
func push(conn net.Conn, text string) {
	_ = conn.SetWriteDeadline(time.Now().Add(5 * time.Millisecond))
	_, _ = io.WriteString(conn, text) // the server may have closed it: that is right
}
