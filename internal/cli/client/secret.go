package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/cli/remote"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type secretCmd struct {
	Get     secretGetCmd     `cmd:"" help:"Print the value of a secret."`
	Set     secretSetCmd     `cmd:"" help:"Create a secret, or give it a new value."`
	List    secretListCmd    `cmd:"" help:"List the secrets of a folder."`
	Delete  secretDeleteCmd  `cmd:"" help:"Delete secrets with all of their versions."`
	Export  secretExportCmd  `cmd:"" help:"Print all secrets of a folder as a file."`
	Import  secretImportCmd  `cmd:"" help:"Create and change secrets from a file."`
	Diff    secretDiffCmd    `cmd:"" help:"Compare the secrets of two environments or folders."`
	History secretHistoryCmd `cmd:"" help:"List the versions of a secret."`
}

type secretGetCmd struct {
	Key     string `arg:"" complete:"secret" help:"Name of the secret."`
	Version int    `name:"secret-version" placeholder:"N" help:"An older version. Default: the latest."`
	Raw     bool   `help:"Print the value alone, without a line feed after it."`
	AsIs    bool   `name:"no-expand" help:"Do not replace references to other secrets with their values."`
	place   `embed:""`
	Server  `embed:""`
}

// Run prints one value.
func (c *secretGetCmd) Run(con *terminal.Console) error {
	if err := c.check(); err != nil {
		return err
	}
	se, err := c.open(con)
	if err != nil {
		return err
	}
	query := c.query()
	query.Set("expandSecretReferences", strconv.FormatBool(!c.AsIs))
	if c.Version > 0 {
		query.Set("version", strconv.Itoa(c.Version))
	}
	raw, err := se.one(secretPath(c.Key)+"?"+query.Encode(), "secret")
	if err != nil {
		return err
	}
	var found secret
	if err := json.Unmarshal(raw, &found); err != nil {
		return err
	}
	if err := readable([]secret{found}); err != nil {
		return err
	}
	if c.Form != "table" {
		return c.Item(con, raw, col("KEY", "secretKey"))
	}
	end := "\n"
	if c.Raw {
		end = ""
	}
	con.Print("%s%s", found.Value, end)
	return nil
}

type secretSetCmd struct {
	Key     string  `arg:"" complete:"secret" help:"Name of the secret."`
	File    string  `type:"path" placeholder:"FILE" help:"Take the value from this file, as it is. Default: a prompt or standard input, without a line feed at its end."`
	FromEnv string  `placeholder:"NAME" help:"Take the value from this environment variable."`
	Comment *string `placeholder:"TEXT" help:"Comment of the secret."`
	place   `embed:""`
	Server  `embed:""`
}

// Validate refuses two sources; kong calls it.
func (c *secretSetCmd) Validate() error {
	if c.File != "" && c.FromEnv != "" {
		return errors.New("use either --file or --from-env")
	}
	return nil
}

// Help says more than the line in the list of commands.
func (secretSetCmd) Help() string {
	return "The value is never an argument, because other users of the machine can see arguments. Pipe it: `pass show db | sallyport secret set DB_PASSWORD`."
}

// Run makes a new version of the secret, or its first one.
func (c *secretSetCmd) Run(con *terminal.Console) error {
	if err := c.check(); err != nil {
		return err
	}
	if strings.Contains(c.Key, "=") {
		return terminal.Exit(terminal.WrongCall, errors.New("the name of a secret cannot contain \"=\"; send the value on standard input, because other users can see arguments"))
	}
	se, err := c.open(con)
	if err != nil {
		return err
	}
	value, err := c.value(con)
	if err != nil {
		return err
	}
	body := map[string]any{"secretValue": value}
	if c.Comment != nil {
		body["secretComment"] = *c.Comment
	}
	raw, err := se.send(http.MethodPatch, secretPath(c.Key), c.body(body), "secret")
	if remote.IsStatus(err, http.StatusNotFound) {
		raw, err = se.send(http.MethodPost, secretPath(c.Key), c.body(body), "secret")
	}
	if err != nil {
		return err
	}
	var made secret
	if err := json.Unmarshal(raw, &made); err != nil {
		return err
	}
	se.note("%s in %s of %s now has version %d.", c.Key, c.Path, c.Environment, made.Version)
	return nil
}

func (c *secretSetCmd) value(con *terminal.Console) (string, error) {
	switch {
	case c.File != "":
		text, err := os.ReadFile(c.File)
		return string(text), err
	case c.FromEnv != "":
		value, set := os.LookupEnv(c.FromEnv)
		if !set {
			return "", fmt.Errorf("the environment variable %s is not set", c.FromEnv)
		}
		return value, nil
	}
	return con.Secret("Value of " + c.Key + ":")
}

type secretListCmd struct {
	ShowValues bool `help:"Show the values, too."`
	Recursive  bool `short:"r" help:"List the folders below, too."`
	place      `embed:""`
	Server     `embed:""`
}

// Run lists the secrets of a folder itself, without imports.
func (c *secretListCmd) Run(con *terminal.Console) error {
	if err := c.check(); err != nil {
		return err
	}
	se, err := c.open(con)
	if err != nil {
		return err
	}
	query := c.query()
	query.Set("viewSecretValue", strconv.FormatBool(c.ShowValues))
	query.Set("recursive", strconv.FormatBool(c.Recursive))
	query.Set("includeImports", "false")
	raw, err := se.one(secrets+"?"+query.Encode(), "secrets")
	if err != nil {
		return err
	}
	columns := []terminal.Column{col("KEY", "secretKey"), col("PATH", "secretPath"), col("VERSION", "version"),
		{Title: "TAGS", Path: "tags", Show: terminal.Joined("slug")}, col("UPDATED", "updatedAt")}
	if c.ShowValues {
		columns = append(columns, col("VALUE", "secretValue"))
	}
	return c.List(con, raw, columns...)
}

type secretDeleteCmd struct {
	Keys   []string `arg:"" complete:"secret" help:"Names of the secrets."`
	Yes    bool     `short:"y" help:"Do not ask."`
	place  `embed:""`
	Server `embed:""`
}

// Run deletes all or none.
func (c *secretDeleteCmd) Run(con *terminal.Console) error {
	if err := c.check(); err != nil {
		return err
	}
	se, err := c.open(con)
	if err != nil {
		return err
	}
	question := fmt.Sprintf("Delete %s in %s of %s, with all versions?", strings.Join(c.Keys, ", "), c.Path, c.Environment)
	if err := con.Confirm(c.Yes, question); err != nil {
		return err
	}
	items := make([]map[string]string, len(c.Keys))
	for i, key := range c.Keys {
		items[i] = map[string]string{"secretKey": key}
	}
	if _, err := se.send(http.MethodDelete, secrets+"/batch", c.body(map[string]any{"secrets": items}), "secrets"); err != nil {
		return err
	}
	se.note("Deleted %s.", strings.Join(c.Keys, ", "))
	return nil
}
