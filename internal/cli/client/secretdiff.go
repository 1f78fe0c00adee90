package client

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/sallyport/sallyport/internal/cli/remote"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type secretDiffCmd struct {
	With       string `complete:"environment" placeholder:"SLUG" help:"Environment to compare with. Default: the same."`
	WithPath   string `placeholder:"PATH" help:"Folder to compare with. Default: the same."`
	ShowValues bool   `help:"Show the values, too."`
	ExitCode   bool   `help:"End with exit code 1 if there are differences."`
	place      `embed:""`
	Server     `embed:""`
}

// difference is one secret that is not the same at both places.
type difference struct {
	Sign  string  `json:"sign"` // - only at the first place, + only at the second, ~ different
	Key   string  `json:"key"`
	Left  *string `json:"left,omitempty"`
	Right *string `json:"right,omitempty"`
}

// Run compares values as programs get them.
func (c *secretDiffCmd) Run(con *terminal.Console) error {
	if err := c.check(); err != nil {
		return err
	}
	other := c.place
	if c.With != "" {
		other.Environment = c.With
	}
	if c.WithPath != "" {
		other.Path = c.WithPath
	}
	if other == c.place {
		return terminal.Exit(terminal.WrongCall, errors.New("name what to compare with: an environment with --with, or a folder with --with-path"))
	}
	se, err := c.open(con)
	if err != nil {
		return err
	}
	found, err := c.differences(se, other)
	if err != nil {
		return err
	}
	if err := c.print(con, found); err != nil {
		return err
	}
	if len(found) == 0 {
		se.note("There are no differences.")
	} else if c.ExitCode {
		return errors.New("there are differences")
	}
	return nil
}

func (c *secretDiffCmd) print(con *terminal.Console, found []difference) error {
	if c.Form != "table" {
		raw, err := json.Marshal(found)
		if err != nil {
			return err
		}
		return c.List(con, raw, col("KEY", "key"))
	}
	for _, d := range found {
		con.Print("%s %s", d.Sign, terminal.Printable(d.Key))
		if c.ShowValues && d.Left != nil {
			con.Print(" -%s", strconv.Quote(*d.Left))
		}
		if c.ShowValues && d.Right != nil {
			con.Print(" +%s", strconv.Quote(*d.Right))
		}
		con.Print("\n")
	}
	return nil
}

func (c *secretDiffCmd) differences(se *session, other place) ([]difference, error) {
	left, err := se.byKey(c.place)
	if err != nil {
		return nil, err
	}
	right, err := se.byKey(other)
	if err != nil {
		return nil, err
	}
	keys := map[string]bool{}
	for key := range left {
		keys[key] = true
	}
	for key := range right {
		keys[key] = true
	}
	found := []difference{}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		l, inLeft := left[key]
		r, inRight := right[key]
		if inLeft && inRight && l == r {
			continue
		}
		d := difference{Key: key, Sign: "~"}
		if !inLeft {
			d.Sign = "+"
		} else if c.ShowValues {
			d.Left = &l
		}
		if !inRight {
			d.Sign = "-"
		} else if c.ShowValues {
			d.Right = &r
		}
		found = append(found, d)
	}
	return found, nil
}

func (se *session) byKey(p place) (map[string]string, error) {
	all, err := se.values(p, true)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, s := range all {
		values[s.Key] = s.Value
	}
	return values, nil
}

type secretHistoryCmd struct {
	Key        string `arg:"" complete:"secret" help:"Name of the secret."`
	Limit      int    `short:"n" default:"10" help:"How many versions to list, newest first."`
	ShowValues bool   `help:"Show the values, too."`
	place      `embed:""`
	Server     `embed:""`
}

// Run reads one version after the other, until one is not kept any more.
func (c *secretHistoryCmd) Run(con *terminal.Console) error {
	if err := c.check(); err != nil {
		return err
	}
	se, err := c.open(con)
	if err != nil {
		return err
	}
	query := c.query()
	query.Set("viewSecretValue", strconv.FormatBool(c.ShowValues))
	query.Set("expandSecretReferences", "false")
	query.Set("includeImports", "false")
	versions := []json.RawMessage{}
	for len(versions) < c.Limit {
		raw, err := se.one(secretPath(c.Key)+"?"+query.Encode(), "secret")
		if remote.IsStatus(err, http.StatusNotFound) && len(versions) > 0 {
			break
		}
		if err != nil {
			return err
		}
		var found secret
		if err := json.Unmarshal(raw, &found); err != nil {
			return err
		}
		versions = append(versions, raw)
		if found.Version <= 1 {
			break
		}
		query.Set("version", strconv.Itoa(found.Version-1))
	}
	raw, err := json.Marshal(versions)
	if err != nil {
		return err
	}
	columns := []terminal.Column{col("VERSION", "version"), col("KEY", "secretKey"), col("COMMENT", "secretComment"), col("CREATED", "updatedAt")}
	if c.ShowValues {
		columns = append(columns, col("VALUE", "secretValue"))
	}
	return c.List(con, raw, columns...)
}
