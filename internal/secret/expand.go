package secret

import (
	"context"
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// maxDepth is how many references one after the other are followed (docs/reference/secrets.md section 2.2). The next
// one stays as it is.
const maxDepth = 10

// cost is what expanding references takes.
type cost struct {
	steps int // references that are replaced, or looked at and left
	bytes int // of text that comes from targets, copied once for each level
	loads int // statements
}

func (c *cost) add(d cost) {
	c.steps, c.bytes, c.loads = c.steps+d.steps, c.bytes+d.bytes, c.loads+d.loads
}

func (c cost) within(limit cost) bool {
	return c.steps <= limit.steps && c.bytes <= limit.bytes && c.loads <= limit.loads
}

// What expansion may cost. A secret that costs more is shown as it is stored. The limit of one secret counts its own
// references alone, so that it is the same whatever it is read with. All the cheap ones of an answer come first, so that a
// few costly ones cannot use up what the answer may cost.
var (
	perSecret = cost{steps: 20_000, bytes: 8 << 20, loads: 500}
	perAnswer = cost{steps: 1_000_000, bytes: 32 << 20, loads: 1000}
	cheap     = cost{steps: 200, bytes: 64 << 10, loads: 5}
)

const (
	maxFolders  = 100 // that the references of one secret lead into
	maxRefusals = 50  // that one error lists
)

var errTooMuch = fault.New(fault.BadRequest, "The references in this secret lead to too many secrets, or to too much text. Read it with expandSecretReferences=false, or use fewer references.")

var errTooMuchAtOnce = fault.New(fault.BadRequest, "The references in this answer lead to too much text. Read this secret alone, or with expandSecretReferences=false.")

// expander puts the values of secrets in the place of references to them, for one answer. What it knows of one secret never
// changes the text of another: each is expanded as if it were the only one. Text that came from a target is not searched
// for references again: it was written by someone else, for another folder.
type expander struct {
	*targets
	spent cost // on the whole answer

	// of the secret that is being expanded
	limit   cost
	used    cost
	folders map[locatedName]bool
	refused []string
}

func (r *projectScope) expander(owner string) *expander { return &expander{targets: r.targets(owner)} }

// all expands the values of secrets in place. One that cannot be expanded stays as it is stored, and says why.
func (e *expander) all(ctx context.Context, secrets []*Secret) error {
	open := referring(secrets)
	if len(open) == 0 {
		return nil
	}
	e.know(secrets)
	if err := e.prefetch(ctx, open); err != nil {
		return err
	}
	for _, limit := range []cost{cheap, perSecret} {
		for _, s := range open {
			if err := e.one(ctx, s, limit); err != nil {
				return err
			}
		}
	}
	return nil
}

// only expands the value of one secret. The error is why it cannot be expanded.
func (e *expander) only(ctx context.Context, s *Secret) error {
	err := e.all(ctx, []*Secret{s})
	if err == nil && s.Unexpanded != nil {
		err = s.Unexpanded
	}
	return err
}

// referring returns the secrets whose values can be seen and hold references.
func referring(secrets []*Secret) (open []*Secret) {
	for _, s := range secrets {
		if _, _, _, refers := nextReference(s.Value); refers && !s.Hidden {
			s.Unexpanded = errTooMuch // until it is done
			open = append(open, s)
		}
	}
	return open
}

// one expands a secret if that was not done, and if it takes no more than the limit.
func (e *expander) one(ctx context.Context, s *Secret, limit cost) error {
	if s.Unexpanded != errTooMuch {
		return nil
	}
	e.limit, e.used, e.folders, e.refused = limit, cost{}, map[locatedName]bool{}, nil
	text, err := e.expand(ctx, s, []locatedName{s.name()})
	e.spent.add(e.used)
	if err == nil && len(e.refused) > 0 {
		err = fault.New(fault.Forbidden, "References lead to secrets whose values you may not read. Ask with expandSecretReferences=false, or for a role that allows readValue on them.").With(e.refused)
	}
	if err == nil {
		s.Unexpanded, s.Value = nil, quoted(text, s.SkipMultiline)
		return nil
	}
	if err := e.Actor.Undecided(); err != nil {
		return err
	}
	if s.Unexpanded = fault.From(err); s.Unexpanded.Kind == fault.Internal {
		return err
	}
	return nil
}

// quoted returns an expanded text in the form that skipMultilineEncoding asks for.
func quoted(text string, oneLine bool) string {
	if !oneLine || !strings.Contains(text, "\n") {
		return text
	}
	return `"` + strings.ReplaceAll(text, "\n", `\n`) + `"`
}

// expand returns the value of a secret with each of its references replaced once. stack are the secrets whose values are
// being expanded, this one last.
func (e *expander) expand(ctx context.Context, s *Secret, stack []locatedName) (string, error) {
	if err := e.spend(cost{steps: countReferences(s.Value)}); err != nil {
		return "", err
	}
	var out strings.Builder
	text, copied := s.Value, 0
	for {
		before, token, after, ok := nextReference(text)
		if !ok {
			out.WriteString(text)
			break
		}
		value, err := e.resolve(ctx, token, s, stack)
		if err == nil {
			copied += len(value)
			err = e.spend(cost{bytes: len(value)})
		}
		if err != nil {
			return "", err
		}
		out.WriteString(before)
		out.WriteString(value)
		text = after
	}
	if len(stack) == 1 { // its own text is there already
		return out.String(), nil
	}
	return out.String(), e.spend(cost{bytes: out.Len() - copied})
}

// spend notes down a cost. The error is errTooMuch beyond the limit of the secret.
func (e *expander) spend(c cost) error {
	e.used.add(c)
	if !e.used.within(e.limit) {
		return errTooMuch
	}
	all := e.spent
	all.add(e.used)
	if !all.within(perAnswer) {
		return errTooMuchAtOnce
	}
	return nil
}

// resolve returns what a reference in a secret stands for. One that leads nowhere, or too far, stays as it is. One that
// leads back to where it comes from is empty.
func (e *expander) resolve(ctx context.Context, token string, s *Secret, stack []locatedName) (string, error) {
	asItIs := "${" + token + "}"
	to, local, ok := parseReference(token, s.Environment, s.Path)
	if !ok || len(stack) > maxDepth {
		return asItIs, nil
	}
	if e.folders[to.folder()] = true; len(e.folders) > maxFolders {
		return "", errTooMuch
	}
	target, err := e.lookup(ctx, to, local)
	if err != nil {
		return "", err
	}
	if target == nil {
		return asItIs, nil
	}
	for _, name := range stack {
		if name == target.name() {
			return "", nil
		}
	}
	if !e.reads(target, s) {
		return "", nil
	}
	return e.expand(ctx, target, append(stack[:len(stack):len(stack)], target.name()))
}

// lookup finds the target of a reference, and counts the statements that this takes.
func (e *expander) lookup(ctx context.Context, to locatedName, local bool) (*Secret, error) {
	before := e.loads
	target, err := e.find(ctx, to, local)
	if err == nil {
		err = e.spend(cost{loads: e.loads - before})
	}
	return target, err
}

// reads reports whether the actor may read a target, and notes it down if not.
func (e *expander) reads(target, from *Secret) bool {
	if !target.Hidden {
		e.refer(target)
		return true
	}
	if len(e.refused) < maxRefusals {
		e.refused = append(e.refused, fmt.Sprintf("You may not read the value of the secret %q at %q in the environment %q, which the secret %q refers to.",
			shortened(target.Key), shortened(target.Path), target.Environment, shortened(from.Key)))
	}
	return false
}
