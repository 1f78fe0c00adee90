package cluster

import (
	"bytes"
	"time"
)

// Breakage says how a connection ends in the middle of a commit.
type Breakage struct {
	Word    string // what the replica says in the transaction, such as the id of what it changes
	Deliver bool   // PostgreSQL still gets the COMMIT, and only its answer is lost
	Cut     bool   // the whole link is cut at the same moment, until Heal
}

// breakage is a Breakage that waits for its transaction.
type breakage struct {
	Breakage
	done chan struct{}
}

// What a replica says at the ends of its transactions: each alone in a simple query of PostgreSQL's protocol, or first in it.
var beginWord, commitWord = []byte("BEGIN"), []byte("COMMIT\x00")

// BreakCommit ends the connection of the next transaction that b is about when the replica says COMMIT. The channel is
// closed when that has happened.
func (l *Link) BreakCommit(b Breakage) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range l.pairs {
		p.marked = false
	}
	l.breakage = &breakage{b, make(chan struct{})}
	return l.breakage.done
}

// breaks ends p if what the replica says now is the COMMIT to break, and tells whether it did.
func (l *Link) breaks(p *pair, said []byte) bool {
	b := l.meets(p, said)
	if b == nil {
		return false
	}
	defer close(b.done)
	p.muted.Store(true) // first, so that no answer can come through
	if b.Deliver {
		_, _ = p.ends[ToReplica].Write(said)
		p.awaitAnswer()
	}
	p.resetEnd(ToServer)
	_ = p.ends[ToReplica].Close()
	if b.Cut {
		l.Reset()
	}
	return true
}

// meets returns the breakage if its moment has come on p.
func (l *Link) meets(p *pair, said []byte) *breakage {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.breakage
	if b == nil {
		return nil
	}
	if bytes.Contains(said, beginWord) {
		p.marked = false
	}
	if bytes.Contains(said, []byte(b.Word)) {
		p.marked = true
	}
	if !p.marked || !bytes.Contains(said, commitWord) {
		return nil
	}
	l.breakage = nil
	l.state.cut = l.state.cut || b.Cut
	return b
}

// answerDeadline bounds how long PostgreSQL may take over a COMMIT.
const answerDeadline = 10 * time.Second

// awaitAnswer returns when PostgreSQL has answered the COMMIT. The replica must not notice the loss before: its driver
// would send PostgreSQL a request to cancel what that connection does, which can still stop the COMMIT.
func (p *pair) awaitAnswer() {
	select {
	case <-p.answered:
	case <-time.After(answerDeadline):
	}
}
