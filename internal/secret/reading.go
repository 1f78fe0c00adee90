package secret

import (
	"cmp"
	"maps"
	"slices"
)

// maxTold bounds how many places an event names, and how many targets of references; it counts what it does not name.
const maxTold = 1000

// reading is what the audit log says of one secret that was read: the secret, and those that it refers to.
type reading struct {
	told
	References []toldTarget `json:"references,omitempty"`
	More       int          `json:"referencesNotNamed,omitempty"`
}

// readings is what the audit log says of a list: the folder, the others that secrets came from (below it, or by imports), and
// the secrets whose values references were replaced by.
type readings struct {
	toldFolder
	AlsoFrom   []toldFolder `json:"alsoFrom,omitempty"`
	MorePlaces int          `json:"placesNotNamed,omitempty"`
	References []toldTarget `json:"references,omitempty"`
	More       int          `json:"referencesNotNamed,omitempty"`
}

// toldFolder is a folder that secrets were read from.
type toldFolder struct {
	Environment string `json:"environment"`
	Path        string `json:"secretPath"`
	Secrets     int    `json:"numberOfSecrets"`
}

// toldTarget is a secret whose value came along in that of another one.
type toldTarget struct {
	Environment string `json:"environment"`
	ID          string `json:"secretId"`
	Key         string `json:"secretKey"`
	Path        string `json:"secretPath"`
	Version     int64  `json:"secretVersion"`
}

// refer notes that the value of a secret takes the place of a reference.
func (r *projectScope) refer(to *Secret) {
	if r.referred == nil {
		r.referred = map[locatedName]*Secret{}
	}
	r.referred[to.name()] = to
}

// read returns what the audit log says of one secret that was read.
func (r *projectScope) read(s *Secret) any {
	if len(r.referred) == 0 {
		return s.event()
	}
	targets, more := r.targetsRead()
	return reading{s.event(), targets, more}
}

// readAll returns what the audit log says of a list.
func (s *folderScope) readAll(l *Listing) readings {
	all := readings{toldFolder: toldFolder{s.env.Slug, s.path, len(l.Secrets)}}
	for _, p := range beside(toldFolder{Environment: s.env.Slug, Path: s.path}, l) {
		if len(all.AlsoFrom) == maxTold {
			all.MorePlaces++
			continue
		}
		all.AlsoFrom = append(all.AlsoFrom, p)
	}
	all.References, all.More = s.targetsRead()
	return all
}

// beside counts the secrets of a list that are of other folders than the one that was asked for.
func beside(here toldFolder, l *Listing) []toldFolder {
	found := map[toldFolder]int{}
	count := func(secrets []*Secret) {
		for _, s := range secrets {
			if from := (toldFolder{Environment: s.Environment, Path: s.Path}); from != here {
				found[from]++
			}
		}
	}
	count(l.Secrets)
	for _, m := range l.Imports {
		count(m.Secrets)
	}
	places := slices.SortedFunc(maps.Keys(found), func(a, b toldFolder) int {
		return cmp.Or(cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Path, b.Path))
	})
	for i := range places {
		places[i].Secrets = found[places[i]]
	}
	return places
}

// targetsRead returns the secrets that references were replaced by, and how many more there are.
func (r *projectScope) targetsRead() (targets []toldTarget, more int) {
	for _, s := range r.referred {
		targets = append(targets, toldTarget{s.Environment, s.ID, s.Key, s.Path, s.Version})
	}
	slices.SortFunc(targets, func(a, b toldTarget) int {
		return cmp.Or(cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Key, b.Key))
	})
	named := min(len(targets), maxTold)
	return targets[:named], len(targets) - named
}
