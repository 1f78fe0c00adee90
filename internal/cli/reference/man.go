package reference

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

// PageName is the name of the man page of a command, such as sallyport-token-revoke.
func PageName(node *kong.Node) string { return strings.ReplaceAll(path(node), " ", "-") }

// Pages calls write with each command.
func Pages(root *kong.Node, write func(node *kong.Node) error) (err error) {
	walk(root, func(node *kong.Node) {
		if err == nil {
			err = write(node)
		}
	})
	return err
}

// Man returns the man page of a command, in the language of man(7).
func Man(node *kong.Node) string {
	m := &page{}
	m.line(".TH %s 1", quote(strings.ToUpper(PageName(node))))
	m.section("NAME")
	m.text(PageName(node) + " - " + strings.TrimSuffix(node.Help, "."))
	m.section("SYNOPSIS")
	m.line(".B %s", quote(synopsis(node)))
	m.section("DESCRIPTION")
	m.text(node.Help)
	for paragraph := range strings.SplitSeq(node.Detail, "\n\n") {
		if paragraph != "" {
			m.line(".PP")
			m.text(paragraph)
		}
	}
	if shown := commands(node); len(shown) > 0 {
		m.section("COMMANDS")
		for _, c := range shown {
			m.item(path(c), c.Help)
		}
	}
	if len(node.Positional) > 0 {
		m.section("ARGUMENTS")
		for _, arg := range node.Positional {
			m.item(arg.Summary(), arg.Help)
		}
	}
	if shown := flags(node); len(shown) > 0 {
		m.section("OPTIONS")
		for _, flag := range shown {
			m.item(spelling(flag), explanation(flag))
		}
	}
	m.section("EXIT STATUS")
	for _, c := range terminal.Codes {
		m.item(fmt.Sprint(c.Code), c.Meaning)
	}
	if node.Parent != nil {
		m.section("SEE ALSO")
		m.line(".BR %s (1)", PageName(node.Parent))
	}
	return m.String()
}

// page is a page of man(7) that grows.
type page struct{ strings.Builder }

func (m *page) line(format string, args ...any) { fmt.Fprintf(m, format+"\n", args...) }

func (m *page) section(title string) { m.line(".SH %s", quote(title)) }

func (m *page) item(term, text string) {
	m.line(".TP")
	m.line(".B %s", quote(term))
	m.text(text)
}

// text writes words. Nothing in them is a command of the page.
func (m *page) text(words string) {
	for line := range strings.SplitSeq(escape(strings.ReplaceAll(words, "`", "")), "\n") {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			line = `\&` + line
		}
		m.line("%s", line)
	}
}

func escape(text string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
}

func quote(text string) string { return `"` + strings.ReplaceAll(escape(text), `"`, `\(dq`) + `"` }
