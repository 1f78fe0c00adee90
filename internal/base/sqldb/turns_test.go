package sqldb

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// queue has somebody wait for a turn, and returns when they stand in the line. Their turn is told on came.
func queue(t *testing.T, turns *turns, key, name string, came chan<- string) (leave func()) {
	t.Helper()
	l, turn, err := turns.join(key)
	if err != nil {
		t.Fatal(err)
	}
	if turn == nil {
		t.Fatalf("%s did not have to wait", name)
	}
	go func() {
		<-turn
		came <- name
	}()
	return func() { turns.leave(l) }
}

func mustTake(t *testing.T, turns *turns, key string) (leave func()) {
	t.Helper()
	leave, err := turns.take(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return leave
}

func TestTurnsLeaveConnections(t *testing.T) {
	for connections, want := range map[int]struct{ most, each int }{1: {1, 1}, 2: {1, 1}, 4: {2, 1}, 16: {8, 4}} {
		if turns := newTurns(connections); turns.most != want.most || turns.each != want.each {
			t.Errorf("of %d connections searches get %d, one key %d", connections, turns.most, turns.each)
		}
	}
}

// TestTurnsGoRound: one key never has more than its share, however many wait; those that wait are served by key in turn.
func TestTurnsGoRound(t *testing.T) {
	turns, came := newTurns(8), make(chan string)
	turns.each = 1
	for _, key := range []string{"a", "b", "c"} {
		mustTake(t, turns, key) // a and b and c run; they never leave
	}
	leaveLast := mustTake(t, turns, "d")
	leaves := map[string]func(){}
	for _, who := range []struct{ key, name string }{{"d", "d1"}, {"d", "d2"}, {"e", "e1"}, {"e", "e2"}, {"f", "f1"}} {
		leaves[who.name] = queue(t, turns, who.key, who.name, came)
	}
	leaveLast()
	for _, want := range []string{"d1", "e1", "f1", "d2", "e2"} {
		got := <-came
		if got != want {
			t.Fatalf("it was the turn of %s, not of %s", got, want)
		}
		leaves[got]()
	}
	if len(turns.lanes) != 3 || len(turns.line) != 0 || turns.running != 3 {
		t.Errorf("left are %d lanes, %d in the line, %d that run", len(turns.lanes), len(turns.line), turns.running)
	}
}

// TestAKeyBeyondItsShareWaitsAlone: whoever comes with another key passes by.
func TestAKeyBeyondItsShareWaitsAlone(t *testing.T) {
	turns, came := newTurns(4), make(chan string, 1)
	leave := mustTake(t, turns, "a")
	leaveWaiting := queue(t, turns, "a", "a2", came)
	mustTake(t, turns, "b")()
	leave()
	if got := <-came; got != "a2" {
		t.Errorf("it is the turn of %s", got)
	}
	leaveWaiting()
}

func TestTurnsRefuse(t *testing.T) {
	for name, test := range map[string]struct {
		ctx  func(context.Context) context.Context
		line int
		want error
	}{
		"refused/a long line": {func(ctx context.Context) context.Context { return ctx }, longestLine, errBusy},
		"refused/a long wait": {func(ctx context.Context) context.Context { return ctx }, 1, errBusy},
		"refused/caller has gone": {func(ctx context.Context) context.Context {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx
		}, 1, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			turns, came := newTurns(4), make(chan string, longestLine)
			leave := mustTake(t, turns, "a")
			var leaves []func()
			for i := range test.line {
				leaves = append(leaves, queue(t, turns, "a", fmt.Sprint(i), came))
			}
			if errors.Is(test.want, errBusy) {
				turns.wait = time.Nanosecond
			}
			if _, err := turns.take(test.ctx(t.Context()), "a"); !errors.Is(err, test.want) {
				t.Errorf("got %v", err)
			}
			leave()
			for range leaves {
				<-came
				turns.leave(turns.lanes["a"])
			}
			if len(turns.lanes) != 0 || turns.running != 0 {
				t.Errorf("left are %d lanes, %d that run", len(turns.lanes), turns.running)
			}
		})
	}
	if !fault.Is(errBusy, fault.RateLimited) || errBusy.RetryAfter <= 0 {
		t.Errorf("%+v", errBusy)
	}
}
