package secret

import (
	"context"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// checkReferences refuses a text for a secret of the folder that refers to what the actor may not know of
// (docs/reference/secrets.md section 1.7): otherwise the writer of one secret chooses which other ones its readers put
// into it. It does not matter whether the target exists: nobody learns that here, and nobody writes a reference today
// for what is created tomorrow.
func (s *folderScope) checkReferences(ctx context.Context, tx *sqldb.Tx, text string) error {
	beside, elsewhere := s.refersTo(text)
	if len(beside) == 0 && len(elsewhere) == 0 {
		return nil
	}
	at := s.within(tx)
	if err := at.checkTargets(ctx, at.env.Slug, at.path, beside); err != nil {
		return err
	}
	for folder, keys := range elsewhere {
		if err := at.checkTargets(ctx, folder.environment, folder.path, keys); err != nil {
			return err
		}
	}
	return at.checkImported(ctx, beside)
}

// within returns the folder as a transaction sees it.
func (s *folderScope) within(tx *sqldb.Tx) *folderScope {
	inside := *s.projectScope
	inside.from, inside.cache = tx, nil
	return &folderScope{projectScope: &inside, env: s.env, path: s.path}
}

// refersTo returns the names that a text refers to, once each: of secrets beside it, and of those of other folders. None of
// a text with so many references that nobody can expand it, nor of those that cannot lead anywhere.
func (s *folderScope) refersTo(text string) (beside []string, elsewhere map[locatedName][]string) {
	if countReferences(text) > perSecret.steps {
		return nil, nil
	}
	elsewhere = map[locatedName][]string{}
	seen := map[locatedName]bool{}
	for {
		_, token, after, ok := nextReference(text)
		if !ok {
			break
		}
		text = after
		to, local, ok := parseReference(token, s.env.Slug, s.path)
		if _, err := ParseName(to.key); !ok || err != nil || seen[to] {
			continue
		}
		seen[to] = true
		if local {
			beside = append(beside, to.key)
		} else {
			elsewhere[to.folder()] = append(elsewhere[to.folder()], to.key)
		}
	}
	if len(elsewhere) > maxFolders {
		return nil, nil
	}
	return beside, elsewhere
}

// checkTargets checks that the actor may know of secrets of a folder. One that is not there has no tags.
func (s *folderScope) checkTargets(ctx context.Context, environment, path string, keys []string) error {
	there := map[string]*Secret{}
	if at, err := s.folderScope(environment, path); err == nil {
		for _, some := range chunks(keys) {
			rows, err := at.labels(ctx, `f.environment_id = $1 AND f.path = $2 AND s.key IN `+marks(3, len(some)), args([]any{at.env.ID, at.path}, some)...)
			if err != nil {
				return err
			}
			for _, target := range rows {
				there[target.Key] = target
			}
		}
	}
	for _, key := range keys {
		target := there[key]
		if target == nil {
			target = &Secret{Environment: environment, Path: path, Key: key}
		}
		if err := s.mayName(target); err != nil {
			return err
		}
	}
	return nil
}

// checkImported checks that the actor may know of the secrets with these names in what the folder imports, also where
// another one is found first: that one may go.
func (s *folderScope) checkImported(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	r, err := s.links().reach(ctx, s)
	if err != nil || len(r.sources) == 0 {
		return err
	}
	for _, folders := range chunks(r.sources) {
		for _, some := range chunks(keys) {
			err := s.checkLabels(ctx, `s.folder_id IN `+marks(1, len(folders))+` AND s.key IN `+marks(1+len(folders), len(some)), args(args(nil, folders), some)...)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// checkFolders checks that the actor may know of all secrets of folders.
func (s *folderScope) checkFolders(ctx context.Context, folderIDs []string) error {
	for _, some := range chunks(folderIDs) {
		if err := s.checkLabels(ctx, `s.folder_id IN `+marks(1, len(some)), args(nil, some)...); err != nil {
			return err
		}
	}
	return nil
}

func (s *folderScope) checkLabels(ctx context.Context, where string, args ...any) error {
	found, err := s.labels(ctx, where, args...)
	for _, target := range found {
		if err == nil {
			err = s.mayName(target)
		}
	}
	return err
}

// labels reads of shared secrets what rules look at, and nothing else.
func (r *projectScope) labels(ctx context.Context, where string, args ...any) ([]*Secret, error) {
	var rows []row
	err := r.from.Select(ctx, &rows, `SELECT f.environment_id, f.path, s.key, s.tags FROM folders f JOIN secrets s ON s.folder_id = f.id
		WHERE s.user_id IS NULL AND `+where, args...)
	found := make([]*Secret, len(rows))
	for i := range rows {
		slug, _ := r.slugOf(rows[i].EnvironmentID)
		found[i] = &Secret{Environment: slug, Path: rows[i].Path, Key: rows[i].Key, Tags: r.known(rows[i].Tags)}
	}
	return found, err
}

// mayName checks that the actor may know of a secret that it wants others to read.
func (r *projectScope) mayName(target *Secret) error {
	err := r.Check(access.DescribeSecret, access.SubjectSecrets, target.fields())
	if !fault.Is(err, fault.PermissionDenied) {
		return err
	}
	refused := *fault.From(err)
	refused.Message = fault.New(refused.Kind, "This leads to the secret %q at %q in the environment %q, which your roles do not let you see. Leave it out, or ask for a role that allows describeSecret on it.",
		shortened(target.Key), shortened(target.Path), shortened(target.Environment)).Message
	return &refused
}
