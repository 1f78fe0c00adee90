package access

import (
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// What a rule on a subject of another product may be at most.
const (
	maxName  = 64 // bytes of a subject or an action
	maxDepth = 6  // of its conditions
	maxNodes = 500
)

// isOtherProduct reports whether a subject belongs to a product that we do not have. Roles may name it, so that they
// can be kept as they are, but it means nothing: no check asks for it, so nobody gains by it.
func isOtherProduct(s Subject) bool {
	switch s {
	case SubjectApprovalRequests, "approval-request-grants", "honey-tokens", "code-signers":
		return true
	}
	for _, family := range []string{"certificate", "pki-", "ssh-", "secret-scanning-", "pam-", "mcp-"} {
		if strings.HasPrefix(string(s), family) {
			return true
		}
	}
	return false
}

// checkOpen bounds a rule that is only kept and shown.
func checkOpen(rule *Rule) error {
	if err := checkCount(rule.Actions); err != nil {
		return err
	}
	for _, name := range append([]Action{Action(rule.Subject)}, rule.Actions...) {
		if len(name) == 0 || len(name) > maxName {
			return fault.Invalid("custom", fmt.Sprintf("Subjects and actions have 1 to %d bytes.", maxName), "action")
		}
	}
	nodes := maxNodes
	if !isBounded(map[string]any(rule.Conditions), maxDepth, &nodes) {
		return fault.Invalid("too_big", "These conditions are nested too deeply, or there are too many of them, or they are too long.", "conditions")
	}
	return nil
}

// isBounded reports whether a JSON value has at most a depth and number of nodes, and no long text.
func isBounded(raw any, depth int, nodes *int) bool {
	*nodes--
	if depth < 0 || *nodes < 0 {
		return false
	}
	switch raw := raw.(type) {
	case string:
		return len(raw) <= maxText
	case map[string]any:
		for name, inner := range raw {
			if len(name) > maxName || !isBounded(inner, depth-1, nodes) {
				return false
			}
		}
	case []any:
		for _, inner := range raw {
			if !isBounded(inner, depth-1, nodes) {
				return false
			}
		}
	}
	return true
}
