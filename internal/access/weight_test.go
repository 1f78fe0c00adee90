package access_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// many returns n rules, each with a condition of 200 texts of a length.
func many(n, length int) (rules []access.Rule) {
	for i := range n {
		values := make([]any, 200)
		for j := range values {
			values[j] = fmt.Sprintf("%0*d", length, 1000*i+j)
		}
		rules = append(rules, access.Rule{Subject: access.SubjectSecrets, Actions: []access.Action{access.Read},
			Conditions: access.Conditions{"secretName": map[string]any{"$in": values}}})
	}
	return rules
}

// TestBytesOfAnAbility: an ability tells what it takes, so that caches can be bounded by it, and there is a most.
func TestBytesOfAnAbility(t *testing.T) {
	little, err := access.CompileProject(many(1, 10))
	if err != nil {
		t.Fatal(err)
	}
	much, err := access.CompileProject(many(100, 1000))
	if err != nil {
		t.Fatal(err)
	}
	if text := 100 * 200 * 1000; little.Bytes() > 100<<10 || much.Bytes() < text || much.Bytes() > 5*text {
		t.Errorf("a small one takes %d bytes, one of %d bytes of text %d", little.Bytes(), text, much.Bytes())
	}
	_, err = access.CompileProject(many(400, 1000))
	if f := fault.From(err); err == nil || f.Kind != fault.Validation || !strings.Contains(f.Message, "at most") {
		t.Errorf("80 MB of rules: %v", err)
	}
	rights, err := access.ResolveProject([]access.Grant{{Rules: many(10, 1000)}, {Rules: many(10, 1000), Temporary: true, Start: 1, End: 10}}, 5)
	if err != nil || rights.Bytes() < 3*20*200*1000 {
		t.Errorf("rights with an end take %d bytes, %v: what may be handed out and reached counts too", rights.Bytes(), err)
	}
}
