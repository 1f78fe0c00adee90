package linearizability

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// checkWithin bounds the check of one portion. A right one takes milliseconds. A wrong one with many requests at the
// same time could take for ever, since Porcupine then tries every order of them.
const checkWithin = 2 * time.Second

// Violation is a history that the server must not have produced.
type Violation struct {
	Reason string // what is wrong, in words
	token  string
	events []event // the smallest part of the history that still shows it
	around []Incident
	info   porcupine.LinearizationInfo
}

// portion is how many uses are judged together.
const portion = 400

// check judges the histories of all tokens of a family that has come to its end.
func (f *family) check() *Violation {
	byToken := make([][]use, len(f.tokens()))
	for _, u := range f.uses {
		byToken[u.token] = append(byToken[u.token], u)
	}
	for i, t := range f.tokens() {
		slices.SortFunc(byToken[i], func(a, b use) int { return cmp.Compare(a.from, b.from) })
		refused := firstRefused(byToken[i])
		for uses := range slices.Chunk(byToken[i], portion) {
			if v := f.judge(t, refused, uses); v != nil {
				return v
			}
		}
	}
	return nil
}

// firstRefused returns the use whose 401 was the first to be complete, if any.
func firstRefused(uses []use) (first []use) {
	for _, u := range uses {
		if u.status == http.StatusUnauthorized && (len(first) == 0 || u.to < first[0].to) {
			first = []use{u}
		}
	}
	return first
}

// judge judges one token by some of its uses. Uses change nothing, so each can also be judged without the others: that
// is quick, and finds the smallest history that is wrong.
func (f *family) judge(t *token, refused, uses []use) *Violation {
	verdict := f.verdict(t, slices.Concat(refused, uses))
	if verdict == porcupine.Ok {
		return nil
	}
	for _, u := range uses {
		for _, few := range [][]use{{u}, append([]use{u}, refused...)} {
			if f.verdict(t, few) == porcupine.Illegal {
				return f.violation(t, few)
			}
		}
	}
	if verdict == porcupine.Illegal {
		return f.violation(t, uses)
	}
	return nil
}

func (f *family) verdict(t *token, uses []use) porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(model, operations(f.history(t, uses)), checkWithin)
}

func (f *family) violation(t *token, uses []use) *Violation {
	v := &Violation{Reason: "no order of these events obeys the model", token: t.id, events: f.history(t, uses)}
	_, v.info = porcupine.CheckOperationsVerbose(model, operations(v.events), checkWithin)
	v.around = f.run.incidents.between(v.events[0].from, v.events[len(v.events)-1].to)
	return v
}
