package role

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// TestLongRulesAreRefusedWhereTheyAreNew: a role that was stored with longer rules can still be renamed and used.
func TestLongRulesAreRefusedWhereTheyAreNew(t *testing.T) {
	var ids []any
	for i := range 200 {
		ids = append(ids, fmt.Sprintf("%03d%s", i, strings.Repeat("x", 1000)))
	}
	rule := allow("secrets", "readValue")
	rule.Conditions = access.Conditions{"secretName": map[string]any{"$in": ids}}
	slug := "long"
	if err := (&Role{ProjectID: "p"}).apply(changes(slug, rule)); err != nil {
		t.Errorf("one rule within the bound: %v", err)
	}
	if err := (&Role{ProjectID: "p"}).apply(changes(slug, rule, rule)); !fault.Is(err, fault.Validation) {
		t.Errorf("two rules over the bound: got %v; want a refusal", err)
	}
	old := &Role{ProjectID: "p", Slug: slug, Rules: []access.Rule{rule, rule}}
	if err := old.apply(Changes{Name: &slug}); err != nil {
		t.Errorf("renaming a role from before: %v", err)
	}
}
