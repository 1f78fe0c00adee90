package secret

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
)

// Move says which secrets go from one folder to another of the same project.
type Move struct {
	IDs       []string
	From, To  Place
	Overwrite bool // a secret of the same name there gets a new version, and that of the source is deleted
}

// Move moves shared secrets, with their versions and the personal ones in their place: all of them or none. Errors: those
// of project.Enter; NotFound for an unknown folder; BadRequest for an id that is no shared secret of the source, and for a
// name that the destination has, unless it is to be overwritten; PermissionDenied for an actor that may not read and delete
// at the source, or not create (and edit, to overwrite) at the destination.
func (s *Service) Move(ctx context.Context, actor *access.Actor, m Move) error {
	from, err := s.at(ctx, actor, m.From)
	if err != nil {
		return err
	}
	to, err := from.folderScope(m.To.Environment, m.To.Path)
	if err != nil {
		return err
	}
	if from.env.ID == to.env.ID && from.path == to.path {
		return fault.New(fault.BadRequest, "The secrets are in that folder already. Choose another destination.")
	}
	return s.commit(ctx, to, func(tx *feed.Tx) error {
		if err := from.moveAll(ctx, tx, to, m); err != nil {
			return err
		}
		return s.audit.Record(ctx, tx.Tx, actor, audit.Event{Type: audit.MoveSecrets, ProjectID: from.Project.ID, Metadata: map[string]any{
			"sourceEnvironment": from.env.Slug, "sourceSecretPath": from.path, "destinationEnvironment": to.env.Slug,
			"destinationSecretPath": to.path, "secretIds": m.IDs}})
	})
}

func (s *folderScope) moveAll(ctx context.Context, tx *feed.Tx, to *folderScope, m Move) error {
	source, err := s.folder(ctx, tx)
	if err != nil {
		return err
	}
	target, err := to.folder(ctx, tx)
	if err != nil {
		return err
	}
	for _, secretID := range m.IDs {
		if err := s.move(ctx, tx.Tx, to, source.ID, target.ID, secretID, m.Overwrite); err != nil {
			return err
		}
	}
	if err := s.touch(ctx, tx, source.ID, source.Path); err != nil {
		return err
	}
	return to.touch(ctx, tx, target.ID, target.Path)
}

func (s *folderScope) move(ctx context.Context, tx *sqldb.Tx, to *folderScope, sourceID, targetID, secretID string, overwrite bool) error {
	stored, err := s.one(ctx, tx, inForce+`WHERE s.id = $1 AND s.folder_id = $2 AND s.user_id IS NULL`, secretID, sourceID)
	if missing(err) {
		return fault.New(fault.BadRequest, "The source folder has no shared secret with the ID %q. Nothing was moved.", shortened(secretID))
	}
	if err != nil {
		return err
	}
	moved, err := s.describe(stored)
	if err != nil {
		return err
	}
	there := *moved
	there.Environment, there.Path = to.env.Slug, to.path
	if err := s.mayMove(moved, &there); err != nil {
		return err
	}
	if err := s.reveal(moved); err != nil {
		return err
	}
	if err := to.checkReferences(ctx, tx, moved.Value); err != nil {
		return err
	}
	if overwrite {
		done, err := to.overwrite(ctx, tx, moved)
		if err != nil || done {
			return err
		}
	}
	_, err = tx.Exec(ctx, `UPDATE secrets SET folder_id = $1 WHERE folder_id = $2 AND key = $3`, targetID, sourceID, moved.Key)
	if sqldb.IsUnique(err) {
		err = fault.New(fault.BadRequest, "The destination has a secret with the name %q already. Nothing was moved; send shouldOverwrite to replace it.", shortened(moved.Key))
	}
	return err
}

// mayMove decides whether the actor may have a secret be at another place: it goes away here, and is made there.
func (r *projectScope) mayMove(moved, there *Secret) error {
	err := r.check(access.Delete, moved)
	if err == nil {
		err = r.check(access.Create, there)
	}
	if err == nil {
		err = r.mayRelabel(moved, there, true)
	}
	return err
}

// overwrite makes what a secret says the next version of the one that the folder has of that name, and deletes it where it
// was; it returns false if the folder has none.
func (s *folderScope) overwrite(ctx context.Context, tx *sqldb.Tx, with *Secret) (bool, error) {
	next, err := s.taken(ctx, tx, access.Edit, with.Key, false)
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var ids []string
	for _, t := range with.Tags {
		ids = append(ids, t.ID)
	}
	c := Changes{Value: &with.Value, Comment: &with.Comment, Metadata: &with.Metadata, TagIDs: &ids, SkipMultiline: &with.SkipMultiline,
		ReminderNote: with.ReminderNote, ReminderDays: with.ReminderDays}
	if err := s.change(ctx, tx, next, c); err != nil {
		return false, err
	}
	return true, remove(ctx, tx, with)
}

type moveInput struct {
	Body struct {
		ProjectBody
		SourceEnvironment httpapi.Text   `json:"sourceEnvironment" minLength:"1" maxLength:"64"`
		SourcePath        httpapi.Text   `json:"sourceSecretPath,omitempty" maxLength:"2048" doc:"Default /"`
		TargetEnvironment httpapi.Text   `json:"destinationEnvironment" minLength:"1" maxLength:"64"`
		TargetPath        httpapi.Text   `json:"destinationSecretPath,omitempty" maxLength:"2048" doc:"Default /"`
		SecretIDs         []httpapi.Text `json:"secretIds" minItems:"1" maxItems:"1000"`
		Overwrite         bool           `json:"shouldOverwrite,omitempty" doc:"Replace secrets of the same name"`
	}
}

type moveOutput struct {
	Body struct {
		Source      bool `json:"isSourceUpdated"`
		Destination bool `json:"isDestinationUpdated"`
	}
}

func (s *Service) moveRoute(api *httpapi.API) {
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v4/secrets/move", ID: "move-secrets", Tag: tag,
		Summary: "Move secrets to another folder, all or none", Permission: httpapi.Permission{Action: access.Delete, Subject: access.SubjectSecrets}},
		func(ctx context.Context, actor *access.Actor, in *moveInput) (*moveOutput, error) {
			b := &in.Body
			m := Move{From: b.place(), To: b.place(), Overwrite: b.Overwrite}
			m.From.Environment, m.From.Path = b.SourceEnvironment.Trimmed(), string(b.SourcePath)
			m.To.Environment, m.To.Path = b.TargetEnvironment.Trimmed(), string(b.TargetPath)
			for _, secretID := range b.SecretIDs {
				m.IDs = append(m.IDs, secretID.Trimmed())
			}
			if err := s.Move(ctx, actor, m); err != nil {
				return nil, err
			}
			out := &moveOutput{}
			out.Body.Source, out.Body.Destination = true, true
			return out, nil
		})
}
