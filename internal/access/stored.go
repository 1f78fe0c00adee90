package access

import (
	"encoding/json"
	"fmt"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// MaxRoleBytes is how long the rules of one role or privilege may be as JSON. Each replica keeps what members may do in memory.
const MaxRoleBytes = 256 << 10

// CheckSize refuses rules that are too long for one role or privilege; what names it in the message. Whoever stores new
// rules calls it. Rules that were stored before there was the bound stay as they are.
func CheckSize(what string, rules []Rule) error {
	text, err := json.Marshal(rules)
	if err != nil {
		return err
	}
	if len(text) > MaxRoleBytes {
		return fault.Invalid("too_big", fmt.Sprintf("The rules of a %s have at most %d bytes as JSON, and these have %d. Use several, or shorter conditions.",
			what, MaxRoleBytes, len(text)), "permissions")
	}
	return nil
}
