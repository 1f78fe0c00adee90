package access

import "slices"

// Lists ask about many things in few folders. What conditions on the environment and the path say is the same for all things of
// one folder, so it is worked out once: the rules that cannot match there drop out for the rest of the request.

const (
	fewRules    = 8 // so few are walked as they are
	keptFolders = 4 // whose rules a budget remembers; lists ask about two actions, changes about two places
)

// local is an entry for the things in one folder.
type local struct {
	of                *entry
	environment, path string
	entry             entry
	ready             bool // entry is worked out: from the second check on
}

// folders are those that a request asked about last.
type folders struct {
	kept [keptFolders]local
	next int
}

// isPlace reports whether all things in a folder have the attribute alike.
func (k key) isPlace() bool { return k == keyEnvironment || k == keySecretPath }

// local returns what decides about a thing: the entry itself, or what is left of it in the folder of the thing. Then conditions
// on the place are met.
func (b *Budget) local(e *entry, at *attributes) (_ *entry, placed bool) {
	environment, path := at[keyEnvironment], at[keySecretPath]
	if environment == nil || path == nil || b.single || len(e.rules)+len(e.broad) < fewRules {
		return e, false
	}
	if b.folders == nil {
		b.folders = &folders{}
	}
	l := b.folders.find(e, environment.text, path.text)
	if l == nil {
		b.folders.add(e, environment.text, path.text)
		return e, false
	}
	if !l.ready {
		l.entry.rules = b.narrow(l.entry.rules[:0], e.rules, at)
		l.entry.broad = b.narrow(l.entry.broad[:0], e.broad, at)
		l.ready = true
	}
	return &l.entry, true
}

func (f *folders) find(e *entry, environment, path string) *local {
	for i := range f.kept {
		if l := &f.kept[i]; l.of == e && l.path == path && l.environment == environment {
			return l
		}
	}
	return nil
}

// add remembers a folder in the place of the one that was added first.
func (f *folders) add(e *entry, environment, path string) {
	l := &f.kept[f.next]
	f.next = (f.next + 1) % len(f.kept)
	l.of, l.environment, l.path, l.ready = e, environment, path, false
}

// narrow appends the rules that may match in the folder to an empty list, in their order: the denials last. Of one that matches
// everything there and those that it makes needless, it appends that one.
func (b *Budget) narrow(to, rules []*compiled, at *attributes) []*compiled {
	allowed := false
	for _, r := range rules {
		if !b.spend(1) {
			break
		}
		if r.never || allowed && !r.inverted || !r.holdsAt(at, b) {
			continue
		}
		if r.isOnlyPlace() {
			if to = to[:0]; r.inverted {
				return append(to, r)
			}
			allowed = true // all before it allow, too
		}
		to = append(to, r)
	}
	return to
}

// holdsAt reports whether the conditions on the place are met.
func (r *compiled) holdsAt(at *attributes, b *Budget) bool {
	for i := range r.conditions {
		if c := &r.conditions[i]; c.key.isPlace() && !c.holds(at[c.key], b) {
			return false
		}
	}
	return true
}

// isOnlyPlace reports whether the rule has conditions on the place alone, or none.
func (r *compiled) isOnlyPlace() bool {
	return !slices.ContainsFunc(r.conditions, func(c condition) bool { return !c.key.isPlace() })
}
