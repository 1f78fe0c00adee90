package hostile

import (
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// trickle writes a first text and then one line again and again, slowly, until the server hangs up. It returns how long
// the connection lived.
func trickle(conn net.Conn, first, line string) time.Duration {
	began := time.Now()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, conn) // until the server closes
	}()
	_, _ = io.WriteString(conn, first)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return time.Since(began)
		case <-tick.C:
			_, _ = io.WriteString(conn, line)
		}
	}
}

// trickleAtOnce has many connections trickle, checks that others are served meanwhile, and that none outlived a limit by far.
func trickleAtOnce(t *testing.T, first, line string, limit time.Duration) {
	t.Helper()
	const many = 200
	var lived [many]time.Duration
	var done sync.WaitGroup
	for i := range lived {
		conn := dial(t)
		done.Go(func() { lived[i] = trickle(conn, first, line) })
	}
	servesOthers(t)
	done.Wait()
	for _, d := range lived {
		if d < limit/2 || d > limit+patience/2 {
			t.Fatalf("a slow caller was cut off after %s; the limit is %s", d, limit)
		}
	}
	servesOthers(t)
}

func TestSlowHeaders(t *testing.T) {
	trickleAtOnce(t, "GET "+details+" HTTP/1.1\r\nHost: x\r\n", "X-More: a\r\n", headerTimeout)
}

func TestSlowBodies(t *testing.T) {
	head := strings.ReplaceAll(request("POST", "/api/v1/identities", target.Admin, "Content-Type: application/json", "Content-Length: 100000"),
		"Connection: close\r\n", "")
	trickleAtOnce(t, head, " ", requestTimeout)
}

// TestSlowBodyOfAStranger: nobody waits for the body of a caller without a token.
func TestSlowBodyOfAStranger(t *testing.T) {
	got := send(t, request("POST", "/api/v1/identities", "", "Content-Type: application/json", "Content-Length: 100000"))
	if status(got) != 401 {
		t.Errorf("answered %q", got)
	}
}

// TestEndlessBodies: the server stops reading soon after the limit of the route, and says so.
func TestEndlessBodies(t *testing.T) {
	tests := map[string]struct {
		path, token string
		status      int
		most        int // bytes that the server takes, with what lies in sockets
	}{
		"refused/with a token":    {"/api/v1/identities", target.Admin, 413, 8<<20 + 16<<20},
		"refused/at a login":      {"/api/v1/auth/universal-auth/login", "", 413, 64<<10 + 16<<20},
		"refused/without a token": {"/api/v1/identities", "", 401, 16 << 20},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			conn := dial(t)
			head := request("POST", test.path, test.token, "Content-Type: application/json", "Transfer-Encoding: chunked")
			sent := make(chan int, 1)
			go func() { sent <- pour(conn, head) }()
			answer := make([]byte, 12)
			if _, err := io.ReadFull(conn, answer); err == nil && status(string(answer)+"\r\n\r\n") != test.status {
				t.Errorf("answered %q, want %d", answer, test.status)
			}
			_, _ = io.Copy(io.Discard, conn)
			if n := <-sent; n > test.most {
				t.Errorf("the server took %d bytes, more than %d", n, test.most)
			}
		})
	}
	servesOthers(t)
}

// pour writes an endless body until the server hangs up, or 64 MB, and returns how many bytes went.
func pour(conn net.Conn, head string) (sent int) {
	_, _ = io.WriteString(conn, head)
	chunk := "8000\r\n" + strings.Repeat(" ", 0x8000) + "\r\n"
	for sent < 64<<20 {
		n, err := io.WriteString(conn, chunk)
		sent += n
		if err != nil {
			break
		}
	}
	return sent
}

// TestIdleConnections: each costs little memory, and none keeps anybody out. 10,000 of them where the machine lets this
// process have as many files open, and the test tells how many else.
func TestIdleConnections(t *testing.T) {
	n := idleConnections(t)
	before := resident(t)
	conns := make([]net.Conn, n)
	ask, answer := []byte("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), make([]byte, 4096)
	for i := range conns {
		conns[i] = dial(t)
		if _, err := conns[i].Write(ask); err != nil {
			t.Fatal(err)
		}
		if got, err := conns[i].Read(answer); err != nil || status(string(answer[:got])) != 200 {
			t.Fatalf("connection %d: %v, %q", i, err, answer[:got])
		}
	}
	servesOthers(t)
	each := (resident(t) - before) / int64(n)
	t.Logf("%d idle connections, %d bytes of memory each", n, each)
	if each > 64<<10 {
		t.Errorf("an idle connection takes %d bytes, more than 64 KiB", each)
	}
}

// idleConnections raises the limit of open files, and returns how many connections it allows.
func idleConnections(t *testing.T) int {
	t.Helper()
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	files.Cur = files.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	return int(min(10_000, files.Max-200))
}
