package member

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// AssignmentInput is a role for a membership in a request. Fields about time count only with isTemporary.
type AssignmentInput struct {
	Role      httpapi.Text  `json:"role" minLength:"1" maxLength:"64" doc:"Slug or id"`
	Temporary *bool         `json:"isTemporary,omitempty" doc:"Default: false"`
	Mode      *httpapi.Text `json:"temporaryMode,omitempty" doc:"relative"`
	Range     *httpapi.Text `json:"temporaryRange,omitempty" maxLength:"32" doc:"How long, such as 7d"`
	Start     *time.Time    `json:"temporaryAccessStartTime,omitempty"`
}

// resolve returns the roles of a request in a scope. Errors: NotFound for an unknown role, BadRequest and Validation for an
// invalid time.
func (s *Service) resolve(ctx context.Context, sc Scope, in []AssignmentInput) ([]Assignment, error) {
	all := make([]Assignment, len(in))
	for i, a := range in {
		r, err := s.roles.FindIn(ctx, sc.Actor.OrgID, sc.ProjectID, a.Role.Trimmed())
		if err != nil {
			return nil, err
		}
		if a.Temporary != nil && *a.Temporary {
			if all[i], err = Temporary(a.Mode, a.Range, a.Start); err != nil {
				return nil, err
			}
		}
		all[i].Role = r
	}
	return all, nil
}

// Temporary reads for how long something is granted: an Assignment without a role.
func Temporary(mode, length *httpapi.Text, start *time.Time) (Assignment, error) {
	if length == nil || start == nil || mode == nil || *mode != "relative" {
		return Assignment{}, fault.New(fault.BadRequest, "A temporary grant needs temporaryMode relative, temporaryRange and temporaryAccessStartTime.")
	}
	span, err := ParseSpan(string(*length))
	if year := start.Year(); err == nil && (year < 1970 || year > 9999) {
		err = fault.Invalid("invalid_date", "The start must be between the years 1970 and 9999.", "temporaryAccessStartTime")
	}
	return Assignment{Temporary: true, Range: length.Trimmed(), Start: start.UnixMilli(), End: start.Add(span).UnixMilli()}, err
}

// Slugs reads a list of slugs with commas between.
func Slugs(text string) (slugs []string) {
	for slug := range strings.SplitSeq(text, ",") {
		if slug = strings.TrimSpace(slug); slug != "" {
			slugs = append(slugs, slug)
		}
	}
	return slugs
}

// Held is a role of a membership, as the API shows it.
type Held struct {
	ID         string        `json:"id" db:"id"`
	Role       string        `json:"role" db:"role"`
	CustomID   *string       `json:"customRoleId" db:"custom_role_id"`
	CustomName *string       `json:"customRoleName" db:"custom_name"`
	CustomSlug *string       `json:"customRoleSlug" db:"custom_slug"`
	Temporary  bool          `json:"isTemporary" db:"temporary"`
	Mode       *string       `json:"temporaryMode" db:"temporary_mode"`
	Range      *string       `json:"temporaryRange" db:"temporary_range"`
	Start      *httpapi.Time `json:"temporaryAccessStartTime" db:"access_start"`
	End        *httpapi.Time `json:"temporaryAccessEndTime" db:"access_end"`
	CreatedAt  httpapi.Time  `json:"createdAt" db:"created_at"`
	UpdatedAt  httpapi.Time  `json:"updatedAt" db:"updated_at"`

	Membership string `json:"-" db:"membership_id"`
	ended      bool
}

// Main returns the slug of the oldest role that has not ended, or of the oldest of all; "" for none.
func Main(held []Held) string {
	for _, h := range held {
		if !h.ended {
			return h.Role
		}
	}
	if len(held) > 0 {
		return held[0].Role
	}
	return ""
}

// HeldBy returns the roles of memberships, oldest first, by the membership's id.
func (s *Service) HeldBy(ctx context.Context, memberships []string) (map[string][]Held, error) {
	byMembership := map[string][]Held{}
	for batch := range slices.Chunk(memberships, 500) {
		var held []Held
		marks, args := list(batch)
		err := s.db.Select(ctx, &held, `SELECT r.id, r.membership_id, r.role, r.custom_role_id, c.name AS custom_name, c.slug AS custom_slug, r.temporary,
			r.temporary_mode, r.temporary_range, r.access_start, r.access_end, r.created_at, r.updated_at
			FROM membership_roles r LEFT JOIN custom_roles c ON c.id = r.custom_role_id
			WHERE r.membership_id IN (`+marks+`) ORDER BY r.created_at, r.id`, args...)
		if err != nil {
			return nil, err
		}
		for _, h := range held {
			h.ended = h.End != nil && int64(*h.End) <= s.db.Now().UnixMilli()
			byMembership[h.Membership] = append(byMembership[h.Membership], h)
		}
	}
	return byMembership, nil
}

// list returns placeholders from $1 on for some texts, and the texts as arguments.
func list(texts []string) (marks string, args []any) {
	for i, t := range texts {
		if i > 0 {
			marks += ", "
		}
		marks += "$" + strconv.Itoa(i+1)
		args = append(args, t)
	}
	return marks, args
}
