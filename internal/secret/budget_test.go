package secret

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/project"
)

// looking are the ways to read secrets, each as the names and values that it shows.
var looking = map[string]func(ctx context.Context, f *fixture, a *access.Actor) (string, error){
	"one": func(ctx context.Context, f *fixture, a *access.Actor) (string, error) {
		s, err := f.Get(ctx, a, f.in("dev", "/"), Find{Name: "S1", View: View{Values: true, Expand: true, Imports: true}})
		if err != nil {
			return "", err
		}
		return s.Value, nil
	},
	"one that is imported": func(ctx context.Context, f *fixture, a *access.Actor) (string, error) {
		s, err := f.Get(ctx, a, f.in("dev", "/"), Find{Name: "P1", View: View{Values: true, Imports: true}})
		if err != nil {
			return "", err
		}
		return s.Value, nil
	},
	"a list": func(ctx context.Context, f *fixture, a *access.Actor) (string, error) {
		return everythingOf(f.List(ctx, a, f.in("dev", "/"), Query{View: View{Values: true, Expand: true, Imports: true}}))
	},
	"a list without values": func(ctx context.Context, f *fixture, a *access.Actor) (string, error) {
		return everythingOf(f.List(ctx, a, f.in("dev", "/"), Query{}))
	},
	"a list of all folders": func(ctx context.Context, f *fixture, a *access.Actor) (string, error) {
		return everythingOf(f.List(ctx, a, f.in("dev", "/"), Query{Below: true, View: View{Values: true, Imports: true}}))
	},
}

func everythingOf(l *Listing, err error) (string, error) {
	if err != nil {
		return "", err
	}
	var text strings.Builder
	show := func(all []*Secret) {
		for _, s := range all {
			fmt.Fprintln(&text, s.Environment, s.Path, s.Key, s.Value, s.Hidden, s.Undescribed, s.Unexpanded)
		}
	}
	show(l.Secrets)
	for _, m := range l.Imports {
		show(m.Secrets)
	}
	return text.String(), nil
}

// weighing are the ways to change secrets, and what they are in, that look at many.
var weighing = map[string]func(ctx context.Context, f *fixture, a *access.Actor) error{
	"several secrets": func(ctx context.Context, f *fixture, a *access.Actor) error {
		var items []Item
		for i := range 20 {
			items = append(items, Item{Changes: Changes{Name: fmt.Sprint("S", i), Value: ptr("changed ${P1} ${prod.P2}")}})
		}
		_, err := f.UpdateAll(ctx, a, f.in("dev", "/"), FailOnNotFound, items)
		return err
	},
	"a folder's name": func(ctx context.Context, f *fixture, a *access.Actor) error {
		_, err := f.projects.UpdateFolder(ctx, a, project.Location{ProjectID: f.project.ID, Environment: "dev", Path: "/"}, "two", project.FolderChanges{Name: ptr("uno")})
		return err
	},
	"a folder with secrets": func(ctx context.Context, f *fixture, a *access.Actor) error {
		_, err := f.projects.DeleteFolder(ctx, a, project.Location{ProjectID: f.project.ID, Environment: "dev", Path: "/"}, "three", true)
		return err
	},
	"an import": func(ctx context.Context, f *fixture, a *access.Actor) error {
		_, err := f.AddImport(ctx, a, f.in("dev", "/one"), "prod", "/")
		return err
	},
}

// conditional are rules with conditions, so that each secret is looked at. They hide some.
func conditional(hidden string) string {
	rules := []string{`{"subject":"secrets","action":["describeSecret","readValue"],"inverted":true,"conditions":{"secretName":{"$glob":"` + hidden + `"}}}`,
		`{"subject":"secrets","action":["describeSecret","readValue","create","edit","delete"],"conditions":{"secretPath":{"$glob":"/**"}}}`,
		`{"subject":"secret-folders","action":["read","create","edit","delete"],"conditions":{"secretPath":{"$glob":"/**"}}}`,
		`{"subject":"secret-imports","action":["read","create","edit","delete"],"conditions":{"secretPath":{"$glob":"/**"}}}`}
	for i := range 20 {
		rules = append(rules, fmt.Sprintf(`{"subject":"secrets","action":["describeSecret","readValue","edit","delete"],"conditions":{"secretName":{"$glob":"*x%d"},"environment":"dev"}}`, i))
	}
	return "[" + strings.Join(rules, ",") + "]"
}

// furnish makes secrets in two environments and an import between them.
func furnish(t *testing.T, f *fixture) {
	for _, name := range []string{"one", "two", "three"} {
		f.folder("dev", name)
	}
	for i := range 20 {
		f.put(f.in("dev", "/"), fmt.Sprint("S", i), fmt.Sprintf("${P%d}", i))
		f.put(f.in("dev", "/two"), fmt.Sprint("T", i), "t")
		f.put(f.in("dev", "/three"), fmt.Sprint("T", i), "t")
		f.put(f.in("prod", "/"), fmt.Sprint("P", i), "p")
	}
	if _, err := f.AddImport(t.Context(), f.admin, f.in("dev", "/"), "prod", "/"); err != nil {
		t.Fatal(err)
	}
}

// TestABudgetNeverChangesAnAnswer: with whatever steps, a read answers all that it does without a bound, or fails as a whole; a
// write that fails changes nothing.
func TestABudgetNeverChangesAnAnswer(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		furnish(t, f)
		actor := f.member(conditional("*9"))
		for name, read := range looking {
			t.Run(name, func(t *testing.T) {
				want, err := read(t.Context(), f, actor)
				if err != nil {
					t.Fatal(err)
				}
				growing(t, actor, func(a *access.Actor) error {
					got, err := read(t.Context(), f, a)
					if err == nil {
						if diff := cmp.Diff(want, got); diff != "" {
							t.Error(diff)
						}
					}
					return err
				})
			})
		}
		actor = f.member(conditional("none*"))
		for name, write := range weighing {
			t.Run(name, func(t *testing.T) {
				count := func() int64 { return f.count(`SELECT count(*) FROM audit_logs WHERE event_type NOT LIKE '%get-%'`) }
				before := count()
				growing(t, actor, func(a *access.Actor) error {
					err := write(t.Context(), f, a)
					if err != nil && count() != before {
						t.Errorf("it failed, and changed something: %v", err)
					}
					return err
				})
			})
		}
	})
}

// growing calls do with one budget after the other until it goes through.
func growing(t *testing.T, actor *access.Actor, do func(*access.Actor) error) {
	t.Helper()
	failed := 0
	for steps := int64(1); ; steps += 1 + steps/4 {
		bounded, b := *actor, access.NewBudget(t.Context(), steps)
		bounded.Budget = &b
		err := do(&bounded)
		if err == nil {
			break
		}
		if failed++; !fault.Is(err, fault.BadRequest) || !strings.Contains(err.Error(), "steps") {
			t.Fatalf("with %d steps: %v", steps, err)
		}
	}
	if failed == 0 {
		t.Error("one step was enough: nothing is counted")
	}
}
