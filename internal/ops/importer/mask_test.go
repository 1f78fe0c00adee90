package importer

import "testing"

// TestTheMaskIsNeitherCarriedOverNorCompared: a secret that either server masks is reported, and not written.
func TestTheMaskIsNeitherCarriedOverNorCompared(t *testing.T) {
	some := func(s string) *string { return &s }
	open := wireSecret{Key: "K", Value: some("v")}
	for name, c := range map[string]struct {
		source, target wireSecret
		failed, same   int64
	}{
		"both are read":                {open, open, 0, 1},
		"the source masks the value":   {wireSecret{Key: "K", Value: some(hiddenValue)}, open, 1, 0},
		"the source says that it does": {wireSecret{Key: "K", Value: some(""), Hidden: true}, open, 1, 0},
		"the source masks metadata":    {wireSecret{Key: "K", Value: some("v"), Metadata: []metadata{{"a", hiddenValue, true}}}, open, 1, 0},
		"the target masks the value":   {open, wireSecret{Key: "K", Value: some(hiddenValue)}, 1, 0},
		"the target says that it does": {open, wireSecret{Key: "K", Value: some(""), Hidden: true}, 1, 0},
		"both mask the same":           {wireSecret{Key: "K", Value: some(hiddenValue)}, wireSecret{Key: "K", Value: some(hiddenValue)}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := &run{Options: Options{Overwrite: true, Tell: func(Finding) {}}, result: Result{Secrets: &Count{}}}
			a := &at{place: &place{run: r, from: &wireProject{}, to: &wireProject{}}}
			missing, changed := &batch{at: a}, &batch{at: a}
			have := map[string]known{"K": {c.target.item().digest(), false, c.target.masked()}}
			if a.readable(&c.source) {
				if err := a.sort(t.Context(), &c.source, have, missing, changed); err != nil {
					t.Fatal(err)
				}
			}
			if n := r.result[Secrets]; n.Failed != c.failed || n.Same != c.same || len(missing.items)+len(changed.items) != 0 {
				t.Errorf("%+v, and %d secrets to be written", *n, len(missing.items)+len(changed.items))
			}
		})
	}
}
