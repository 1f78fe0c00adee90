package linearizability

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/anishathalye/porcupine"
)

// A history is about one token, and about the Token Auth of its identity. A change of either is two instants in it: its
// call, from which on it may be in force at some replica and not yet at another, and its answer, from which on it is in
// force everywhere. A change without an answer has only the first: it may come into force at any time, or never. What
// lies in between is what the server promises nothing about; everything else the model decides.
//
// A request with a token looks at two things, one after the other, and each must be right at some instant between the
// request and its answer: whether the token lives, and if so, whether the client's address is trusted.

// step is what happens at a place in a history.
type step uint8

const (
	createToken  step = iota // its answer was 200
	judgeLife                // a replica looks whether the token is dead, for a request with it
	judgeAddress             // and whether the client may be where it is, for the same request
	revokeCall               // somebody asks to take this token back
	revokeDone
	changeCall // somebody asks to change the Token Auth of the identity; to none: also to kill its tokens
	changeDone
	leaseOver // a lease has passed since a replica first refused the token as dead
)

// setting is the Token Auth of an identity, as far as tokens feel it; several together are a set of possible ones.
type setting uint8

const (
	open   setting = 1 << iota // every address is trusted
	closed                     // the client's address is not
	none                       // there is no Token Auth, or no identity
)

// input is one place in a history.
type input struct {
	step   step
	target setting // of a change
	lost   bool    // a call that was never answered
}

// state is what is known of a token at an instant.
type state struct {
	born, dead bool
	threats    int8    // requests to take it back that may be in force here or there
	bornInCut  bool    // it was made while one of those that kill all tokens was under way
	now        setting // what the Token Auth may be
	lost       setting // what it may become at any time, by changes that were never answered
}

var model = porcupine.Model{
	Init:              func() any { return state{now: none} },
	Step:              func(s, in, out any) (bool, any) { return s.(state).after(in.(input), out.(int)) },
	DescribeOperation: func(in, out any) string { return in.(input).describe(out.(int)) },
	DescribeState:     func(s any) string { return s.(state).String() },
}

// after returns whether a step is allowed, and the state that follows.
func (s state) after(in input, status int) (bool, state) {
	switch in.step {
	case createToken:
		ok := !s.born && s.now&(open|closed) != 0
		s.born, s.bornInCut = true, s.threats > 0
		return ok, s
	case judgeLife:
		return s.living(status), s
	case judgeAddress:
		return s.reaching(status), s
	case revokeCall:
		s.threats++
	case revokeDone:
		s.dead, s.threats = true, s.threats-1
	case changeCall:
		s = s.calling(in)
	case changeDone:
		s = s.changed(in.target)
	case leaseOver:
		s.dead = true
	}
	return true, s
}

// living reports whether a request may be answered so as far as the life of its token goes.
func (s state) living(status int) bool {
	if status == http.StatusUnauthorized {
		return s.born && (s.dead || s.threats > 0)
	}
	return s.born && !s.dead
}

// reaching reports whether a request whose token lived may be answered so as far as the Token Auth goes.
func (s state) reaching(status int) bool {
	if status == http.StatusForbidden {
		return s.now&(closed|none) != 0
	}
	return s.now&open != 0
}

func (s state) calling(in input) state {
	s.now |= in.target
	if in.lost {
		s.lost |= in.target
	}
	if in.target == none {
		s.threats++
	}
	return s
}

// changed is for a change that is in force everywhere. A token that exists by then was made before a change that kills
// all, since nothing can be made after it; unless a change whose answer was lost came in between and allowed it.
func (s state) changed(target setting) state {
	s.now = target | s.lost
	if target != none || s.born && s.bornInCut && s.lost != 0 {
		return s
	}
	s.threats--
	s.dead = s.dead || s.born
	return s
}

func (in input) describe(status int) string {
	switch in.step {
	case createToken:
		return "create"
	case judgeLife:
		return fmt.Sprintf("life: %d", status)
	case judgeAddress:
		return fmt.Sprintf("address: %d", status)
	case revokeCall:
		return "revoke" + in.unanswered()
	case revokeDone:
		return "revoke: 200"
	case changeCall:
		return "set " + in.target.String() + in.unanswered()
	case changeDone:
		return "set " + in.target.String() + ": 200"
	default:
		return "a lease since the first 401"
	}
}

func (in input) unanswered() string {
	if in.lost {
		return " (no answer)"
	}
	return " ..."
}

// String names the settings that are possible.
func (s setting) String() string {
	var names []string
	for i, name := range []string{"open", "closed", "none"} {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " or ")
}

// String says what is known.
func (s state) String() string {
	life := "alive"
	switch {
	case !s.born:
		life = "not made yet"
	case s.dead:
		life = "dead"
	case s.threats > 0:
		life = "alive or dead"
	}
	return life + ", " + s.now.String()
}
