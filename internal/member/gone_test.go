package member

import (
	"sync"
	"testing"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/role"
)

// TestGrantOfARoleThatHasJustGone: someone looked it up, and someone else deleted it before it was handed out.
func TestGrantOfARoleThatHasJustGone(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		r, err := f.roles.Create(t.Context(), f.admin(), changes("reader", allow(access.SubjectIdentity, access.Read)))
		if err != nil {
			t.Fatal(err)
		}
		identityID := f.join(r)
		f.exec(`DELETE FROM memberships`)
		if _, err := f.roles.Delete(t.Context(), f.admin(), r.ID); err != nil {
			t.Fatal(err)
		}
		if err := f.grant(identityID, r); !fault.Is(err, fault.NotFound) {
			t.Errorf("got %v; want not found", err)
		}
	})
}

func (f *fixture) grant(identityID string, r *role.Role) error {
	return f.db.Write(f.t.Context(), func(tx *sqldb.Tx) error {
		_, err := Join(f.t.Context(), tx, Draft{OrgID: f.org, IdentityID: identityID, Roles: Permanent(r)})
		return err
	})
}

// TestGrantsBesideDeletion races them: either someone holds the role or it is gone, and each caller is told in words.
func TestGrantsBesideDeletion(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for range 10 {
			r, err := f.roles.Create(t.Context(), f.admin(), changes("r-"+id.New(), allow(access.SubjectIdentity, access.Read)))
			if err != nil {
				t.Fatal(err)
			}
			identityID := id.New()
			f.exec(`INSERT INTO identities (id, org_id, name, delete_protection, created_at, updated_at) VALUES ($1, $2, 'i', FALSE, 0, 0)`, identityID, f.org)
			admin := f.admin()
			var granted, deleted error
			var group sync.WaitGroup
			group.Go(func() { granted = f.grant(identityID, r) })
			group.Go(func() { _, deleted = f.roles.Delete(t.Context(), admin, r.ID) })
			group.Wait()
			if !(granted == nil && fault.Is(deleted, fault.BadRequest)) && !(fault.Is(granted, fault.NotFound) && deleted == nil) {
				t.Errorf("granted: %v, deleted: %v; want one of the two", granted, deleted)
			}
		}
	})
}
