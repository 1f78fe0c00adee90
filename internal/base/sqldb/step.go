package sqldb

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"

	"github.com/pressly/goose/v3"
)

// guarded is the step that brought the version guard. Programs from before it read neither the floor nor the log of changes.
const guarded = 19

// LogTable returns the name of the table with the log of changes in a schema of some version, for what reads a database that no
// server of this version has opened yet.
func LogTable(version int64) string {
	if version < guarded {
		return "changes"
	}
	return "change_log"
}

// step is a step of the schema.
type step struct {
	version int64
	oldest  int64 // programs whose newest step is this one or later can serve what the step leaves behind; 0: it does not say
}

// stated is how a step from guarded on says so. The statement comes first in its file: it locks the head of the log, so that no
// change of an older program is committed between what the step does to the rows that are there and its end.
var stated = regexp.MustCompile(`(?m)^UPDATE feed_head SET oldest = (\d+) WHERE oldest < (\d+);$`)

// steps returns the steps that this program has, in order.
func steps() ([]step, error) {
	files, err := schemaSteps()
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	var all []step
	for _, name := range names {
		s, err := readStep(files, name)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b step) int { return int(a.version - b.version) })
	return all, nil
}

func readStep(files fs.FS, name string) (s step, err error) {
	if s.version, err = goose.NumericComponent(name); err != nil {
		return s, err
	}
	text, err := fs.ReadFile(files, name)
	if err != nil || s.version < guarded {
		return s, err
	}
	found := stated.FindAllSubmatch(text, -1)
	if len(found) != 1 || string(found[0][1]) != string(found[0][2]) {
		return s, fmt.Errorf("%s does not state, once, the oldest version that may run next to it: UPDATE feed_head SET oldest = N WHERE oldest < N;", name)
	}
	s.oldest, err = strconv.ParseInt(string(found[0][1]), 10, 64)
	return s, err
}

// floor returns the oldest version whose programs may run while the schema goes from a version to the newest.
func floor(all []step, version int64) (oldest int64) {
	for _, s := range all {
		if s.version > version {
			oldest = max(oldest, s.oldest)
		}
	}
	return oldest
}
