// Package importing tests the import from one running server to another, over real HTTP.
package importing

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/ops/importer"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// journey is an import from one server to another.
type journey struct {
	importer.Options
	findings []importer.Finding
}

func newJourney(t testing.TB, from, to *harness.Server) *journey {
	j := &journey{}
	j.Options = importer.Options{
		Source: importer.Server{URL: from.URL, Token: from.Admin.Token}, Target: importer.Server{URL: to.URL, Token: to.Admin.Token},
		State: filepath.Join(t.TempDir(), "state"), Tell: func(f importer.Finding) { j.findings = append(j.findings, f) },
		BatchBytes: request, Wait: func(context.Context, time.Duration) error { return nil },
	}
	return j
}

// run imports and fails the test if it does not come to its end.
func (j *journey) run(t testing.TB) importer.Result {
	t.Helper()
	j.findings = nil
	result, err := importer.Run(t.Context(), j.Options)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// wrong returns the findings that are no notes.
func (j *journey) wrong() (found []importer.Finding) {
	for _, f := range j.findings {
		if !f.Note {
			found = append(found, f)
		}
	}
	return found
}

// sum adds up the counts of all kinds.
func sum(r importer.Result) (total importer.Count) {
	for _, c := range r {
		total.Made, total.Same, total.Changed = total.Made+c.Made, total.Same+c.Same, total.Changed+c.Changed
		total.Different, total.Failed = total.Different+c.Different, total.Failed+c.Failed
	}
	return total
}

func TestImportLeavesNothingOut(t *testing.T) {
	from, to := seed(t, many|large), start(t)
	j := newJourney(t, from.Server, to)
	first := j.run(t)
	if wrong := j.wrong(); len(wrong) > 0 {
		t.Errorf("findings: %+v", wrong)
	}
	want := export(t, from.Server)
	if diff := cmp.Diff(want, export(t, to)); diff != "" {
		t.Errorf("the target differs from the source: %s", diff)
	}
	before := to.Snapshot(t)
	again := sum(j.run(t))
	if total := sum(first); again.Same != total.Made+total.Same || again.Made+again.Changed+again.Different+again.Failed != 0 {
		t.Errorf("the first run counts %+v, the second %+v", total, again)
	}
	j.State = filepath.Join(t.TempDir(), "lost")
	if lost := sum(j.run(t)); lost.Made+lost.Changed != 0 {
		t.Errorf("without its state a run counts %+v", lost)
	}
	if diff := cmp.Diff(before, to.Snapshot(t)); diff != "" {
		t.Errorf("the second run changed the target: %s", diff)
	}
}
