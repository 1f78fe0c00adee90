package assertion

import (
	"encoding/json"
	"strings"
)

// What GitHub calls the repository and its owner in sub, by names that can change hands and, for repositories that were
// created, renamed or transferred since 18 June 2026, by ids that cannot.
const (
	gitHubByName = "repo:OWNER/REPOSITORY:..."
	gitHubByID   = "repo:OWNER-OWNER_ID/REPOSITORY-REPOSITORY_ID:..."
)

// hintOfGitHub tells of the two forms that the subject of a token of GitHub Actions may have, and which of them this
// token has. It is "" for other tokens.
func hintOfGitHub(c *Claims) string {
	owner, repository, ok := gitHubIDs(c)
	if !ok {
		return ""
	}
	form := gitHubByName
	name, _, _ := strings.Cut(strings.TrimPrefix(c.Subject, "repo:"), ":")
	ownerPart, repositoryPart, _ := strings.Cut(name, "/")
	if strings.HasSuffix(ownerPart, "-"+owner) && strings.HasSuffix(repositoryPart, "-"+repository) {
		form = gitHubByID
	}
	return " GitHub writes subjects as " + gitHubByName + " or, for repositories created, renamed or transferred since 18 June 2026, as " + gitHubByID +
		"; this one has the form " + form + ". To be independent of both, bind the claims repository_id and repository_owner_id with boundClaims."
}

// gitHubIDs returns the ids that every token of GitHub Actions has, whatever form its subject has.
func gitHubIDs(c *Claims) (owner, repository string, ok bool) {
	owner, repository = digits(c.all["repository_owner_id"]), digits(c.all["repository_id"])
	return owner, repository, owner != "" && repository != "" && strings.HasPrefix(c.Subject, "repo:")
}

// digits returns a claim that is a number, as a text or as such, or "".
func digits(claim any) string {
	text, _ := claim.(string)
	if number, ok := claim.(json.Number); ok {
		text = number.String()
	}
	if strings.Trim(text, "0123456789") != "" {
		return ""
	}
	return text
}
