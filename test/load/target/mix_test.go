package target

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseMix(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       Mix
		err        string
	}{
		{"read/one operation", "verify", Mix{{Verify, 1}}, ""},
		{"read/weights", "verify=80, read=15,revoke-then-use=5", Mix{{Verify, 80}, {Read, 15}, {RevokeThenUse, 5}}, ""},
		{"refused/unknown", "verify,walk", nil, `no operation "walk"`},
		{"refused/empty", "", nil, `no operation ""`},
		{"refused/twice", "verify=1,verify=2", nil, "verify is twice"},
		{"refused/weight 0", "verify=0", nil, "whole number from 1 to 1000"},
		{"refused/no weight", "verify=", nil, "whole number from 1 to 1000"},
		{"refused/too heavy", "verify=1001", nil, "whole number from 1 to 1000"},
		{"refused/two weights", "verify=1=2", nil, "whole number from 1 to 1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseMix(c.text)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("mix (-want +got):\n%s", diff)
			}
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
		})
	}
}

func FuzzParseMix(f *testing.F) {
	f.Add("verify=80,read=15,revoke-then-use=5")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMix(text)
		if err != nil {
			return
		}
		again, err := ParseMix(m.String())
		if len(m) == 1 {
			m[0].Weight = 1 // it does not matter of one
		}
		if diff := cmp.Diff(m, again); diff != "" || err != nil {
			t.Errorf("%q reads back as another mix: %v\n%s", m, err, diff)
		}
	})
}

// TestOrderKeepsTheWeights draws mixes: in one round each operation comes as often as its weight says, and never falls
// behind its share by more than one for each operation of the mix.
func TestOrderKeepsTheWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Mix
		total := 0
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{Verify, Read, List, Poll, Login}), 1, 5, rapid.ID).Draw(t, "operations") {
			m = append(m, Share{name, rapid.IntRange(1, 50).Draw(t, "weight")})
			total += m[len(m)-1].Weight
		}
		come := map[string]int{}
		for n, name := range m.order() {
			come[name]++
			for _, s := range m {
				if due := (n + 1) * s.Weight / total; come[s.Operation] < due-len(m) {
					t.Errorf("after %d operations %s came %d times, and its share is %d", n+1, s.Operation, come[s.Operation], due)
				}
			}
		}
		for _, s := range m {
			if come[s.Operation] != s.Weight {
				t.Errorf("%s came %d times, want %d", s.Operation, come[s.Operation], s.Weight)
			}
		}
	})
}
