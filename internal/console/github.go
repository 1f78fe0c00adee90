package console

import (
	"fmt"
	"regexp"
	"strings"
)

// repository is the owner and the name of a repository on GitHub.
var repository = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}$`)

// github returns the settings of OIDC Auth that let the jobs of one branch, or of one environment, of a repository log in; wrong says
// why there are none. Both are nil and "" for another login method.
func (f *newIdentity) github() (settings map[string]any, wrong string) {
	if f.Method != "github" {
		return nil, ""
	}
	if !repository.MatchString(f.Repository) {
		return nil, "Write the repository as owner/name."
	}
	if f.Which == "" || strings.ContainsAny(f.Which, "*: \t") {
		return nil, "Name one branch or environment, without wildcards."
	}
	subject := "repo:" + f.Repository + ":ref:refs/heads/" + f.Which
	if f.Place == "environment" {
		subject = "repo:" + f.Repository + ":environment:" + f.Which
	}
	owner, _, _ := strings.Cut(f.Repository, "/")
	const issuer = "https://token.actions.githubusercontent.com"
	return map[string]any{"oidcDiscoveryUrl": issuer, "boundIssuer": issuer, "boundSubject": subject, "boundAudiences": "https://github.com/" + owner,
		"accessTokenTTL": 3600, "accessTokenMaxTTL": 3600}, ""
}

// workflow is what a job needs to log in and read secrets.
func workflow(url, identityID string, settings map[string]any) string {
	return fmt.Sprintf("# accepts jobs whose token has the subject %s\npermissions:\n  id-token: write\nsteps:\n  - uses: Infisical/secrets-action@v1\n    with:\n      method: oidc\n      identity-id: %s\n      domain: %s\n      project-slug: PROJECT\n      env-slug: dev",
		settings["boundSubject"], identityID, url)
}
