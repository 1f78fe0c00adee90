package reference

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

// Markdown returns the reference of all commands, with the exit codes at its end.
func Markdown(root *kong.Node) string {
	var text strings.Builder
	walk(root, func(node *kong.Node) { describe(&text, node) })
	text.WriteString("## Exit codes\n\n| code | meaning |\n|--:|---|\n")
	for _, c := range terminal.Codes {
		fmt.Fprintf(&text, "| %d | %s |\n", c.Code, c.Meaning)
	}
	return text.String()
}

// mostRows is how many flags the page shows of a command. Those of a server are on a page of their own.
const mostRows = 25

func describe(text *strings.Builder, node *kong.Node) {
	if node.Parent == nil || len(node.Children) > 0 && node.Parent.Parent != nil {
		return
	}
	level := "###"
	if node.Parent.Parent == nil {
		level = "##"
	}
	fmt.Fprintf(text, "%s %s\n\n%s\n\n", level, strings.TrimPrefix(path(node), "sallyport "), node.Help)
	if node.Detail != "" {
		fmt.Fprintf(text, "%s\n\n", strings.TrimSpace(node.Detail))
	}
	if len(node.Children) > 0 {
		return
	}
	fmt.Fprintf(text, "```\n%s\n```\n\n", synopsis(node))
	rows := []string{}
	for _, arg := range node.Positional {
		rows = append(rows, fmt.Sprintf("| `%s` | %s |\n", arg.Summary(), cell(arg.Help)))
	}
	for _, flag := range flags(node) {
		if flag.Group == nil || flag.Group.Key != "Server" && flag.Group.Key != "Output" {
			rows = append(rows, fmt.Sprintf("| `%s` | %s |\n", spelling(flag), cell(explanation(flag))))
		}
	}
	if len(rows) > mostRows {
		fmt.Fprintf(text, "The settings are listed in [operations](operations.md#reference).\n\n")
		return
	}
	if len(rows) > 0 {
		fmt.Fprintf(text, "| | |\n|---|---|\n%s\n", strings.Join(rows, ""))
	}
}

// Common returns the table of the flags that most commands have, taken from one that has them.
func Common(node *kong.Node) string {
	text := "| | |\n|---|---|\n"
	for _, flag := range flags(node) {
		if flag.Group != nil && (flag.Group.Key == "Server" || flag.Group.Key == "Output") {
			text += fmt.Sprintf("| `%s` | %s |\n", spelling(flag), cell(explanation(flag)))
		}
	}
	return text
}

func cell(text string) string { return strings.ReplaceAll(text, "|", "\\|") }
