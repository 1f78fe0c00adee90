package access

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// TestSizeOfRules: as many bytes as the bound are taken, one more is refused.
func TestSizeOfRules(t *testing.T) {
	sized := func(n int) []Rule {
		rules := []Rule{{Subject: SubjectIdentity, Actions: Actions{Read}, Conditions: Conditions{"identityId": ""}}}
		const empty = len(`[{"subject":"identity","action":["read"],"conditions":{"identityId":""},"inverted":false}]`)
		rules[0].Conditions["identityId"] = strings.Repeat("x", n-empty)
		return rules
	}
	if err := CheckSize("role", sized(MaxRoleBytes)); err != nil {
		t.Error(err)
	}
	if err := CheckSize("role", sized(MaxRoleBytes+1)); !fault.Is(err, fault.Validation) {
		t.Errorf("got %v; want a refusal", err)
	}
}
