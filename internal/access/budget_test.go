package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// asking returns an actor with rules and a budget.
func asking(t testing.TB, ctx context.Context, steps int64, rules ...Rule) *Actor {
	t.Helper()
	b := NewBudget(ctx, steps)
	return &Actor{Rights: Rights{Ability: mustCompile(t, CompileProject, rules...)}, Budget: &b}
}

// globs returns rules that each try a costly pattern on the name of a secret.
func globs(n int) (rules []Rule) {
	for i := range n {
		rules = append(rules, reading(false, Conditions{"secretName": map[string]any{"$glob": fmt.Sprintf("*x*z%d", i)}}))
	}
	return rules
}

var costly = Fields{Environment("dev"), SecretPath("/"), SecretName(strings.Repeat("x", 500))}

// TestBudgetEndsWithAnError: what cannot be paid for is neither allowed nor refused, then and from then on.
func TestBudgetEndsWithAnError(t *testing.T) {
	asks := map[string]func(a *Actor) error{
		"a check": func(a *Actor) error { return a.Check(ReadValue, SubjectSecrets, costly) },
		"a question": func(a *Actor) error {
			allowed, err := a.Allows(ReadValue, SubjectSecrets, costly)
			if allowed {
				t.Error("it is allowed")
			}
			return err
		},
		"the boundary": func(a *Actor) error {
			return a.Covers(Reach{all: mustCompile(t, CompileProject, globs(100)...)}, "Refused")
		},
		"the boundary now": func(a *Actor) error {
			return a.CoversNow(mustCompile(t, CompileProject, globs(100)...), "Refused")
		},
		"abilities of projects": func(a *Actor) error { return a.PayFor(a.Ability) },
	}
	for name, ask := range asks {
		t.Run(name, func(t *testing.T) {
			a := asking(t, t.Context(), 10_000, append(globs(500), reading(true, Conditions{"secretName": "other"}))...)
			a.Holding, a.Reach = Holding{all: a.Ability}, Reach{all: a.Ability}
			for range 100 {
				if err := ask(a); fault.Is(err, fault.BadRequest) {
					break
				}
			}
			for again, ask := range asks {
				if err := ask(a); !fault.Is(err, fault.BadRequest) {
					t.Errorf("%s: %v, want a BadRequest", again, err)
				}
			}
		})
	}
}

// TestBudgetIsOfTheRequest: many cheap checks use it up as a costly one does.
func TestBudgetIsOfTheRequest(t *testing.T) {
	a := asking(t, t.Context(), 100_000, reading(false, Conditions{"secretName": "A"}))
	n := 0
	for a.Check(ReadValue, SubjectSecrets, Fields{SecretName("A")}) == nil {
		n++
	}
	if n < 1000 || n > 100_000 {
		t.Errorf("%d checks were made", n)
	}
}

// TestEndedRequestIsNotDecided: the context is looked at while one check goes on.
func TestEndedRequestIsNotDecided(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a := asking(t, ctx, DefaultSteps, globs(2000)...)
	cancel()
	if _, err := a.Allows(ReadValue, SubjectSecrets, costly); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if spent := DefaultSteps - a.Budget.left; spent > 2*lookEvery {
		t.Errorf("it took %d steps to see that the request has ended", spent)
	}
}

// TestStepsFollowTheWork: a check is paid for by what it walks.
func TestStepsFollowTheWork(t *testing.T) {
	spent := func(rules []Rule, f Fields) int64 {
		a := asking(t, t.Context(), DefaultSteps, rules...)
		if _, err := a.Allows(ReadValue, SubjectSecrets, f); err != nil {
			t.Fatal(err)
		}
		return DefaultSteps - a.Budget.left
	}
	few, many := spent(globs(10), costly), spent(globs(100), costly)
	if few < 10*500 || many < 9*few {
		t.Errorf("10 globs on 500 characters take %d steps, 100 take %d", few, many)
	}
	if short := spent(globs(10), Fields{SecretName("x")}); short > few/50 {
		t.Errorf("1 character takes %d steps, 500 take %d", short, few)
	}
}

// TestAllowsByFolderAsNaive: what is remembered of the folders that were asked about changes no decision.
func TestAllowsByFolderAsNaive(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rules := drawRules(rt, "rule", 3*fewRules)
		ability, err := CompileProject(rules)
		if err != nil {
			rt.Fatal(err)
		}
		b := NewBudget(t.Context(), 1<<40)
		a := &Actor{Rights: Rights{Ability: ability}, Budget: &b}
		asked := universe[SubjectSecrets]
		at := rapid.IntRange(0, len(asked)-1)
		for range 50 {
			first, step := at.Draw(rt, "from"), rapid.SampledFrom([]int{0, 1, 1, 1, 7}).Draw(rt, "step")
			for i := range 5 {
				r := asked[(first+i*step)%len(asked)]
				for _, action := range askable[SubjectSecrets] {
					got, err := a.Allows(action, SubjectSecrets, r.fields())
					if want := naive(rules, action, SubjectSecrets, r); err != nil || got != want {
						rt.Fatalf("Allows(%s, %v) = %v, %v, want %v", action, r, got, err, want)
					}
				}
			}
		}
	})
}

// TestFolderIsDecidedOnce: rules that other folders are about, and patterns on the path, cost nothing for each secret.
func TestFolderIsDecidedOnce(t *testing.T) {
	var rules []Rule
	for i := range 1000 {
		rules = append(rules, reading(i%2 == 0, where(fmt.Sprint("env-", i), op("$glob", fmt.Sprintf("/*a*/%d/**", i)), nil)))
	}
	rules = append(rules, reading(false, where("dev", op("$glob", "/*a*/**"), "S1")))
	a := asking(t, t.Context(), DefaultSteps, rules...)
	ask := func(i int) {
		t.Helper()
		allowed, err := a.Allows(ReadValue, SubjectSecrets, Fields{Environment("dev"), SecretPath("/xay/z"), SecretName(fmt.Sprint("S", i))})
		if err != nil || allowed != (i == 1) {
			t.Fatalf("S%d: %v, %v", i, allowed, err)
		}
	}
	ask(0)
	ask(1)
	before := a.Budget.left
	for i := range 1000 {
		ask(i)
	}
	if each := (before - a.Budget.left) / 1000; each > 50 {
		t.Errorf("each further secret of the folder takes %d steps, with %d rules", each, len(rules))
	}
}

// TestFolderKeepsWhatMatters: a rule that holds for all of a folder makes those needless that it decides, and no others.
func TestFolderKeepsWhatMatters(t *testing.T) {
	here := reading(false, where("dev", nil, nil))
	for name, test := range map[string]struct {
		rules []Rule
		want  int
	}{
		"allowed":                {append(globs(20), here), 1},
		"allowed, but for names": {append(globs(20), here, reading(true, where(nil, nil, "A")), reading(true, where(nil, nil, "B"))), 3},
		"denied":                 {append(globs(20), here, reading(true, where("dev", nil, nil)), reading(true, where(nil, nil, "B"))), 1},
		"elsewhere":              {append(globs(20), reading(false, where("prod", nil, nil)), reading(true, where("prod", nil, nil))), 20},
	} {
		t.Run(name, func(t *testing.T) {
			a := asking(t, t.Context(), DefaultSteps, test.rules...)
			e := a.Ability.index[permission{SubjectSecrets, ReadValue}]
			at, _ := costly.place()
			a.Budget.local(e, &at)
			if l, placed := a.Budget.local(e, &at); !placed || len(l.rules) != test.want {
				t.Errorf("%d rules are kept, want %d", len(l.rules), test.want)
			}
		})
	}
}

func TestCheckWithABudgetDoesNotAllocate(t *testing.T) {
	actor := &Actor{Rights: Rights{Ability: fifty(t)}}
	b := NewBudget(t.Context(), 1<<50)
	actor.Budget = &b
	ask := func() {
		if err := actor.Check(ReadValue, SubjectSecrets, Fields{Environment("dev"), SecretPath("/team-0/x/config/db"), SecretName("A")}); err != nil {
			t.Fatal(err)
		}
	}
	ask()
	ask() // from now on the folder is known
	if allocs := testing.AllocsPerRun(100, ask); allocs > 0 {
		t.Errorf("a check makes %v allocations, want none", allocs)
	}
}
