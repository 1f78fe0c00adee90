package assertion_test

import (
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/auth/assertion"
)

// wire is a TCP proxy whose open connections can be made to swallow what is sent, without a word, as those to a machine
// do that was powered off.
type wire struct {
	address string
	made    atomic.Int64

	mu   sync.Mutex
	open []*atomic.Bool
}

func startWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	w := &wire{address: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.join(c, to)
		}
	}()
	return w
}

func (w *wire) join(c net.Conn, to string) {
	w.made.Add(1)
	peer, err := net.Dial("tcp", to)
	if err != nil {
		_ = c.Close()
		return
	}
	dead := &atomic.Bool{}
	w.mu.Lock()
	w.open = append(w.open, dead)
	w.mu.Unlock()
	pipe := func(out, in net.Conn) {
		_, _ = io.Copy(writer(func(b []byte) (int, error) {
			if dead.Load() {
				return len(b), nil
			}
			return out.Write(b)
		}), in)
		_ = out.Close()
	}
	go pipe(peer, c)
	go pipe(c, peer)
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// silence has every connection that is open now swallow everything. New ones work.
func (w *wire) silence() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, dead := range w.open {
		dead.Store(true)
	}
	w.open = nil
}

// TestDeadConnections: a peer falls silent on the connections that are open. What is asked next must not go on over them.
func TestDeadConnections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		http2    bool
		failures int // calls that may fail before one succeeds
	}{{"HTTP2 loses no call", true, 0}, {"HTTP1 loses one call", false, 1}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var protocol atomic.Value
			peer := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				protocol.Store(r.Proto)
				_, _ = w.Write([]byte("{}"))
			}))
			peer.EnableHTTP2 = c.http2
			peer.StartTLS()
			t.Cleanup(peer.Close)
			ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: peer.Certificate().Raw}))
			w := startWire(t, strings.TrimPrefix(peer.URL, "https://"))
			s, _ := start(t, assertion.Options{Private: loopback, Timeout: 3 * time.Second, PingAfter: 100 * time.Millisecond})
			call := func() error {
				_, _, err := s.Call(t.Context(), assertion.Endpoint{Name: "endpoint", URL: "https://" + w.address, CACert: ca}, assertion.Request{Limit: 100, Body: []byte("{}")})
				return err
			}
			for range 2 {
				if err := call(); err != nil {
					t.Fatal(err)
				}
			}
			if got := w.made.Load(); got != 1 {
				t.Fatalf("two calls made %d connections over %v", got, protocol.Load())
			}
			w.silence()
			failed := 0
			for ; call() != nil; failed++ {
				if failed == c.failures {
					t.Fatalf("%d calls failed over a dead connection of %v", failed+1, protocol.Load())
				}
			}
		})
	}
}
