package keys

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// RootState tells how far the rotation of the root key is. Forbidden for whoever does not administer the instance.
func (s *Service) RootState(ctx context.Context, actor *access.Actor) (State, error) {
	if err := administers(actor); err != nil {
		return State{}, err
	}
	return s.root(actor).state(ctx)
}

// RotateRoot makes the first of the root keys that this server was given the active one, or takes up a rotation that has
// begun, and does some of its steps; with resume it begins none. Call it until the state is done: the old key is needed no
// more then. A key file that the server made itself gets the new key from the server. Errors: Forbidden for whoever does
// not administer the instance; BadRequest where there is no new key, or where a replica was not given it.
func (s *Service) RotateRoot(ctx context.Context, actor *access.Actor, resume bool) (State, error) {
	if err := administers(actor); err != nil {
		return State{}, err
	}
	s.rotatingRoot.Lock()
	defer s.rotatingRoot.Unlock()
	return s.run(ctx, s.root(actor), resume)
}

func (s *Service) root(actor *access.Actor) rotation {
	return rotation{
		read:  s.readRoot,
		begin: func(ctx context.Context) error { return s.beginRoot(ctx, actor) },
		step:  s.stepRoot,
		drop:  func(ctx context.Context, keyID string) error { return s.dropRoot(ctx, actor, keyID) },
		count: func(ctx context.Context, keyID string) (all int64, err error) {
			for _, c := range underRoot {
				n, err := c.count(ctx, s.db, keyID)
				if all += n; err != nil {
					return 0, err
				}
			}
			return all, nil
		},
	}
}

func (s *Service) readRoot(ctx context.Context) (State, error) {
	var rows []row
	err := s.db.Select(ctx, &rows, `SELECT id, state = 'active' AS active FROM root_keys WHERE state <> 'coming' ORDER BY created_at, id`)
	return stateOf(rows), err
}

// beginRoot makes a new root key the active one. First the database says that it is coming: a server that starts from
// then on without it refuses to; then the register tells whether all that run have it; only then does it seal.
func (s *Service) beginRoot(ctx context.Context, actor *access.Actor) error {
	next, err := s.nextRoot(ctx)
	if err != nil {
		return err
	}
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		tx.Append(feed.RootKey, next, feed.Evict)
		return org.AnnounceRoot(ctx, tx.Tx, next)
	})
	if err == nil {
		crashpoint.Reach(crashpoint.RootComing)
		err = s.everywhere(ctx, next)
	}
	if err != nil {
		return err
	}
	return s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := org.ActivateRoot(ctx, tx.Tx, next); err != nil {
			return err
		}
		tx.Append(feed.RootKey, next, feed.Evict)
		return s.record(ctx, tx, actor, audit.RotateRootKey, "", next)
	})
}

// nextRoot returns the fingerprint of the key to rotate to.
func (s *Service) nextRoot(ctx context.Context) (string, error) {
	state, err := s.readRoot(ctx)
	if err != nil {
		return "", err
	}
	next := s.rootKeys.IDs()[0]
	if next != state.Active {
		return next, nil
	}
	if s.rootFile == "" {
		return "", fault.New(fault.BadRequest, "The first root key that this server was given, %s, is already active. "+
			"Give every replica the new key and the old one, in this order, with a space or a line break between them. Restart the replicas one after the other, and try again.", next)
	}
	if there, err := seal.ReadRoot(s.rootFile); err != nil || !slices.Equal(there.IDs(), s.rootKeys.IDs()) {
		return "", fault.New(fault.BadRequest, "The key file in the data folder does not hold what this server has read from it. Put the root key %s back into it, and try again.", next).Because(err)
	}
	keys, err := seal.AddRoot(s.rootFile)
	if err != nil {
		return "", err
	}
	s.rootKeys.Become(keys)
	return keys.IDs()[0], nil
}

// everywhere returns nil if every replica was given a root key. Else the key is not coming any more.
func (s *Service) everywhere(ctx context.Context, keyID string) error {
	if s.db.Engine() == sqldb.SQLite {
		return nil // this process is alone
	}
	replicas, err := s.feed.Replicas(ctx)
	if err != nil {
		return err
	}
	var without []string
	for _, r := range replicas {
		if !slices.Contains(r.Keys, keyID) {
			without = append(without, r.Name)
		}
	}
	if len(without) == 0 {
		return nil
	}
	err = s.db.Write(ctx, func(tx *sqldb.Tx) error { return org.WithdrawRoot(ctx, tx, keyID) })
	if err != nil {
		return err
	}
	return fault.New(fault.BadRequest, "These replicas were not given the new root key %s: %s. Give every replica the new key and the old one, restart them, and try again.",
		keyID, strings.Join(without, ", "))
}

// stepRoot seals some of what a retired root key sealed with the active one.
func (s *Service) stepRoot(ctx context.Context, from string) (int64, error) {
	for _, c := range underRoot {
		n, err := c.reseal(ctx, s.db, from, s.rootKeys, func(ctx context.Context, tx *sqldb.Tx) (*seal.Key, string, error) {
			return org.SealingKey(ctx, tx, s.rootKeys)
		})
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, nil
}

// dropRoot forgets a root key that nothing refers to any more.
func (s *Service) dropRoot(ctx context.Context, actor *access.Actor, keyID string) error {
	err := s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := org.DropRoot(ctx, tx.Tx, keyID); err != nil {
			return err
		}
		tx.Append(feed.RootKey, keyID, feed.Evict)
		return s.record(ctx, tx, actor, audit.DropRootKey, "", keyID)
	})
	if err == nil {
		err = s.tidy(ctx)
	}
	return err
}

// tidy takes root keys that nothing is sealed with any more out of the file that the server made. One that is to become
// the active one stands before that, and stays.
func (s *Service) tidy(ctx context.Context) error {
	state, err := s.readRoot(ctx)
	if err != nil || s.rootFile == "" || !state.Done() {
		return err
	}
	if ids := s.rootKeys.IDs(); len(ids) == 1 || ids[0] != state.Active {
		return nil
	}
	crashpoint.Reach(crashpoint.RootTidy)
	key, err := seal.KeepRoot(s.rootFile, state.Active)
	if err != nil {
		return fmt.Errorf("the root key was rotated, but the old one could not be removed from the key file: %w", err)
	}
	s.rootKeys.Become(key)
	return nil
}
