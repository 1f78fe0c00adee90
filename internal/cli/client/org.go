package client

import (
	"encoding/json"
	"time"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type orgCmd struct {
	List         orgListCmd   `cmd:"" help:"List the organizations that you are a member of."`
	RevokeTokens orgRevokeCmd `cmd:"" help:"Revoke every token of your organization, the one that you use included."`
}

type orgListCmd struct {
	Server `embed:""`
}

// Run lists organizations.
func (c *orgListCmd) Run(con *terminal.Console) error {
	se, err := c.open(con)
	if err != nil {
		return err
	}
	raw, err := se.one("/api/v1/organization", "organizations")
	if err != nil {
		return err
	}
	return c.List(con, raw, col("ID", "id"), col("NAME", "name"), col("SLUG", "slug"), col("CREATED", "createdAt"))
}

type orgRevokeCmd struct {
	Slug   string `arg:"" help:"Slug of your organization, so that it cannot be the wrong one."`
	Yes    bool   `short:"y" help:"Do not ask."`
	Server `embed:""`
}

// Run cuts everyone off.
func (c *orgRevokeCmd) Run(con *terminal.Console) error {
	se, err := c.open(con)
	if err != nil {
		return err
	}
	if err := con.Confirm(c.Yes, "Revoke every token of organization "+c.Slug+"? Every workload and every user has to log in again."); err != nil {
		return err
	}
	return se.revokeWith("/api/v1/organization/revoke-tokens", map[string]string{"organizationSlug": c.Slug}, "every token of organization "+c.Slug)
}

type serverCmd struct {
	Status   serverStatusCmd   `cmd:"" help:"Show whether the server can work."`
	Replicas serverReplicasCmd `cmd:"" help:"List the replicas with their version, lease and lag. For administrators of the instance."`
}

type serverStatusCmd struct {
	Server `embed:""`
}

// Run asks without a login.
func (c *serverStatusCmd) Run(con *terminal.Console) error {
	found, err := c.context()
	if err != nil {
		return err
	}
	se, err := c.reach(con, found)
	if err != nil {
		return err
	}
	began := time.Now()
	var answer struct {
		Status string `json:"status"`
	}
	if err := se.Get(con.Ctx, "/readyz", &answer); err != nil {
		return err
	}
	raw, err := json.Marshal(map[string]string{"url": se.BaseURL, "status": answer.Status, "took": time.Since(began).Round(100 * time.Microsecond).String()})
	if err != nil {
		return err
	}
	return c.Item(con, raw, col("SERVER", "url"), col("STATUS", "status"), col("ANSWERED IN", "took"))
}

type serverReplicasCmd struct {
	Server `embed:""`
}

// Run lists replicas.
func (c *serverReplicasCmd) Run(con *terminal.Console) error {
	se, err := c.open(con)
	if err != nil {
		return err
	}
	raw, err := se.one("/api/v1/admin/replicas", "replicas")
	if err != nil {
		return err
	}
	return c.List(con, raw, col("NAME", "name"), col("VERSION", "version"), col("SCHEMA", "schema"), col("LAG", "lag"), col("LEASE MS", "leaseMilliseconds"),
		col("ANSWERS", "self"), col("SEEN", "seenAt"), col("STARTED", "startedAt"))
}

// now is the present time as the API writes times.
func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }
