package user

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// TestRefreshModel shows refresh tokens of one session in any order and at any time, and compares each answer with what
// the rule says: the newest is replaced, the one before is good for a while, and any other ends the session.
func TestRefreshModel(t *testing.T) {
	f := newFixture(t, "sqlite")
	rapid.Check(t, func(t *rapid.T) {
		made := f.session(f.ada)
		held := []*Pair{made} // by version, from 1
		turned, alive := f.db.Now(), true
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			f.advance(time.Duration(rapid.IntRange(0, 40).Draw(t, "seconds")) * time.Second)
			shown := rapid.IntRange(max(0, len(held)-3), len(held)-1).Draw(t, "version")
			newest, graced := shown == len(held)-1, shown == len(held)-2 && f.db.Now().Sub(turned) <= refreshGrace
			got, err := f.Refresh(f.t.Context(), held[shown].Refresh, home)
			switch {
			case !alive:
				if reasonOf(err) != "revoked" {
					t.Fatalf("a dead session answered %v", err)
				}
			case newest:
				if err != nil {
					t.Fatal(err)
				}
				held, turned = append(held, got), f.db.Now()
			case graced:
				if err != nil {
					t.Fatal(err)
				}
				held[len(held)-1] = got // as good as the other one of that version
			default:
				if reasonOf(err) != "reused" {
					t.Fatalf("version %d of %d answered %v", shown+1, len(held), err)
				}
				alive = false
			}
			for _, h := range held {
				if _, err := f.claims(f.Service, h.Access); (err == nil) != alive {
					t.Fatalf("the session is alive: %v; a token of it: %v", alive, err)
				}
			}
		}
	})
}

func reasonOf(err error) string {
	var e *fault.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}
