package limit

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
)

const (
	unnoticed = 16 << 10 // bytes that a request uses without taking them of the budget: most need no more
	step      = 64 << 10 // what is taken of the budget at a time
	scarce    = 128 << 20
	patience  = 500 * time.Millisecond
)

// Account is the memory that one request uses. It takes what the request uses of a budget, and gives it back at the end.
// The zero value is bounded by nothing. It is safe for concurrent use.
type Account struct {
	budget *Budget
	holder string
	used   atomic.Int64

	mu     sync.Mutex
	taken  int64
	closed bool
}

// AccountKey is the key under which a context holds the *Account of its request.
type AccountKey struct{}

// Open has an account take from a budget, for strangers. Call it before anything else.
func (a *Account) Open(b *Budget) { a.budget = b }

// Belongs says who holds what is used from now on. Call it before anything was used.
func (a *Account) Belongs(holder string) { a.holder = holder }

// Used returns how many bytes were used.
func (a *Account) Used() int64 { return a.used.Load() }

// Use notes that the request uses n bytes more. The error says what the caller can do: Unavailable when there are not so
// many at the moment, BadRequest when no request may ever use as many.
func (a *Account) Use(n int64) error { return a.use(n, (*Budget).take) }

// Await is Use for whoever can wait a little. Errors: also that of ctx.
func (a *Account) Await(ctx context.Context, n int64) error {
	return a.use(n, func(b *Budget, holder string, n int64) error { return b.Await(ctx, holder, n, patience) })
}

// Use has the account of the request that ctx belongs to use n bytes more. Outside of a request it does nothing.
func Use(ctx context.Context, n int64) error {
	a, _ := ctx.Value(AccountKey{}).(*Account)
	return a.Use(n)
}

// AccountOf returns the account of the request that ctx belongs to, nil outside of one.
func AccountOf(ctx context.Context) *Account {
	a, _ := ctx.Value(AccountKey{}).(*Account)
	return a
}

// Scarce reports whether so little memory is left that a request should know what it is about to use, rather than count what it has
// used already.
func (a *Account) Scarce() bool {
	return a != nil && a.budget != nil && a.budget.Size()-a.budget.Used() < scarce
}

// Uncounted returns a context in which nothing is counted, for what was counted beforehand.
func Uncounted(ctx context.Context) context.Context {
	return context.WithValue(ctx, AccountKey{}, (*Account)(nil))
}

// taking is a way to take bytes of a budget for a holder.
type taking func(b *Budget, holder string, n int64) error

func (a *Account) use(n int64, from taking) error {
	if a == nil {
		return nil
	}
	if used := a.used.Add(n); used <= unnoticed || a.budget == nil {
		return nil
	}
	err := a.take(from)
	if err != nil {
		a.used.Add(-n)
	}
	return err
}

// take takes of the budget what is used beyond what was taken.
func (a *Account) take(from taking) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	whole := (a.used.Load() - unnoticed + step - 1) / step * step
	more := whole - a.taken
	if a.closed || more <= 0 {
		return nil
	}
	if whole > a.budget.Share(a.holder) {
		return fault.New(fault.BadRequest, "This request takes more memory than the %d MB that the server has for one caller. Ask for less at once, or have an operator give the server more memory.",
			a.budget.Share(a.holder)>>20)
	}
	if err := from(a.budget, a.holder, more); err != nil {
		return err
	}
	a.taken += more
	return nil
}

// Close gives back everything. What is used afterwards is not counted.
func (a *Account) Close() {
	if a.used.Load() <= unnoticed {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	if a.taken > 0 {
		a.budget.Give(a.holder, a.taken)
		a.taken = 0
	}
}
