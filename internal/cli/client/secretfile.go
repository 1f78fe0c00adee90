package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sallyport/sallyport/internal/base/dotenv"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type secretExportCmd struct {
	Format string `short:"f" default:"dotenv" enum:"dotenv,shell,json,yaml" help:"Form of the file: dotenv, shell, json or yaml."`
	AsIs   bool   `name:"no-expand" help:"Do not replace references to other secrets with their values."`
	place  `embed:""`
	Server `embed:""`
}

// Run prints what programs would get.
func (c *secretExportCmd) Run(con *terminal.Console) error {
	if err := c.check(); err != nil {
		return err
	}
	se, err := c.open(con)
	if err != nil {
		return err
	}
	all, err := se.values(c.place, !c.AsIs)
	if err != nil {
		return err
	}
	if c.Format == "json" || c.Format == "yaml" {
		return c.object(con, all)
	}
	for _, s := range all {
		pair := dotenv.Pair{Name: s.Key, Value: s.Value}
		switch {
		case c.Format == "dotenv":
			con.Print("%s", dotenv.Line(pair))
		case dotenv.IsVariable(s.Key):
			con.Print("%s", dotenv.ShellLine(pair))
		default:
			se.note("%s is left out: a shell cannot have a variable of this name.", s.Key)
		}
	}
	return nil
}

// object prints an object of names and values.
func (c *secretExportCmd) object(con *terminal.Console, all []secret) error {
	values := map[string]string{}
	for _, s := range all {
		values[s.Key] = s.Value
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(values); err != nil || c.Format == "json" {
		con.Print("%s", text.String())
		return err
	}
	asYAML, err := yaml.Marshal(values)
	con.Print("%s", asYAML)
	return err
}

type secretImportCmd struct {
	File   string `arg:"" help:"File to read. A single dash (-) is standard input."`
	Format string `short:"f" default:"auto" enum:"auto,dotenv,json,yaml" help:"Form of the file: dotenv, json or yaml. auto goes by the end of its name, and takes dotenv for others."`
	DryRun bool   `help:"Only show which secrets would be created and changed."`
	place  `embed:""`
	Server `embed:""`
}

// mostAtOnce is how many secrets the server takes in one request.
const mostAtOnce = 1000

// Run creates what is missing and changes what differs, so that a second run changes nothing.
func (c *secretImportCmd) Run(con *terminal.Console) error {
	if err := c.check(); err != nil {
		return err
	}
	se, err := c.open(con)
	if err != nil {
		return err
	}
	text, err := con.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("cannot read the secrets: %w", err)
	}
	wanted, err := parseSecrets(text, c.format())
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	changed, err := c.changes(se, wanted)
	if err != nil {
		return err
	}
	if c.DryRun {
		return nil
	}
	for part := range slices.Chunk(changed, mostAtOnce) {
		if _, err := se.send(http.MethodPatch, secrets+"/batch", c.body(map[string]any{"mode": "upsert", "secrets": part}), "secrets"); err != nil {
			return err
		}
	}
	se.note("%d secrets written, %d were the same.", len(changed), len(wanted)-len(changed))
	return nil
}

func (c *secretImportCmd) format() string {
	if c.Format != "auto" {
		return c.Format
	}
	switch strings.ToLower(filepath.Ext(c.File)) {
	case ".json":
		return "json"
	case ".yaml", ".yml":
		return "yaml"
	}
	return "dotenv"
}

// changes compares with what the folder has, and tells what is new and what differs.
func (c *secretImportCmd) changes(se *session, wanted map[string]string) ([]map[string]string, error) {
	query := c.query()
	query.Set("expandSecretReferences", "false")
	query.Set("includeImports", "false")
	raw, err := se.one(secrets+"?"+query.Encode(), "secrets")
	if err != nil {
		return nil, err
	}
	there, err := secretsOf(raw)
	if err != nil {
		return nil, err
	}
	now := map[string]secret{}
	for _, s := range there {
		now[s.Key] = s
	}
	changed := []map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		old, exists := now[key]
		if exists && !old.Hidden && old.Value == wanted[key] {
			continue
		}
		if c.DryRun {
			se.con.Print("%s %s\n", map[bool]string{true: "change", false: "create"}[exists], key)
		}
		changed = append(changed, map[string]string{"secretKey": key, "secretValue": wanted[key]})
	}
	return changed, nil
}

// parseSecrets reads names and values. Numbers and booleans are taken as they are written.
func parseSecrets(text []byte, format string) (map[string]string, error) {
	found := map[string]string{}
	if format == "dotenv" {
		pairs, err := dotenv.Parse(string(text))
		for _, p := range pairs {
			found[p.Name] = p.Value
		}
		return found, err
	}
	var node yaml.Node // JSON is YAML
	if err := yaml.Unmarshal(text, &node); err != nil {
		return nil, err
	}
	if len(node.Content) != 1 || node.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("this is not an object of names and values")
	}
	pairs := node.Content[0].Content
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1].Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("line %d: the value of %s is not a text or a number", pairs[i+1].Line, pairs[i].Value)
		}
		found[pairs[i].Value] = pairs[i+1].Value
	}
	return found, nil
}
