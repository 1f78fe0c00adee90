package linearizability

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// String tells the violation: the token's history, line by line, with what the nemesis did meanwhile.
func (v *Violation) String() string {
	type line struct {
		at   int64
		text string
	}
	var lines []line
	for _, e := range v.events {
		if e.text == "" {
			continue
		}
		lines = append(lines, line{int64(e.from), fmt.Sprintf("%12.6f %12.6f  %s", e.from.Seconds(), e.to.Seconds(), e)})
	}
	for _, i := range v.around {
		lines = append(lines, line{int64(i.From), fmt.Sprintf("%12.6f %12.6f  ** %s", i.From.Seconds(), i.To.Seconds(), i.Text)})
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	var text strings.Builder
	fmt.Fprintf(&text, "%s: token %s\n  sent (s)     answered\n", v.Reason, v.token)
	for _, l := range lines {
		fmt.Fprintln(&text, l.text)
	}
	return text.String()
}

// String tells an event in words.
func (e event) String() string {
	where := ""
	if e.replica >= 0 {
		where = fmt.Sprintf("r%d  ", e.replica)
	}
	switch {
	case e.step == leaseOver:
		return e.text
	case e.step == revokeCall || e.step == changeCall:
		if e.input.lost {
			return where + e.text + " never answered"
		}
		return where + e.text
	}
	return fmt.Sprintf("%s%s: %d", where, e.text, e.status)
}

// WriteHTML writes Porcupine's picture of the history.
func (v *Violation) WriteHTML(w io.Writer) error {
	marks := make([]porcupine.Annotation, len(v.around))
	for i, incident := range v.around {
		marks[i] = porcupine.Annotation{Tag: "nemesis", Start: int64(incident.From), End: int64(incident.To), Description: incident.Text}
	}
	v.info.AddAnnotations(marks)
	return porcupine.Visualize(model, v.info, w)
}

// Failure returns nil for a run without a violation; else an error that tells it, with Porcupine's picture of it in a
// file in dir.
func (r *Result) Failure(dir string) error {
	v := r.Violation
	if v == nil {
		return nil
	}
	if len(v.events) == 0 {
		return errors.New(v.Reason)
	}
	file, err := os.CreateTemp(dir, "violation-*.html")
	if err != nil {
		return errors.Join(errors.New(v.String()), err)
	}
	err = errors.Join(v.WriteHTML(file), file.Close())
	return errors.Join(fmt.Errorf("%s\nas a picture: %s", v, file.Name()), err)
}
