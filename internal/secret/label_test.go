package secret

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/project"
)

// keeper may do all that there is to do in a project, but for reading the value of what rules see at one label.
const keeper = `[{"subject":"secrets","action":["describeSecret","readValue","create","edit","delete"]},{"subject":"secret-imports","action":["read","create","edit","delete"]},
	{"subject":"secret-folders","action":["create","edit","delete"]},{"subject":"environments","action":["read","create","edit","delete"]},
	{"subject":"tags","action":["read","create","edit","delete"]},
	{"subject":"secrets","action":["readValue"],"inverted":true,"conditions":CONDITION}]`

// labeled is a world in which one secret is at dev /vault, is called ROOT_PW and has the tag restricted.
type labeled struct {
	*fixture
	at  Place
	tag string
	id  string
}

const treasure = "the treasure"

func newLabeled(f *fixture) *labeled {
	l := &labeled{fixture: f, at: f.in("dev", "/vault"), tag: f.tag("restricted")}
	f.tag("public")
	f.folder("dev", "vault")
	f.folder("dev", "open")
	s, err := f.Create(f.t.Context(), f.admin, l.at, Changes{Name: "ROOT_PW", Value: ptr(treasure), TagIDs: &[]string{l.tag}})
	if err != nil {
		f.t.Fatal(err)
	}
	l.id = s.ID
	return l
}

// relabelings are all ways in which something comes to be seen by rules as something else. Each returns what was answered.
var relabelings = map[string]func(l *labeled, by *access.Actor) (any, error){
	"rename": func(l *labeled, by *access.Actor) (any, error) {
		return l.Update(l.t.Context(), by, l.at, Changes{Name: "ROOT_PW", NewName: ptr("X")})
	},
	"rename in a batch": func(l *labeled, by *access.Actor) (any, error) {
		return l.UpdateAll(l.t.Context(), by, l.at, Upsert, []Item{{Changes: Changes{Name: "ROOT_PW", NewName: ptr("X")}}})
	},
	"rename, writing back the mask": func(l *labeled, by *access.Actor) (any, error) {
		return l.Update(l.t.Context(), by, l.at, Changes{Name: "ROOT_PW", NewName: ptr("X"), Value: ptr(hidden)})
	},
	"set no tags": func(l *labeled, by *access.Actor) (any, error) {
		return l.Update(l.t.Context(), by, l.at, Changes{Name: "ROOT_PW", TagIDs: &[]string{}})
	},
	"detach": func(l *labeled, by *access.Actor) (any, error) {
		return l.Detach(l.t.Context(), by, l.at, "ROOT_PW", false, []string{"restricted"})
	},
	"move": func(l *labeled, by *access.Actor) (any, error) {
		return nil, l.Move(l.t.Context(), by, Move{IDs: []string{l.id}, From: l.at, To: l.in("dev", "/open")})
	},
	"move to another environment": func(l *labeled, by *access.Actor) (any, error) {
		return nil, l.Move(l.t.Context(), by, Move{IDs: []string{l.id}, From: l.at, To: l.in("prod", "/")})
	},
	"move over another one": func(l *labeled, by *access.Actor) (any, error) {
		_, _ = l.Create(l.t.Context(), l.admin, l.in("dev", "/open"), Changes{Name: "ROOT_PW", Value: ptr("x")}) // unless it is there
		return nil, l.Move(l.t.Context(), by, Move{IDs: []string{l.id}, From: l.at, To: l.in("dev", "/open"), Overwrite: true})
	},
	"rename the folder": func(l *labeled, by *access.Actor) (any, error) {
		return l.projects.UpdateFolder(l.t.Context(), by, project.Location{ProjectID: l.project.ID, Environment: "dev", Path: "/"}, "vault", project.FolderChanges{Name: ptr("X")})
	},
	"rename the environment": func(l *labeled, by *access.Actor) (any, error) {
		return l.projects.UpdateEnvironment(l.t.Context(), by, l.project.ID, l.project.Environments[0].ID, project.EnvironmentChanges{Slug: ptr("x")})
	},
	"rename the tag": func(l *labeled, by *access.Actor) (any, error) {
		return l.projects.UpdateTag(l.t.Context(), by, l.project.ID, l.tag, ptr("x"), nil)
	},
	"delete the tag": func(l *labeled, by *access.Actor) (any, error) {
		return l.projects.DeleteTag(l.t.Context(), by, l.project.ID, l.tag)
	},
}

// seen returns all that an actor gets to see of the project, by every way of reading.
func (l *labeled) seen(by *access.Actor) string {
	l.t.Helper()
	var all strings.Builder
	for _, env := range []string{"dev", "x", "staging", "prod"} {
		for _, both := range []bool{false, true} {
			list, err := l.List(l.t.Context(), by, l.in(env, "/"), Query{View: View{Values: true, Expand: true, Imports: true}, Below: true, Both: both})
			if err == nil {
				all.WriteString(strings.Join(keys(list.Secrets), " "))
			}
		}
		for _, path := range []string{"/vault", "/open", "/X", "/"} {
			for _, name := range []string{"ROOT_PW", "X"} {
				for version := range int64(4) {
					if s, err := l.Get(l.t.Context(), by, l.in(env, path), Find{Name: name, Version: version, View: View{Values: true}}); err == nil {
						all.WriteString(" " + s.Value)
					}
				}
			}
		}
	}
	if s, err := l.GetByID(l.t.Context(), by, l.id); err == nil {
		all.WriteString(" " + s.Value)
	}
	return all.String()
}

func answered(v any, err error) string {
	if err != nil {
		return ""
	}
	switch v := v.(type) {
	case *Secret:
		return wire(v).Value
	case []*Secret:
		return wire(v[0]).Value
	}
	return ""
}

// TestNoChangeOfALabelRevealsAValue: whoever may do everything but read the value at one label does not get to see it by having
// rules see another label, in any way that there is. With nothing denied, each way works.
func TestNoChangeOfALabelRevealsAValue(t *testing.T) {
	denials := map[string]string{"environment": `{"environment":"dev"}`, "path": `{"secretPath":{"$glob":"/vault/**"}}`, "name": `{"secretName":{"$glob":"ROOT_*"}}`,
		"tag": `{"secretTags":{"$in":["restricted"]}}`}
	for way, do := range relabelings {
		t.Run(way, func(t *testing.T) {
			each(t, func(t *testing.T, f *fixture) {
				l := newLabeled(f)
				for by, condition := range denials {
					actor := f.member(strings.Replace(keeper, "CONDITION", condition, 1))
					v, err := do(l, actor)
					if got := answered(v, err) + l.seen(actor); strings.Contains(got, treasure) {
						t.Errorf("denied by %s, after %v: shows %s", by, err, got)
					}
					if !fault.Is(err, fault.PermissionDenied) {
						t.Errorf("denied by %s: %v", by, err)
					}
				}
				free := f.member(strings.Replace(keeper, "CONDITION", `{"secretName":"OTHER"}`, 1))
				if _, err := do(l, free); err != nil || !strings.Contains(l.seen(free), treasure) {
					t.Errorf("nothing is denied: %v, %s", err, l.seen(free))
				}
			})
		})
	}
}

// TestRightsDoNotGrow: nobody who is denied another action at a label gets to do it at another one, nor puts something where
// they may put nothing.
func TestRightsDoNotGrow(t *testing.T) {
	deny := func(action, path string) string {
		return strings.TrimSuffix(strings.Replace(keeper, "CONDITION", `{"secretName":"OTHER"}`, 1), "]") +
			`,{"subject":"secrets","action":["` + action + `"],"inverted":true,"conditions":{"secretPath":{"$glob":"` + path + `"}}}]`
	}
	for name, rules := range map[string]string{
		"refused/deletes it there":        deny("delete", "/vault/**"),
		"refused/edits it there":          deny("edit", "/vault/**"),
		"refused/creates something there": deny("create", "/X/**"),
		"refused/edits something there":   deny("edit", "/X/**"),
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, f *fixture) {
				_, err := relabelings["rename the folder"](newLabeled(f), f.member(rules))
				want(t, err, fault.PermissionDenied)
			})
		})
	}
}

// TestWritersWhoDoNotRead may still rename and tag what they write a value of, and see no more than where it is.
func TestWritersWhoDoNotRead(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		l := newLabeled(f)
		writer := f.member(`[{"subject":"secrets","action":["describeSecret","edit"]}]`)
		s, err := f.Update(t.Context(), writer, l.at, Changes{Name: "ROOT_PW", NewName: ptr("X"), TagIDs: &[]string{}, Value: ptr("new")})
		if err != nil || !s.Hidden || s.Version != 2 {
			t.Fatalf("%+v, %v", s, err)
		}
		if s := f.get(l.at, "X"); s.Value != "new" || len(s.Tags) != 0 {
			t.Errorf("%+v", s)
		}
		blind := f.member(`[{"subject":"secrets","action":["edit","delete"]}]`)
		comment := "not for everybody"
		if _, err := f.Update(t.Context(), f.admin, l.at, Changes{Name: "X", Comment: &comment, Metadata: &[]Metadata{{"team", "core", false}}}); err != nil {
			t.Fatal(err)
		}
		s, err = f.Update(t.Context(), blind, l.at, Changes{Name: "X", Value: ptr("newer")})
		if w := wire(s); err != nil || w.Value != hidden || w.Comment != "" || len(w.Metadata) != 0 {
			t.Errorf("who may not know of a secret is answered %+v, %v", w, err)
		}
		s, err = f.Delete(t.Context(), blind, l.at, "X", false)
		if w := wire(s); err != nil || w.Value != hidden || w.Comment != "" || len(w.Metadata) != 0 {
			t.Errorf("who may not know of a secret is answered %+v, %v", w, err)
		}
	})
}

// TestOldVersionsAreJudgedByNowAndThen: a version is shown to who may read the secret both as it is and as it was when it said that.
func TestOldVersionsAreJudgedByNowAndThen(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		l := newLabeled(f)
		update := func(p Place, c Changes) {
			t.Helper()
			if _, err := f.Update(t.Context(), f.admin, p, c); err != nil {
				t.Fatal(err)
			}
		}
		open := f.in("dev", "/open")
		update(l.at, Changes{Name: "ROOT_PW", Value: ptr("two")})
		if err := f.Move(t.Context(), f.admin, Move{IDs: []string{l.id}, From: l.at, To: open}); err != nil {
			t.Fatal(err)
		}
		update(open, Changes{Name: "ROOT_PW", Value: ptr("three"), TagIDs: &[]string{}})
		update(open, Changes{Name: "ROOT_PW", NewName: ptr("X"), Value: ptr("four")})
		update(open, Changes{Name: "X", Value: ptr("five")})
		for name, c := range map[string]struct {
			condition string
			reads     []string // of the versions 1 to 5
		}{
			"nothing denied":            {`{"secretName":"OTHER"}`, []string{treasure, "two", "three", "four", "five"}},
			"the folder that it was in": {`{"secretPath":"/vault"}`, []string{"", "two", "three", "four", "five"}},
			"the tag that it had":       {`{"secretTags":{"$in":["restricted"]}}`, []string{"", "", "three", "four", "five"}},
			"the name that it had":      {`{"secretName":"ROOT_PW"}`, []string{"", "", "", "four", "five"}},
			"the folder that it is in":  {`{"secretPath":"/open"}`, []string{"", "", "", "", ""}},
		} {
			actor := f.member(strings.Replace(keeper, "CONDITION", c.condition, 1))
			for i, value := range c.reads {
				s, err := f.Get(t.Context(), actor, open, Find{Name: "X", Version: int64(i + 1), View: View{Values: true}})
				if value == "" && !fault.Is(err, fault.Forbidden) || value != "" && (err != nil || s.Value != value) {
					t.Errorf("%s: version %d: %+v, %v; want %q", name, i+1, s, err, value)
				}
			}
		}
	})
}
