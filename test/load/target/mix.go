package target

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The operations that a mix is made of. Each is also the kind under which its request is counted, but for RevokeThenUse.
const (
	Verify        = "verify"          // read about oneself: a token check and nothing else
	Read          = "read"            // read one secret
	List          = "list"            // read a folder of secrets
	Poll          = "poll"            // ask for that folder again, which has not changed: 304
	Login         = "login"           // log in with a client secret
	CreateToken   = "create-token"    // create a token by hand
	Revoke        = "revoke"          // revoke a token
	RevokeThenUse = "revoke-then-use" // use a token, revoke it, and use it again at once, on another replica if there is one
	MassRevoke    = "mass-revoke"     // take all tokens of an identity back at once, then use some of them
)

// The kinds of requests that follow from operations.
const (
	Use            = "use"              // of a token that lives
	UseAfterRevoke = "use-after-revoke" // of a token that is dead, which must be refused
)

// Operations returns all operations that there are.
func Operations() []string {
	return []string{Verify, Read, List, Poll, Login, CreateToken, Revoke, RevokeThenUse, MassRevoke}
}

// mostWeight bounds the weight of an operation, and so the length of a round of a mix.
const mostWeight = 1000

// Mix says which operations a run does, and how often each: by its share of all.
type Mix []Share

// Share is an operation and its weight in a mix.
type Share struct {
	Operation string
	Weight    int
}

// ParseMix reads a mix, such as "verify" or "verify=80,read=15,revoke=5".
func ParseMix(text string) (Mix, error) {
	var m Mix
	for part := range strings.SplitSeq(text, ",") {
		name, number, weighted := strings.Cut(strings.TrimSpace(part), "=")
		weight := 1
		if weighted {
			var err error
			if weight, err = strconv.Atoi(number); err != nil || weight < 1 || weight > mostWeight {
				return nil, fmt.Errorf("the weight in %q must be a whole number from 1 to %d", part, mostWeight)
			}
		}
		if !slices.Contains(Operations(), name) {
			return nil, fmt.Errorf("there is no operation %q; a mix is made of %s", name, strings.Join(Operations(), ", "))
		}
		if m.Has(name) {
			return nil, fmt.Errorf("%s is twice in the mix %q", name, text)
		}
		m = append(m, Share{name, weight})
	}
	return m, nil
}

// Has reports whether any of the operations is in the mix.
func (m Mix) Has(operations ...string) bool {
	return slices.ContainsFunc(m, func(s Share) bool { return slices.Contains(operations, s.Operation) })
}

// String writes the mix as ParseMix reads it.
func (m Mix) String() string {
	parts := make([]string, len(m))
	for i, s := range m {
		parts[i] = fmt.Sprintf("%s=%d", s.Operation, s.Weight)
	}
	if len(m) == 1 {
		return m[0].Operation
	}
	return strings.Join(parts, ",")
}

// order returns operations one after the other that repeat forever: each as often as its weight says, spread evenly
// (smooth weighted round robin). Nothing is drawn at random, so two runs of a mix do the same.
func (m Mix) order() []string {
	total := 0
	for _, s := range m {
		total += s.Weight
	}
	order, credit := make([]string, total), make([]int, len(m))
	for n := range order {
		best := 0
		for i, s := range m {
			credit[i] += s.Weight
			if credit[i] > credit[best] {
				best = i
			}
		}
		credit[best] -= total
		order[n] = m[best].Operation
	}
	return order
}

// PerOperation returns how many tokens one operation of the mix takes from the stock on average.
func (m Mix) PerOperation() float64 {
	taken, total := 0, 0
	for _, s := range m {
		total += s.Weight
		if s.Operation == Revoke || s.Operation == RevokeThenUse {
			taken += s.Weight
		}
	}
	return float64(taken) / float64(total)
}
