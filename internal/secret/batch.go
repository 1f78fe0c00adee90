package secret

import (
	"context"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

// Mode says what an update of several secrets does about one that is not there.
type Mode string

// The modes (docs/reference/secrets.md section 1.10).
const (
	FailOnNotFound Mode = "failOnNotFound" // nothing at all is changed
	Ignore         Mode = "ignore"         // it is left out
	Upsert         Mode = "upsert"         // it is created
)

// Item is one change of several.
type Item struct {
	Path string // empty for that of the request
	Changes
}

// change is one that was made, with the audit event that it belongs to.
type change struct {
	event  audit.Type
	secret *Secret
}

// CreateAll makes secrets in one folder: all of them or, with the errors of Create for one of them, none.
func (s *Service) CreateAll(ctx context.Context, actor *access.Actor, p Place, items []Item) ([]*Secret, error) {
	at, err := s.at(ctx, actor, p)
	if err != nil {
		return nil, err
	}
	return s.writeAll(ctx, at, func(tx *sqldb.Tx) ([]change, error) {
		f, err := at.folder(ctx, tx)
		if err != nil {
			return nil, err
		}
		return collect(items, func(i Item) (*change, error) {
			made, err := at.create(ctx, tx, f.ID, i.Changes)
			return &change{audit.CreateSecrets, made}, err
		})
	})
}

// UpdateAll changes secrets of one environment: all of them or, with the errors of Update for one of them, none. The mode
// says what becomes of those that are not there.
func (s *Service) UpdateAll(ctx context.Context, actor *access.Actor, p Place, mode Mode, items []Item) ([]*Secret, error) {
	at, err := s.at(ctx, actor, p)
	if err != nil {
		return nil, err
	}
	return s.writeAll(ctx, at, func(tx *sqldb.Tx) ([]change, error) {
		return collect(items, func(i Item) (*change, error) {
			there := *at
			if i.Path != "" {
				other, err := at.folderScope(at.env.Slug, i.Path)
				if err != nil {
					return nil, err
				}
				there = *other
			}
			return there.put(ctx, tx, mode, i.Changes)
		})
	})
}

// put changes one secret, or does what the mode says about one that is not there; nil for nothing.
func (s *folderScope) put(ctx context.Context, tx *sqldb.Tx, mode Mode, c Changes) (*change, error) {
	next, err := s.taken(ctx, tx, access.Edit, c.Name, c.Personal)
	switch {
	case err == nil:
		return &change{audit.UpdateSecrets, next}, s.change(ctx, tx, next, c)
	case !missing(err):
		return nil, err
	case mode == Ignore:
		return nil, s.mayLack(access.Edit, strings.TrimSpace(c.Name))
	case mode != Upsert:
		return nil, s.nothing(ctx, tx, access.Edit, strings.TrimSpace(c.Name))
	}
	f, err := s.folder(ctx, tx)
	if err != nil {
		return nil, err
	}
	if c.NewName != nil {
		c.Name = *c.NewName
	}
	made, err := s.create(ctx, tx, f.ID, c)
	return &change{audit.CreateSecrets, made}, err
}

// DeleteAll removes secrets of one folder: all of them or, with the errors of Delete for one of them, none.
func (s *Service) DeleteAll(ctx context.Context, actor *access.Actor, p Place, items []Item) ([]*Secret, error) {
	at, err := s.at(ctx, actor, p)
	if err != nil {
		return nil, err
	}
	return s.writeAll(ctx, at, func(tx *sqldb.Tx) ([]change, error) {
		return collect(items, func(i Item) (*change, error) {
			gone, err := at.delete(ctx, tx, i.Name, i.Personal)
			return &change{audit.DeleteSecrets, gone}, err
		})
	})
}

// collect does each item, up to the first that fails; its error names it.
func collect(items []Item, do func(Item) (*change, error)) ([]change, error) {
	var made []change
	for _, i := range items {
		c, err := do(i)
		if err != nil {
			return nil, about(err, i.Name)
		}
		if c != nil {
			made = append(made, *c)
		}
	}
	return made, nil
}

// about adds to an error which of several secrets it is about.
func about(err error, name string) error {
	f := fault.From(err)
	if f.Kind == fault.Internal || f.Kind == fault.Validation {
		return err
	}
	more := *f
	more.Message = fault.New(f.Kind, "Nothing was changed, because of the secret %q: %s", shortened(name), f.Message).Message
	return &more
}

// writeAll runs the changes of several secrets with their audit events in one transaction.
func (s *Service) writeAll(ctx context.Context, at *folderScope, do func(*sqldb.Tx) ([]change, error)) ([]*Secret, error) {
	var made []change
	err := s.commit(ctx, at, func(tx *feed.Tx) (err error) {
		if made, err = do(tx.Tx); err != nil {
			return err
		}
		for _, f := range folders(made) {
			if err := at.touch(ctx, tx, f.id, f.path); err != nil {
				return err
			}
		}
		return s.recordAll(ctx, tx.Tx, at, made)
	})
	secrets := make([]*Secret, len(made))
	for i, c := range made {
		secrets[i] = c.secret
	}
	return secrets, err
}

// folder is one that changes were made in.
type folder struct{ id, path string }

// folders returns those of changes, always in the same order, so that two who change the same ones do not wait for each other
// in a ring.
func folders(made []change) (list []folder) {
	for _, c := range made {
		list = append(list, folder{c.secret.FolderID, c.secret.Path})
	}
	slices.SortFunc(list, func(a, b folder) int { return strings.Compare(a.id, b.id) })
	return slices.Compact(list)
}

// recordAll writes one audit event for all changes of a sort.
func (s *Service) recordAll(ctx context.Context, tx *sqldb.Tx, at *folderScope, made []change) error {
	for _, event := range []audit.Type{audit.CreateSecrets, audit.UpdateSecrets, audit.DeleteSecrets} {
		var secrets []told
		for _, c := range made {
			if c.event == event {
				e := c.secret.event()
				e.Environment = "" // that of all stands above
				secrets = append(secrets, e)
			}
		}
		if len(secrets) == 0 {
			continue
		}
		err := s.audit.Record(ctx, tx, at.Actor, audit.Event{Type: event, ProjectID: at.Project.ID,
			Metadata: map[string]any{"environment": at.env.Slug, "secretPath": at.path, "secrets": secrets}})
		if err != nil {
			return err
		}
	}
	return nil
}
