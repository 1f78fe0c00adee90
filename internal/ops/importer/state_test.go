package importer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const first = `{"source":"s","target":"t"}` + "\n"

func TestJournal(t *testing.T) {
	made := entry{Identities, "a", "b", false}
	line := `{"kind":"identities","from":"a","to":"b"}` + "\n"
	for name, c := range map[string]struct {
		before string
		want   string // in the error
		known  []entry
		after  string // in the file, once another line was noted
	}{
		"accepted/no file":             {"", "", nil, first},
		"accepted/only its header":     {first, "", nil, first},
		"accepted/one line":            {first + line, "", []entry{made}, first + line},
		"accepted/last line counts":    {first + line + `{"kind":"identities","from":"a","to":"b","done":true}` + "\n", "", []entry{{Identities, "a", "b", true}}, first + line + `{"kind":"identities","from":"a","to":"b","done":true}` + "\n"},
		"accepted/line that was cut":   {first + line + `{"kind":"ident`, "", []entry{made}, first + line},
		"accepted/header that was cut": {first[:10], "", nil, first},
		"refused/other organizations":  {`{"source":"s","target":"x"}` + "\n", "not the state of an import between these two", nil, ""},
		"refused/other file":           {"hello\n", "not the state of an import between these two", nil, ""},
		"refused/damaged line":         {first + "}{\n" + line, "is damaged", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state")
			if c.before != "" {
				if err := os.WriteFile(path, []byte(c.before), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			j, err := openJournal(path, header{"s", "t"}, false)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("got %v; want an error with %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.known {
				if got, _ := j.of(want.Kind, want.From); got != want || !j.claimed(want.To) {
					t.Errorf("knows %+v, want %+v", got, want)
				}
			}
			noted := entry{Projects, "p", "q", true}
			if err := j.note(noted); err != nil {
				t.Fatal(err)
			}
			if err := j.note(noted); err != nil { // twice is once
				t.Fatal(err)
			}
			if err := j.close(); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(path)
			if diff := cmp.Diff(c.after+`{"kind":"projects","from":"p","to":"q","done":true}`+"\n", string(text)); diff != "" || err != nil {
				t.Errorf("the file holds %s, %v", diff, err)
			}
		})
	}
}

// FuzzJournal reads whatever a file may hold.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(first + `{"kind":"identities","from":"a","to":"b"}` + "\n"))
	f.Add([]byte(first + "null\n[]\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "state")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := openJournal(path, header{"s", "t"}, false)
		if err != nil {
			return
		}
		if err := j.note(entry{Kind: Projects, From: "p", To: "q"}); err != nil {
			t.Fatal(err)
		}
		if err := j.close(); err != nil {
			t.Fatal(err)
		}
		again, err := openJournal(path, header{"s", "t"}, true)
		if err != nil {
			t.Fatalf("cannot read what was written after %q: %v", text, err)
		}
		if diff := cmp.Diff(j.known, again.known); diff != "" {
			t.Error(diff)
		}
	})
}
