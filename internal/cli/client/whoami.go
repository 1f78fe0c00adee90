package client

import (
	"encoding/json"
	"fmt"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type whoamiCmd struct {
	Server `embed:""`
}

// me is what the server and the token tell about the caller.
type me struct {
	Name           string `json:"name"`
	Type           string `json:"type"` // identity or user
	ID             string `json:"id"`
	Organization   string `json:"organization"`
	OrganizationID string `json:"organizationId"`
	Method         string `json:"authMethod"`
	TokenID        string `json:"tokenId"`
	Expires        string `json:"expires"`
	URL            string `json:"url"`

	expires int64
}

// Run asks the server, so that a token that is dead is told apart.
func (c *whoamiCmd) Run(con *terminal.Console) error {
	se, err := c.open(con)
	if err != nil {
		return err
	}
	found, err := se.whoami()
	if err != nil {
		return err
	}
	raw, err := json.Marshal(found)
	if err != nil {
		return err
	}
	return c.Item(con, raw, col("NAME", "name"), col("TYPE", "type"), col("ID", "id"), col("ORGANIZATION", "organization"),
		col("ORGANIZATION ID", "organizationId"), col("LOGIN METHOD", "authMethod"), col("TOKEN ID", "tokenId"), col("EXPIRES", "expires"), col("SERVER", "url"))
}

// whoami reads the token and has the server confirm it.
func (se *session) whoami() (*me, error) {
	c, err := readClaims(se.Token)
	if err != nil {
		return nil, terminal.Exit(terminal.NotLoggedIn, err)
	}
	found := &me{Name: c.IdentityName, Type: "identity", ID: c.IdentityID, OrganizationID: c.OrgID, Method: c.Method, TokenID: c.ID,
		Expires: date(c.ExpiresAt), URL: se.BaseURL, expires: c.ExpiresAt}
	if c.Type != identityToken {
		return found, se.asUser(found)
	}
	var answer struct {
		Details struct {
			Organization struct {
				Name string `json:"name"`
			} `json:"organization"`
		} `json:"identityDetails"`
	}
	err = se.Get(se.con.Ctx, "/api/v1/identities/details", &answer)
	found.Organization = answer.Details.Organization.Name
	return found, err
}

// asUser fills in what a user's token does not say.
func (se *session) asUser(found *me) error {
	var answer struct {
		User struct {
			ID    string `json:"id"`
			Email string `json:"email"`
		} `json:"user"`
	}
	found.Type = "user"
	err := se.Get(se.con.Ctx, "/api/v2/users/me", &answer)
	found.Name, found.ID = answer.User.Email, answer.User.ID
	if err != nil || found.OrganizationID == "" {
		return err
	}
	var org struct {
		Organization struct {
			Name string `json:"name"`
		} `json:"organization"`
	}
	err = se.Get(se.con.Ctx, "/api/v1/organization/"+found.OrganizationID, &org)
	found.Organization = org.Organization.Name
	return err
}

// organization returns the id of the caller's organization, as its token says.
func (se *session) organization() (string, error) {
	c, err := readClaims(se.Token)
	if err != nil {
		return "", terminal.Exit(terminal.NotLoggedIn, err)
	}
	if c.OrgID == "" {
		return "", fmt.Errorf("the token belongs to no organization; choose one at login")
	}
	return c.OrgID, nil
}

// col is a column that shows a value as it is.
func col(title, path string) terminal.Column { return terminal.Column{Title: title, Path: path} }
