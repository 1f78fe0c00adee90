package dotenv_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/dotenv"
)

func TestParse(t *testing.T) {
	text := "\ufeff# head\n\nA=1\nexport B = two words # note\r\nC='$A \\n'\nD=\"a\\n\\\"b\\\" \\$x \\q\nsecond\" # note\nE=\nF=#x\nG=a#b\n" +
		"H=''\n  I\t=\tx\nJ-k.l=1\nK=\"x\"\nL=`a 'b' #c\nd`"
	want := []dotenv.Pair{{"A", "1"}, {"B", "two words"}, {"C", "$A \\n"}, {"D", "a\n\"b\" $x \\q\nsecond"}, {"E", ""}, {"F", ""}, {"G", "a#b"},
		{"H", ""}, {"I", "x"}, {"J-k.l", "1"}, {"K", "x"}, {"L", "a 'b' #c\nd"}}
	got, err := dotenv.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("- want, + got:\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"A=1\nnonsense": "line 2 is not", "=x": "line 1 is not", "A=\"x\n\n": "line 1: the quote", "\nA='x' y": "line 2: there is text after", "A B=1": "line 1 is not", "A=`x": "line 1: the quote",
	} {
		if _, err := dotenv.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}

var pairs = rapid.Custom(func(t *rapid.T) dotenv.Pair {
	value := rapid.OneOf(rapid.String(), rapid.StringMatching("[a-z#'\"\\\\$` \n\r\t=]{0,8}")).Draw(t, "value")
	return dotenv.Pair{Name: rapid.StringMatching(`[A-Z_][A-Z0-9_]{0,5}`).Draw(t, "name"), Value: strings.ReplaceAll(value, "\x00", "")}
})

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOf(pairs).Draw(t, "pairs")
		text := ""
		for _, p := range want {
			text += dotenv.Line(p)
		}
		got, err := dotenv.Parse(text)
		if err != nil || len(got) != len(want) || len(want) > 0 && cmp.Diff(want, got) != "" {
			t.Fatalf("%q became %q, %v", want, got, err)
		}
	})
}

// TestAShellReadsTheSameValue lets a shell run what was written for it.
func TestAShellReadsTheSameValue(t *testing.T) {
	for _, value := range []string{"", "a b", "it's", "$HOME `id` \"x\" \\", "two\nlines", "tab\there"} {
		p := dotenv.Pair{Name: "X", Value: value}
		for _, line := range []string{dotenv.ShellLine(p)} {
			got, err := exec.Command("sh", "-c", line+`printf %s "$X"`).Output()
			if err != nil || string(got) != value {
				t.Errorf("%q: the shell reads %q, %v", line, got, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("A=1\nexport B='x'\nC=\"y\\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		pairs, err := dotenv.Parse(text)
		if err != nil {
			return
		}
		for _, p := range pairs {
			if p.Name == "" || strings.ContainsAny(p.Name, "= \n") {
				t.Errorf("%q has the name %q", text, p.Name)
			}
			again, err := dotenv.Parse(dotenv.Line(p))
			if err != nil || len(again) != 1 || again[0] != p {
				t.Errorf("%q became %q, %v", p, again, err)
			}
		}
	})
}
