package terminal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

func console(in string) (*terminal.Console, *bytes.Buffer, *bytes.Buffer) {
	var out, errOut bytes.Buffer
	return &terminal.Console{In: strings.NewReader(in), Out: &out, Err: &errOut}, &out, &errOut
}

func TestSecretFromInputLosesOneLineFeed(t *testing.T) {
	for typed, want := range map[string]string{"a": "a", "a\n": "a", "a\r\n": "a", "a\n\n": "a\n", " a ": " a ", "": ""} {
		c, _, _ := console(typed)
		if got, err := c.Secret("Value:"); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", typed, got, err, want)
		}
	}
}

func TestConfirm(t *testing.T) {
	c, _, _ := console("y\n")
	err := c.Confirm(false, "Delete it?")
	if terminal.CodeOf(err) != int(terminal.NotConfirmed) || !strings.Contains(err.Error(), "--yes") {
		t.Errorf("without a terminal: %v", err)
	}
	if err := c.Confirm(true, "Delete it?"); err != nil {
		t.Errorf("with --yes: %v", err)
	}
}

func TestCodeOf(t *testing.T) {
	coded := terminal.Exit(terminal.NotFound, errors.New("gone"))
	for want, err := range map[int]error{1: errors.New("x"), 5: fmt.Errorf("more: %w", coded)} {
		if got := terminal.CodeOf(err); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}

func TestOutput(t *testing.T) {
	list := json.RawMessage(`[{"id":"1","name":"a\u001b[2Jb","tags":["x","y"],"in":{"n":3},"ok":true},{"id":"2","name":"","tags":[],"in":null,"ok":false}]`)
	columns := []terminal.Column{{Title: "ID", Path: "id"}, {Title: "NAME", Path: "name"}, {Title: "TAGS", Path: "tags"}, {Title: "N", Path: "in.n"}, {Title: "OK", Path: "ok"}}
	for form, want := range map[string]string{
		"table": "ID  NAME    TAGS  N  OK\n1   a\ufffd[2Jb  x,y   3  yes\n2   -       -     -  no\n",
		"name":  "1\n2\n",
		"yaml":  "- id: \"1\"\n  name: \"a\\e[2Jb\"\n",
		"json":  "[\n  {\n    \"id\": \"1\",\n    \"name\": \"a\\u001b[2Jb\",\n",
	} {
		c, out, _ := console("")
		if err := (terminal.Output{Form: form}).List(c, list, columns...); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); !strings.HasPrefix(got, want) {
			t.Errorf("%s:\n%s\nwant:\n%s", form, got, want)
		}
	}
}

func TestItemOfATableHasARowForEachColumn(t *testing.T) {
	c, out, _ := console("")
	err := (terminal.Output{Form: "table"}).Item(c, json.RawMessage(`{"id":"1","name":"ci"}`), terminal.Column{Title: "ID", Path: "id"}, terminal.Column{Title: "NAME", Path: "name"})
	if want := "ID    1\nNAME  ci\n"; err != nil || out.String() != want {
		t.Errorf("%q, %v", out.String(), err)
	}
}
