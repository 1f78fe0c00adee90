package e2e

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// TestMatchingIsBoundedByASetting: identities and users get the budget of the setting, once for a request.
func TestMatchingIsBoundedByASetting(t *testing.T) {
	s := harness.StartReady(t, func(o *app.Options) { o.Config.MatchSteps = 5000 })
	p := newProject(t, s)
	var secrets, rules []any
	for i := range 50 {
		secrets = append(secrets, object{"secretKey": fmt.Sprint("S", i), "secretValue": "v"})
		rules = append(rules, object{"subject": "secrets", "action": []string{"describeSecret", "readValue"}, "conditions": object{"secretName": object{"$glob": fmt.Sprint("*x", i)}}})
	}
	s.Admin.Call(t, http.MethodPost, "/api/v4/secrets/batch", object{"projectId": p.ID, "environment": "dev", "secrets": secrets}).Want(200)
	s.Admin.Call(t, http.MethodPost, under[""](p)+"/roles", object{"slug": "globs", "name": "globs", "permissions": rules}).Want(200)
	robot := s.NewActor(t, "no-access", nil)
	_, email := newUser(t, s, "no-access")
	person := login(t, s, email)
	s.Admin.Call(t, http.MethodPost, under[""](p)+"/memberships/identities/"+robot.ID, object{"role": "globs"}).Want(200)
	s.Admin.Call(t, http.MethodPost, under[""](p)+"/memberships", object{"emails": []string{email}, "roleSlugs": []string{"globs"}}).Want(200)
	list := "/api/v4/secrets?environment=dev&projectId=" + p.ID
	for range 3 { // each request has its own
		s.Admin.Call(t, http.MethodGet, list, nil).Want(200)
		robot.Call(t, http.MethodGet, list, nil).WantError(400, "BadRequest")
		person.Call(t, http.MethodGet, list, nil).WantError(400, "BadRequest")
		robot.Call(t, http.MethodGet, "/api/v4/secrets/Sx1?environment=dev&projectId="+p.ID, nil).WantError(404, "NotFound")
	}
}
