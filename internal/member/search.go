package member

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// Search chooses the identities of a scope. No group at all chooses every one; otherwise one group must match whole.
type Search struct {
	AnyOf         [][]Match
	OrderBy       string // "name", the default, or in an organization "role"
	Descending    bool
	Offset, Limit int64
	OwnedBy       string // a project: only the identities that it owns; empty for all
}

// Match is one condition on a name or a role.
type Match struct {
	Field  string // "name" or "role"
	Op     string // "$eq", "$contains" or "$in"
	Values []string
}

// maxConditions bounds a search, so that nobody makes the database work on a huge condition.
const maxConditions = 100

func (q Search) order() string {
	by := cmp.Or(q.OrderBy, "name")
	if q.Descending {
		return by + " desc"
	}
	return by + " asc"
}

// Named chooses members by a part of their name, and by roles of which they have one, as slugs with commas between; empty
// texts choose all.
func Named(name, roles httpapi.Text) [][]Match {
	var all []Match
	if name := name.Trimmed(); name != "" {
		all = append(all, Match{"name", "$contains", []string{name}})
	}
	if slugs := Slugs(string(roles)); len(slugs) > 0 {
		all = append(all, Match{"role", "$in", slugs})
	}
	return [][]Match{all}
}

// parseSearch reads the `search` object of the wire (docs/reference/identity.md section 4.1): conditions on name and
// role that must all hold, and in addition those of one of the alternatives in `$or`.
func parseSearch(raw json.RawMessage) ([][]Match, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var or struct {
		Alternatives []json.RawMessage `json:"$or"`
	}
	if err := json.Unmarshal(raw, &or); err != nil {
		return nil, badSearch("The search must be an object, and its $or a list of such objects.")
	}
	if len(or.Alternatives) > maxConditions {
		return nil, errManyConditions
	}
	common, err := parseGroup(raw)
	if err != nil || len(or.Alternatives) == 0 {
		return [][]Match{common}, err
	}
	anyOf := make([][]Match, len(or.Alternatives))
	for i, alternative := range or.Alternatives {
		own, err := parseGroup(alternative)
		if err != nil {
			return nil, err
		}
		anyOf[i] = slices.Concat(common, own)
	}
	return anyOf, checkSize(anyOf)
}

var errManyConditions = badSearch("Search for at most 100 values at once.")

// checkSize bounds the values of all alternatives together.
func checkSize(anyOf [][]Match) error {
	n := 0
	for _, all := range anyOf {
		for _, m := range all {
			n += len(m.Values)
		}
	}
	if n > maxConditions {
		return errManyConditions
	}
	return nil
}

func badSearch(message string, path ...string) error {
	return fault.Invalid("custom", message, append([]string{"search"}, path...)...)
}

func parseGroup(raw json.RawMessage) ([]Match, error) {
	var fields struct {
		Name json.RawMessage `json:"name"`
		Role json.RawMessage `json:"role"`
	}
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, badSearch("Each alternative must be an object with name or role.", "$or")
	}
	name, err := parseMatches("name", fields.Name)
	if err != nil {
		return nil, err
	}
	roles, err := parseMatches("role", fields.Role)
	return append(name, roles...), err
}

// parseMatches reads a plain string, or an object of operators.
func parseMatches(field string, raw json.RawMessage) ([]Match, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []Match{{field, "$eq", []string{text}}}, checkValues(field, []string{text})
	}
	var ops struct {
		Eq       *string  `json:"$eq"`
		Contains *string  `json:"$contains"`
		In       []string `json:"$in"`
	}
	if err := json.Unmarshal(raw, &ops); err != nil {
		return nil, badSearch("Give a string, or an object with $eq, $contains or $in.", field)
	}
	return collect(field, ops.Eq, ops.Contains, ops.In)
}

func collect(field string, eq, contains *string, in []string) ([]Match, error) {
	var matches []Match
	if eq != nil {
		matches = append(matches, Match{field, "$eq", []string{*eq}})
	}
	if contains != nil {
		matches = append(matches, Match{field, "$contains", []string{*contains}})
	}
	if in != nil { // an empty list is a condition too: nobody meets it
		matches = append(matches, Match{field, "$in", in})
	}
	for _, m := range matches {
		if err := checkValues(field, m.Values); err != nil {
			return nil, err
		}
	}
	return matches, nil
}

func checkValues(field string, values []string) error {
	if len(values) > maxConditions {
		return errManyConditions
	}
	for _, v := range values {
		if len(v) > 255 || strings.IndexFunc(v, func(r rune) bool { return r < ' ' || r == 0xFFFD }) >= 0 {
			return badSearch("A value has at most 255 bytes and no control characters.", field)
		}
	}
	return nil
}
