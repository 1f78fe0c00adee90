package secret

import (
	"context"
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/internal/fault"
)

// What the expansion of the references in one answer may cost.
const (
	maxDepth    = 10      // references that lead to references (secrets.md 2.2)
	maxPasses   = 10      // scans for references that came about by putting values together
	maxSteps    = 200_000 // references that are replaced
	maxExpanded = 32 << 20
	maxLoads    = 500 // statements
	maxRefusals = 50  // that one error lists
)

var errTooMuch = fault.New(fault.BadRequest, "The references in these secrets lead to too many secrets, or to too much text. Ask with expandSecretReferences=false, or for fewer secrets at once.")

// expander puts the values of secrets in the place of references to them, for one answer.
type expander struct {
	*room
	links   *links
	owner   string // whose personal secrets stand in for shared ones; empty for nobody's
	found   map[spotName]*Secret
	looked  map[spotName]bool   // found or not
	done    map[spotName]string // values that are expanded
	refused []string
	steps   int
	bytes   int
	loads   int
}

func (r *room) expander(owner string) *expander {
	return &expander{room: r, links: r.links(), owner: owner, found: map[spotName]*Secret{}, looked: map[spotName]bool{}, done: map[spotName]string{}}
}

// all expands the values of secrets in place. Forbidden if one leads to a value that the actor may not read.
func (e *expander) all(ctx context.Context, secrets []*Secret) error {
	var open []*Secret
	for _, s := range secrets {
		if _, _, _, refers := nextReference(s.Value); refers && !s.Hidden {
			open = append(open, s)
		}
	}
	if len(open) == 0 {
		return nil
	}
	for _, s := range secrets {
		if s.UserID == "" || s.UserID == e.owner {
			e.found[s.name()], e.looked[s.name()] = s, true
		}
	}
	if err := e.prefetch(ctx, open); err != nil {
		return err
	}
	expanded := make([]string, len(open))
	for i, s := range open {
		var err error
		if expanded[i], _, err = e.expand(ctx, s, []spotName{s.name()}); err != nil {
			return err
		}
	}
	if len(e.refused) > 0 {
		return fault.New(fault.Forbidden, "References lead to secrets whose values you may not read. Ask with expandSecretReferences=false, or for a role that allows readValue on them.").With(e.refused)
	}
	for i, s := range open {
		s.Value = expanded[i]
		if s.SkipMultiline && strings.Contains(s.Value, "\n") {
			s.Value = `"` + strings.ReplaceAll(s.Value, "\n", `\n`) + `"`
		}
	}
	return nil
}

// expand returns the value of a secret with its references replaced. stack are the secrets whose values are being
// expanded, this one last. whole is false if the value depends on the stack.
func (e *expander) expand(ctx context.Context, s *Secret, stack []spotName) (text string, whole bool, err error) {
	text, whole = s.Value, true
	for range maxPasses {
		next, replaced, sound, err := e.pass(ctx, text, s, stack)
		if err != nil {
			return "", false, err
		}
		text, whole = next, whole && sound
		if !replaced {
			break
		}
	}
	return text, whole, nil
}

// pass replaces each reference in a text once.
func (e *expander) pass(ctx context.Context, text string, s *Secret, stack []spotName) (result string, replaced, whole bool, err error) {
	var out strings.Builder
	whole = true
	for {
		before, token, after, ok := nextReference(text)
		if !ok {
			out.WriteString(text)
			return out.String(), replaced, whole, nil
		}
		out.WriteString(before)
		value, known, sound, err := e.resolve(ctx, token, s, stack)
		if err != nil {
			return "", false, false, err
		}
		whole = whole && sound
		if known {
			replaced = true
			out.WriteString(value)
		} else {
			out.WriteString("${" + token + "}")
		}
		if e.bytes += len(before) + len(value); e.bytes > maxExpanded {
			return "", false, false, errTooMuch
		}
		text = after
	}
}

// resolve returns what a reference stands for. known is false for one that leads nowhere: it stays as it is. One that
// leads back to where it comes from is empty.
func (e *expander) resolve(ctx context.Context, token string, s *Secret, stack []spotName) (value string, known, whole bool, err error) {
	if e.steps++; e.steps > maxSteps {
		return "", false, false, errTooMuch
	}
	to, local, ok := parseReference(token, s.Environment, s.Path)
	if !ok {
		return "", false, true, nil
	}
	for _, name := range stack {
		if name == to {
			return "", true, false, nil
		}
	}
	if len(stack) > maxDepth {
		return "", false, false, nil
	}
	if value, ok := e.done[to]; ok {
		return value, true, true, nil
	}
	target, err := e.lookup(ctx, to, local)
	if err != nil || target == nil {
		return "", false, true, err
	}
	if !e.reads(target, s) {
		return "", true, true, nil
	}
	value, whole, err = e.expand(ctx, target, append(stack[:len(stack):len(stack)], to))
	if whole && err == nil {
		e.done[to] = value
	}
	return value, true, whole, err
}

// reads reports whether the actor may read a target, and notes it down if not.
func (e *expander) reads(target, from *Secret) bool {
	if !target.Hidden {
		return true
	}
	if len(e.refused) < maxRefusals {
		e.refused = append(e.refused, fmt.Sprintf("You may not read the value of the secret %q at %q in the environment %q, which the secret %q refers to.",
			brief(target.Key), brief(target.Path), target.Environment, brief(from.Key)))
	}
	return false
}

// lookup finds the target of a reference; nil if there is none. A reference to a secret beside it also reaches what the
// folder imports.
func (e *expander) lookup(ctx context.Context, to spotName, local bool) (*Secret, error) {
	if !e.looked[to] {
		if err := e.load(ctx, []spotName{to}); err != nil {
			return nil, err
		}
	}
	if s := e.found[to]; s != nil || !local {
		return s, nil
	}
	at, err := e.spot(to.environment, to.path)
	if err != nil {
		return nil, nil // nothing is there
	}
	s, err := e.links.find(ctx, at, to.key)
	if s == nil || err != nil {
		return nil, err
	}
	e.found[to] = s
	return s, e.open(s)
}

// open reveals a secret if the actor may read it.
func (e *expander) open(s *Secret) error {
	if e.sees(s) {
		return e.reveal(s)
	}
	return nil
}

// prefetch loads what secrets refer to, and what that refers to, in few statements.
func (e *expander) prefetch(ctx context.Context, secrets []*Secret) error {
	for range maxDepth {
		var wanted []spotName
		for _, s := range secrets {
			wanted = e.wanted(s, wanted)
		}
		if len(wanted) == 0 {
			return nil
		}
		if err := e.load(ctx, wanted); err != nil {
			return err
		}
		secrets = secrets[:0:0]
		for _, to := range wanted {
			if s := e.found[to]; s != nil && !s.Hidden {
				secrets = append(secrets, s)
			}
		}
	}
	return nil
}

// wanted adds the targets of a secret that nobody has looked for.
func (e *expander) wanted(s *Secret, to []spotName) []spotName {
	text := s.Value
	for {
		_, token, after, ok := nextReference(text)
		if !ok {
			return to
		}
		name, _, ok := parseReference(token, s.Environment, s.Path)
		if ok && !e.looked[name] && len(e.looked) < maxSteps {
			e.looked[name] = true
			to = append(to, name)
		}
		text = after
	}
}

// load reads secrets by their names, those of one folder together.
func (e *expander) load(ctx context.Context, names []spotName) error {
	byFolder := map[spotName][]string{}
	var order []spotName
	for _, n := range names {
		e.looked[n] = true
		folder := spotName{environment: n.environment, path: n.path}
		if byFolder[folder] == nil {
			order = append(order, folder)
		}
		byFolder[folder] = append(byFolder[folder], n.key)
	}
	for _, folder := range order {
		at, err := e.spot(folder.environment, folder.path)
		if err != nil {
			continue // no such environment: nothing is there
		}
		for _, some := range chunks(byFolder[folder]) {
			if e.loads++; e.loads > maxLoads {
				return errTooMuch
			}
			if err := e.loadSome(ctx, at, some); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *expander) loadSome(ctx context.Context, at *spot, keys []string) error {
	rows, err := at.these(ctx, keys, e.owner)
	if err != nil {
		return err
	}
	for i := range rows {
		s, err := e.describe(&rows[i])
		if err == nil {
			err = e.open(s)
		}
		if err != nil {
			return err
		}
		if old := e.found[s.name()]; old == nil || s.Personal() {
			e.found[s.name()] = s
		}
	}
	return nil
}
