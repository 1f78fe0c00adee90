package identity

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/role"
)

// Search chooses identities of an organization. No group at all chooses every one; else one group must match whole.
type Search struct {
	AnyOf         [][]Match
	OrderBy       string // "name" or "role"
	Descending    bool
	Offset, Limit int64
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
	if q.Descending {
		return q.OrderBy + " desc"
	}
	return q.OrderBy + " asc"
}

// Search returns a page of the identities of the actor's organization with their roles, and how many match in all.
func (s *Service) Search(ctx context.Context, actor *access.Actor, q Search) ([]Membership, int64, error) {
	if err := actor.Check(access.Read, access.SubjectIdentity, access.Fields{}); err != nil {
		return nil, 0, err
	}
	members, total, err := s.search(ctx, actor.OrgID, q)
	if err != nil {
		return nil, 0, err
	}
	memberships, err := s.complete(ctx, members)
	return memberships, total, err
}

// Read returns one identity of the actor's organization with its role and metadata.
func (s *Service) Read(ctx context.Context, actor *access.Actor, identityID string) (*Membership, error) {
	if err := actor.Check(access.Read, access.SubjectIdentity, access.Fields{}); err != nil {
		return nil, err
	}
	m, err := s.member(ctx, actor.OrgID, identityID)
	if err != nil {
		return nil, err
	}
	all, err := s.complete(ctx, []member{m})
	if err != nil {
		return nil, err
	}
	all[0].Metadata, err = s.metadata(ctx, identityID)
	return &all[0], err
}

// Membership is an identity in an organization, with its roles and its login methods.
type Membership struct {
	member
	Methods   []string
	LockedOut []string // those of the methods by which a caller is shut out now
	Metadata  []Metadata
	Roles     []role.Held // all of them, ended ones too
}

// complete adds login methods and roles to members.
func (s *Service) complete(ctx context.Context, members []member) ([]Membership, error) {
	ids, identities := make([]string, len(members)), make([]string, len(members))
	for i, m := range members {
		ids[i], identities[i] = m.ID, m.Identity.ID
	}
	methods, err := s.Methods(ctx, identities)
	if err != nil {
		return nil, err
	}
	locked, err := s.LockedOut(ctx, identities)
	if err != nil {
		return nil, err
	}
	held, err := role.HeldBy(ctx, s.DB, ids)
	all := make([]Membership, len(members))
	for i, m := range members {
		all[i] = Membership{member: m, Methods: append([]string{}, methods[m.Identity.ID]...),
			LockedOut: append([]string{}, locked[m.Identity.ID]...), Roles: append([]role.Held{}, held[m.ID]...)}
	}
	return all, err
}

// parseSearch reads the `search` object of the wire (docs/reference/identity.md section 4.1): conditions on name and
// role that must all hold, and beside them those of one of the alternatives in `$or`.
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
