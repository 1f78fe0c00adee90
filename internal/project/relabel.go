package project

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// Subtree is a folder of an environment with all that is in it; the path "/" means all of the environment.
type Subtree struct{ EnvironmentID, Environment, Path string }

// Holdings asks about what lies in folders, which this package does not know. A nil function means that nothing does.
type Holdings struct {
	// MayDelete returns nil if the actor may delete all that is in a subtree, the folders below it included.
	MayDelete func(ctx context.Context, tx *sqldb.Tx, a *Access, t Subtree) error
	// MayRename returns nil if the actor may have rules see all that is in a subtree at another environment or path.
	MayRename func(ctx context.Context, tx *sqldb.Tx, a *Access, from, to Subtree) error
	// MayRetag returns nil if the actor may have rules see another slug of a tag, or none, on all that bears it.
	MayRetag func(ctx context.Context, tx *sqldb.Tx, a *Access, tagID, slug string) error
}

// MayRelabel returns nil if the actor's own rights to change a thing do not grow when rules see other fields of it, and if it
// could have put the thing where rules see it then; otherwise the error is a PermissionDenied. What the actor must be allowed to
// read of the thing is for the caller to ask.
func (a *Access) MayRelabel(subject access.Subject, before, after access.Fields) error {
	gains := []access.Action{access.Edit, access.Delete}
	if subject != access.SubjectSecrets { // there, reading has two actions of its own
		gains = append(gains, access.Read)
	}
	for _, action := range gains {
		if err := a.checkIf(action, subject, after, before); err != nil {
			return err
		}
	}
	for _, action := range []access.Action{access.Create, access.Edit} {
		if err := a.checkIf(action, subject, before, after); err != nil {
			return err
		}
	}
	return nil
}

// checkIf is Check of then, where the action is allowed with given.
func (a *Access) checkIf(action access.Action, subject access.Subject, given, then access.Fields) error {
	allowed, err := a.Allows(action, subject, given)
	if err == nil && allowed {
		err = a.Check(action, subject, then)
	}
	return err
}

// Settled reports whether the actor may do all of some actions to each thing of a subject, whatever it is.
func (a *Access) Settled(subject access.Subject, actions ...access.Action) bool {
	for _, action := range actions {
		for _, r := range a.inside.Ability.RulesFor(action, subject) {
			if len(r.Conditions) > 0 {
				return false
			}
		}
		if !a.inside.Ability.AllowsSome(action, subject) {
			return false
		}
	}
	return true
}

// mayDelete asks MayDelete, if there is anything to ask.
func (h *Holdings) mayDelete(ctx context.Context, tx *sqldb.Tx, a *Access, t Subtree) error {
	if h.MayDelete == nil {
		return nil
	}
	return h.MayDelete(ctx, tx, a, t)
}

func (h *Holdings) mayRename(ctx context.Context, tx *sqldb.Tx, a *Access, from, to Subtree) error {
	if h.MayRename == nil || from == to {
		return nil
	}
	return h.MayRename(ctx, tx, a, from, to)
}

func (h *Holdings) mayRetag(ctx context.Context, tx *sqldb.Tx, a *Access, tagID, slug string) error {
	if h.MayRetag == nil {
		return nil
	}
	return h.MayRetag(ctx, tx, a, tagID, slug)
}
