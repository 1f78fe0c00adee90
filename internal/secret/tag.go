package secret

import (
	"context"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// maxTagID is the length of the longest text, in bytes, that can be the id of a tag.
const maxTagID = 64

// Tag is a tag of the project as a secret shows it.
type Tag struct {
	ID    string  `db:"id"`
	Slug  string  `db:"slug"`
	Color *string `db:"color"`
}

// projectTags are the tags of a project as they were read at one moment. They are never changed.
type projectTags struct{ byID map[string]Tag }

// tagsOf returns the tags of a project by id, from memory where it can.
func (s *Service) tagsOf(ctx context.Context, projectID string) (*projectTags, error) {
	return s.tags.Load(ctx, projectID, func(ctx context.Context) (*projectTags, error) {
		var all []Tag
		err := s.db.Select(ctx, &all, `SELECT id, slug, color FROM tags WHERE project_id = $1`, projectID)
		byID := make(map[string]Tag, len(all))
		for _, t := range all {
			byID[t.ID] = t
		}
		return &projectTags{byID}, err
	})
}

// known returns the tags that a list of ids in the stored form names, by slug.
func (r *projectScope) known(ids string) []Tag {
	if ids == "" {
		return nil
	}
	var tags []Tag
	for tagID := range strings.FieldsSeq(ids) {
		if t, ok := r.tags.byID[tagID]; ok {
			tags = append(tags, t)
		}
	}
	slices.SortFunc(tags, func(a, b Tag) int { return strings.Compare(a.Slug, b.Slug) })
	return tags
}

// choose returns the tags with the ids; NotFound if one is no tag of the project.
func (r *projectScope) choose(ids []string) ([]Tag, error) {
	tags := r.known(strings.Join(ids, " "))
	tags = slices.CompactFunc(tags, func(a, b Tag) bool { return a.ID == b.ID })
	for _, tagID := range ids {
		if len(tagID) > maxTagID {
			return nil, fault.Invalid("too_big", "The ID of a tag has at most 64 characters.", "tagIds")
		}
		if _, ok := r.tags.byID[tagID]; !ok {
			return nil, fault.New(fault.NotFound, "The project has no tag with the ID %q. Read its tags to see which ones exist.", shortened(tagID))
		}
	}
	return tags, nil
}

// tagIDs returns the form of tags that is stored.
func tagIDs(tags []Tag) string {
	ids := make([]string, len(tags))
	for i, t := range tags {
		ids[i] = t.ID
	}
	return strings.Join(ids, " ")
}

func slugs(tags []Tag) []string {
	if len(tags) == 0 {
		return nil
	}
	found := make([]string, len(tags))
	for i, t := range tags {
		found[i] = t.Slug
	}
	return found
}

// tagged reports whether a secret has one of the slugs, or none are asked for.
func tagged(s *Secret, wanted []string) bool {
	return len(wanted) == 0 || slices.ContainsFunc(s.Tags, func(t Tag) bool { return slices.Contains(wanted, t.Slug) })
}
