package secret

import (
	"crypto/rand"
	"encoding/json"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/bounded"
	"github.com/sallyport/sallyport/internal/base/seal"
)

// answers keeps whole answers of reads, sealed under a key of this process, so that the same question is answered in one pass
// while nothing that the answer depends on has changed. What it depends on is the question: see asked. Only answers that came from one
// folder are kept: nothing of imports, of references, of folders below, of older versions, or of a user.
type answers struct {
	key   *seal.Key
	items bounded.Cache[asked, *answer]
}

// asked is a question, and all that its answer depends on. States of folders, tags and abilities are never changed, but replaced: as long as the
// caches, which follow the feed, hold the very same ones, the answer is the same.
type asked struct {
	on      *folderState // the folder, and with it the project and its environments
	tags    *projectTags
	ability *access.Ability
	name    string // empty for a list
	view    View
}

// answer is what a question was answered with.
type answer struct {
	tag    string          // the entity tag
	sealed []byte          // the body
	told   json.RawMessage // what the audit log says of the read
}

// Reuse is an answer that may be sent, or kept. It is empty for a read whose answer is not kept.
type Reuse struct {
	answers  *answers
	question asked
	told     any
	found    *answer
}

// maxAnswer is the longest body in bytes that is kept.
const maxAnswer = 256 << 10

func newAnswers(size int64) *answers {
	raw := make([]byte, seal.KeySize)
	_, _ = rand.Read(raw) // never fails
	key, err := seal.NewKey(raw)
	if err != nil {
		panic(err) // it has the size of a key
	}
	return &answers{key: key, items: bounded.New(&bounded.Options[asked, *answer]{MaximumWeight: uint64(size), //nolint:gosec // config bounds it
		Weigher: func(q asked, a *answer) uint32 { return uint32(overhead + len(q.name) + len(a.sealed) + len(a.told)) }})} //nolint:gosec // bounded
}

// asked returns the place of an answer. It must be asked for before anything else is read.
func (s *folderScope) reuse(on *folderState, name string, v View) *Reuse {
	r := &Reuse{answers: s.cache.answers, question: asked{on: on, tags: s.tags, ability: s.Ability(), name: name, view: v}}
	r.found, _ = r.answers.items.GetIfPresent(r.question)
	return r
}

// Found reports whether the question was answered before. Then nothing was read.
func (r *Reuse) Found() bool { return r != nil && r.found != nil }

// Tag is the entity tag of the answer that was found.
func (r *Reuse) Tag() string { return r.found.tag }

// Body opens the answer that was found.
func (r *Reuse) Body() ([]byte, error) { return r.answers.key.Open(r.found.sealed) }

// Keep keeps an answer, if it is one that may be kept.
func (r *Reuse) Keep(tag string, body []byte) {
	if r == nil || r.told == nil || len(body) > maxAnswer {
		return
	}
	told, err := json.Marshal(r.told)
	if err != nil {
		return // the read was recorded, so it can be encoded
	}
	r.answers.items.Set(r.question, &answer{tag, r.answers.key.Seal(body), told})
}

// plain reports whether secrets are shown as they are stored, so that nothing else decides what is shown.
func plain(secrets []*Secret) bool {
	for _, s := range secrets {
		if s.Personal() || strings.Contains(s.Value, "${") {
			return false
		}
	}
	return true
}
