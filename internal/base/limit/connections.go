package limit

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	perConnection = 128 << 10 // bytes of the memory limit for each connection: it takes a tenth of that, and much else wants memory
	headerPart    = 32        // the part of the memory that long headers may take together
	lineCost      = 150       // bytes that a line of a header takes next to its text
	freeHeader    = 8 << 10   // bytes of a header that are not counted: most need no more
	pushedOut     = 64        // the part of all connections that goes at once when there are too many

	// pace is how long taking the next connection waits when there were too many, so that a new one has time to send its request
	// before it is the oldest.
	pace = 10 * time.Millisecond

	// mostTries is how often the next connection waits while the server works for all others.
	mostTries = 300
)

// serving is the state of a connection that the server works for. Other states are since when it waits for its caller, in
// nanoseconds.
const serving = -1

// Connections is a listener that bounds how many connections there are. When there are too many, those go that have waited for
// their callers longest: idle ones, and those whose callers send or read slowly. So whoever only holds connections keeps nobody out.
// Long headers share a bound too.
type Connections struct {
	net.Listener
	most    int
	headers int64 // bytes that long headers may take together

	young time.Duration // a caller has at least so long before its connection is closed for another
	held  atomic.Int64  // bytes that long headers take
	mu    sync.Mutex
	open  map[*connection]struct{}
}

// connection is one of Connections.
type connection struct {
	net.Conn
	of     *Connections
	state  atomic.Int64
	inside atomic.Bool  // a request was read, and is not over
	header atomic.Int64 // bytes that the header of the request takes, as far as it was read
	closed sync.Once
}

// NewConnections bounds the connections of a listener: at most so many, or with 0 as many as suit a limit of memory in bytes, 0 for
// none that is known.
func NewConnections(l net.Listener, most int, memory int64) *Connections {
	if memory <= 0 {
		memory = assumed
	}
	return &Connections{Listener: l, most: cmp.Or(most, int(memory/perConnection)), headers: memory / headerPart, young: time.Second, open: map[*connection]struct{}{}}
}

type connectionKey struct{}

// below returns what a connection with TLS runs on.
func below(c net.Conn) net.Conn {
	if over, ok := c.(interface{ NetConn() net.Conn }); ok {
		return over.NetConn()
	}
	return c
}

// Attach has a server tell what its connections are at, also those with TLS. Call it before the server serves.
func Attach(s *http.Server) {
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, below(c))
	}
	s.ConnState = func(c net.Conn, state http.ConnState) {
		if c, ok := below(c).(*connection); ok && state == http.StateIdle {
			c.wait()
			c.inside.Store(false)
			c.forget()
		}
	}
	handler := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connectionKey{}).(*connection); ok {
			c.inside.Store(true)
			c.state.Store(serving)
		}
		handler.ServeHTTP(w, r)
	})
}

// Waiting notes that the request of ctx waits for its caller to send more, until the function is called that it returns.
func Waiting(ctx context.Context) (done func()) {
	c, ok := ctx.Value(connectionKey{}).(*connection)
	if !ok {
		return func() {}
	}
	c.wait()
	return func() { c.state.Store(serving) }
}

// Accept returns the next connection. Where there are too many, others are closed for it. If the server works for all of them it
// waits a little, and then this one is closed.
func (l *Connections) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &connection{Conn: conn, of: l}
	for tries := 0; !l.add(c); tries++ {
		if old := l.longest(); len(old) > 0 {
			closeAll(old)
		} else if tries > mostTries {
			_ = conn.Close()
			return c, nil // whoever serves it finds it closed
		}
		<-time.After(pace)
	}
	return c, nil
}

func closeAll(connections []*connection) {
	for _, c := range connections {
		_ = c.Close()
	}
}

// add takes a connection in if there may be one more.
func (l *Connections) add(c *connection) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) >= l.most {
		return false
	}
	c.wait()
	l.open[c] = struct{}{}
	return true
}

// longest returns connections that have waited for their callers longest: some of those that wait.
func (l *Connections) longest() (old []*connection) {
	l.mu.Lock()
	defer l.mu.Unlock()
	since, latest := map[*connection]int64{}, time.Now().Add(-l.young).UnixNano()
	for c := range l.open {
		if state := c.state.Load(); state != serving && state <= latest {
			since[c] = state
			old = append(old, c)
		}
	}
	slices.SortFunc(old, func(a, b *connection) int { return cmp.Compare(since[a], since[b]) })
	return old[:min(len(old), max(1, l.most/pushedOut))]
}

// wait notes that the server waits for the caller from now on.
func (c *connection) wait() { c.state.Store(time.Now().UnixNano()) }

var errHeaders = errors.New("the headers of all callers take too much memory")

// Read counts what the header of a request takes.
func (c *connection) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && !c.inside.Load() && !c.count(int64(n+lineCost*bytes.Count(p[:n], newline))) {
		return 0, errHeaders
	}
	return n, err
}

var newline = []byte{'\n'}

// count notes bytes of a header, and reports whether there is memory for them.
func (c *connection) count(n int64) bool {
	sum := c.header.Add(n)
	if sum <= freeHeader {
		return true
	}
	return c.of.held.Add(min(n, sum-freeHeader)) <= c.of.headers
}

// forget gives back what a header took, once its request is over.
func (c *connection) forget() {
	if sum := c.header.Swap(0); sum > freeHeader {
		c.of.held.Add(freeHeader - sum)
	}
}

// Write sends bytes. Meanwhile the server waits for the caller to read them.
func (c *connection) Write(p []byte) (int, error) {
	before := c.state.Load()
	c.wait()
	n, err := c.Conn.Write(p)
	c.state.Store(before)
	return n, err
}

// Close closes the connection.
func (c *connection) Close() error {
	c.closed.Do(func() {
		c.forget()
		c.of.mu.Lock()
		defer c.of.mu.Unlock()
		delete(c.of.open, c)
	})
	return c.Conn.Close()
}
