package access

import (
	"context"
	"math"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// DefaultSteps is how many steps of matching one request may take where no setting says otherwise: about a second of
// processor time.
const DefaultSteps = 100_000_000

// What work costs that is not counted step by step.
const (
	lookEvery  = 1 << 16 // steps between two looks at the context
	checkSteps = 16      // of a check itself
	ruleSteps  = 1000    // of compiling a rule, with its patterns
	proofSteps = 4       // of a step of a proof
)

// Budget is what one request may spend on matching rules with things, over all that it looks at. A step is one condition that
// is tried, or one state of a $glob's program at one character of a value: some nanoseconds. Make one for each request and
// give it to its Actor. It is for one goroutine at a time. A nil *Budget bounds each check by itself, by DefaultSteps.
type Budget struct {
	ctx     context.Context
	limit   int64
	left    int64
	look    int64 // when so much is left, the context is looked at
	err     error // why nothing more is decided
	single  bool  // it is for one check
	folders *folders
}

// NewBudget returns a budget of so many steps, for a request that ctx ends.
func NewBudget(ctx context.Context, steps int64) Budget {
	return Budget{ctx: ctx, limit: steps, left: steps, look: steps}
}

// orOwn returns the budget, or own, made ready, where there is none.
func (b *Budget) orOwn(own *Budget) *Budget {
	if b != nil {
		return b
	}
	*own = Budget{limit: DefaultSteps, left: DefaultSteps, look: math.MinInt64, single: true}
	return own
}

// spend takes steps, and reports whether the request may go on. Once it may not, nothing that was decided counts.
func (b *Budget) spend(steps int64) bool {
	b.left -= steps
	if b.left < b.look {
		b.examine()
	}
	return b.err == nil && b.left >= 0
}

// examine looks at the context.
func (b *Budget) examine() {
	if b.ctx == nil {
		return
	}
	if b.err == nil {
		b.err = b.ctx.Err()
	}
	b.look = b.left - lookEvery
}

// fail returns nil if the request may go on: otherwise why it ends, the error of its context or a BadRequest fault.
func (b *Budget) fail() error {
	switch {
	case b.err != nil:
		return b.err
	case b.left < 0:
		return fault.New(fault.BadRequest, "Matching your rules with all that this request looks at takes more than %d steps, so it was not decided. Ask for less at once, such as one folder, or use roles with fewer conditions and $glob patterns.", b.limit)
	}
	return nil
}
