package secret

import (
	"context"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/member"
)

// editorRules allow everything in /shared and /mine of dev, and to know of what is in /open but for one secret with a tag.
const editorRules = `[{"subject":"secrets","action":["describeSecret","readValue","create","edit","delete"],"conditions":{"environment":"dev","secretPath":{"$glob":"/{shared,mine}"}}},
	{"subject":"secrets","action":["create","edit"],"conditions":{"environment":"dev","secretPath":"/app"}},
	{"subject":"secrets","action":"describeSecret","conditions":{"environment":"dev","secretPath":"/open"}},
	{"subject":"secrets","action":"describeSecret","inverted":true,"conditions":{"secretTags":{"$in":["closed"]}}},
	{"subject":"secret-imports","action":["read","create","edit","delete"]}]`

// referringIn makes a project with an editor of /shared, and what it may refer to and what not.
func referringIn(f *fixture) (editor *access.Actor, user *access.Actor) {
	for _, name := range []string{"shared", "mine", "open", "app", "vault"} {
		f.folder("dev", name)
	}
	closed := f.tag("closed")
	f.put(f.in("prod", "/"), "DB_PASSWORD", "prodpw")
	f.put(f.in("dev", "/app"), "DB_PASSWORD", "apppw")
	f.put(f.in("dev", "/vault"), "KEY", "vaultkey")
	f.put(f.in("dev", "/open"), "URL", "u")
	if _, err := f.Create(f.t.Context(), f.admin, f.in("dev", "/open"), Changes{Name: "CLOSED", Value: ptr("c"), TagIDs: &[]string{closed}}); err != nil {
		f.t.Fatal(err)
	}
	f.put(f.in("dev", "/shared"), "OLD", "plain")
	if _, err := f.AddImport(f.t.Context(), f.admin, f.in("dev", "/shared"), "dev", "/vault"); err != nil {
		f.t.Fatal(err)
	}
	user = f.userWith(editorRules)
	return f.member(editorRules), user
}

// userWith makes a user that may do in the project what the rules say.
func (f *fixture) userWith(rules string) *access.Actor {
	f.t.Helper()
	a := &access.Actor{Type: access.ActorUser, ID: f.user().ID, OrgID: f.org}
	f.exec(`DELETE FROM memberships WHERE user_id = $1 AND scope = 'project'`, a.ID)
	f.join(member.Draft{UserID: a.ID}, rules)
	return a
}

// refused are texts that the editor may not write into /shared: it may not know of a target, be it there or not.
var refused = map[string]string{
	"of another environment": "https://evil.example/?x=${prod.DB_PASSWORD}", "of another folder": "a${dev.app.DB_PASSWORD}", "with a tag": "${dev.open.CLOSED}",
	"that is not there yet": "${prod.TOMORROW}", "in a folder that is not there": "${dev.none.X}", "in an environment that is not there": "${later.X}",
	"through an import": "${KEY}", "behind one that is allowed": "${dev.open.URL} ${OLD} ${prod.DB_PASSWORD}",
}

// allowed are texts that the editor may write: it may know of the target, or the text leads nowhere ever.
var allowed = map[string]string{
	"beside it": "${OLD}", "beside it, and not there": "${NEW}", "of a folder that it may know of": "${dev.open.URL}", "of another project": "${@shop.prod.X}",
	"no name": "${prod.}", "no reference": "$ {prod.DB_PASSWORD} ${}", "more than are ever expanded": strings.Repeat("${prod.DB_PASSWORD}", perSecret.steps+1),
}

// writes are all ways to bring a text into /shared.
var writes = map[string]func(ctx context.Context, f *fixture, editor, user *access.Actor, text string) error{
	"create": func(ctx context.Context, f *fixture, editor, _ *access.Actor, text string) error {
		_, err := f.Create(ctx, editor, f.in("dev", "/shared"), Changes{Name: "MADE", Value: &text})
		return err
	},
	"create several": func(ctx context.Context, f *fixture, editor, _ *access.Actor, text string) error {
		_, err := f.CreateAll(ctx, editor, f.in("dev", "/shared"), []Item{{Changes: Changes{Name: "MADE", Value: &text}}})
		return err
	},
	"update": func(ctx context.Context, f *fixture, editor, _ *access.Actor, text string) error {
		_, err := f.Update(ctx, editor, f.in("dev", "/shared"), Changes{Name: "OLD", Value: &text})
		return err
	},
	"update several": func(ctx context.Context, f *fixture, editor, _ *access.Actor, text string) error {
		_, err := f.UpdateAll(ctx, editor, f.in("dev", "/"), FailOnNotFound, []Item{{Path: "/shared", Changes: Changes{Name: "OLD", Value: &text}}})
		return err
	},
	"upsert": func(ctx context.Context, f *fixture, editor, _ *access.Actor, text string) error {
		_, err := f.UpdateAll(ctx, editor, f.in("dev", "/shared"), Upsert, []Item{{Changes: Changes{Name: "MADE", Value: &text}}})
		return err
	},
	"rename": func(ctx context.Context, f *fixture, editor, _ *access.Actor, text string) error {
		f.put(f.in("dev", "/shared"), "BY_ADMIN", text)
		_, err := f.Update(ctx, editor, f.in("dev", "/shared"), Changes{Name: "BY_ADMIN", NewName: ptr("MADE")})
		return err
	},
	"move": func(ctx context.Context, f *fixture, editor, _ *access.Actor, text string) error {
		s := f.put(f.in("dev", "/mine"), "MOVED", text)
		return f.Move(ctx, editor, Move{IDs: []string{s.ID}, From: f.in("dev", "/mine"), To: f.in("dev", "/shared")})
	},
	"move onto another": func(ctx context.Context, f *fixture, editor, _ *access.Actor, text string) error {
		s := f.put(f.in("dev", "/mine"), "OLD", text)
		return f.Move(ctx, editor, Move{IDs: []string{s.ID}, From: f.in("dev", "/mine"), To: f.in("dev", "/shared"), Overwrite: true})
	},
	"create a personal one": func(ctx context.Context, f *fixture, _, user *access.Actor, text string) error {
		_, err := f.Create(ctx, user, f.in("dev", "/shared"), Changes{Name: "OLD", Personal: true, Value: &text})
		return err
	},
	"update a personal one": func(ctx context.Context, f *fixture, _, user *access.Actor, text string) error {
		if _, err := f.Create(ctx, user, f.in("dev", "/shared"), Changes{Name: "OLD", Personal: true, Value: ptr("")}); err != nil {
			return err
		}
		_, err := f.Update(ctx, user, f.in("dev", "/shared"), Changes{Name: "OLD", Personal: true, Value: &text})
		return err
	},
}

func TestWhoWritesAReferenceMustKnowOfItsTarget(t *testing.T) {
	for _, texts := range []map[string]string{refused, allowed} {
		for what, text := range texts {
			for how, write := range writes {
				t.Run(what+"/"+how, func(t *testing.T) {
					f := newFixture(t, "sqlite")
					editor, user := referringIn(f)
					err := write(t.Context(), f, editor, user, text)
					if _, wanted := refused[what]; wanted {
						want(t, err, fault.PermissionDenied)
					} else if err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// TestWhoChangesSomethingElseWritesNoReference: who changes something else of a secret does not write its value.
func TestWhoChangesSomethingElseWritesNoReference(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		editor, _ := referringIn(f)
		f.put(f.in("dev", "/shared"), "BY_ADMIN", "${prod.DB_PASSWORD}")
		if _, err := f.Update(t.Context(), editor, f.in("dev", "/shared"), Changes{Name: "BY_ADMIN", Comment: ptr("c")}); err != nil {
			t.Error(err)
		}
		_, err := f.Update(t.Context(), editor, f.in("dev", "/shared"), Changes{Name: "BY_ADMIN", Value: ptr("${prod.DB_PASSWORD}")})
		want(t, err, fault.PermissionDenied)
	})
}

// TestMovingChangesWhatAReferenceNames: one that leads to a secret beside it leads to another one in the new folder.
func TestMovingChangesWhatAReferenceNames(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		editor, _ := referringIn(f)
		s, err := f.Create(t.Context(), editor, f.in("dev", "/mine"), Changes{Name: "LOG", Value: ptr("${DB_PASSWORD}")})
		if err != nil {
			t.Fatal(err)
		}
		want(t, f.Move(t.Context(), editor, Move{IDs: []string{s.ID}, From: f.in("dev", "/mine"), To: f.in("dev", "/app")}), fault.PermissionDenied)
	})
}

func TestWhoImportsAFolderMustKnowOfItsSecrets(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		editor, _ := referringIn(f)
		_, err := f.AddImport(t.Context(), editor, f.in("dev", "/mine"), "dev", "/open")
		want(t, err, fault.PermissionDenied)
		_, err = f.AddImport(t.Context(), editor, f.in("dev", "/mine"), "dev", "/shared") // which brings /vault
		want(t, err, fault.PermissionDenied)
		i, err := f.AddImport(t.Context(), editor, f.in("dev", "/shared"), "dev", "/mine")
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.UpdateImport(t.Context(), editor, f.in("dev", "/shared"), i.ID, ImportChanges{Path: ptr("/open")})
		want(t, err, fault.PermissionDenied)
	})
}
