package e2e

import (
	"net/http"
	"regexp"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// naming are the routes that give something a name.
var naming = regexp.MustCompile(`^(create|add|update|rename|upsert)-`)

// newNames are the fields and path parameters in which such a route has the new name.
var newNames = []string{"name", "slug", "projectName", "newSecretName", "secretKey", "secretName"}

// optional are the routes whose name may be left out, so that one of blanks is none.
var optional = []string{"create-privilege-old", "create-temporary-privilege-old", "create-token-auth-token", "update-token-auth-token"}

// TestNothingIsCalledADot: what cannot be part of a URL is refused as a name, and so is a name of blanks, whatever it would be the name of.
func TestNothingIsCalledADot(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t, harness.Unswept)
	tried := 0
	everyRoute(t, s, func(t *testing.T, s *harness.Server, r httpapi.Route) {
		if !naming.MatchString(r.ID) {
			return
		}
		for _, odd := range []string{".", "..", " . ", " "} {
			changed := false
			a := callChanged(t, s, r, func(name, text string) string {
				if slices.Contains(newNames, name) {
					changed = true
					return odd
				}
				return text
			})
			if !changed {
				return
			}
			tried++
			if odd == " " && slices.Contains(optional, r.ID) {
				continue
			}
			if a.Status != http.StatusUnprocessableEntity && a.Status != http.StatusBadRequest && a.Status != http.StatusNotFound {
				t.Errorf("the name %q is answered %d %.300s", odd, a.Status, a.Body)
			}
		}
	})
	if tried < 60 {
		t.Errorf("%d names were tried; the walk misses routes", tried)
	}
}
