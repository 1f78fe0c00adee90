package access

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// TestManyRulesPutNobodyOutOfReach: whoever holds a permission under all circumstances covers rules on it however many there
// are. With conditions on both sides the proof may be given up: then the answer is a refusal.
func TestManyRulesPutNobodyOutOfReach(t *testing.T) {
	var rules []Rule
	for i := range maxRules {
		var globs []any
		for j := range 10 {
			globs = append(globs, fmt.Sprintf("%d-%d%s", i, j, strings.Repeat("*a", 10)))
		}
		rules = append(rules, Rule{Subject: SubjectAppConnections, Actions: Actions{Read, Edit, Delete, Create, Connect}, Inverted: i > maxRules/2,
			Conditions: Conditions{"connectionId": map[string]any{"$in": globs}}})
	}
	target, err := Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		own    []Rule
		proved bool
	}{
		"covered/by an administrator": {organization.everything(), true},
		"refused/by nobody":           {nil, false},
		"refused/by other conditions": {[]Rule{{Subject: SubjectAppConnections, Actions: Actions{Read}, Conditions: Conditions{"connectionId": map[string]any{"$eq": "x"}}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			own, err := Compile(c.own)
			if err != nil {
				t.Fatal(err)
			}
			err = refuseUncovered(own, target, "x", (*Budget)(nil).orOwn(&Budget{}))
			if (err == nil) != c.proved || err != nil && !fault.Is(err, fault.Boundary) {
				t.Errorf("got %.200v", err)
			}
		})
	}
}
