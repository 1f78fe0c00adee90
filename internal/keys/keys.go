// Package keys owns the rotation of the root key, of organizations' keys and of projects' data keys while the server
// serves. It does not decide what is sealed, nor who may read it.
//
// All three go the same way. A new key becomes the active one, which seals what is new; the old one retires: what it
// sealed is sealed again in small steps, whoever asks for them; and when nothing refers to it any more, it is deleted. Each
// step is a transaction that leaves everything readable, so a rotation may stop anywhere and be taken up again. What is
// sealed names its key, and the database lets none be deleted that something refers to: a writer that still has the old key
// is either found by a later step or refused, never lost.
package keys

import (
	"context"
	"sync"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/secret"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// stepsPerCall is how many steps one call does: few enough to be answered soon.
const stepsPerCall = 20

// stepRows is how many sealed keys and settings one transaction seals again.
const stepRows = 100

// Options says what the service works with; all but the last two are needed.
type Options struct {
	DB       *sqldb.DB
	Feed     *feed.Feed
	Audit    *audit.Log
	Root     *seal.Key // all root keys that the server was given
	Orgs     *org.Service
	Projects *project.Service
	Secrets  *secret.Service

	RootFile string // file of the root key if the server made it and nobody else uses it, so that it may make another one
	Steps    int    // how many steps one call does; 0 means stepsPerCall
}

// Service rotates keys.
type Service struct {
	db       *sqldb.DB
	feed     *feed.Feed
	audit    *audit.Log
	rootKeys *seal.Key
	orgs     *org.Service
	projects *project.Service
	secrets  *secret.Service
	rootFile string
	steps    int

	rotatingRoot sync.Mutex // one at a time: two who change the key file at once could lose a key
}

// New returns a service. Call Start before anything is sealed or opened.
func New(o Options) *Service {
	if o.Steps == 0 {
		o.Steps = stepsPerCall
	}
	return &Service{db: o.DB, feed: o.Feed, audit: o.Audit, rootKeys: o.Root, orgs: o.Orgs,
		projects: o.Projects, secrets: o.Secrets, rootFile: o.RootFile, steps: o.Steps}
}

// State says how far the rotation of a key is.
type State struct {
	Active    string   // id of the key that seals now; empty if there is none yet
	Retiring  []string // ids of those that something is still sealed with
	Remaining int64    // how much that is: rows
}

// Done reports whether nothing is left of any rotation.
func (s State) Done() bool { return len(s.Retiring) == 0 }

// row is a key as it is stored.
type row struct {
	ID     string `db:"id"`
	Active bool   `db:"active"`
}

// stateOf makes the state of the keys of one owner.
func stateOf(rows []row) (s State) {
	for _, r := range rows {
		if r.Active {
			s.Active = r.ID
		} else {
			s.Retiring = append(s.Retiring, r.ID)
		}
	}
	return s
}

// rotation is how the keys of one owner are rotated.
type rotation struct {
	read  func(context.Context) (State, error)
	begin func(context.Context) error                            // makes a new key the active one
	step  func(ctx context.Context, from string) (int64, error)  // seals some of what a retiring key sealed again; 0: it found nothing
	drop  func(ctx context.Context, keyID string) error          // deletes a key; IsForeignKey while something refers to it
	count func(ctx context.Context, keyID string) (int64, error) // how many rows refer to a key
}

// run begins a rotation, unless one is to be taken up or resume asks for no more than that, and does some of its steps.
func (s *Service) run(ctx context.Context, r rotation, resume bool) (State, error) {
	state, err := r.read(ctx)
	if err == nil && state.Done() && !resume {
		if err = r.begin(ctx); err == nil {
			crashpoint.Reach(crashpoint.RotationBegun)
			state, err = r.read(ctx)
		}
	}
	steps := s.steps
	for _, keyID := range state.Retiring {
		if err == nil {
			err = r.retire(ctx, keyID, &steps)
		}
	}
	if err != nil {
		return state, err
	}
	return r.state(ctx)
}

// retire does steps for one key, as many as are left, and deletes it when nothing refers to it any more.
func (r rotation) retire(ctx context.Context, keyID string, steps *int) error {
	for ; *steps > 0; *steps-- {
		n, err := r.step(ctx, keyID)
		if err != nil {
			return err
		}
		crashpoint.Reach(crashpoint.RotationStep)
		if n > 0 {
			continue
		}
		crashpoint.Reach(crashpoint.RotationDrop)
		if err := r.drop(ctx, keyID); !sqldb.IsForeignKey(err) { // else someone sealed with it meanwhile
			crashpoint.Reach(crashpoint.RotationDropped)
			return err
		}
	}
	return nil
}

// state reads how far the rotation is, and counts what remains.
func (r rotation) state(ctx context.Context) (State, error) {
	state, err := r.read(ctx)
	for _, keyID := range state.Retiring {
		if err != nil {
			break
		}
		var n int64
		n, err = r.count(ctx, keyID)
		state.Remaining += n
	}
	return state, err
}

// administers refuses whoever does not administer the instance.
func administers(actor *access.Actor) error {
	if !actor.InstanceAdmin {
		return fault.New(fault.Forbidden, "Only administrators of the instance can rotate the root key.")
	}
	return nil
}

// record leaves an audit event of a rotation that began or ended.
func (s *Service) record(ctx context.Context, tx *feed.Tx, actor *access.Actor, event audit.Type, projectID, keyID string) error {
	return s.audit.Record(ctx, tx.Tx, actor, audit.Event{Type: event, ProjectID: projectID, Metadata: map[string]any{"keyId": keyID}})
}
