package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
)

// rulesShown is how many roles a finding names.
const rulesShown = 10

// rules looks for roles and privileges in which an allow rule comes after a denial: earlier versions let it undo the denial.
func (x *examination) rules(ctx context.Context) (Finding, error) {
	rows, err := x.source.DB.QueryContext(ctx, `SELECT 'role', slug, id, permissions FROM custom_roles
		UNION ALL SELECT 'privilege', slug, id, permissions FROM privileges ORDER BY 1, 2, 3`)
	if err != nil {
		return Finding{}, err
	}
	defer rows.Close()
	var found []string
	n := 0
	for ; rows.Next(); n++ {
		var kind, slug, id, text string
		if err := rows.Scan(&kind, &slug, &id, &text); err != nil {
			return Finding{}, err
		}
		var rules []access.Rule
		if err := json.Unmarshal([]byte(text), &rules); err != nil {
			return Finding{}, fmt.Errorf("the rules of the %s %s: %w", kind, id, err)
		}
		if access.AllowsAfterDenial(rules) {
			found = append(found, fmt.Sprintf("%s %s (%s)", kind, slug, id))
		}
	}
	if err := rows.Err(); err != nil || len(found) == 0 {
		return Finding{Says: fmt.Sprintf("in none of %d roles and privileges does an allow rule come after a denial", n)}, err
	}
	shown := found[:min(len(found), rulesShown)]
	return Finding{Says: fmt.Sprintf("%d roles and privileges have an allow rule after a denial of the same action, and the denial wins: %s", len(found), strings.Join(shown, ", ")),
		Do: "check that the members who have them can still do what they need; if not, narrow the denial with conditions"}, nil
}
