package access

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// drawGrants draws grants over the times 0 to 9, of which some are for good.
func drawGrants(t *rapid.T, label string) []Grant {
	grants := make([]Grant, rapid.IntRange(0, 4).Draw(t, label+" grants"))
	for i := range grants {
		grants[i].Rules = drawRules(t, label, 3)
		if rapid.IntRange(0, 2).Draw(t, label+" temporary") > 0 {
			grants[i].Temporary = true
			grants[i].Start = rapid.Int64Range(0, 9).Draw(t, label+" start")
			grants[i].End = rapid.Int64Range(0, 10).Draw(t, label+" end")
		}
	}
	return grants
}

// at returns the rules that are in force at a time, as a plain reading of grants has it.
func at(grants []Grant, time int64) (rules []Rule) {
	for _, g := range grants {
		if !g.Temporary || g.Start <= time && time < g.End {
			rules = append(rules, g.Rules...)
		}
	}
	return rules
}

const horizon = 12 // every temporary grant has ended by then

// If Covers passes at a time, then at no later time may the target do what the actor's rules of now, less its denials of
// then and later, do not let through; and the actor may do it itself now.
func TestCoversHoldsAtEveryMoment(t *testing.T) {
	passed, total := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		own, target := drawGrants(t, "own"), drawGrants(t, "target")
		if rapid.Bool().Draw(t, "related") {
			target = slices.Clone(own)
		}
		now := rapid.Int64Range(0, 9).Draw(t, "now")
		a, err := ResolveProject(own, now)
		b, err2 := ResolveProject(target, now)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		actor := &Actor{Rights: a}
		until, err := actor.CoversUntil(b.Reach, "x")
		total++
		if err != nil {
			return
		}
		for later := now; later <= horizon; later++ {
			// What the actor holds for certain: its allow rules of now that last, under each moment's denials.
			var certain []Rule
			for _, g := range own {
				if g.inForce(now) && (!g.Temporary || until != 0 && g.End >= until) {
					allowed, _ := split(g.Rules)
					certain = append(certain, allowed...)
				}
			}
			for moment := now; moment <= horizon; moment++ {
				_, denied := split(at(own, moment))
				if found, exceeds := excess(append(slices.Clone(certain), denied...), at(target, later)); exceeds {
					t.Fatalf("at %d CoversUntil says %d, but at %d the target may %s, which the actor is denied at %d or does not hold", now, until, later, found, moment)
				}
			}
		}
		if len(target) > 0 {
			passed++
		}
	})
	if passed*20 < total {
		t.Errorf("only %d of %d pairs passed: the property says little", passed, total)
	}
}

// An ability answers as the rules that are in force, until ChangesAt.
func TestRightsOfAMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		grants, now := drawGrants(t, "rule"), rapid.Int64Range(0, 9).Draw(t, "now")
		rights, err := ResolveProject(grants, now)
		if err != nil {
			t.Fatal(err)
		}
		for time := now; time <= horizon && (rights.ChangesAt == 0 || time < rights.ChangesAt); time++ {
			same := at(grants, time)
			for _, direction := range [][2][]Rule{{rights.Ability.Rules(), same}, {same, rights.Ability.Rules()}} {
				if found, exceeds := excess(direction[0], direction[1]); exceeds {
					t.Fatalf("resolved at %d, changes at %d: at %d it differs on %s", now, rights.ChangesAt, time, found)
				}
			}
		}
	})
}

func TestCoversUntil(t *testing.T) {
	read, edit := Rule{Subject: SubjectKMS, Actions: Actions{Read}}, Rule{Subject: SubjectKMS, Actions: Actions{Edit}}
	deny := Rule{Subject: SubjectKMS, Actions: Actions{Read}, Inverted: true}
	forever := func(rules ...Rule) Grant { return Grant{Rules: rules} }
	during := func(start, end int64, rules ...Grant) Grant {
		return Grant{Rules: rules[0].Rules, Temporary: true, Start: start, End: end}
	}
	tests := map[string]struct {
		own, target []Grant
		until       int64 // -1: refused
	}{
		"for good":                              {[]Grant{forever(read)}, []Grant{forever(read)}, 0},
		"until the actor's own role ends":       {[]Grant{during(0, 20, forever(read))}, []Grant{forever(read)}, 20},
		"until the first of two ends":           {[]Grant{during(0, 20, forever(read)), during(0, 30, forever(edit))}, []Grant{forever(read, edit)}, 20},
		"by the longest of two":                 {[]Grant{during(0, 20, forever(read)), during(0, 30, forever(read))}, []Grant{forever(read)}, 30},
		"for good beside a temporary one":       {[]Grant{during(0, 20, forever(edit)), forever(read)}, []Grant{forever(read)}, 0},
		"refused/not begun":                     {[]Grant{during(15, 20, forever(read))}, []Grant{forever(read)}, -1},
		"refused/ended":                         {[]Grant{during(0, 10, forever(read))}, []Grant{forever(read)}, -1},
		"refused/a denial that comes":           {[]Grant{forever(read), during(15, 20, forever(deny))}, []Grant{forever(read)}, -1},
		"a denial that is over":                 {[]Grant{forever(read), during(0, 10, forever(deny))}, []Grant{forever(read)}, 0},
		"refused/target's role comes":           {nil, []Grant{during(15, 20, forever(read))}, -1},
		"target's role is over":                 {nil, []Grant{during(0, 10, forever(read))}, 0},
		"refused/target's denial ends":          {nil, []Grant{forever(read), during(0, 20, forever(deny))}, -1},
		"target's denial never ends":            {nil, []Grant{forever(read), forever(deny)}, 0},
		"refused/nothing held, target for good": {nil, []Grant{forever(read)}, -1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a, err := Resolve(test.own, 10)
			b, err2 := Resolve(test.target, 10)
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			actor := &Actor{Rights: a}
			until, err := actor.CoversUntil(b.Reach, "x")
			if err != nil {
				until = -1
			}
			if until != test.until {
				t.Errorf("until = %d (%v), want %d", until, err, test.until)
			}
			if forever := actor.CoversForever(b.Reach, "x") == nil; forever != (test.until == 0) {
				t.Errorf("CoversForever passes: %v", forever)
			}
		})
	}
}
