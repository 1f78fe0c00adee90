package cluster

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Link is a TCP proxy between one replica and PostgreSQL, whose behaviour a test can spoil. It starts out healthy.
type Link struct {
	Addr string // where the replica connects to

	listener net.Listener
	mu       sync.Mutex
	changed  *sync.Cond
	dial     func() (net.Conn, error)
	state    linkState
	pairs    map[*pair]struct{}
	breakage *breakage
	closed   bool
}

type linkState struct {
	cut   bool
	held  [2]bool // by direction
	delay time.Duration
	some  bool // the delay is for one answer of PostgreSQL in four, alone
}

// Direction is one of the two ways through a link.
type Direction int

// The ways through a link.
const (
	ToServer  Direction = iota // what the replica says
	ToReplica                  // what PostgreSQL says
)

// pair is one connection of the replica and the one of the proxy that belongs to it.
type pair struct {
	ends   [2]net.Conn // by the direction of what is read from it
	marked bool        // its transaction is the one to break; guarded by the link's mu
	muted  atomic.Bool // nothing that the server says passes any more

	answered chan struct{} // gets something when the server says something that does not pass
}

func (p *pair) reset() {
	p.resetEnd(ToServer)
	p.resetEnd(ToReplica)
}

func (p *pair) resetEnd(d Direction) {
	if tcp, ok := p.ends[d].(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = p.ends[d].Close()
}

// NewLink returns a link to whatever dial connects to.
func NewLink(dial func() (net.Conn, error)) (*Link, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &Link{Addr: listener.Addr().String(), listener: listener, dial: dial, pairs: map[*pair]struct{}{}}
	l.changed = sync.NewCond(&l.mu)
	go l.serve()
	return l, nil
}

// Cut ends every connection and refuses new ones, until Heal.
func (l *Link) Cut() {
	l.set(func(s *linkState) { s.cut = true })
	l.Reset()
}

// Drop lets nothing pass in the given directions any more, without a word: connections stay, new ones are made but
// carry nothing. What was sent meanwhile arrives after Heal, as if sent again by TCP.
func (l *Link) Drop(directions ...Direction) {
	l.set(func(s *linkState) {
		for _, d := range directions {
			s.held[d] = true
		}
	})
}

// Delay makes whatever passes wait for a random time up to most, in either direction.
func (l *Link) Delay(most time.Duration) { l.set(func(s *linkState) { s.delay, s.some = most, false }) }

// DelayAnswers is Delay for one answer of PostgreSQL in four, while the rest stays quick: what is asked first is not
// answered first.
func (l *Link) DelayAnswers(most time.Duration) {
	l.set(func(s *linkState) { s.delay, s.some = most, true })
}

// Heal makes the link behave again.
func (l *Link) Heal() { l.set(func(s *linkState) { *s = linkState{} }) }

// Reset ends every connection that there is now, both ends of it.
func (l *Link) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range l.pairs {
		p.reset()
	}
	l.changed.Broadcast()
}

// Switch has new connections go elsewhere and ends the old ones.
func (l *Link) Switch(dial func() (net.Conn, error)) {
	l.mu.Lock()
	l.dial = dial
	l.mu.Unlock()
	l.Reset()
}

// Close ends the link and all its connections.
func (l *Link) Close() error {
	err := l.listener.Close()
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.Reset()
	return err
}

func (l *Link) set(change func(*linkState)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.state)
	l.changed.Broadcast()
}

func (l *Link) serve() {
	for {
		conn, err := l.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			go l.connect(conn)
		}
	}
}

func (l *Link) connect(replica net.Conn) {
	l.mu.Lock()
	dial, refuse := l.dial, l.state.cut || l.closed
	l.mu.Unlock()
	var server net.Conn
	var err error
	if !refuse {
		server, err = dial()
	}
	if refuse || err != nil {
		(&pair{ends: [2]net.Conn{replica, replica}}).reset()
		return
	}
	p := &pair{ends: [2]net.Conn{replica, server}, answered: make(chan struct{}, 1)}
	l.mu.Lock()
	l.pairs[p] = struct{}{}
	gone := l.state.cut || l.closed
	l.mu.Unlock()
	if gone {
		p.reset()
	}
	l.pass(p)
}

// pass carries bytes both ways until either end is gone.
func (l *Link) pass(p *pair) {
	var both sync.WaitGroup
	both.Go(func() { l.pump(p, ToServer) })
	both.Go(func() { l.pump(p, ToReplica) })
	both.Wait()
	l.mu.Lock()
	delete(l.pairs, p)
	l.mu.Unlock()
}

func (l *Link) pump(p *pair, d Direction) {
	from, to := p.ends[d], p.ends[1-d]
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if d == ToServer && n > 0 && l.breaks(p, buffer[:n]) {
			return
		}
		l.wait(d) // the end of a connection does not pass either while the link is held
		switch {
		case n > 0 && d == ToReplica && p.muted.Load():
			p.swallow()
		case n > 0:
			if _, failed := to.Write(buffer[:n]); failed != nil {
				err = failed
			}
		}
		if err != nil {
			break
		}
	}
	_ = from.Close()
	_ = to.Close()
}

// swallow notes that the server said something that does not pass.
func (p *pair) swallow() {
	select {
	case p.answered <- struct{}{}:
	default:
	}
}

// wait returns when something may pass.
func (l *Link) wait(d Direction) {
	l.mu.Lock()
	delay, delayed := l.state.delay, !l.state.some || d == ToReplica && rand.IntN(4) == 0
	l.mu.Unlock()
	if delay > 0 && delayed {
		time.Sleep(rand.N(delay)) // the delay itself is what a slow link is made of
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.state.held[d] && !l.state.cut && !l.closed {
		l.changed.Wait()
	}
}
