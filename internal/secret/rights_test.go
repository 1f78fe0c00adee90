package secret

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/project"
)

// house is a project with a folder /top in dev, that holds the secret T and the folder sub, with the secret S in it, that imports
// the root of prod, where P is.
type house struct {
	*fixture
	top, sub, prod Place
	tag            string
	imported       *Import
}

func newHouse(f *fixture) *house {
	h := &house{fixture: f, top: f.in("dev", "/top"), sub: f.in("dev", "/top/sub"), prod: f.in("prod", "/"), tag: f.tag("red")}
	if _, err := f.projects.AddFolder(f.t.Context(), f.admin, h.folderScope("/top"), "sub", nil); err != nil {
		f.t.Fatal(err)
	}
	f.put(h.top, "T", "t")
	f.put(h.sub, "S", "s")
	f.put(h.prod, "P", "p")
	h.imported = f.link(h.sub, "prod", "/")
	return h
}

func (h *house) folderScope(path string) project.Location {
	return project.Location{ProjectID: h.project.ID, Environment: "dev", Path: path}
}

// dev is the environment's id.
func (h *house) dev() string { return h.project.Environments[0].ID }

// denied is a right that is taken away from an actor that has all: on a subject, everywhere or at one path.
type denied struct {
	subject access.Subject
	action  access.Action
	path    string
}

func (d denied) rule() string {
	conditions := ""
	if d.path != "" {
		conditions = fmt.Sprintf(`,"conditions":{"secretPath":%q}`, d.path)
	}
	return fmt.Sprintf(`{"subject":%q,"action":[%q],"inverted":true%s}`, d.subject, d.action, conditions)
}

const allRights = `{"subject":"secrets","action":["describeSecret","readValue","create","edit","delete"]},{"subject":"secret-imports","action":["read","create","edit","delete"]},
	{"subject":"secret-folders","action":["read","create","edit","delete"]},{"subject":"environments","action":["read","create","edit","delete"]},
	{"subject":"tags","action":["read","create","edit","delete"]},{"subject":"workspace","action":["edit","delete"]}`

// below are the rights that it takes to destroy what is in /top.
var below = []denied{{"secrets", "delete", "/top"}, {"secrets", "delete", "/top/sub"}, {"secrets", "delete", ""}, {"secret-folders", "delete", "/top"}, {"secret-imports", "delete", "/top/sub"}}

// rights are the routes that create or destroy something, with each right that they take.
var rights = map[string]struct {
	do    func(h *house, by *access.Actor) error
	takes []denied
}{
	"create a secret": {func(h *house, by *access.Actor) error {
		_, err := h.Create(h.t.Context(), by, h.top, Changes{Name: "N"})
		return err
	}, []denied{{"secrets", "create", "/top"}}},
	"create a personal secret": {func(h *house, by *access.Actor) error {
		_, err := h.Create(h.t.Context(), by, h.top, Changes{Name: "T", Personal: true})
		return err
	}, []denied{{"secrets", "create", "/top"}}},
	"create secrets": {func(h *house, by *access.Actor) error {
		_, err := h.CreateAll(h.t.Context(), by, h.top, []Item{{Changes: Changes{Name: "N"}}})
		return err
	}, []denied{{"secrets", "create", "/top"}}},
	"update or create secrets": {func(h *house, by *access.Actor) error {
		_, err := h.UpdateAll(h.t.Context(), by, h.top, Upsert, []Item{{Changes: Changes{Name: "T"}}, {Path: "/top/sub", Changes: Changes{Name: "N"}}})
		return err
	}, []denied{{"secrets", "edit", "/top"}, {"secrets", "create", "/top/sub"}}},
	"update secrets that may not be there": {func(h *house, by *access.Actor) error {
		_, err := h.UpdateAll(h.t.Context(), by, h.top, Ignore, []Item{{Changes: Changes{Name: "ABSENT"}}})
		return err
	}, []denied{{"secrets", "edit", "/top"}}},
	"rename a secret": {func(h *house, by *access.Actor) error {
		_, err := h.Update(h.t.Context(), by, h.top, Changes{Name: "T", NewName: ptr("N")})
		return err
	}, []denied{{"secrets", "edit", "/top"}, {"secrets", "readValue", "/top"}, {"secrets", "describeSecret", "/top"}}},
	"delete a secret": {func(h *house, by *access.Actor) error {
		_, err := h.Delete(h.t.Context(), by, h.top, "T", false)
		return err
	}, []denied{{"secrets", "delete", "/top"}}},
	"delete secrets": {func(h *house, by *access.Actor) error {
		_, err := h.DeleteAll(h.t.Context(), by, h.top, []Item{{Changes: Changes{Name: "T"}}})
		return err
	}, []denied{{"secrets", "delete", "/top"}}},
	"move a secret": {func(h *house, by *access.Actor) error {
		return h.Move(h.t.Context(), by, Move{IDs: []string{h.get(h.top, "T").ID}, From: h.top, To: h.sub})
	}, []denied{{"secrets", "delete", "/top"}, {"secrets", "readValue", "/top"}, {"secrets", "describeSecret", "/top"}, {"secrets", "create", "/top/sub"}}},
	"move a secret over another one": {func(h *house, by *access.Actor) error {
		if h.count(`SELECT count(*) FROM secrets WHERE key = 'T'`) == 1 {
			h.put(h.sub, "T", "there")
		}
		return h.Move(h.t.Context(), by, Move{IDs: []string{h.get(h.top, "T").ID}, From: h.top, To: h.sub, Overwrite: true})
	}, []denied{{"secrets", "delete", "/top"}, {"secrets", "create", "/top/sub"}, {"secrets", "edit", "/top/sub"}}},
	"add an import": {func(h *house, by *access.Actor) error {
		_, err := h.AddImport(h.t.Context(), by, h.top, "prod", "/")
		return err
	}, []denied{{"secret-imports", "create", "/top"}, {"secrets", "describeSecret", "/"}}},
	"have an import lead elsewhere": {func(h *house, by *access.Actor) error {
		_, err := h.UpdateImport(h.t.Context(), by, h.sub, h.imported.ID, ImportChanges{Path: ptr("/else")})
		return err
	}, []denied{{"secret-imports", "edit", "/top/sub"}, {"secrets", "describeSecret", "/else"}}},
	"remove an import": {func(h *house, by *access.Actor) error {
		_, err := h.RemoveImport(h.t.Context(), by, h.sub, h.imported.ID)
		return err
	}, []denied{{"secret-imports", "delete", "/top/sub"}}},
	"create a folder and those above it": {func(h *house, by *access.Actor) error {
		_, err := h.projects.AddFolder(h.t.Context(), by, h.folderScope("/m/n"), "o", nil)
		return err
	}, []denied{{"secret-folders", "create", "/"}, {"secret-folders", "create", "/m"}, {"secret-folders", "create", "/m/n"}}},
	"rename a folder": {func(h *house, by *access.Actor) error {
		_, err := h.projects.UpdateFolder(h.t.Context(), by, h.folderScope("/"), "top", project.FolderChanges{Name: ptr("n")})
		return err
	}, []denied{{"secret-folders", "edit", "/"}, {"secrets", "readValue", "/top/sub"}, {"secrets", "edit", "/n/sub"}, {"secret-folders", "create", "/n"}, {"secret-imports", "read", "/top/sub"}}},
	"delete a folder": {func(h *house, by *access.Actor) error {
		_, err := h.projects.DeleteFolder(h.t.Context(), by, h.folderScope("/"), "top", true)
		return err
	}, append([]denied{{"secret-folders", "delete", "/"}}, below...)},
	"delete an environment": {func(h *house, by *access.Actor) error {
		_, err := h.projects.DeleteEnvironment(h.t.Context(), by, h.project.ID, h.dev(), false)
		return err
	}, append([]denied{{"environments", "delete", ""}, {"secret-folders", "delete", "/"}}, below...)},
	"delete an environment for good": {func(h *house, by *access.Actor) error {
		_, err := h.projects.DeleteEnvironment(h.t.Context(), by, h.project.ID, h.dev(), true)
		return err
	}, append([]denied{{"environments", "delete", ""}}, below...)},
	"delete a project": {func(h *house, by *access.Actor) error {
		_, err := h.projects.Delete(h.t.Context(), by, h.project.ID)
		return err
	}, append([]denied{{"workspace", "delete", ""}, {"environments", "delete", ""}, {"secrets", "delete", "/"}}, below...)},
	"create an environment": {func(h *house, by *access.Actor) error {
		_, err := h.projects.AddEnvironment(h.t.Context(), by, h.project.ID, "n", "n", 0)
		return err
	}, []denied{{"environments", "create", ""}}},
	"create a tag": {func(h *house, by *access.Actor) error {
		_, err := h.projects.AddTag(h.t.Context(), by, h.project.ID, "n", nil)
		return err
	}, []denied{{"tags", "create", ""}}},
	"delete a tag": {func(h *house, by *access.Actor) error {
		_, err := h.projects.DeleteTag(h.t.Context(), by, h.project.ID, h.tag)
		return err
	}, []denied{{"tags", "delete", ""}}},
}

// TestARightIsAskedForAllThatIsMadeOrDestroyed: whatever creates or destroys something is refused to an actor that has all rights but
// one of those that it takes, at whatever level, and works with all of them. A refusal leaves everything as it was.
func TestARightIsAskedForAllThatIsMadeOrDestroyed(t *testing.T) {
	for name, c := range rights {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, f *fixture) {
				h := newHouse(f)
				state := func() string {
					return fmt.Sprint(f.count(`SELECT count(*) FROM folders`), f.count(`SELECT count(*) FROM secrets WHERE user_id IS NOT NULL OR key <> 'T'`),
						f.count(`SELECT count(*) FROM secret_imports`), f.count(`SELECT count(*) FROM environments WHERE deleted_at IS NULL`), f.count(`SELECT count(*) FROM tags`))
				}
				before := state()
				for _, d := range c.takes {
					if err := c.do(h, h.person(name, d.rule())); !fault.Is(err, fault.PermissionDenied) {
						t.Errorf("without %q on %s at %q: %v", d.action, d.subject, d.path, err)
					}
				}
				if after := state(); after != before {
					t.Errorf("refusals left %s, before it was %s", after, before)
				}
				if err := c.do(h, h.person(name, `{"subject":"member","action":["read"]}`)); err != nil {
					t.Errorf("with all rights: %v", err)
				}
			})
		})
	}
}

// person has all rights, and then one more rule. Only users have personal secrets.
func (h *house) person(op, rule string) *access.Actor {
	rules := "[" + allRights + "," + rule + "]"
	if !strings.Contains(op, "personal") {
		return h.member(rules)
	}
	a := h.user()
	h.exec(`DELETE FROM memberships WHERE user_id = $1 AND scope = 'project'`, a.ID)
	h.join(member.Draft{UserID: a.ID}, rules)
	return a
}

// TestAPersonalSecretTellsNoNames: who may not create gets the same answer for a name that is there and for one that is not.
func TestAPersonalSecretTellsNoNames(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		h := newHouse(f)
		nobody := h.person("personal", `{"subject":"secrets","action":["create","describeSecret"],"inverted":true}`)
		_, there := f.Create(t.Context(), nobody, h.top, Changes{Name: "T", Personal: true})
		_, absent := f.Create(t.Context(), nobody, h.top, Changes{Name: "ABSENT", Personal: true})
		if want(t, there, fault.PermissionDenied); there.Error() != absent.Error() {
			t.Errorf("of a name that is there: %v; of one that is not: %v", there, absent)
		}
	})
}
