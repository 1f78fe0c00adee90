package project

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/role"
)

// TestQuotas: one more than the setting allows is refused with its name and value, and what was deleted allows one more.
func TestQuotas(t *testing.T) {
	for title, test := range map[string]struct {
		set     func(f *fixture)
		setting string
		make    func(f *fixture, actor *access.Actor, n int) error
		remove  string // a statement that deletes one
	}{
		"projects of an organization": {func(f *fixture) { f.quota = 3 }, "--quota-projects", makeProject, `UPDATE projects SET deleted_at = 1 WHERE id IN (SELECT id FROM projects LIMIT 1)`},
		"projects of a member":        {func(f *fixture) { f.memberQuota = 3 }, "--quota-member-projects", makeProject, `UPDATE projects SET deleted_at = 1 WHERE id IN (SELECT id FROM projects LIMIT 1)`},
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

func makeProject(f *fixture, actor *access.Actor, n int) error {
	_, err := f.Create(f.t.Context(), actor, Draft{Name: "p", Slug: fmt.Sprintf("p-%d", n)})
	return err
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
