package project

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// TestAuditRetention: a project shortens how long its own events are kept, for those written from then on.
func TestAuditRetention(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		p, admin := f.project()
		kept := func() time.Duration {
			t.Helper()
			err := f.db.Write(t.Context(), func(tx *sqldb.Tx) error {
				f.ms.Add(1)
				return f.audit.Record(t.Context(), tx, admin, audit.Event{Type: audit.UpdateProject, ProjectID: p.ID})
			})
			if err != nil {
				t.Fatal(err)
			}
			return time.Duration(f.count(`SELECT expires_at - created_at FROM audit_logs WHERE project_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1`, p.ID)) * time.Millisecond
		}
		for _, c := range []struct {
			days int64
			want time.Duration
		}{{30, 30 * 24 * time.Hour}, {1, 24 * time.Hour}, {36500, audit.DefaultRetention}, {0, audit.DefaultRetention}} {
			changed, err := f.SetAuditDays(t.Context(), admin, Ref{ID: p.ID}, c.days)
			if err != nil || changed.AuditDays == nil || *changed.AuditDays != c.days {
				t.Fatalf("set %d days: %+v, %v", c.days, changed, err)
			}
			if got := kept(); got != c.want {
				t.Errorf("with %d days an event is kept %v; want %v", c.days, got, c.want)
			}
		}
		for name, by := range map[string]string{"refused/member": "member", "refused/viewer": "viewer"} {
			t.Run(name, func(t *testing.T) {
				_, err := f.SetAuditDays(t.Context(), f.member(p, by), Ref{ID: p.ID}, 1)
				want(t, err, fault.PermissionDenied)
			})
		}
	})
}
