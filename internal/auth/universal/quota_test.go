package universal_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// TestQuota: of many client secrets that are made at once for one identity no more are stored than there may be. Revoking one makes no
// room while it is kept.
func TestQuota(t *testing.T) {
	t.Parallel()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			url := sqldbtest.URL(t, engine)
			s := harness.StartReady(t, func(o *app.Options) { o.Config.DatabaseURL, o.Config.ClientSecrets = url, 4 })
			c := attach(t, s)
			_, revoked := c.secret(object{})
			s.Admin.Call(t, http.MethodPost, c.base+"/client-secrets/"+revoked+"/revoke", object{}).Want(200)
			answers := make(chan *harness.Answer, 10)
			var wg sync.WaitGroup
			for range cap(answers) {
				wg.Go(func() { answers <- s.Admin.Call(t, http.MethodPost, c.base+"/client-secrets", object{}) })
			}
			wg.Wait()
			made := 0
			for range cap(answers) {
				a := <-answers
				if a.Status == 200 {
					made++
				} else if a.WantError(400, "BadRequest"); !strings.Contains(a.Text("message"), "--quota-client-secrets") {
					t.Errorf("refused with %q", a.Text("message"))
				}
			}
			if made != 3 {
				t.Errorf("%d were made, want 3", made)
			}
			attach(t, s).secret(object{}) // another identity has its own
		})
	}
}
