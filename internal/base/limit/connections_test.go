package limit

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// site is a server with few connections, whose requests to /wait last until they may go on.
type site struct {
	*Connections
	t       *testing.T
	begun   chan struct{}
	proceed chan struct{}
}

func newSite(t *testing.T, most int, memory int64) *site {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{NewConnections(listener, most, memory), t, make(chan struct{}), make(chan struct{})}
	s.young = 0
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			s.begun <- struct{}{}
			<-s.proceed
		}
		if r.URL.Path == "/body" {
			defer Waiting(r.Context())()
			s.begun <- struct{}{}
			_, _ = io.Copy(io.Discard, r.Body)
		}
		_, _ = io.WriteString(w, "done")
	})}
	Attach(server)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(s.Connections) })
	t.Cleanup(func() {
		server.Close()
		serving.Wait()
	})
	return s
}

// send opens a connection and sends a text.
func (s *site) send(text string) net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	_, _ = io.WriteString(conn, text)
	return conn
}

// answer returns the status of what comes back; 0 where the connection was closed.
func (s *site) answer(conn net.Conn) int {
	s.t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n" }

// TestConnectionsAreBounded: whatever callers do with connections that they keep, a new request is answered, requests at work are
// finished, and there are no more connections than there may be.
func TestConnectionsAreBounded(t *testing.T) {
	const most = 16
	for name, text := range map[string]string{
		"idle":        get("/"),
		"silent":      "",
		"slow header": "GET / HTTP/1.1\r\nHost: x\r\nX-",
		"slow body":   "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx",
	} {
		t.Run("accepted/"+name, func(t *testing.T) {
			s := newSite(t, most, 0)
			work := s.send(get("/wait"))
			<-s.begun
			for range 3 * most {
				conn := s.send(text)
				switch name {
				case "idle":
					if got := s.answer(conn); got != 200 {
						t.Fatalf("answered %d", got)
					}
				case "slow body":
					<-s.begun
				}
				if got := s.answer(s.send(get("/"))); got != 200 {
					t.Fatalf("an ordinary request is answered %d", got)
				}
				if n := s.count(); n > most {
					t.Fatalf("%d connections are open", n)
				}
			}
			close(s.proceed)
			if got := s.answer(work); got != 200 {
				t.Errorf("a request at work was answered %d", got)
			}
		})
	}
	t.Run("refused/all are at work", func(t *testing.T) {
		s := newSite(t, most, 0)
		for range most {
			s.send(get("/wait"))
			<-s.begun
		}
		if got := s.answer(s.send(get("/"))); got != 0 {
			t.Errorf("answered %d, want a connection that is closed", got)
		}
		close(s.proceed)
	})
}

// count is how many connections are open.
func (l *Connections) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open)
}

// TestLongHeadersAreBounded: headers that do not end take no more than their part of the memory, ordinary requests are served
// meanwhile, and what was taken comes back.
func TestLongHeadersAreBounded(t *testing.T) {
	for name, line := range map[string]string{"long lines": "X-Long: " + strings.Repeat("x", 4000) + "\r\n", "many lines": "%c%c:\r\n"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, 0, 32<<20) // a megabyte for headers
			var open []net.Conn
			for range 40 {
				var text strings.Builder
				text.WriteString("GET / HTTP/1.1\r\nHost: x\r\n")
				for i := 0; text.Len() < 60<<10; i++ {
					text.WriteString(strings.ReplaceAll(line, "%c%c", fmt.Sprintf("%c%c", 'a'+i%26, 'a'+i/26%26)))
				}
				open = append(open, s.send(text.String()))
				if held := s.held.Load(); held > s.headers+1<<20 {
					t.Fatalf("headers take %d bytes, of %d", held, s.headers)
				}
				if got := s.answer(s.send(get("/"))); got != 200 {
					t.Fatalf("an ordinary request is answered %d", got)
				}
			}
			for _, conn := range open {
				conn.Close()
			}
			for s.count() > 0 && s.held.Load() > 0 {
				s.answer(s.send(strings.Replace(get("/"), "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)))
			}
			if held := s.held.Load(); held != 0 {
				t.Errorf("%d bytes are still taken", held)
			}
		})
	}
}
