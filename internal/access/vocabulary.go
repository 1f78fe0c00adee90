package access

import "slices"

// vocabulary is what rules of one scope may say: which subjects, with which actions and conditions.
type vocabulary struct {
	words     []words // in the order in which they are shown
	bySubject map[Subject]*words
	open      func(Subject) bool // further subjects, which rules may name without effect; nil for none
}

// words are the actions and conditions of one subject.
type words struct {
	subject Subject
	actions []Action
	keys    map[key]operator    // the attributes that conditions may name, with the operators for each
	means   map[Action][]Action // an action that only stands for others
	widens  map[Action][]Action // broader actions that a denial of one denies too (docs/reference/people.md section 8)
}

// newVocabulary indexes a table.
func newVocabulary(table []words) *vocabulary {
	v := &vocabulary{words: table, bySubject: make(map[Subject]*words, len(table))}
	for i := range table {
		v.bySubject[table[i].subject] = &table[i]
	}
	return v
}

// everything returns the rules that allow every action on every subject.
func (v *vocabulary) everything() []Rule {
	rules := make([]Rule, len(v.words))
	for i, w := range v.words {
		standsForOthers := func(a Action) bool { return w.means[a] != nil }
		rules[i] = allow(w.subject, slices.DeleteFunc(slices.Clone(w.actions), standsForOthers)...)
	}
	return rules
}

// allow makes a rule without conditions.
func allow(subject Subject, actions ...Action) Rule { return Rule{Subject: subject, Actions: actions} }

// crud returns the four plain actions.
func crud() []Action { return []Action{Read, Create, Edit, Delete} }
