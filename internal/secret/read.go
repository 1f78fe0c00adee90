package secret

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
)

// Find says which version of a secret to read, and how.
type Find struct {
	Name     string
	Version  int64 // 0 for the one in force
	Personal bool  // the actor's own, not the shared one
	View
	Reuse bool // the answer may be one that was kept: see Reuse
}

// View says how to show what was found.
type View struct {
	Values  bool // nobody who does not ask sees a value
	Expand  bool // put in the place of references what they refer to
	Imports bool // look into what the folder imports, too
}

// Get reads one secret. Errors: those of project.Enter; NotFound for an unknown folder, secret or version;
// PermissionDenied for an actor that may not know of a secret of that name; Forbidden for one that may not read its value,
// or that of one it refers to; BadRequest for references that lead to too much.
func (s *Service) Get(ctx context.Context, actor *access.Actor, p Place, f Find) (*Secret, error) {
	at, err := s.at(ctx, actor, p)
	if err != nil {
		return nil, err
	}
	kept, err := at.reusable(ctx, f.Name, f.View, f.Reuse && f.Version == 0 && !f.Personal)
	if err != nil {
		return nil, err
	}
	if kept.Found() {
		return &Secret{reuse: kept}, s.note(ctx, actor, audit.GetSecret, at.Project.ID, kept.found.told)
	}
	owner, err := at.asked(f)
	if err != nil {
		return nil, err
	}
	stored, err := at.find(ctx, f.Name, owner, f.Version)
	var found *Secret
	if missing(err) {
		found, err = at.elsewhere(ctx, f)
	} else if err == nil {
		found, err = at.described(stored)
	}
	if err != nil {
		return nil, err
	}
	err = found.show(at.projectScope, f.Values, f.Name)
	simple := err == nil && found.sealed.EnvironmentID == at.env.ID && found.Path == at.path && plain([]*Secret{found})
	if err == nil && f.Expand {
		err = at.expander("").only(ctx, found)
	}
	if err != nil {
		return nil, err
	}
	told := at.read(found)
	if kept != nil && simple {
		kept.told, found.reuse = told, kept
	}
	return found, s.note(ctx, actor, audit.GetSecret, at.Project.ID, told)
}

// reusable returns where the answer to a question is kept; nil for one that is not kept.
func (s *folderScope) reusable(ctx context.Context, name string, v View, wanted bool) (*Reuse, error) {
	if !wanted || s.cache == nil || s.Actor.Type != access.ActorIdentity {
		return nil, nil
	}
	on, err := s.cache.state(ctx, s)
	if err != nil {
		return nil, err
	}
	return s.reuse(on, name, v), nil
}

// GetByID reads one secret by its id, with its value as it is stored. Errors: NotFound for an id that is unknown or of
// another organization; Forbidden for one of a project that the actor is no member of, and for a personal one of another
// user; PermissionDenied.
func (s *Service) GetByID(ctx context.Context, actor *access.Actor, secretID string) (*Secret, error) {
	if !id.Valid(secretID) {
		return nil, unknownID(secretID)
	}
	stored, projectID, err := s.byID(ctx, secretID)
	if missing(err) {
		err = unknownID(secretID)
	}
	if err != nil {
		return nil, err
	}
	r, err := s.enter(ctx, actor, projectID, "")
	if fault.Is(err, fault.NotFound) {
		err = unknownID(secretID)
	}
	if err != nil {
		return nil, err
	}
	if err := r.learn(ctx, r.from, stored.KeyID); err != nil {
		return nil, err
	}
	found, err := r.describe(stored)
	if err == nil {
		err = r.checkReader(found)
	}
	if err != nil {
		return nil, err
	}
	return found, s.note(ctx, actor, audit.GetSecret, projectID, found.event())
}

// checkReader reveals a secret to an actor that may read its value, and says why another one may not.
func (r *projectScope) checkReader(s *Secret) error {
	if s.Personal() && s.UserID != r.owner() {
		return fault.New(fault.Forbidden, "This is a personal secret of another user. Only they can read it.")
	}
	for _, action := range []access.Action{access.DescribeSecret, access.ReadValue} { // as by its name
		if err := r.check(action, s); err != nil {
			return err
		}
	}
	return r.reveal(s)
}

func unknownID(secretID string) error {
	return fault.New(fault.NotFound, "There is no secret with the ID %q in your organization.", shortened(secretID))
}

// asked returns the user whose personal secret is to be read; empty for a shared one.
func (s *folderScope) asked(f Find) (owner string, err error) {
	if _, err := ParseName(f.Name); err != nil { // no secret has such a name
		return "", unknown(f.Name)
	}
	if !f.Personal {
		return "", nil
	}
	if owner = s.owner(); owner == "" {
		return "", errOnlyUsers
	}
	return owner, nil
}

// described returns the secret of a row, without what is sealed, to an actor who may know of it.
func (s *folderScope) described(stored *row) (*Secret, error) {
	found, err := s.describe(stored)
	if err != nil {
		return nil, err
	}
	return found, s.check(access.DescribeSecret, found)
}

// elsewhere finds a secret that the folder does not have itself in what it imports, where the rules for its own folder decide, or
// says that there is none. Who may not know of such a secret does not learn that.
func (s *folderScope) elsewhere(ctx context.Context, f Find) (*Secret, error) {
	if f.Imports && !f.Personal && f.Version == 0 {
		found, err := s.links().find(ctx, s, f.Name)
		if err == nil && found != nil {
			err = s.check(access.DescribeSecret, found)
		}
		if found != nil || err != nil {
			return found, err
		}
	}
	if err := s.checkName(access.DescribeSecret, f.Name); err != nil {
		return nil, err
	}
	if _, err := s.folder(ctx, s.from); err != nil {
		return nil, err
	}
	return nil, unknown(f.Name)
}

// describe returns the secret of a row, without what is sealed.
func (r *projectScope) describe(stored *row) (*Secret, error) {
	slug, _ := r.slugOf(stored.EnvironmentID)
	s := &Secret{ID: stored.ID, ProjectID: r.Project.ID, FolderID: stored.FolderID, Environment: slug, Path: stored.Path, Key: stored.Key,
		UserID: stored.UserID, Version: stored.Version, Tags: r.known(stored.Tags), SkipMultiline: stored.SkipMultiline,
		ReminderNote: stored.ReminderNote, ReminderDays: stored.ReminderDays, CreatedAt: stored.CreatedAt, UpdatedAt: stored.UpdatedAt,
		Hidden: true, sealed: stored}
	var err error
	if stored.current != nil {
		s.labels = r.past(s, stored)
	}
	if s.Metadata, err = readMetadata(stored.Metadata); err == nil {
		s.Comment, err = r.box(s.ID, s.Version).openComment(stored.Comment)
	}
	return s, err
}

// reveal opens what is sealed of a secret. The caller has seen to it that the actor may read it.
func (r *projectScope) reveal(s *Secret) error {
	if !s.Hidden {
		return nil
	}
	var err error
	b := r.box(s.ID, s.Version)
	if s.Value, err = b.open("value", s.sealed.Value); err == nil {
		err = b.openMetadata(s.sealed.Metadata, s.Metadata)
	}
	s.Hidden = false
	return err
}

func (r *projectScope) box(secretID string, version int64) box {
	return box{r.key, r.Project.ID, secretID, version}
}

// sees reports whether the actor may read the value of a secret. With an error nothing was decided.
func (r *projectScope) sees(s *Secret) (bool, error) {
	if r.owns(s) {
		return true, nil
	}
	return r.may(access.ReadValue, s)
}

// show reveals a secret to an actor who asked for its value; Forbidden if it may not be read. Who does not ask sees only
// its own personal secrets.
func (s *Secret) show(r *projectScope, values bool, name string) error {
	if !values && !s.Personal() {
		return nil
	}
	seen, err := r.sees(s)
	if err != nil {
		return err
	}
	if !seen {
		return fault.New(fault.Forbidden, "Your roles let you see the secret %q, but not read its value. Ask for it without the value (viewSecretValue=false), or for a role that allows readValue.",
			shortened(name)).Named("ForbiddenReadSecretError")
	}
	return r.reveal(s)
}

func unknown(name string) error {
	return fault.New(fault.NotFound, "There is no secret with the name %q in this folder.", shortened(name))
}

var errOnlyUsers = fault.New(fault.BadRequest, "Only users have personal secrets. Leave type out, or send shared.")

// Query says which secrets of a folder to list.
type Query struct {
	View
	Below     bool // those of the folders in it, too, 20 levels deep
	Overrides bool // the actor's personal secrets in place of the shared ones
	Both      bool // the actor's personal secrets beside the shared ones
	TagSlugs  []string
	Filter    Filter
	Reuse     bool // the answer may be one that was kept: see Reuse
}

// all reports whether the query asks for all of a folder, and nothing else.
func (q *Query) all() bool { return !q.Below && len(q.TagSlugs) == 0 && len(q.Filter) == 0 }

// maxLevels is how many levels of folders a list goes down (docs/reference/secrets.md section 1.4).
const maxLevels = 20

// Listing is what a list found: the secrets by folder and name, and what the folder imports.
type Listing struct {
	Secrets []*Secret
	Imports []Imported

	reuse *Reuse
}

// Imported are the secrets that one import of a folder brings, those that come through its own imports included.
type Imported struct {
	FolderID    string // empty where nothing lies at the path
	Environment string
	Path        string
	Secrets     []*Secret

	into    string   // the folder that imports
	sources []string // the folders whose secrets these are
}

// List reads the secrets of a folder. Those that the actor may not know of are left out; values that it may not read are
// hidden, or the secrets left out where they lie further down. A secret whose references cannot be expanded is shown as it
// is stored, with the reason. Errors: those of project.Enter; NotFound for an unknown folder; PermissionDenied for an actor
// that may know of no secret at all.
func (s *Service) List(ctx context.Context, actor *access.Actor, p Place, q Query) (*Listing, error) {
	at, err := s.at(ctx, actor, p)
	if err == nil {
		err = at.Check(access.DescribeSecret, access.SubjectSecrets, nil)
	}
	if err != nil {
		return nil, err
	}
	kept, err := at.reusable(ctx, "", q.View, q.Reuse && q.all())
	if err != nil {
		return nil, err
	}
	if kept.Found() {
		return &Listing{reuse: kept}, s.note(ctx, actor, audit.GetSecrets, at.Project.ID, kept.found.told)
	}
	l, lost := &Listing{}, lostNames{}
	if l.Secrets, err = at.list(ctx, q, lost); err == nil && q.Imports {
		l.Imports, err = at.imported(ctx, q, lost)
	}
	simple := err == nil && len(l.Imports) == 0 && plain(l.Secrets)
	if err == nil && q.Expand {
		err = at.expandAll(ctx, l, q)
	}
	if err != nil {
		return nil, err
	}
	told := at.readAll(l)
	if kept != nil && simple {
		kept.told, l.reuse = told, kept
	}
	return l, s.note(ctx, actor, audit.GetSecrets, at.Project.ID, told)
}

// expandAll expands the references in all that was found.
func (s *folderScope) expandAll(ctx context.Context, l *Listing, q Query) error {
	owner := ""
	if q.Overrides {
		owner = s.owner()
	}
	all := slices.Clone(l.Secrets)
	for _, m := range l.Imports {
		all = append(all, m.Secrets...)
	}
	return s.expander(owner).all(ctx, all)
}

// list first chooses which secrets are in force, then leaves out what the query and the rules say, then reveals values. It adds
// the names that it leaves out to lost.
func (s *folderScope) list(ctx context.Context, q Query, lost lostNames) ([]*Secret, error) {
	rows, err := s.all(ctx, s.ownerFor(q), q.Below)
	if err == nil && len(rows) == 0 {
		_, err = s.folder(ctx, s.from)
	}
	if err != nil {
		return nil, noPath(err)
	}
	secrets := make([]*Secret, 0, len(rows))
	for i := range rows {
		if depth(rows[i].Path)-depth(s.path) > maxLevels {
			continue
		}
		found, err := s.describe(&rows[i])
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, found)
	}
	sortSecrets(secrets)
	secrets = filter(secrets, q)
	if q.Overrides {
		secrets = override(secrets)
	}
	if secrets, err = s.listed(secrets, q, lost); err != nil {
		return nil, err
	}
	return secrets, s.revealAll(secrets, q.Values)
}

// listed keeps the secrets that the list may show, and adds the names of the others to lost.
func (s *folderScope) listed(secrets []*Secret, q Query, lost lostNames) ([]*Secret, error) {
	kept := secrets[:0]
	for _, found := range secrets {
		shown, err := s.lists(found, q)
		if err != nil {
			return nil, err
		}
		if shown {
			kept = append(kept, found)
		} else {
			lost.add(found.FolderID, found.Key)
		}
	}
	return kept, nil
}

// sortSecrets sorts by folder and name, a shared secret before the personal ones in its place.
func sortSecrets(secrets []*Secret) {
	slices.SortFunc(secrets, func(a, b *Secret) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Key, b.Key), cmp.Compare(a.UserID, b.UserID))
	})
}

// depth is how many folders a path names.
func depth(path string) int { return strings.Count(strings.TrimSuffix(path, "/"), "/") }

// ownerFor is the user whose personal secrets a list shows.
func (s *folderScope) ownerFor(q Query) string {
	if q.Overrides || q.Both {
		return s.owner()
	}
	return ""
}

// filter leaves out the secrets that tags and metadata rule out. A personal one goes with the shared one right before it,
// in whose place it stands.
func filter(sorted []*Secret, q Query) []*Secret {
	var kept []*Secret
	var shared *Secret
	chosen := false
	for _, s := range sorted {
		if shared == nil || !s.Personal() || s.Path != shared.Path || s.Key != shared.Key {
			shared, chosen = s, tagged(s, q.TagSlugs) && q.Filter.chooses(s)
		}
		if chosen {
			kept = append(kept, s)
		}
	}
	return kept
}

// lists reports whether a list may show a secret.
func (s *folderScope) lists(found *Secret, q Query) (bool, error) {
	if found.Personal() {
		return true, nil
	}
	return s.shows(found, q.Values && found.Path != s.path)
}

// shows reports whether the actor may know of a secret, and where values are wanted, read it.
func (r *projectScope) shows(found *Secret, values bool) (bool, error) {
	known, err := r.may(access.DescribeSecret, found)
	if err != nil || !known || !values {
		return known, err
	}
	return r.sees(found)
}

func (r *projectScope) revealAll(secrets []*Secret, values bool) error {
	for _, s := range secrets {
		if !s.Personal() && !values {
			continue
		}
		if err := r.open(s); err != nil {
			return err
		}
	}
	return nil
}

// open reveals a secret if the actor may read it. A personal one that was found is the actor's own.
func (r *projectScope) open(s *Secret) error {
	seen, err := r.sees(s)
	if err != nil || !seen {
		return err
	}
	return r.reveal(s)
}

// override leaves out the shared secrets that have a personal one right behind them.
func override(secrets []*Secret) []*Secret {
	kept := secrets[:0]
	for i, s := range secrets {
		if next := i + 1; next < len(secrets) && secrets[next].Path == s.Path && secrets[next].Key == s.Key {
			continue
		}
		kept = append(kept, s)
	}
	return kept
}

// noPath gives the error of an unknown folder the name that lists have for it.
func noPath(err error) error {
	if f := fault.From(err); f.Kind == fault.NotFound {
		return f.Named("SecretPathNotFound")
	}
	return err
}

// note records a read. It is durable within audit.NoteEvery.
func (s *Service) note(ctx context.Context, actor *access.Actor, event audit.Type, projectID string, metadata any) error {
	return s.audit.Note(ctx, actor, audit.Event{Type: event, ProjectID: projectID, Metadata: metadata})
}
