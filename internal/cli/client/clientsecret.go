package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/sallyport/sallyport/internal/cli/remote"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type clientSecretCmd struct {
	Create clientSecretCreateCmd `cmd:"" help:"Create a client secret, with which an identity logs in."`
	List   clientSecretListCmd   `cmd:"" help:"List the live client secrets of an identity."`
	Revoke clientSecretRevokeCmd `cmd:"" help:"Revoke a client secret, and every token that was issued for it."`
}

func universalPath(identityID string) string {
	return "/api/v1/auth/universal-auth/identities/" + url.PathEscape(identityID)
}

// universalAuth returns the client id of an identity, and attaches Universal Auth to it if it has none.
func (se *session) universalAuth(identityID string) (clientID string, err error) {
	const key = "identityUniversalAuth"
	raw, err := se.one(universalPath(identityID), key)
	if remote.IsStatus(err, http.StatusNotFound) {
		if raw, err = se.send(http.MethodPost, universalPath(identityID), struct{}{}, key); err == nil {
			se.note("Attached Universal Auth to the identity, with the default settings.")
		}
	}
	if err != nil {
		return "", err
	}
	var config struct {
		ClientID string `json:"clientId"`
	}
	err = json.Unmarshal(raw, &config)
	return config.ClientID, err
}

type clientSecretCreateCmd struct {
	Identity    string        `arg:"" complete:"identity" help:"ID or name of the identity. It gets Universal Auth if it does not have it."`
	Description string        `help:"What the client secret is for."`
	TTL         time.Duration `name:"ttl" placeholder:"DURATION" help:"How long the client secret is valid, such as 720h. Default: until it is revoked."`
	Uses        int64         `placeholder:"N" help:"How many logins the client secret allows. Default: no limit."`
	Server      `embed:""`
}

// Run creates a client secret and shows it, once.
func (c *clientSecretCreateCmd) Run(con *terminal.Console) error {
	se, id, err := c.openFor(con, c.Identity)
	if err != nil {
		return err
	}
	clientID, err := se.universalAuth(id)
	if err != nil {
		return err
	}
	var made struct {
		Secret string `json:"clientSecret"`
		Data   struct {
			ID string `json:"id"`
		} `json:"clientSecretData"`
	}
	err = se.Post(con.Ctx, universalPath(id)+"/client-secrets",
		map[string]any{"description": c.Description, "ttl": int64(c.TTL.Seconds()), "numUsesLimit": c.Uses}, &made)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(map[string]string{"id": made.Data.ID, "clientId": clientID, "clientSecret": made.Secret})
	if err != nil {
		return err
	}
	se.note("The client secret is shown only once.")
	return c.Item(con, raw, col("ID", "id"), col("CLIENT ID", "clientId"), col("CLIENT SECRET", "clientSecret"))
}

type clientSecretListCmd struct {
	Identity string `arg:"" complete:"identity" help:"ID or name of the identity."`
	Server   `embed:""`
}

// Run lists client secrets, without the secrets themselves.
func (c *clientSecretListCmd) Run(con *terminal.Console) error {
	se, id, err := c.openFor(con, c.Identity)
	if err != nil {
		return err
	}
	raw, err := se.one(universalPath(id)+"/client-secrets", "clientSecretData")
	if err != nil {
		return err
	}
	return c.List(con, raw, col("ID", "id"), col("PREFIX", "clientSecretPrefix"), col("DESCRIPTION", "description"), col("USES", "clientSecretNumUses"),
		col("LIMIT", "clientSecretNumUsesLimit"), col("TTL", "clientSecretTTL"), col("CREATED", "createdAt"))
}

type clientSecretRevokeCmd struct {
	Identity   string `arg:"" complete:"identity" help:"ID or name of the identity."`
	ID         string `arg:"" name:"id" help:"ID of the client secret."`
	OnlyTokens bool   `help:"Revoke only the tokens that were issued for it. The client secret stays valid."`
	Yes        bool   `short:"y" help:"Do not ask."`
	Server     `embed:""`
}

// Run revokes a client secret with its tokens.
func (c *clientSecretRevokeCmd) Run(con *terminal.Console) error {
	se, id, err := c.openFor(con, c.Identity)
	if err != nil {
		return err
	}
	what, verb := "Revoke client secret "+c.ID+" and its tokens?", "/revoke"
	if c.OnlyTokens {
		what, verb = "Revoke the tokens of client secret "+c.ID+"?", "/revoke-tokens"
	}
	if err := con.Confirm(c.Yes, what); err != nil {
		return err
	}
	return se.revoke(fmt.Sprintf("%s/client-secrets/%s%s", universalPath(id), url.PathEscape(c.ID), verb), "client secret "+c.ID)
}
