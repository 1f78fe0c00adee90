package secret

import (
	"context"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
)

const (
	maxImportDepth = 10   // imports of what is imported (docs/reference/secrets.md section 2.3)
	maxSources     = 1000 // folders that one answer looks into
)

// link is an import of a folder as it is read: a way to the secrets of another one.
type link struct {
	FolderID      string  `db:"folder_id"` // of the folder that imports
	EnvironmentID string  `db:"environment_id"`
	Path          string  `db:"path"`
	SourceID      *string `db:"source_id"` // the folder there; nil if there is none
}

const linkColumns = `SELECT i.folder_id, i.environment_id, i.path, t.id AS source_id FROM secret_imports i
	LEFT JOIN folders t ON t.environment_id = i.environment_id AND t.path = i.path `

// links knows the imports of folders, as far as one answer needs them.
type links struct {
	*projectScope
	of      map[string][]link // by the folder that imports, in the order of positions
	reached map[locatedName]*reach
	loads   int // times that find asked the database
}

func (r *projectScope) links() *links {
	return &links{projectScope: r, of: map[string][]link{}, reached: map[locatedName]*reach{}}
}

// load reads the imports of folders, and those of what they import, some levels, each with one statement. Imports of a deleted
// environment count for nothing.
func (l *links) load(ctx context.Context, folderIDs []string, levels int) error {
	for range levels {
		folderIDs = slices.DeleteFunc(slices.Clone(folderIDs), func(id string) bool { return l.of[id] != nil })
		if len(folderIDs) == 0 {
			return nil
		}
		for _, id := range folderIDs {
			l.of[id] = []link{}
		}
		if len(l.of) > maxSources {
			return errManySources
		}
		var next []string
		for _, some := range chunks(folderIDs) {
			var found []link
			err := l.from.Select(ctx, &found, linkColumns+`WHERE i.folder_id IN `+marks(1, len(some))+` ORDER BY i.folder_id, i.position`, args(nil, some)...)
			if err != nil {
				return err
			}
			next = l.add(found, next)
		}
		folderIDs = next
	}
	return nil
}

// add keeps links whose source can be seen, and returns the sources with those that came before.
func (l *links) add(found []link, sources []string) []string {
	for _, link := range found {
		if _, live := l.slugOf(link.EnvironmentID); !live {
			continue
		}
		l.of[link.FolderID] = append(l.of[link.FolderID], link)
		if link.SourceID != nil && !slices.Contains(sources, *link.SourceID) {
			sources = append(sources, *link.SourceID)
		}
	}
	return sources
}

var errManySources = fault.New(fault.BadRequest, "The imports of this folder lead to too many other folders. Ask with includeImports=false.")

// sources returns the folders that a folder shows the secrets of, in the order in which they win: what the import with the
// highest position brings comes first. No folder comes twice.
func (l *links) sources(folderID string) []string {
	seen := map[string]bool{}
	var all []string
	for _, via := range slices.Backward(l.of[folderID]) {
		for _, id := range l.through(via) {
			if !seen[id] {
				seen[id] = true
				all = append(all, id)
			}
		}
	}
	return all
}

// through returns the folders that one import brings, in the order in which they win: each before what it imports itself. No
// folder comes twice, whatever circles there are. Lists and reads by name both go by it, so that they agree.
func (l *links) through(via link) []string {
	seen := map[string]bool{via.FolderID: true}
	var all []string
	var visit func(via link, level int)
	visit = func(via link, level int) {
		if via.SourceID == nil || seen[*via.SourceID] || level > maxImportDepth {
			return
		}
		seen[*via.SourceID] = true
		all = append(all, *via.SourceID)
		for _, next := range slices.Backward(l.of[*via.SourceID]) {
			visit(next, level+1)
		}
	}
	visit(via, 1)
	return all
}

// secrets reads the shared secrets of folders; with a name, only those of that name.
func (l *links) secrets(ctx context.Context, folderIDs []string, name string) (map[string][]*Secret, error) {
	byFolder := map[string][]*Secret{}
	if len(folderIDs) == 0 {
		return byFolder, nil
	}
	for _, some := range chunks(folderIDs) {
		query, first := inForce+`WHERE s.user_id IS NULL AND s.folder_id IN `+marks(1, len(some)), []any(nil)
		if name != "" {
			query, first = inForce+`WHERE s.user_id IS NULL AND s.key = $1 AND s.folder_id IN `+marks(2, len(some)), []any{name}
		}
		rows, err := l.several(ctx, query, args(first, some)...)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			s, err := l.describe(&rows[i])
			if err != nil {
				return nil, err
			}
			byFolder[s.FolderID] = append(byFolder[s.FolderID], s)
		}
	}
	return byFolder, nil
}

// reach is what one folder imports, as far as it was asked for.
type reach struct {
	sources []string
	asked   int                // how many names were looked for one by one
	whole   map[string]*Secret // by name, once all were read
}

// maxSingles is how many names are looked for one by one in what a folder imports, before all of it is read.
const maxSingles = 10

// find finds a secret by its name in what a folder imports; nil if there is none.
func (l *links) find(ctx context.Context, at *folderScope, name string) (*Secret, error) {
	r, err := l.reach(ctx, at)
	if err != nil || len(r.sources) == 0 {
		return nil, err
	}
	if r.whole != nil {
		return r.whole[name], nil
	}
	l.loads++
	asked := name
	if r.asked++; r.asked > maxSingles {
		asked = ""
	}
	byFolder, err := l.secrets(ctx, r.sources, asked)
	if err != nil {
		return nil, err
	}
	found := winners(r.sources, byFolder)
	if asked == "" {
		r.whole = found
	}
	return found[name], nil
}

// winners returns of each name the secret of the first source that has it.
func winners(sources []string, byFolder map[string][]*Secret) map[string]*Secret {
	found := map[string]*Secret{}
	for _, id := range sources {
		for _, s := range byFolder[id] {
			if found[s.Key] == nil {
				found[s.Key] = s
			}
		}
	}
	return found
}

// reach returns what a folder imports; nothing for one that is not there.
func (l *links) reach(ctx context.Context, at *folderScope) (*reach, error) {
	place := locatedName{environment: at.env.ID, path: at.path}
	if r := l.reached[place]; r != nil {
		return r, nil
	}
	l.loads++
	r := &reach{}
	folder, err := at.folder(ctx, l.from)
	if err == nil {
		err = l.load(ctx, []string{folder.ID}, maxImportDepth)
	}
	if err == nil {
		r.sources = l.sources(folder.ID)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	l.reached[place] = r
	return r, nil
}

// imported reads what a folder, or all folders below it too, import: one entry for each direct import. lost are the names that
// the list leaves out of its own secrets.
func (s *folderScope) imported(ctx context.Context, q Query, lost lostNames) ([]Imported, error) {
	direct, err := s.direct(ctx, q.Below)
	if err != nil || len(direct) == 0 {
		return nil, err
	}
	l := s.links()
	if err := l.load(ctx, l.add(direct, nil), maxImportDepth-1); err != nil {
		return nil, err
	}
	var entries []Imported
	var all []string
	for _, link := range direct {
		if slug, live := s.slugOf(link.EnvironmentID); live {
			entries = append(entries, Imported{Environment: slug, Path: link.Path, into: link.FolderID, sources: l.through(link)})
			all = append(all, entries[len(entries)-1].sources...)
		}
	}
	slices.Sort(all)
	byFolder, err := l.secrets(ctx, slices.Compact(all), "")
	for i := range slices.Backward(entries) { // the last import of a folder wins
		if err == nil {
			err = s.fill(&entries[i], byFolder, q, lost)
		}
	}
	return entries, err
}

// lostNames are names, by the id of a folder that lists them, whose secret in force is left out of the answer. No other secret
// of that name may be shown in its place.
type lostNames map[string]map[string]bool

func (l lostNames) add(folderID, name string) {
	if l[folderID] == nil {
		l[folderID] = map[string]bool{}
	}
	l[folderID][name] = true
}

const directOf = linkColumns + `JOIN folders f ON f.id = i.folder_id WHERE f.environment_id = $1 AND `

// direct reads the imports of a folder, or of all folders below it too.
func (s *folderScope) direct(ctx context.Context, below bool) ([]link, error) {
	if below {
		return s.directBelow(ctx)
	}
	read := func() (found []link, err error) {
		return found, s.from.Select(ctx, &found, directOf+`f.path = $2 ORDER BY i.position`, s.env.ID, s.path)
	}
	if s.cache == nil {
		return read()
	}
	return s.cache.imports(ctx, s, read)
}

func (s *folderScope) directBelow(ctx context.Context) (found []link, err error) {
	prefix := strings.TrimSuffix(s.path, "/") + "/"
	return found, s.from.Select(ctx, &found, directOf+`(f.path = $2 OR substr(f.path, 1, $3) = $4) ORDER BY f.path, i.position`,
		s.env.ID, s.path, len([]rune(prefix)), prefix)
}

// fill puts the secrets of an entry's folders into it: of each name the one that wins, if the actor may see it.
func (s *folderScope) fill(to *Imported, byFolder map[string][]*Secret, q Query, lost lostNames) error {
	if len(to.sources) > 0 {
		to.FolderID = to.sources[0]
	}
	for name, found := range winners(to.sources, byFolder) {
		if lost[to.into][name] {
			continue
		}
		shown, err := s.shows(found, q.Values)
		switch {
		case err != nil:
			return err
		case shown:
			to.Secrets = append(to.Secrets, found)
		default:
			lost.add(to.into, name)
		}
	}
	sortSecrets(to.Secrets)
	return s.revealAll(to.Secrets, q.Values)
}
