package secret

import "context"

// maxPrefetch is how many statements load targets of a whole answer together.
const maxPrefetch = 500

// targets finds what references lead to, for one answer. It holds what is stored, and nothing that was expanded.
type targets struct {
	*projectScope
	links    *links
	owner    string                  // whose personal secrets stand in for shared ones; empty for nobody's
	found    map[locatedName]*Secret // in the folder itself; nil for one that is not there
	imported map[locatedName]*Secret // by way of what the folder imports; nil for one that is not there
	loads    int                     // statements so far
}

func (r *projectScope) targets(owner string) *targets {
	return &targets{projectScope: r, links: r.links(), owner: owner, found: map[locatedName]*Secret{}, imported: map[locatedName]*Secret{}}
}

// know takes what an answer has read anyway: shared secrets, where no personal ones stand in for them.
func (t *targets) know(secrets []*Secret) {
	for _, s := range secrets {
		if s.Personal() || t.owner != "" {
			continue
		}
		known := *s
		if known.Unexpanded = nil; t.open(&known) == nil {
			t.found[s.name()] = &known
		}
	}
}

// find finds the target of a reference; nil if there is none. A reference to a secret beside it also reaches what the
// folder imports.
func (t *targets) find(ctx context.Context, to locatedName, local bool) (*Secret, error) {
	if _, looked := t.found[to]; !looked {
		if err := t.load(ctx, []locatedName{to}, perAnswer.loads); err != nil {
			return nil, err
		}
		if _, looked := t.found[to]; !looked {
			return nil, errTooMuchAtOnce
		}
	}
	if s := t.found[to]; s != nil || !local {
		return s, nil
	}
	if s, looked := t.imported[to]; looked {
		return s, nil
	}
	return t.findImported(ctx, to)
}

func (t *targets) findImported(ctx context.Context, to locatedName) (*Secret, error) {
	at, err := t.folderScope(to.environment, to.path)
	if err != nil {
		return nil, nil // nothing is there
	}
	before := t.links.loads
	s, err := t.links.find(ctx, at, to.key)
	t.loads += t.links.loads - before
	if err == nil && s != nil {
		seen := *s
		s, err = &seen, t.open(&seen)
	}
	if err != nil {
		return nil, err
	}
	t.imported[to] = s
	return s, nil
}

// prefetch loads what secrets refer to, and what that refers to, in few statements. What it leaves out is loaded later, one
// by one.
func (t *targets) prefetch(ctx context.Context, secrets []*Secret) error {
	for range maxDepth {
		asked := map[locatedName]bool{}
		var wanted []locatedName
		for _, s := range secrets {
			wanted = t.wanted(s, asked, wanted)
		}
		if len(wanted) == 0 || t.loads >= maxPrefetch {
			return nil
		}
		if err := t.load(ctx, wanted, maxPrefetch); err != nil {
			return err
		}
		secrets = secrets[:0:0]
		for _, to := range wanted {
			if s := t.found[to]; s != nil && !s.Hidden {
				secrets = append(secrets, s)
			}
		}
	}
	return nil
}

// wanted adds the targets of a secret that nobody has looked for, unless they are more than are followed.
func (t *targets) wanted(s *Secret, asked map[locatedName]bool, to []locatedName) []locatedName {
	if countReferences(s.Value) > perSecret.steps {
		return to
	}
	folders := map[locatedName]bool{}
	text, before := s.Value, len(to)
	for {
		_, token, after, ok := nextReference(text)
		if !ok {
			return to
		}
		text = after
		name, _, ok := parseReference(token, s.Environment, s.Path)
		if !ok {
			continue
		}
		if folders[name.folder()] = true; len(folders) > maxFolders {
			return to[:before]
		}
		if _, looked := t.found[name]; !looked && !asked[name] {
			asked[name] = true
			to = append(to, name)
		}
	}
}

// load reads secrets by their names, those of one folder together, up to a number of statements in all.
func (t *targets) load(ctx context.Context, names []locatedName, most int) error {
	byFolder := map[locatedName][]string{}
	var order []locatedName
	for _, n := range names {
		folder := n.folder()
		if byFolder[folder] == nil {
			order = append(order, folder)
		}
		byFolder[folder] = append(byFolder[folder], n.key)
	}
	for _, folder := range order {
		if err := t.loadFolder(ctx, folder, byFolder[folder], most); err != nil {
			return err
		}
	}
	return nil
}

func (t *targets) loadFolder(ctx context.Context, folder locatedName, keys []string, most int) error {
	at, err := t.folderScope(folder.environment, folder.path)
	if err != nil { // no such environment: nothing is there
		t.absent(folder, keys)
		return nil
	}
	for _, some := range chunks(keys) {
		if t.loads >= most {
			return nil
		}
		t.loads++
		rows, err := at.these(ctx, some, t.owner)
		if err != nil {
			return err
		}
		t.absent(folder, some)
		if err := t.keep(rows); err != nil {
			return err
		}
	}
	return nil
}

// absent notes down secrets that were looked for, until keep has them.
func (t *targets) absent(folder locatedName, keys []string) {
	for _, key := range keys {
		name := folder
		name.key = key
		t.found[name] = nil
	}
}

// keep takes rows as what was found, a personal secret before the shared one that it stands in for.
func (t *targets) keep(rows []row) error {
	for i := range rows {
		s, err := t.describe(&rows[i])
		if err == nil {
			err = t.open(s)
		}
		if err != nil {
			return err
		}
		if old := t.found[s.name()]; old == nil || s.Personal() {
			t.found[s.name()] = s
		}
	}
	return nil
}
