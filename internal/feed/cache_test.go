package feed

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// always returns a read function that answers a value, and counts.
func always(v int, reads *int) func(context.Context) (int, error) {
	return func(context.Context) (int, error) {
		*reads++
		return v, nil
	}
}

func newCache(t *testing.T) (*Feed, *Cache[int]) {
	t.Helper()
	f := New(Options{DB: open(t, sqldb.SQLite, newClock()), Logger: quiet})
	return f, NewCache[int](f, Config, 1000, nil)
}

func TestCacheReadsOnce(t *testing.T) {
	f, c := newCache(t)
	reads := 0
	load := func(key string, value, want, wantReads int) {
		t.Helper()
		got, err := c.Load(t.Context(), key, always(value, &reads))
		if err != nil || got != want || reads != wantReads {
			t.Fatalf("got %d, %v after %d reads; want %d after %d", got, err, reads, want, wantReads)
		}
	}
	load("a", 1, 1, 1)
	load("a", 2, 1, 1)
	load("b", 3, 3, 2)
	if v, ok := c.Peek("a"); !ok || v != 1 {
		t.Errorf("Peek = %d, %v; want 1", v, ok)
	}
	f.apply(Entry{Kind: Grants, Key: "a"}) // another kind
	load("a", 2, 1, 2)
	f.apply(Entry{Kind: Config, Key: "a"})
	if _, ok := c.Peek("a"); ok {
		t.Error("an evicted value is still there")
	}
	load("a", 2, 2, 3)
	load("b", 4, 3, 3)
	c.Clear()
	load("a", 5, 5, 4)
	load("b", 6, 6, 5)
}

func TestCacheKeepsNoErrors(t *testing.T) {
	_, c := newCache(t)
	down := errors.New("down")
	if _, err := c.Load(t.Context(), "a", func(context.Context) (int, error) { return 9, down }); !errors.Is(err, down) {
		t.Fatal(err)
	}
	reads := 0
	if v, err := c.Load(t.Context(), "a", always(1, &reads)); v != 1 || err != nil {
		t.Errorf("got %d, %v; want what was read after the error", v, err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	f := New(Options{DB: open(t, sqldb.SQLite, newClock()), Logger: quiet})
	c := NewCache[int](f, Config, 10, nil)
	reads := 0
	for n := range 1000 {
		if _, err := c.Load(t.Context(), strconv.Itoa(n), always(n, &reads)); err != nil {
			t.Fatal(err)
		}
	}
	c.items.CleanUp()
	if n := c.items.EstimatedSize(); n > 10 {
		t.Errorf("holds %d values; want at most 10", n)
	}
}

// TestCacheIsBoundedByBytes: what is large leaves no place for many, and where memory is little there is less of all.
func TestCacheIsBoundedByBytes(t *testing.T) {
	db := open(t, sqldb.SQLite, newClock())
	for name, test := range map[string]struct{ caches, each, most int }{
		"ordinary values":                 {0, 0, 1000},
		"large values":                    {0, 64 << 10, 8},
		"little memory":                   {20 << 20, 0, 100},
		"large values and little memory":  {100 << 20, 64 << 10, 4},
		"a value that is larger than all": {0, 1 << 20, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := New(Options{DB: db, Logger: quiet, Caches: int64(test.caches)})
			c, reads := NewCache[int](f, Config, 1000, func(int) int { return test.each }), 0
			for n := range 3000 {
				if v, err := c.Load(t.Context(), strconv.Itoa(n), always(n, &reads)); err != nil || v != n {
					t.Fatal(v, err)
				}
			}
			c.items.CleanUp()
			if n := c.items.EstimatedSize(); n > test.most || n < test.most/2 {
				t.Errorf("holds %d values; want at most %d", n, test.most)
			}
		})
	}
}

// slowRead is a Load that stands still after it has read, until it is told to go on.
type slowRead struct {
	proceed chan struct{}
	result  chan int
}

// begin starts a Load and returns once it has read, or nil if it had no need to.
func begin(t testing.TB, c *Cache[int], key string, value func() int) *slowRead {
	t.Helper()
	r := &slowRead{make(chan struct{}), make(chan int, 1)}
	hasRead := make(chan struct{})
	go func() {
		v, err := c.Load(context.Background(), key, func(context.Context) (int, error) {
			v := value()
			close(hasRead)
			<-r.proceed
			return v, nil
		})
		if err != nil {
			t.Error(err)
		}
		r.result <- v
	}()
	select {
	case <-hasRead:
		return r
	case <-r.result:
		return nil
	}
}

func (r *slowRead) end() int {
	close(r.proceed)
	return <-r.result
}

// TestLateFill: a value that was read before a change, and is stored after it, must not stay.
func TestLateFill(t *testing.T) {
	for name, c := range map[string]struct {
		between func(f *Feed, c *Cache[int])
		kept    bool
	}{
		"kept/nothing happened":     {func(*Feed, *Cache[int]) {}, true},
		"kept/another kind changed": {func(f *Feed, _ *Cache[int]) { f.apply(Entry{Kind: Grants, Key: "a"}) }, true},
		"kept/another key changed":  {func(f *Feed, c *Cache[int]) { f.apply(Entry{Kind: Config, Key: keyOfAnotherLane(c, "a")}) }, true},
		"not kept/the key changed":  {func(f *Feed, _ *Cache[int]) { f.apply(Entry{Kind: Config, Key: "a"}) }, false},
		"not kept/it changed twice": {func(f *Feed, _ *Cache[int]) {
			f.apply(Entry{Kind: Config, Key: "a"})
			f.apply(Entry{Kind: Config, Key: "a"})
		}, false},
		"not kept/everything was missed": {func(_ *Feed, c *Cache[int]) { c.Clear() }, false},
		"not kept/read anew in between":  {func(f *Feed, c *Cache[int]) { f.apply(Entry{Kind: Config, Key: "a"}); fill(c, "a", 2) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			f, cache := newCache(t)
			r := begin(t, cache, "a", func() int { return 1 })
			c.between(f, cache)
			if v := r.end(); v != 1 {
				t.Errorf("the caller got %d; want what it read", v)
			}
			v, ok := cache.Peek("a")
			if c.kept && (!ok || v != 1) {
				t.Error("the value was not kept")
			}
			if !c.kept && ok && v == 1 {
				t.Error("a value from before the change was kept")
			}
		})
	}
}

func fill(c *Cache[int], key string, v int) {
	reads := 0
	_, _ = c.Load(context.Background(), key, always(v, &reads))
}

func keyOfAnotherLane(c *Cache[int], key string) string {
	other := key
	for c.lane(other) == c.lane(key) {
		other += "x"
	}
	return other
}

// TestCacheIsNeverStale begins and ends reads and changes values, in any order: once a change is applied, whoever
// begins to load gets the new value.
func TestCacheIsNeverStale(t *testing.T) {
	f, c := newCache(t)
	rapid.Check(t, func(rt *rapid.T) {
		keys := rapid.SampledFrom([]string{"a", "b", "c"})
		values, running := map[string]int{}, []*slowRead{}
		c.Clear()
		rt.Repeat(map[string]func(*rapid.T){
			"begin a read": func(rt *rapid.T) {
				key := keys.Draw(rt, "key")
				if r := begin(t, c, key, func() int { return values[key] }); r != nil {
					running = append(running, r)
				}
			},
			"end a read": func(rt *rapid.T) {
				if len(running) == 0 {
					rt.Skip("none runs")
				}
				n := rapid.IntRange(0, len(running)-1).Draw(rt, "which")
				running[n].end()
				running = append(running[:n], running[n+1:]...)
			},
			"change": func(rt *rapid.T) {
				key := keys.Draw(rt, "key")
				values[key]++
				f.apply(Entry{Kind: Config, Key: key})
			},
			"": func(rt *rapid.T) {
				key := keys.Draw(rt, "key")
				if v, ok := c.Peek(key); ok && v != values[key] {
					rt.Fatalf("%s is %d; want %d", key, v, values[key])
				}
			},
		})
		for _, r := range running {
			r.end()
		}
	})
}

// TestCacheBesideChanges has writers change rows while readers load them: no reader gets a value that is older than
// what was acknowledged when it began, on any replica.
func TestCacheBesideChanges(t *testing.T) {
	each(t, func(t *testing.T, engine sqldb.Engine) {
		db := open(t, engine, newClock())
		var caches []*Cache[int]
		var feeds []*Feed
		for range map[sqldb.Engine]int{sqldb.SQLite: 1, sqldb.Postgres: 2}[engine] {
			f := New(Options{DB: db, Logger: quiet})
			caches = append(caches, NewCache[int](f, OrgRow, 10, nil))
			feeds = append(feeds, f)
			start(t, f)
		}
		change(t, feeds[0], Entry{Kind: Grants, Key: "warm up"})
		const keys, changes = 3, 25
		var acknowledged [keys]atomic.Int64
		err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
			for key := range keys {
				_, err := tx.Exec(t.Context(), `INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, 'o', $1, 0, 0)`, strconv.Itoa(key))
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var writers, readers sync.WaitGroup
		done := make(chan struct{})
		for key := range keys {
			writers.Go(func() { writeVersions(t, feeds[key%len(feeds)], strconv.Itoa(key), changes, &acknowledged[key]) })
		}
		for n := range 4 {
			readers.Go(func() {
				pace := time.NewTicker(200 * time.Microsecond) // leaves the writers some of the machine
				defer pace.Stop()
				for key := n; ; key++ {
					select {
					case <-done:
						return
					case <-pace.C:
						checkFresh(t, db, caches[n%len(caches)], strconv.Itoa(key%keys), &acknowledged[key%keys])
					}
				}
			})
		}
		writers.Wait()
		close(done)
		readers.Wait()
		for _, c := range caches {
			for key := range keys {
				checkFresh(t, db, c, strconv.Itoa(key), &acknowledged[key])
			}
		}
	})
}

// writeVersions counts the row of a key upwards, and notes each step once it is acknowledged.
func writeVersions(t *testing.T, f *Feed, key string, n int, acknowledged *atomic.Int64) {
	for version := range int64(n) {
		err := f.Change(t.Context(), func(tx *Tx) error {
			_, err := tx.Exec(t.Context(), `UPDATE organizations SET updated_at = $1 WHERE id = $2`, version+1, key)
			tx.Append(OrgRow, key, Evict)
			return err
		})
		if err != nil {
			t.Error(err)
			return
		}
		acknowledged.Store(version + 1)
	}
}

func checkFresh(t *testing.T, db *sqldb.DB, c *Cache[int], key string, acknowledged *atomic.Int64) {
	least := acknowledged.Load()
	got, err := c.Load(t.Context(), key, func(ctx context.Context) (v int, err error) {
		return v, db.QueryRow(ctx, `SELECT updated_at FROM organizations WHERE id = $1`, key).Scan(&v)
	})
	if err != nil || int64(got) < least {
		t.Errorf("key %s: got %d, %v; version %d had been acknowledged before", key, got, err, least)
	}
}
