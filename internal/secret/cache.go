package secret

import (
	"context"
	"sync/atomic"

	"github.com/sallyport/sallyport/internal/base/bounded"
	"github.com/sallyport/sallyport/internal/base/limit"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/project"
)

// maxStates bounds how many folders the cache knows of.
const maxStates = 50_000

// stateSize is about how many bytes the imports of a folder take that has some.
const stateSize = 1 << 10

// cache keeps rows of folders as they are stored, sealed, until the feed says that a secret of the folder changed. It holds
// shared secrets in force alone: what most readers ask for, again and again.
type cache struct {
	folders *feed.Cache[*folderState] // by feed.Key(environment id, path)
	rows    bounded.Cache[place, []row]
	answers *answers
}

// folderState stands for a folder as it is. When a secret in it changes another state takes its place, so what a reader puts on
// the old one too late, is never found. The same goes for a project whose environments or folders changed.
type folderState struct {
	project *project.Project
	imports atomic.Pointer[[]link] // of the folder, once they were read; most folders have none
}

// place is where rows lie: the one of a name, or with no name all of the folder.
type place struct {
	on   *folderState
	name string
}

func newCache(f *feed.Feed, size int64) *cache {
	return &cache{
		folders: feed.NewCache[*folderState](f, feed.Secrets, maxStates, func(*folderState) int { return stateSize }),
		answers: newAnswers(max(1, size/4)),
		rows: bounded.New(&bounded.Options[place, []row]{MaximumWeight: uint64(size - size/4), //nolint:gosec // config bounds it
			Weigher: func(_ place, rows []row) uint32 { return weight(rows) }}),
	}
}

// overhead is about what a row takes in memory beside what varies: its fields, and its place in the cache.
const overhead = 512

func weight(rows []row) uint32 {
	sum := overhead
	for i := range rows {
		r := &rows[i]
		sum += overhead + len(r.Path) + len(r.Key) + len(r.Value) + len(r.Comment) + len(r.Metadata) + len(r.Tags)
	}
	return uint32(min(sum, 1<<31))
}

// held are the rows of a name, or all of a folder: nil until they are read where they are not in memory.
type held struct {
	cache *cache // nil where they are not kept
	at    place
	rows  []row
}

// look returns the rows of a name, or all, as they are in memory if the key of the project opens them. It must be asked before the
// rows are read. Those of a user are not kept.
func (s *folderScope) look(ctx context.Context, name, owner string) (held, error) {
	if s.cache == nil || owner != "" {
		return held{}, nil
	}
	on, err := s.cache.state(ctx, s)
	if err != nil {
		return held{}, err
	}
	h := held{cache: s.cache, at: place{on, name}}
	if rows, ok := s.cache.rows.GetIfPresent(h.at); ok && s.opens(rows) {
		h.rows = rows
		return h, limit.Use(ctx, int64(weight(rows))*sqldb.RowCost)
	}
	return h, nil
}

// keep keeps rows that were read.
func (h *held) keep(s *folderScope, rows []row) {
	h.rows = rows
	if h.cache == nil {
		return
	}
	// Another reader may have kept older rows of the same folder: those count for all, until the change is settled.
	if kept, stored := h.cache.rows.SetIfAbsent(h.at, rows); stored || s.opens(kept) {
		h.rows = kept
		return
	}
	h.cache.rows.Set(h.at, rows)
}

// maxKeptImports is how many imports of a folder are kept: more are read each time.
const maxKeptImports = 20

// imports returns those of a folder, from memory if they were read before.
func (c *cache) imports(ctx context.Context, s *folderScope, read func() ([]link, error)) ([]link, error) {
	on, err := c.state(ctx, s)
	if err != nil {
		return nil, err
	}
	if kept := on.imports.Load(); kept != nil {
		return *kept, nil
	}
	found, err := read()
	if err == nil && len(found) <= maxKeptImports && !on.imports.CompareAndSwap(nil, &found) {
		found = *on.imports.Load()
	}
	return found, err
}

// state returns that of a folder. It must be asked for before the rows are read.
func (c *cache) state(ctx context.Context, s *folderScope) (*folderState, error) {
	key := feed.Key(s.env.ID, s.path)
	for {
		on, err := c.folders.Load(ctx, key, func(context.Context) (*folderState, error) { return &folderState{project: s.Project}, nil })
		if err != nil || on.project == s.Project {
			return on, err
		}
		c.folders.Evict(key)
	}
}

// opens reports whether the key of the project opens all rows; that of a row may have been rotated away.
func (r *projectScope) opens(rows []row) bool {
	for i := range rows {
		if !r.key.Opens(rows[i].KeyID) {
			return false
		}
	}
	return true
}
