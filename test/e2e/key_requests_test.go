package e2e

import (
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// keyRequests are the requests of the routes that rotate keys.
var keyRequests = map[string]func(*testing.T, *harness.Server) request{
	"read-root-key":           plain("/api/v1/admin/keys", nil),
	"rotate-root-key":         plain("/api/v1/admin/keys/rotate", object{"resume": true}),
	"read-organization-key":   plain("/api/v1/organization/keys", nil),
	"rotate-organization-key": plain("/api/v1/organization/keys/rotate", object{"resume": false}),
	"list-project-keys":       plain("/api/v1/organization/keys/projects", nil),
	"rotate-project-key": func(t *testing.T, s *harness.Server) request {
		return request{"/api/v1/organization/keys/projects/" + newVault(t, s).ID + "/rotate", object{"resume": false}}
	},
}
