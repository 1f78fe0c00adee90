// Package reference owns what is made from the grammar of the command line: completion in shells, man pages and the page of
// commands in the documentation. It does not know what the commands do.
package reference

import (
	"strings"

	"github.com/alecthomas/kong"
)

// commands returns the commands below a node, without those that are hidden.
func commands(node *kong.Node) (shown []*kong.Node) {
	for _, child := range node.Children {
		if !child.Hidden {
			shown = append(shown, child)
		}
	}
	return shown
}

// flags returns the flags of a command, with those of commands above it but not of the program itself.
func flags(node *kong.Node) (shown []*kong.Flag) {
	if node.Parent != nil && node.Parent.Parent != nil {
		shown = flags(node.Parent)
	}
	for _, flag := range node.Flags {
		if !flag.Hidden && flag.Name != "help" {
			shown = append(shown, flag)
		}
	}
	return shown
}

// walk visits a command and all below it, in their order.
func walk(node *kong.Node, visit func(*kong.Node)) {
	visit(node)
	for _, child := range commands(node) {
		walk(child, visit)
	}
}

// Find returns the command that words name; nil if there is none.
func Find(root *kong.Node, words []string) *kong.Node {
	for _, word := range words {
		found := child(root, word)
		if found == nil {
			return nil
		}
		root = found
	}
	return root
}

func child(node *kong.Node, name string) *kong.Node {
	for _, c := range node.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// path names a command with all above it, such as sallyport token revoke.
func path(node *kong.Node) string {
	if node.Parent == nil {
		return node.Name
	}
	return path(node.Parent) + " " + node.Name
}

// synopsis is how a command is called.
func synopsis(node *kong.Node) string {
	text := path(node)
	for _, arg := range node.Positional {
		text += " " + arg.Summary()
	}
	if len(node.Children) > 0 {
		text += " <command>"
	}
	return text + " [flags]"
}

// spelling is how a flag is written, such as -o, --output=table.
func spelling(flag *kong.Flag) string {
	text := "--" + flag.Name
	if flag.Tag.Negatable != "" {
		text = "--[no-]" + flag.Name
	}
	if !flag.IsBool() && !flag.IsCounter() {
		text += "=" + strings.Trim(flag.FormatPlaceHolder(), `"`)
	}
	if flag.Short != 0 {
		text = "-" + string(flag.Short) + ", " + text
	}
	return text
}

// explanation is the help of a flag, with the variables that it can come from.
func explanation(flag *kong.Flag) string {
	if len(flag.Envs) == 0 {
		return flag.Help
	}
	return flag.Help + " Environment: " + strings.Join(flag.Envs, ", ") + "."
}
