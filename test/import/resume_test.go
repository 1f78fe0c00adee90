package importing

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/ops/importer"
)

// cutter is a connection that breaks at a write to the target: the target does it, and the import never learns.
type cutter struct {
	host string
	left int // writes that are still answered
}

func (c *cutter) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || r.Method == http.MethodGet || r.URL.Host != c.host {
		return response, err
	}
	if c.left--; c.left >= 0 {
		return response, nil
	}
	return nil, errors.Join(errors.New("the connection broke"), response.Body.Close())
}

// TestImportsThatAreKilledGoOn breaks an import off at each of its writes in turn, each time with the next run.
func TestImportsThatAreKilledGoOn(t *testing.T) {
	for name, answered := range map[string]int{"at every write": 0, "at every fifth write": 4} {
		t.Run(name, func(t *testing.T) {
			from, to := seed(t, 0), start(t)
			j := newJourney(t, from.Server, to)
			broken := 0
			for {
				j.Transport = &cutter{strings.TrimPrefix(to.URL, "http://"), answered}
				_, err := importer.Run(t.Context(), j.Options)
				if err == nil {
					break
				}
				if broken++; broken > 300 || !strings.Contains(err.Error(), "the connection broke") {
					t.Fatalf("run %d: %v", broken, err)
				}
			}
			if broken*(answered+1) < 50 {
				t.Errorf("broke off %d times, which is less than the import has to write", broken)
			}
			if diff := cmp.Diff(export(t, from.Server), export(t, to)); diff != "" {
				t.Errorf("the target differs from the source: %s", diff)
			}
		})
	}
}

// TestStateHoldsNoSecret, and is readable by its owner alone.
func TestStateHoldsNoSecret(t *testing.T) {
	from, to := seed(t, 0), start(t)
	j := newJourney(t, from.Server, to)
	j.run(t)
	text, err := os.ReadFile(j.State)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"example.com", "HOST", "eyJ", from.Admin.Token, to.Admin.Token} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the state holds %q:\n%s", secret, text)
		}
	}
	if info, err := os.Stat(j.State); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the state has mode %v, %v", info.Mode(), err)
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	from, to := seed(t, 0), start(t)
	before := to.Snapshot(t)
	j := newJourney(t, from.Server, to)
	j.DryRun = true
	dry := j.run(t)
	if diff := cmp.Diff(before, to.Snapshot(t)); diff != "" {
		t.Errorf("it changed the target: %s", diff)
	}
	if _, err := os.Stat(j.State); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it left a state: %v", err)
	}
	var notes []string
	for _, f := range j.findings {
		notes = append(notes, f.Where+": "+f.Reason)
	}
	for _, want := range []string{"ci: its client secrets (1) cannot be read", "twin: its access tokens (1) cannot be read"} {
		if !strings.Contains(strings.Join(notes, "\n"), want) {
			t.Errorf("no finding says %q:\n%s", want, strings.Join(notes, "\n"))
		}
	}
	j.DryRun = false
	if diff := cmp.Diff(j.run(t), dry); diff != "" {
		t.Errorf("the dry run counts otherwise than the real one: %s", diff)
	}
}
