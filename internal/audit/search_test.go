package audit

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// fill stores n events of an organization, each a second older than the one before, the newest at noon.
func fill(t *testing.T, db *sqldb.DB, orgID, eventType, metadata string, n int) {
	t.Helper()
	sqldbtest.Exec(t, db, `WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1)
		INSERT INTO audit_logs (`+columns+`) SELECT $2 || CAST(n AS TEXT), $3, NULL, 'identity', NULL, '{}', $4, $5, '', '', '', '', CAST($6 AS BIGINT) - n * 1000, (`+newest+`) + 1 + n, $7
		FROM numbers`, n-1, eventType, orgID, eventType, metadata, noon.UnixMilli(), noon.Add(time.Hour).UnixMilli())
}

// TestACostlyQueryIsStopped: also where the first event that it finds is the newest. What else there is to find takes long.
func TestACostlyQueryIsStopped(t *testing.T) {
	var metadata []string
	var pairs []Pair
	for i := range 20 {
		metadata = append(metadata, fmt.Sprintf(`"k%d":"v"`, i))
		pairs = append(pairs, Pair{fmt.Sprint("k", i), "v"})
	}
	all := "{" + strings.Join(metadata, ",") + `,"pad":"` + strings.Repeat("p", 4000) + `"}`
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			c := &clock{}
			c.ms.Store(noon.UnixMilli())
			db := sqldbtest.OpenWith(t, engine, sqldb.Options{Now: c.Now, Logger: slog.New(slog.DiscardHandler), SearchTime: 20 * time.Millisecond})
			f, actor := &fixture{Log: New(db, 0), t: t, db: db, clock: c}, admin(t)
			fill(t, db, actor.OrgID, "other", strings.Replace(all, `"k19":"v"`, `"k19":"w"`, 1), 30_000)
			fill(t, db, actor.OrgID, "wanted", all, 1)
			filter := Filter{Metadata: pairs, Limit: 2}
			if _, err := f.Query(t.Context(), actor, filter); !fault.Is(err, fault.BadRequest) {
				t.Errorf("a query: %v", err)
			}
			filter.After = new(int64)
			if _, _, err := f.Follow(t.Context(), actor, filter); !fault.Is(err, fault.BadRequest) {
				t.Errorf("following: %v", err)
			}
			filter.After, filter.From = nil, noon.Add(-10*time.Second)
			entries, err := f.Query(t.Context(), actor, filter)
			for n := 0; n < 50 && fault.Is(err, fault.BadRequest); n++ { // its connection is new, which may take longer than 20 ms
				entries, err = f.Query(t.Context(), actor, filter)
			}
			if err != nil || len(entries) != 1 {
				t.Errorf("a narrower query: %d events, %v", len(entries), err)
			}
		})
	}
}

// TestFollowGoesOnInSteps: whatever a filter matches, and whatever is gone, each call looks at few positions, and
// whoever goes on while the position grows sees each event once.
func TestFollowGoesOnInSteps(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.window = 10
		actor, stranger := admin(t), admin(t)
		var want []string
		for n := range 100 {
			e := Event{Type: Type{"other"}}
			if n%17 == 3 || n == 40 || n == 41 || n == 42 {
				e.Type = Type{numbered(n)}
				want = append(want, numbered(n))
			}
			f.record(actor, e)
			f.record(stranger, e)
		}
		f.follow(actor, 0, 1) // on PostgreSQL events get their positions now
		for _, gone := range []struct{ name, condition string }{{"none", "FALSE"}, {"the oldest", "position <= 55"}, {"some between", "position > 100 AND position < 180"}} {
			t.Run(gone.name, func(t *testing.T) {
				sqldbtest.Exec(t, f.db, `DELETE FROM audit_logs WHERE `+gone.condition)
				var left []string
				for _, e := range want {
					if f.count(e, actor.OrgID) > 0 {
						left = append(left, e)
					}
				}
				var got []string
				calls, head, filter := 0, f.head(), Filter{Limit: 2, EventTypes: want}
				for after := int64(0); after < head; calls++ { // each call leaves an event behind the head
					filter.After = &after
					page, next, err := f.Follow(t.Context(), actor, filter)
					if err != nil {
						t.Fatal(err)
					}
					if next <= after {
						t.Fatalf("behind %d comes %d", after, next)
					}
					got, after = append(got, typesOf(page)...), next
				}
				if diff := cmp.Diff(left, got); diff != "" || !slices.IsSorted(got) {
					t.Error(diff)
				}
				if calls < 5 || calls > 60 {
					t.Errorf("it took %d calls", calls)
				}
			})
		}
	})
}

func (f *fixture) count(eventType, orgID string) (n int64) {
	f.t.Helper()
	if err := f.db.Get(f.t.Context(), &n, `SELECT count(*) FROM audit_logs WHERE event_type = $1 AND org_id = $2`, eventType, orgID); err != nil {
		f.t.Fatal(err)
	}
	return n
}
