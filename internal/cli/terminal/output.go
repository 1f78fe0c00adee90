package terminal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"go.yaml.in/yaml/v3"
)

// Output is how a command answers. Commands embed it.
type Output struct {
	Form  string `name:"output" short:"o" default:"table" enum:"table,json,yaml,name" env:"SALLYPORT_OUTPUT" group:"Output" help:"Form of the output: table, json, yaml, or name for only the names or IDs."`
	Quiet bool   `short:"q" group:"Output" help:"Print no notes, only the output."`
}

// Column is one column of a table: its title, and where its value is in an item, such as "identity.name". Show, if any,
// turns the value into text.
type Column struct {
	Title, Path string
	Show        func(value any) string
}

// Item prints one object that the server answered, as a table with one row a column. The first column is its name.
func (o Output) Item(c *Console, raw json.RawMessage, columns ...Column) error {
	if o.Form != "table" {
		return o.list(c, raw, []json.RawMessage{raw}, columns)
	}
	var item any
	if err := json.Unmarshal(raw, &item); err != nil {
		return err
	}
	table := tabwriter.NewWriter(c.Out, 0, 8, 2, ' ', 0)
	for _, column := range columns {
		_, _ = fmt.Fprintf(table, "%s\t%s\n", column.Title, column.text(item))
	}
	return table.Flush()
}

// List prints a list that the server answered. The first column is the name of an item.
func (o Output) List(c *Console, raw json.RawMessage, columns ...Column) error {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return fmt.Errorf("the server did not answer with a list: %w", err)
	}
	return o.list(c, raw, items, columns)
}

func (o Output) list(c *Console, raw json.RawMessage, items []json.RawMessage, columns []Column) error {
	switch o.Form {
	case "json":
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, raw, "", "  "); err != nil {
			return err
		}
		c.Print("%s\n", pretty.String())
		return nil
	case "yaml":
		text, err := YAML(raw)
		c.Print("%s", text)
		return err
	case "name":
		return rows(c, items, columns[:1], false)
	}
	return rows(c, items, columns, true)
}

// rows prints a line an item. A table without rows says so to the user and prints nothing.
func rows(c *Console, items []json.RawMessage, columns []Column, titled bool) error {
	table := tabwriter.NewWriter(c.Out, 0, 8, 2, ' ', 0)
	if titled && len(items) == 0 {
		c.Tell("There are none.\n")
		return nil
	}
	cells := make([]string, len(columns))
	for i := range columns {
		cells[i] = columns[i].Title
	}
	if titled {
		_, _ = fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	for _, raw := range items {
		var item any
		if err := json.Unmarshal(raw, &item); err != nil {
			return err
		}
		for i, column := range columns {
			cells[i] = column.text(item)
		}
		_, _ = fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return table.Flush()
}

// text returns the value of a column as one line that cannot move the cursor of a terminal.
func (col Column) text(item any) string {
	value := item
	for _, name := range strings.Split(col.Path, ".") {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	if col.Show != nil {
		return Printable(col.Show(value))
	}
	switch value := value.(type) {
	case nil:
		return "-"
	case bool:
		return map[bool]string{true: "yes", false: "no"}[value]
	case float64:
		return fmt.Sprintf("%.0f", value)
	case []any:
		return Printable(Joined("")(value))
	}
	return Printable(fmt.Sprint(value))
}

// Joined shows a list with commas between its items; of objects, the value of a key.
func Joined(key string) func(any) string {
	return func(value any) string {
		list, _ := value.([]any)
		parts := make([]string, len(list))
		for i, item := range list {
			if object, ok := item.(map[string]any); ok {
				item = object[key]
			}
			parts[i] = fmt.Sprint(item)
		}
		if len(parts) == 0 {
			return "-"
		}
		return strings.Join(parts, ",")
	}
}

// Printable replaces characters that would break a line or control a terminal.
func Printable(text string) string {
	if text == "" {
		return "-"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return '\ufffd'
		}
		return r
	}, text)
}

// YAML returns JSON as YAML, with its fields in the same order.
func YAML(raw json.RawMessage) ([]byte, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(raw, &node); err != nil {
		return nil, err
	}
	plain(&node)
	return yaml.Marshal(&node)
}

// plain drops the style of JSON: quotes and braces that YAML does not need.
func plain(node *yaml.Node) {
	node.Style = 0
	for _, child := range node.Content {
		plain(child)
	}
}
