package member

import (
	"testing"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/role"
)

// TestOldRulesWithoutAnAction are refused, as the newer routes refuse them, and not left out.
func TestOldRulesWithoutAnAction(t *testing.T) {
	for name, action := range map[string]any{"refused/null": nil, "refused/an empty list": []string{}} {
		t.Run(name, func(t *testing.T) {
			in := OldRules{Permissions: &[]role.RuleInput{{Subject: "secrets", Action: action}}}
			rules, err := in.rules()
			if err != nil {
				t.Fatal(err)
			}
			if err := (&Privilege{Slug: "extra"}).apply(PrivilegeChanges{Rules: rules}); !fault.Is(err, fault.Validation) {
				t.Errorf("got %v; want a fault of validation", err)
			}
		})
	}
}
