package secret

import (
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/project"
)

// label is all that conditions of rules see of a secret (docs/reference/secrets.md section 4.2).
type label struct {
	environment, path, name string
	tags                    []string // slugs
}

func (l *label) fields() access.Fields {
	return access.Fields{access.Environment(l.environment), access.SecretPath(l.path), access.SecretName(l.name), access.SecretTags(l.tags)}
}

func (l *label) equal(o *label) bool {
	return l.environment == o.environment && l.path == o.path && l.name == o.name && slices.Equal(l.tags, o.tags)
}

// label returns what rules see of a secret as it is now.
func (s *Secret) label() label { return label{s.Environment, s.Path, s.Key, slugs(s.Tags)} }

func (s *Secret) fields() access.Fields {
	l := s.label()
	return l.fields()
}

// checkLabels asks for an action with each label of a secret.
func (r *projectScope) checkLabels(action access.Action, s *Secret) error {
	for i := range s.labels {
		if err := r.Check(action, access.SubjectSecrets, s.labels[i].fields()); err != nil {
			return err
		}
	}
	return nil
}

// past returns the labels of a secret that an older version of it is shown of: the one that the secret has now, so that a rule
// holds for all that it ever said, and the one that it had when it said that, so that a move or a rename opens no history.
func (r *projectScope) past(s *Secret, stored *row) []label {
	now, then := s.label(), s.label()
	now.tags = slugs(r.known(stored.current.Tags))
	if stored.SaidKey != nil && stored.SaidPath != nil && stored.SaidEnvironment != nil {
		then.environment, then.path, then.name = *stored.SaidEnvironment, *stored.SaidPath, *stored.SaidKey
	}
	if stored.SaidTags != nil {
		then.tags = strings.Fields(*stored.SaidTags)
	}
	return []label{now, then}
}

// mayRelabel decides whether the actor may change what rules see of a secret. Nobody opens to others what they may not read
// themselves: carried says that the secret goes on to say something that is sealed. And nobody frees themselves from a rule.
func (r *projectScope) mayRelabel(before, after *Secret, carried bool) error {
	from, to := before.label(), after.label()
	if r.owns(before) || from.equal(&to) {
		return nil
	}
	return mayRelabel(r.Access, &from, &to, carried)
}

func mayRelabel(a *project.Access, from, to *label, carried bool) error {
	err := a.Check(access.DescribeSecret, access.SubjectSecrets, from.fields())
	if err == nil && carried {
		err = a.Check(access.ReadValue, access.SubjectSecrets, from.fields())
	}
	if err == nil {
		err = a.MayRelabel(access.SubjectSecrets, from.fields(), to.fields())
	}
	return err
}
