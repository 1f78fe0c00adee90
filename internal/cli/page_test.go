//go:build !windows

package cli

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/sallyport/sallyport/internal/cli/reference"
)

var update = flag.Bool("update", false, "write the reference in docs/cli.md again")

const page = "../../docs/cli.md"

func model(t *testing.T) *kong.Node {
	t.Helper()
	parser, err := kong.New(&commands{}, kong.Name("sallyport"), kong.Vars{"version": "test"}, kong.Exit(func(int) { t.Fatal("kong ended the process") }))
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model.Node
}

// TestCommandPage: docs/cli.md has the reference of the commands as they are. Run it with -update to write it again.
func TestCommandPage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	root := model(t)
	want := between(t, string(text), "commands", "\n"+reference.Markdown(root)+"\n")
	want = between(t, want, "flags", "\n"+reference.Common(reference.Find(root, []string{"whoami"}))+"\n")
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("the reference in %s is stale: run `make generate`", page)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func between(t *testing.T, text, name, generated string) string {
	begin, end := "<!-- "+name+": generated -->\n", "<!-- end of the "+name+" -->\n"
	head, rest, found := strings.Cut(text, begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s lacks the lines %q and %q", page, begin, end)
	}
	return head + begin + generated + end + tail
}

// TestEveryCommandIsExplained: help texts are sentences, and each command has a page.
func TestEveryCommandIsExplained(t *testing.T) {
	pages := 0
	err := reference.Pages(model(t), func(node *kong.Node) error {
		pages++
		if node.Parent != nil && !strings.HasSuffix(node.Help, ".") {
			t.Errorf("%s has the help %q; it must be a sentence", node.FullPath(), node.Help)
		}
		for _, f := range node.Flags {
			if !strings.HasSuffix(f.Help, ".") {
				t.Errorf("--%s of %s has the help %q; it must be a sentence", f.Name, node.FullPath(), f.Help)
			}
		}
		return nil
	})
	if err != nil || pages < 50 {
		t.Errorf("%d pages, %v", pages, err)
	}
}

// TestComplete: completion knows flags, their values and commands.
func TestComplete(t *testing.T) {
	root := model(t)
	lookup := func(kind string, words []string) []string { return []string{kind + "-1", "other", "two words"} }
	for line, want := range map[string]string{
		"tok": "token", "token re": "renew revoke", "serve --lis": "--listen", "serve --log-format ": "text json", "serve --log-format=j": "--log-format=json",
		"token create ": "identity-1 other", "token create iden": "identity-1", "token create x ": "", "identity delete a ": "identity-1 other",
		"run --env ": "environment-1 other", "run -e o": "other", "run -e prod -- ": "", "run -- --e": "", "secret get --no-expand ": "secret-1 other",
		"serve --log-format = te": "--log-format=text", "nonsense ": "", "whoami -o ": "table json yaml name", "completion ": "bash zsh fish",
	} {
		got := []string{}
		for _, c := range reference.Complete(root, strings.Split(line, " "), lookup) {
			got = append(got, c.Word)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", line, strings.Join(got, " "), want)
		}
	}
}
