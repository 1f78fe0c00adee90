package limit_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/limit"
)

// TestBudgetIsNeverOverdrawn: whatever is taken and given back in whatever order, no more is out than there is, no holder has more
// than its share, and what was given back is there again.
func TestBudgetIsNeverOverdrawn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := limit.NewBudget(rapid.Int64Range(0, 1<<32).Draw(t, "memory"))
		has, sum := map[string]int64{}, int64(0)
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			holder := rapid.SampledFrom([]string{limit.Strangers, "a", "b", "c"}).Draw(t, "holder")
			if has[holder] > 0 && rapid.Bool().Draw(t, "give") {
				n := rapid.Int64Range(1, has[holder]).Draw(t, "n")
				b.Give(holder, n)
				has[holder], sum = has[holder]-n, sum-n
				continue
			}
			n := rapid.Int64Range(1, b.Size()).Draw(t, "n")
			fits := has[holder]+n <= b.Share(holder) && sum+n <= b.Size()
			if b.Take(holder, n) != fits {
				t.Fatalf("%d bytes for %q, who has %d of %d: got %v", n, holder, has[holder], sum, !fits)
			}
			if fits {
				has[holder], sum = has[holder]+n, sum+n
			}
			if b.Used() != sum {
				t.Fatalf("%d are taken, want %d", b.Used(), sum)
			}
		}
	})
}

func unavailable(t *testing.T, err error) {
	t.Helper()
	if f := fault.From(err); err == nil || f.Kind != fault.Unavailable || f.RetryAfter <= 0 {
		t.Errorf("got %v, want Unavailable with the time until the next try", err)
	}
}

func TestAwait(t *testing.T) {
	full := func(t *testing.T) *limit.Budget {
		b := limit.NewBudget(1 << 30)
		if !b.Take("a", b.Size()/2) || !b.Take("b", b.Size()/2) {
			t.Fatal("it cannot be emptied")
		}
		return b
	}
	t.Run("refused/nothing comes back", func(t *testing.T) {
		unavailable(t, full(t).Await(t.Context(), "c", 1<<20, time.Millisecond))
	})
	t.Run("refused/the caller has gone", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := full(t).Await(ctx, "c", 1<<20, time.Hour); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("accepted/in turn", func(t *testing.T) {
		b := full(t)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if err := b.Await(t.Context(), "c", b.Size()/3, time.Minute); err != nil {
					t.Error(err)
					return
				}
				b.Give("c", b.Size()/3)
			})
		}
		b.Give("a", b.Size()/2)
		all.Wait()
	})
	t.Run("accepted/past a holder that has its share", func(t *testing.T) {
		b := limit.NewBudget(1 << 30)
		b.Take("a", b.Share("a"))
		ctx, cancel := context.WithCancel(t.Context())
		var waits sync.WaitGroup
		waits.Go(func() { _ = b.Await(ctx, "a", 1<<20, time.Hour) })
		for range 100 {
			if err := b.Await(t.Context(), "b", 1<<20, 0); err != nil {
				t.Error(err)
			}
			b.Give("b", 1<<20)
		}
		cancel()
		waits.Wait()
	})
	t.Run("refused/while a hash waits", func(t *testing.T) {
		b := full(t)
		b.Give("a", limit.HashBytes/2)
		ctx, cancel := context.WithCancel(t.Context())
		var waits sync.WaitGroup
		waits.Go(func() { _ = b.AwaitHash(ctx, time.Hour) })
		for b.Take("c", 1<<20) { // until it is in the line
			b.Give("c", 1<<20)
		}
		cancel()
		waits.Wait()
		if !b.Take("c", 1<<20) {
			t.Error("it waits no more, and is still in the way")
		}
	})
}

func TestAccount(t *testing.T) {
	b := limit.NewBudget(1 << 30)
	t.Run("small requests touch no budget", func(t *testing.T) {
		var a limit.Account
		a.Open(b)
		if err := a.Use(16 << 10); err != nil || b.Used() != 0 {
			t.Errorf("%v, %d bytes are taken", err, b.Used())
		}
		a.Close()
	})
	t.Run("given back at the end", func(t *testing.T) {
		var a limit.Account
		a.Open(b)
		a.Belongs("a")
		for range 100 {
			if err := a.Use(1 << 20); err != nil {
				t.Fatal(err)
			}
		}
		if b.Used() < 99<<20 || b.Used() > 101<<20 {
			t.Errorf("%d bytes are taken, want 100 MB", b.Used())
		}
		a.Close()
		if err := a.Use(1 << 20); err != nil || b.Used() != 0 {
			t.Errorf("%v, %d bytes are still taken", err, b.Used())
		}
	})
	t.Run("refused/more than anybody may have", func(t *testing.T) {
		var a limit.Account
		a.Open(b)
		a.Belongs("a")
		defer a.Close()
		if err := a.Use(b.Size()); !fault.Is(err, fault.BadRequest) {
			t.Error(err)
		}
	})
	t.Run("refused/more than there is now", func(t *testing.T) {
		b.Take("b", b.Share("b"))
		b.Take("c", b.Share("c"))
		defer b.Give("b", b.Share("b"))
		defer b.Give("c", b.Share("c"))
		var a limit.Account
		a.Open(b)
		a.Belongs("a")
		defer a.Close()
		unavailable(t, a.Use(1<<20))
		if err := a.Use(8 << 10); err != nil {
			t.Errorf("what was refused counts: %v", err)
		}
	})
	t.Run("outside of a request nothing counts", func(t *testing.T) {
		if err := limit.Use(t.Context(), 1<<50); err != nil {
			t.Error(err)
		}
	})
}

// BenchmarkAccount is what a small request pays: no lock and no allocation.
func BenchmarkAccount(b *testing.B) {
	budget := limit.NewBudget(0)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			var a limit.Account
			a.Open(budget)
			if err := a.Use(2000); err != nil {
				b.Fatal(err)
			}
			a.Close()
		}
	})
}
