package console

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/console/api"
)

func TestParsePasted(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []api.Pair
		err  string
	}{
		"plain":                   {"A=1\nB = two words \n", []api.Pair{{Key: "A", Value: "1"}, {Key: "B", Value: "two words"}}, ""},
		"comments and blanks":     {"# x\n\nA=1 # one\nB=a#b\n", []api.Pair{{Key: "A", Value: "1"}, {Key: "B", Value: "a#b"}}, ""},
		"export":                  {"export A=1", []api.Pair{{Key: "A", Value: "1"}}, ""},
		"Windows":                 {"A=1\r\nB=2\r\n", []api.Pair{{Key: "A", Value: "1"}, {Key: "B", Value: "2"}}, ""},
		"empty value":             {"A=", []api.Pair{{Key: "A"}}, ""},
		"equals signs":            {"URL=postgres://u:p@h/db?a=b", []api.Pair{{Key: "URL", Value: "postgres://u:p@h/db?a=b"}}, ""},
		"single quotes":           {`A='x \n # "y"'`, []api.Pair{{Key: "A", Value: `x \n # "y"`}}, ""},
		"double quotes":           {`A="x\ny \"z\" \\n"`, []api.Pair{{Key: "A", Value: "x\ny \"z\" \\n"}}, ""},
		"several lines":           {"A=\"-----BEGIN\nkey\n-----END\"\nB=2", []api.Pair{{Key: "A", Value: "-----BEGIN\nkey\n-----END"}, {Key: "B", Value: "2"}}, ""},
		"the last one wins":       {"A=1\nB=2\nA=3", []api.Pair{{Key: "A", Value: "3"}, {Key: "B", Value: "2"}}, ""},
		"JSON":                    {`{"B": true, "A": "x", "C": null, "N": 7}`, []api.Pair{{Key: "A", Value: "x"}, {Key: "B", Value: "true"}, {Key: "C"}, {Key: "N", Value: "7"}}, ""},
		"refused/nothing":         {" \n#x", nil, "no line such as"},
		"refused/no equals sign":  {"A=1\nB", nil, "line 2"},
		"refused/no key":          {"=1", nil, "line 1"},
		"refused/key with spaces": {"a b=1", nil, "line 1"},
		"refused/open quotes":     {"A=1\nB=\"x\ny", nil, "line 2"},
		"refused/bad JSON":        {`{"A": `, nil, "JSON"},
		"refused/nested JSON":     {`{"A": {"B": 1}}`, nil, "value of A"},
		"refused/too many":        {strings.Repeat("x", 1) + manyLines(mostPasted+1), nil, "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parsePasted(test.text)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Fatalf("the error is %v, want %q", err, test.err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func manyLines(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("K" + count(i) + "=1\n")
	}
	return b.String()
}

// FuzzParsePasted: no text makes it panic, and what it reads from plain lines is in the text.
func FuzzParsePasted(f *testing.F) {
	for _, text := range []string{"A=1", "A=\"x\\\"\ny\"", "export A='b'", `{"A":1}`, "A=`x", "\r\n=\\"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		pairs, err := parsePasted(text)
		if err == nil && len(pairs) == 0 {
			t.Error("nothing was read, and that is no error")
		}
		for _, p := range pairs {
			if p.Key == "" && !strings.HasPrefix(strings.TrimSpace(text), "{") {
				t.Error("a secret without a name")
			}
		}
	})
}
