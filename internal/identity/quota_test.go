package identity

import (
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/role"
)

// TestQuotas: one more than the setting allows is refused with its name and value, and what was deleted allows one more.
func TestQuotas(t *testing.T) {
	name := func() *string { return ptr("identity") }
	for title, test := range map[string]struct {
		set     func(f *fixture)
		setting string
		make    func(f *fixture, actor *access.Actor, n int) error
		remove  string // a statement that deletes one
	}{
		"identities of a member": {func(f *fixture) { f.memberQuota = 3 }, "--quota-member-identities", func(f *fixture, actor *access.Actor, _ int) error {
			_, err := f.Create(f.t.Context(), actor, actor.OrgID, Changes{Name: name(), Role: ptr("no-access")})
			return err
		}, `DELETE FROM identities WHERE id IN (SELECT id FROM identities WHERE created_by IS NOT NULL LIMIT 1)`},
		"identities that projects own": {func(f *fixture) { f.memberQuota = 3 }, "--quota-member-identities", func(f *fixture, actor *access.Actor, _ int) error {
			return f.feed.Change(f.t.Context(), func(tx *feed.Tx) error {
				_, err := f.Insert(f.t.Context(), tx, actor, Changes{Name: name()}, role.BuiltIn(role.NoAccess))
				return err
			})
		}, `DELETE FROM identities WHERE id IN (SELECT id FROM identities WHERE created_by IS NOT NULL LIMIT 1)`},
		"identities of an organization": {func(f *fixture) { f.quota = 3 }, "--quota-identities", func(f *fixture, actor *access.Actor, _ int) error {
			_, err := f.Create(f.t.Context(), actor, actor.OrgID, Changes{Name: name(), Role: ptr("no-access")})
			return err
		}, `DELETE FROM identities WHERE id IN (SELECT id FROM identities WHERE created_by IS NOT NULL LIMIT 1)`},
	} {
		t.Run(title, func(t *testing.T) {
			each(t, func(t *testing.T, f *fixture) {
				actor := f.actor(f.org, role.Admin)
				test.set(f)
				made, refused := parallel(f, func(n int) error { return test.make(f, actor, n) })
				if made != 3 {
					t.Errorf("%d were made at once, want 3", made)
				}
				if !fault.Is(refused, fault.BadRequest) || !strings.Contains(refused.Error(), test.setting) {
					t.Errorf("refused with %v", refused)
				}
				f.exec(test.remove)
				if err := test.make(f, actor, 100); err != nil {
					t.Errorf("after one was deleted: %v", err)
				}
			})
		})
	}
}

// parallel calls do ten times at once, with the numbers from 0 on, and returns how many calls went through and the last refusal.
func parallel(f *fixture, do func(n int) error) (made int, refused error) {
	var wg sync.WaitGroup
	errs := make(chan error, 10)
	for n := range cap(errs) {
		wg.Go(func() { errs <- do(n) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err == nil {
			made++
		} else {
			refused = err
		}
	}
	return made, refused
}
