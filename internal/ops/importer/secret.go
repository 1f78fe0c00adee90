package importer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	kept "github.com/sallyport/sallyport/internal/base/text"
)

// maxBatch is how many secrets one request makes or changes at most.
const maxBatch = 100

// wireSecret is a secret as both servers answer it (docs/reference/secrets.md section 1.2).
type wireSecret struct {
	Key      string     `json:"secretKey"`
	Value    *string    `json:"secretValue"`
	Hidden   bool       `json:"secretValueHidden"`
	Comment  string     `json:"secretComment"`
	Type     string     `json:"type"`
	Skip     *bool      `json:"skipMultilineEncoding"`
	Note     *string    `json:"secretReminderNote"`
	Days     *int64     `json:"secretReminderRepeatDays"`
	Metadata []metadata `json:"secretMetadata"`
	Tags     []wireTag  `json:"tags"`
	Rotated  bool       `json:"isRotatedSecret"`
}

type metadata struct {
	Key       string `json:"key"`
	Value     string `json:"value"`
	Encrypted bool   `json:"isEncrypted"`
}

// item is a secret as a batch has it.
type item struct {
	Key      string     `json:"secretKey"`
	Value    string     `json:"secretValue"`
	Comment  string     `json:"secretComment"`
	Skip     bool       `json:"skipMultilineEncoding"`
	Note     *string    `json:"secretReminderNote,omitempty"`
	Days     *int64     `json:"secretReminderRepeatDays,omitempty"`
	Metadata []metadata `json:"secretMetadata"`
	TagIDs   []string   `json:"tagIds"`

	tags []string // slugs, sorted
}

// item returns a secret as servers keep it: they trim what is sent to them.
func (s *wireSecret) item() *item {
	i := &item{Key: strings.TrimSpace(s.Key), Value: kept.Value(text(s.Value)), Comment: strings.TrimSpace(s.Comment), Metadata: append([]metadata{}, s.Metadata...), TagIDs: []string{}}
	for n := range i.Metadata {
		i.Metadata[n].Key = strings.TrimSpace(i.Metadata[n].Key)
	}
	i.Skip = s.Skip != nil && *s.Skip
	if text(s.Note) != "" { // nothing and empty are the same
		i.Note = s.Note
	}
	if s.Days != nil && *s.Days != 0 {
		i.Days = s.Days
	}
	for _, t := range s.Tags {
		i.tags = append(i.tags, t.Slug)
	}
	slices.Sort(i.tags)
	return i
}

// digest stands for all that is carried over of a secret: equal ones need no writing.
type digest [sha256.Size]byte

// known is what is remembered of a secret of the target.
type known struct {
	digest
	reminds bool // it has a reminder
	masked  bool // the target's token may not read it, so it can be compared with nothing
}

func (i *item) digest() digest {
	c := *i
	c.Metadata = slices.SortedFunc(slices.Values(i.Metadata), func(a, b metadata) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value))
	})
	c.TagIDs = i.tags
	text, _ := json.Marshal(c) // strings, numbers and booleans always can be written
	return sha256.Sum256(text)
}

// hiddenValue is what servers send in place of a value that the token may not read.
const hiddenValue = "<hidden-by-infisical>"

// masked reports whether a server sent something else in the place of the secret's value, or of a value in its metadata.
func (s *wireSecret) masked() bool {
	return s.Hidden || text(s.Value) == hiddenValue || slices.ContainsFunc(s.Metadata, func(m metadata) bool { return m.Value == hiddenValue })
}

// secretsOf returns the shared secrets of one folder as they are stored, with references as text.
func secretsOf(ctx context.Context, c *client, projectID, env, path string) ([]wireSecret, error) {
	return list[wireSecret](ctx, c, "/api/v4/secrets", url.Values{"projectId": {projectID}, "environment": {env}, "secretPath": {path},
		"viewSecretValue": {"true"}, "expandSecretReferences": {"false"}, "includeImports": {"false"}, "include_imports": {"false"},
		"recursive": {"false"}, "includePersonalOverrides": {"false"}}, "secrets")
}

// secrets brings over the secrets of the folder, in batches.
func (a *at) secrets(ctx context.Context) error {
	defer a.step(a.String())
	from, err := secretsOf(ctx, a.source, a.place.from.ID, a.env, a.path)
	if err != nil {
		return a.fail(Secrets, a.String(), err)
	}
	have, err := a.digests(ctx)
	if err != nil {
		return a.fail(Secrets, a.String(), err)
	}
	missing, changed := &batch{a, http.MethodPost, nil, 0}, &batch{a, http.MethodPatch, nil, 0}
	for i := range from {
		s := &from[i]
		if !a.readable(s) {
			continue
		}
		if err := a.sort(ctx, s, have, missing, changed); err != nil {
			return err
		}
		s.Value = nil
	}
	if err := missing.flush(ctx); err != nil {
		return err
	}
	return changed.flush(ctx)
}

// sort compares one secret with what the target has, and puts it where it belongs.
func (a *at) sort(ctx context.Context, s *wireSecret, have map[string]known, missing, changed *batch) error {
	i := s.item()
	a.compare(s, i)
	if unknown := a.tagIDs(i); unknown != "" {
		a.failed(Secrets, a.String()+" "+s.Key, "its tag "+unknown+" is not at the target")
		return nil
	}
	switch target, there := have[i.Key]; {
	case !there:
		return missing.add(ctx, i)
	case target.masked:
		a.failed(Secrets, a.String()+" "+s.Key, "the target has it, and the target's token may not read its value, so they cannot be compared; give it readValue")
		return nil
	case target.digest == i.digest():
		a.result[Secrets].Same++
		return nil
	case a.ours || a.Overwrite:
		if target.reminds { // what the source does not have of it goes
			i.Note, i.Days = cmp.Or(i.Note, new(string)), cmp.Or(i.Days, new(int64))
		}
		return changed.add(ctx, i)
	}
	a.result[Secrets].Different++
	a.Tell(Finding{Secrets, brief(a.String()+" "+s.Key, 300), "the target has it with a different value; it was left unchanged", false})
	return nil
}

// compare tells what of a secret is not carried over as the source has it.
func (a *at) compare(s *wireSecret, i *item) {
	where := a.String() + " " + s.Key
	if i.Key != s.Key {
		a.note(Secrets, where, fmt.Sprintf("its name has white space around it, which is removed: the name here is %q", brief(i.Key, 100)))
	}
	if i.Value != *s.Value {
		a.note(Secrets, where, "its value has white space around it, which is removed; check whether it matters, as in YAML")
	}
	if i.Comment != s.Comment {
		a.note(Secrets, where, "its comment has white space around it, which is removed")
	}
	if !slices.Equal(i.Metadata, s.Metadata) {
		a.note(Secrets, where, "keys of its metadata have white space around them, which is removed")
	}
}

// readable tells what of a secret cannot be carried over, and reports whether the rest can.
func (a *at) readable(s *wireSecret) bool {
	where := a.String() + " " + s.Key
	switch {
	case s.Type == "personal":
		a.note(Secrets, where, "it is a personal override, which only its user can read and set")
		return false
	case s.Value == nil || s.masked():
		a.failed(Secrets, where, "the source's token may not read its value; give it readValue, or an administrator's token")
		return false
	case s.Rotated:
		a.note(Secrets, where, "its current value is imported; it is no longer rotated")
	}
	return true
}

// tagIDs fills in the tags by their ids at the target. It returns the slug of one that is not there.
func (a *at) tagIDs(i *item) (unknown string) {
	for _, slug := range i.tags {
		id := a.tags[slug]
		if id == "" && !a.DryRun {
			return slug
		}
		i.TagIDs = append(i.TagIDs, id)
	}
	return ""
}

// digests returns what the target has in the folder.
func (a *at) digests(ctx context.Context) (map[string]known, error) {
	have := map[string]known{}
	if !a.there {
		return have, nil
	}
	found, err := secretsOf(ctx, a.target, a.to.ID, a.env, a.path)
	for i := range found {
		there := found[i].item()
		have[there.Key] = known{there.digest(), there.Note != nil || there.Days != nil, found[i].masked()}
		found[i].Value = nil
	}
	return have, err
}

// batch collects secrets of one folder that go to the target together.
type batch struct {
	*at
	method string
	items  []*item
	bytes  int
}

func (b *batch) add(ctx context.Context, i *item) error {
	size := len(i.Value) + len(i.Comment)
	if len(b.items) == maxBatch || b.bytes+size > b.BatchBytes {
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
	b.items, b.bytes = append(b.items, i), b.bytes+size
	return nil
}

func (b *batch) flush(ctx context.Context) error {
	items := b.items
	b.items, b.bytes = nil, 0
	if len(items) == 0 {
		return nil
	}
	return b.write(ctx, items)
}

// write sends secrets, all or none. Where the target refuses them, each half goes alone, down to the one that is at fault.
func (b *batch) write(ctx context.Context, items []*item) error {
	var err error
	if !b.DryRun {
		_, err = b.target.send(ctx, b.method, "/api/v4/secrets/batch",
			map[string]any{"projectId": b.to.ID, "environment": b.env, "secretPath": b.path, "secrets": items})
	}
	switch {
	case err == nil:
		count := b.result[Secrets]
		if b.method == http.MethodPost {
			count.Made += int64(len(items))
		} else {
			count.Changed += int64(len(items))
		}
		return nil
	case !refused(err):
		return err
	case len(items) == 1:
		return b.fail(Secrets, b.String()+" "+items[0].Key, err)
	}
	if err := b.write(ctx, items[:len(items)/2]); err != nil {
		return err
	}
	return b.write(ctx, items[len(items)/2:])
}
