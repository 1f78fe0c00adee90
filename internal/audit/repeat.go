package audit

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/id"
)

// What strangers can write. Of one failure some repeats are recorded, the others are counted; the failures that are told
// apart at a time are bounded too, and what comes beyond is counted together.
const (
	RepeatsKept  = 10        // of one failure, in RepeatWindow
	RepeatWindow = time.Hour // for how long repeats belong together
	maxFailures  = 256       // that are told apart at a time, in one organization
	firstCount   = time.Minute
	laterCounts  = 30 * time.Minute
)

// failure tells one failure from another: what failed, why, for whom, and from which network.
type failure struct{ orgID, event, actorID, reason, network string }

// repeats counts the failures of callers who have proved nothing, in bounded memory.
type repeats struct {
	mu     sync.Mutex
	open   map[failure]*series
	apart  map[string]int // by organization: how many failures are told apart
	ending bool           // every count is due
}

// series are the repeats of one failure.
type series struct {
	newest   row // what the newest repeat would have been stored as
	metadata map[string]any
	began    time.Time
	recorded int
	counted  int64
	from, to time.Time // of what was counted
	dueAt    time.Time
}

// NoteFailure records what a caller brought about who has proved nothing, or may not be here: a failed login, a token from
// an untrusted address. reason is a code that goes into the metadata. Such callers could fill the log, so that of the same
// failure from the same network RepeatsKept are recorded in RepeatWindow, and the others are counted: one event a
// while says how many there were.
func (l *Log) NoteFailure(ctx context.Context, actor *access.Actor, e Event, reason string) error {
	metadata, _ := e.Metadata.(map[string]any)
	metadata = maps.Clone(metadata)
	if metadata == nil {
		metadata = map[string]any{}
	}
	metadata["reasonCode"], e.Metadata = reason, metadata
	now := l.db.Now()
	r, err := l.row(actor, e, now)
	if err != nil {
		return err
	}
	key := failure{r.OrgID, r.EventType, actor.ID, reason, access.Network(actor.Client.IP)}
	if l.repeats.counts(key, r, metadata, now) {
		return nil
	}
	return l.Note(ctx, actor, e)
}

// counts reports whether a failure is counted in place of being recorded.
func (f *repeats) counts(key failure, r row, metadata map[string]any, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.series(key, now)
	if s.recorded < RepeatsKept {
		s.recorded++
		return false
	}
	if s.crowd() {
		r, metadata = anybody(r), map[string]any{}
	}
	if s.counted == 0 {
		s.from, s.dueAt = now, later(s.dueAt, now.Add(firstCount))
	}
	s.newest, s.metadata, s.to = r, metadata, now
	s.counted++
	return true
}

// series returns the series of a failure. Where too many are told apart it is one that all others of the sort share.
func (f *repeats) series(key failure, now time.Time) *series {
	if s := f.open[key]; s != nil {
		return s
	}
	s := &series{began: now}
	if f.apart[key.orgID] >= maxFailures {
		key = failure{orgID: key.orgID, event: key.event}
		if crowd := f.open[key]; crowd != nil {
			return crowd
		}
		s.recorded = shared
	} else {
		f.tell(key.orgID, 1)
	}
	if f.open == nil {
		f.open = map[failure]*series{}
	}
	f.open[key] = s
	return s
}

// shared is the number of recorded repeats of a series that failures share: nothing of it is recorded one by one.
const shared = RepeatsKept + 1

func (s *series) crowd() bool { return s.recorded == shared }

func (f *repeats) tell(orgID string, n int) {
	if f.apart == nil {
		f.apart = map[string]int{}
	}
	if f.apart[orgID] += n; f.apart[orgID] == 0 {
		delete(f.apart, orgID)
	}
}

// anybody returns an event without what tells callers apart.
func anybody(r row) row {
	r.ActorType, r.ActorID, r.ActorMetadata, r.IP, r.UserAgent, r.UserAgentType = string(access.ActorUnknown), nil, "{}", "", "", userAgentType("")
	return r
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// due returns the events that say how many failures were counted, where that is due, and forgets series that are over.
func (f *repeats) due(now time.Time) (told []row) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, s := range f.open {
		over := f.ending || !now.Before(s.began.Add(RepeatWindow))
		if s.counted > 0 && (over || !now.Before(s.dueAt)) {
			told = append(told, s.tell(now))
		}
		if over {
			delete(f.open, key)
			if !s.crowd() {
				f.tell(key.orgID, -1)
			}
		}
	}
	return told
}

// end has every count be due.
func (f *repeats) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ending = true
}

// tell returns the event of what was counted, and begins a new count. The fields are those of the reference
// (docs/reference/identity.md section 5.5).
func (s *series) tell(now time.Time) row {
	metadata := maps.Clone(s.metadata)
	metadata["suppressedRepeats"], metadata["suppressedFrom"], metadata["suppressedUntil"] = s.counted, moment(s.from), moment(s.to)
	r := s.newest
	text, _ := json.Marshal(metadata) // it was marshaled before
	kept := r.ExpiresAt - r.CreatedAt
	r.ID, r.EventMetadata, r.RequestID, r.CreatedAt, r.ExpiresAt = id.New(), string(text), "", now.UnixMilli(), now.UnixMilli()+kept
	s.counted, s.dueAt = 0, now.Add(laterCounts)
	return r
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
