package client

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type templateCmd struct {
	File   string `arg:"" help:"Template to fill in, in the language of Go templates. A single dash (-) is standard input."`
	Out    string `type:"path" placeholder:"FILE" help:"Write to this file, which only you can read. Default: standard output."`
	place  `embed:""`
	Server `embed:""`
}

// Help says more than the line in the list of commands.
func (templateCmd) Help() string {
	return "In the template, `{{secret \"DB_PASSWORD\"}}` is the value of a secret, and `{{range $key, $value := secrets}}` goes through all of them. " +
		"`json` quotes a value for JSON and YAML files, and `base64` encodes it. A secret that does not exist is an error, and nothing is written."
}

// Run fills in the template as a whole before it writes anything.
func (c *templateCmd) Run(con *terminal.Console) error {
	if err := c.check(); err != nil {
		return err
	}
	text, err := con.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("cannot read the template: %w", err)
	}
	se, err := c.open(con)
	if err != nil {
		return err
	}
	values, err := se.byKey(c.place)
	if err != nil {
		return err
	}
	filled, err := c.fill(string(text), values)
	if err != nil {
		return err
	}
	if c.Out == "" {
		con.Print("%s", filled)
		return nil
	}
	return writePrivate(c.Out, filled)
}

func (c *templateCmd) fill(text string, values map[string]string) ([]byte, error) {
	parsed, err := template.New(filepath.Base(c.File)).Option("missingkey=error").Funcs(template.FuncMap{
		"secrets": func() map[string]string { return values },
		"secret": func(key string) (string, error) {
			value, found := values[key]
			if !found {
				return "", notFound(fmt.Errorf("there is no secret %s in %s of %s", key, c.Path, c.Environment))
			}
			return value, nil
		},
		"json":   func(value any) (string, error) { text, err := json.Marshal(value); return string(text), err },
		"base64": func(value string) string { return base64.StdEncoding.EncodeToString([]byte(value)) },
	}).Parse(text)
	if err != nil {
		return nil, terminal.Exit(terminal.Refused, err)
	}
	var filled bytes.Buffer
	err = parsed.Execute(&filled, nil)
	return filled.Bytes(), err
}

// writePrivate replaces a file as a whole. Only the user can read the new one.
func writePrivate(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
