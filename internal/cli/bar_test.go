//go:build !windows

package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/ops/transfer"
)

// TestBarOnATerminal reads what a terminal is sent.
func TestBarOnATerminal(t *testing.T) {
	var out strings.Builder
	now := time.UnixMilli(0)
	b := newBar(&out, func() time.Time { return now })
	b.terminal = true
	show := func(after time.Duration, p transfer.Progress) string {
		out.Reset()
		now = now.Add(after)
		b.show(p)
		return out.String()
	}
	for _, c := range []struct {
		name  string
		after time.Duration
		p     transfer.Progress
		want  string
	}{
		{"the first report", 0, transfer.Progress{Step: transfer.Copying, Table: "organizations", All: 100, AllOf: 10_000}, "\rcopying   [....................]   1%       0 rows/s  organizations"},
		{"too soon", 50 * time.Millisecond, transfer.Progress{Step: transfer.Copying, Table: "identities", All: 200, AllOf: 10_000}, ""},
		{"half a second in", 450 * time.Millisecond, transfer.Progress{Step: transfer.Copying, Table: "users", All: 5100, AllOf: 10_000}, "\rcopying   [##########..........]  51%   10000 rows/s  users        "},
		{"the next step", 0, transfer.Progress{Step: transfer.Comparing, Table: "users", All: 10_000, AllOf: 10_000}, "\rcomparing [####################] 100%       0 rows/s  users"},
		{"nothing to move", time.Second, transfer.Progress{Step: transfer.Comparing, Table: "users"}, "\rcomparing [####################] 100%"},
	} {
		if got := show(c.after, c.p); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: sent %q, want %q", c.name, got, c.want)
		}
	}
	out.Reset()
	b.clear()
	if got := out.String(); strings.TrimRight(got, " \r") != "" || !strings.HasSuffix(got, "\r") {
		t.Errorf("the line was not cleared: %q", got)
	}
}
