package secret

import (
	"context"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/text"
	"github.com/sallyport/sallyport/internal/feed"
)

// Changes is what a write sets; what is nil is left alone, or empty in a new secret.
type Changes struct {
	Name          string // of the secret that is written
	Personal      bool   // the actor's own, not the shared one
	NewName       *string
	Value         *string
	Comment       *string
	Metadata      *[]Metadata
	TagIDs        *[]string
	SkipMultiline *bool
	ReminderNote  *string
	ReminderDays  *int64
}

// Create makes a secret. Errors: those of project.Enter; Validation; NotFound for an unknown folder or tag;
// PermissionDenied, also for a value that refers to what the actor may not know of; BadRequest for a name that is taken, and for a personal secret of an actor that is no user, or
// without a shared one in whose place it would stand.
func (s *Service) Create(ctx context.Context, actor *access.Actor, p Place, c Changes) (*Secret, error) {
	at, err := s.at(ctx, actor, p)
	if err != nil {
		return nil, err
	}
	return s.write(ctx, at, audit.CreateSecret, func(tx *sqldb.Tx) (*Secret, error) {
		f, err := at.folder(ctx, tx)
		if err != nil {
			return nil, err
		}
		return at.create(ctx, tx, f.ID, c)
	})
}

// Update changes a secret, and makes a new version of it. Errors: those of project.Enter; Validation; NotFound for an
// unknown folder, secret or tag; PermissionDenied, asked with the tags and the name that the secret has and with those
// that it gets; BadRequest for a new name that is taken.
func (s *Service) Update(ctx context.Context, actor *access.Actor, p Place, c Changes) (*Secret, error) {
	at, err := s.at(ctx, actor, p)
	if err != nil {
		return nil, err
	}
	return s.write(ctx, at, audit.UpdateSecret, func(tx *sqldb.Tx) (*Secret, error) { return at.update(ctx, tx, c) })
}

// Delete removes a secret with all its versions; a shared one takes along the personal ones in its place. Errors: those
// of project.Enter; NotFound for an unknown folder or secret; PermissionDenied.
func (s *Service) Delete(ctx context.Context, actor *access.Actor, p Place, name string, personal bool) (*Secret, error) {
	at, err := s.at(ctx, actor, p)
	if err != nil {
		return nil, err
	}
	return s.write(ctx, at, audit.DeleteSecret, func(tx *sqldb.Tx) (*Secret, error) { return at.delete(ctx, tx, name, personal) })
}

// write runs the change of one secret with its audit event in one transaction.
func (s *Service) write(ctx context.Context, at *folderScope, event audit.Type, change func(*sqldb.Tx) (*Secret, error)) (*Secret, error) {
	var changed *Secret
	err := s.commit(ctx, at, func(tx *feed.Tx) (err error) {
		if changed, err = change(tx.Tx); err != nil {
			return err
		}
		if err := at.touch(ctx, tx, changed.FolderID, changed.Path); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx.Tx, at.Actor, audit.Event{Type: event, ProjectID: at.Project.ID, Metadata: changed.event()})
	})
	return changed, err
}

// conflict turns what the database says of a folder that went away meanwhile into what it means.
func (s *folderScope) conflict(err error) error {
	if sqldb.IsForeignKey(err) {
		return fault.New(fault.NotFound, "The folder %q of the environment %q was just deleted.", shortened(s.path), s.env.Slug)
	}
	return err
}

func (s *folderScope) create(ctx context.Context, tx *sqldb.Tx, folderID string, c Changes) (*Secret, error) {
	name, err := newName(c.Name, "secretName")
	if err != nil {
		return nil, err
	}
	fresh := &Secret{ID: id.New(), ProjectID: s.Project.ID, FolderID: folderID, Environment: s.env.Slug, Path: s.path, Key: name, Version: 1,
		CreatedAt: tx.Now().UnixMilli(), UpdatedAt: tx.Now().UnixMilli()}
	if c.Personal && s.owner() == "" {
		return nil, errOnlyUsers
	}
	if err := s.apply(fresh, c); err != nil {
		return nil, err
	}
	if err := s.Check(access.Create, access.SubjectSecrets, fresh.fields()); err != nil { // of a personal one, too: it is not there yet
		return nil, err
	}
	if err := s.own(ctx, tx, fresh, c.Personal); err != nil {
		return nil, err
	}
	if err := s.checkReferences(ctx, tx, fresh.Value); err != nil {
		return nil, err
	}
	stored, err := s.insert(ctx, tx, fresh)
	if err == nil && !stored {
		err = fault.New(fault.BadRequest, "The folder has a secret with the name %q already. Update it instead.", shortened(name))
	}
	return fresh, err
}

// own makes a new secret the actor's own, if it is to be personal.
func (s *folderScope) own(ctx context.Context, tx *sqldb.Tx, fresh *Secret, personal bool) error {
	if !personal {
		return nil
	}
	fresh.UserID = s.owner()
	var shared int64
	err := tx.Get(ctx, &shared, `SELECT count(*) FROM secrets WHERE folder_id = $1 AND key = $2 AND user_id IS NULL`, fresh.FolderID, fresh.Key)
	if err == nil && shared == 0 {
		err = fault.New(fault.BadRequest, "The folder has no shared secret %q for a personal one to override.", shortened(fresh.Key))
	}
	return err
}

// apply sets what the changes name. to is revealed, or new.
func (s *folderScope) apply(to *Secret, c Changes) error {
	if err := c.unmask(to); err != nil {
		return err
	}
	if c.Value != nil {
		to.Value = text.Value(*c.Value)
	}
	if c.Comment != nil {
		to.Comment = strings.TrimSpace(*c.Comment)
	}
	if c.SkipMultiline != nil {
		to.SkipMultiline = *c.SkipMultiline
	}
	if c.ReminderNote != nil {
		to.ReminderNote = c.ReminderNote
	}
	if c.ReminderDays != nil {
		to.ReminderDays = c.ReminderDays
	}
	if c.Metadata != nil {
		if err := s.checkMetadata(*c.Metadata); err != nil {
			return err
		}
		to.Metadata = *c.Metadata
	}
	if c.TagIDs == nil {
		return nil
	}
	tags, err := s.choose(*c.TagIDs)
	to.Tags = tags
	return err
}

// checkMetadata refuses a plain value where the project wants all of them encrypted.
func (r *projectScope) checkMetadata(pairs []Metadata) error {
	if r.Project.SealedMetadata == nil || !*r.Project.SealedMetadata {
		return nil
	}
	for _, m := range pairs {
		if !m.Encrypted {
			return fault.New(fault.BadRequest, "The project only takes encrypted metadata. Send isEncrypted: true for each pair.")
		}
	}
	return nil
}

func (s *folderScope) update(ctx context.Context, tx *sqldb.Tx, c Changes) (*Secret, error) {
	next, err := s.take(ctx, tx, access.Edit, c.Name, c.Personal)
	if err != nil {
		return nil, err
	}
	return next, s.change(ctx, tx, next, c)
}

// change makes the next version of a secret that was taken.
func (s *folderScope) change(ctx context.Context, tx *sqldb.Tx, next *Secret, c Changes) error {
	if err := s.reveal(next); err != nil {
		return err
	}
	before := *next
	next.Version++
	next.UpdatedAt = tx.Now().UnixMilli()
	if err := s.apply(next, c); err != nil {
		return err
	}
	if err := next.rename(c.NewName); err != nil {
		return err
	}
	if err := s.check(access.Edit, next); err != nil { // with its new tags and name
		return err
	}
	if err := s.mayRelabel(&before, next, c.carries(&before)); err != nil {
		return err
	}
	if err := rename(ctx, tx, next.FolderID, before.Key, next.Key); err != nil {
		return err
	}
	if c.Value != nil || c.NewName != nil {
		if err := s.checkReferences(ctx, tx, next.Value); err != nil {
			return err
		}
	}
	was := before.label()
	if err := s.replace(ctx, tx, next, &was); err != nil {
		return err
	}
	next.labels = []label{was, next.label()}
	return s.conceal(next)
}

// conceal leaves of the answer to a change what the actor may read by all labels of the secret.
func (r *projectScope) conceal(s *Secret) error {
	known := r.owns(s)
	var err error
	if !known {
		known, err = r.may(access.DescribeSecret, s)
	}
	seen := false
	if err == nil && known {
		seen, err = r.sees(s)
	}
	s.Undescribed, s.Hidden = !known, !seen
	return err
}

// take finds a secret that is to be changed, counts its version up, and checks that the actor may change it.
func (s *folderScope) take(ctx context.Context, tx *sqldb.Tx, action access.Action, name string, personal bool) (*Secret, error) {
	found, err := s.taken(ctx, tx, action, name, personal)
	if missing(err) {
		err = s.nothing(ctx, tx, action, strings.TrimSpace(name))
	}
	return found, err
}

// taken is take for those who have their own words for a secret that is not there: the error is ErrNoRows then.
func (s *folderScope) taken(ctx context.Context, tx *sqldb.Tx, action access.Action, name string, personal bool) (*Secret, error) {
	owner := ""
	if personal {
		if owner = s.owner(); owner == "" {
			return nil, errOnlyUsers
		}
	}
	stored, err := s.claim(ctx, tx, strings.TrimSpace(name), owner)
	if err != nil {
		return nil, err
	}
	found, err := s.describe(stored)
	if err != nil {
		return nil, err
	}
	return found, s.check(action, found)
}

// nothing says why there is no secret to change: who may not change such a secret does not learn that there is none.
func (s *folderScope) nothing(ctx context.Context, tx *sqldb.Tx, action access.Action, name string) error {
	if err := s.mayLack(action, name); err != nil {
		return err
	}
	if _, err := s.folder(ctx, tx); err != nil {
		return err
	}
	return unknown(name)
}

// mayLack returns nil if the actor may learn that there is no secret of a name, since it could change it.
func (s *folderScope) mayLack(action access.Action, name string) error {
	if _, err := ParseName(name); err != nil { // no secret has such a name
		return nil
	}
	return s.checkName(action, name)
}

// rename gives a secret the new name, if one was sent.
func (s *Secret) rename(sent *string) error {
	if sent == nil {
		return nil
	}
	name, err := newName(*sent, "newSecretName")
	if err == nil && name != s.Key && s.Personal() {
		err = fault.New(fault.BadRequest, "A personal secret has the name of the shared one that it overrides. Rename the shared one.")
	}
	if err == nil {
		s.Key = name
	}
	return err
}

func (s *folderScope) delete(ctx context.Context, tx *sqldb.Tx, name string, personal bool) (*Secret, error) {
	gone, err := s.take(ctx, tx, access.Delete, name, personal)
	if err != nil {
		return nil, err
	}
	if err := s.open(gone); err != nil {
		return nil, err
	}
	if err := s.conceal(gone); err != nil {
		return nil, err
	}
	return gone, remove(ctx, tx, gone)
}
