package limit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// newLine returns a line whose hashes always find memory.
func newLine() *Line { return NewLine(NewBudget(1 << 40)) }

func entered(t *testing.T) func(leave func(), err error) func() {
	t.Helper()
	return func(leave func(), err error) func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return leave
	}
}

func refused(t *testing.T, err error) {
	t.Helper()
	if !fault.Is(err, fault.RateLimited) {
		t.Errorf("got %v, want RateLimited", err)
	}
}

func TestLine(t *testing.T) {
	caller := func(n byte) string { return fmt.Sprint("192.0.2.", n) }
	enter := func(t *testing.T, g *Line, n byte) func() {
		t.Helper()
		return entered(t)(g.Enter(t.Context(), caller(n)))
	}
	t.Run("accepted/as many as may hash at once", func(t *testing.T) {
		g := newLine()
		g.wait = 0
		for range hashesAtOnce {
			defer enter(t, g, 1)()
		}
		_, err := g.Enter(t.Context(), caller(1))
		refused(t, err)
	})
	t.Run("accepted/once another has left", func(t *testing.T) {
		g := newLine()
		leave := enter(t, g, 1)
		defer enter(t, g, 2)()
		go leave()
		enter(t, g, 3)()
	})
	t.Run("refused/one caller too often", func(t *testing.T) {
		g := newLine()
		g.most = longestLine
		for range mostByCaller {
			defer enter(t, g, 1)()
		}
		_, err := g.Enter(t.Context(), caller(1))
		refused(t, err)
		enter(t, g, 2)()
	})
	t.Run("refused/the line is full", func(t *testing.T) {
		g := newLine()
		g.most = longestLine + 1
		for n := range longestLine {
			defer enter(t, g, byte(n))()
		}
		_, err := g.Enter(t.Context(), caller(100))
		refused(t, err)
	})
	t.Run("refused/the caller has gone", func(t *testing.T) {
		g := newLine()
		for n := range hashesAtOnce {
			defer enter(t, g, byte(n))()
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := g.Enter(ctx, caller(9)); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if g.inside != hashesAtOnce || len(g.callers) != hashesAtOnce {
			t.Errorf("%d are inside, of %d callers", g.inside, len(g.callers))
		}
	})
	t.Run("accepted/by address in turn", func(t *testing.T) {
		g := newLine()
		g.most = 1
		leave := enter(t, g, 1)
		served := make(chan byte, 16)
		queue := func(n byte) {
			c, turn, err := g.join(caller(n))
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				if <-turn == nil {
					served <- n
					g.leave(c)
				}
			}()
		}
		for range mostByCaller {
			queue(2)
		}
		queue(3)
		leave()
		if first, second := <-served, <-served; first != 2 || second != 3 {
			t.Errorf("served %d, then %d; want one of each address", first, second)
		}
	})
	t.Run("accepted/a newcomer takes a place from who has most", func(t *testing.T) {
		g := newLine()
		g.most = 1
		defer enter(t, g, 0)()
		var last chan error
		for n := byte(1); g.inside < longestLine; n++ {
			for range min(mostByCaller, longestLine-g.inside) {
				_, turn, err := g.join(caller(n))
				if err != nil {
					t.Fatal(err)
				}
				if n == 1 {
					last = turn
				}
			}
		}
		if _, _, err := g.join(caller(100)); err != nil {
			t.Fatal(err)
		}
		refused(t, <-last)
	})
	t.Run("accepted/a place is kept for who has logged in before", func(t *testing.T) {
		g := newLine()
		g.most = 1
		defer enter(t, g, 0)()
		for n := byte(1); g.inside < longestLine; n++ {
			if _, _, err := g.join(caller(n)); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err := g.join(caller(100))
		refused(t, err)
		g.Welcome(caller(101))
		if _, _, err := g.join(caller(101)); err != nil {
			t.Error(err)
		}
	})
	t.Run("one at a time where memory is little", func(t *testing.T) {
		for memory, most := range map[int64]int{100 << 20: 1, 230 << 20: hashesAtOnce, math.MaxInt64: hashesAtOnce} {
			if got := hashesIn(NewBudget(memory).Size()); got != most {
				t.Errorf("%d at once with %d bytes; want %d", got, memory, most)
			}
		}
	})
	t.Run("accepted/everybody in turn, and nobody stays", func(t *testing.T) {
		g := newLine()
		var hashing, most atomic.Int64
		var group sync.WaitGroup
		for n := range 40 {
			group.Go(func() {
				leave, err := g.Enter(t.Context(), caller(byte(n)))
				if err != nil {
					t.Error(err)
					return
				}
				now := hashing.Add(1)
				for was := most.Load(); now > was && !most.CompareAndSwap(was, now); was = most.Load() {
				}
				hashing.Add(-1)
				leave()
			})
		}
		group.Wait()
		if most.Load() > hashesAtOnce || g.inside != 0 || len(g.callers) != 0 {
			t.Errorf("%d at once; %d stayed, of %d callers", most.Load(), g.inside, len(g.callers))
		}
	})
}

// TestHashesShareTheBudget: a hash waits while requests hold the memory, and takes it from them while it runs.
func TestHashesShareTheBudget(t *testing.T) {
	b := NewBudget(116 << 20)
	g := NewLine(b)
	g.wait = 0
	if !b.Take("somebody", b.Share("somebody")) {
		t.Fatal("half of the budget is not to be had")
	}
	_, err := g.Enter(t.Context(), "192.0.2.1")
	refused(t, err)
	if g.inside != 0 || g.hashing != 0 {
		t.Errorf("%d stayed in the line, %d hash", g.inside, g.hashing)
	}
	b.Give("somebody", b.Share("somebody"))
	leave := entered(t)(g.Enter(t.Context(), "192.0.2.1"))
	if b.Used() != HashBytes || b.Take("somebody", b.Share("somebody")) {
		t.Error("the memory of a hash that runs is given away")
	}
	leave()
	if b.Used() != 0 {
		t.Errorf("%d bytes are still taken", b.Used())
	}
}
