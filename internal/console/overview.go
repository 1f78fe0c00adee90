package console

import (
	"net/http"
	"time"

	"github.com/sallyport/sallyport/internal/console/api"
)

// overview is the first page of an organization.
type overview struct {
	Replicas []api.Replica // for administrators of the instance
	Tokens   bool          // the visitor may see tokens
	Expiring []api.ListedToken
	Idle     []api.ListedToken
}

// mostAttention is how many of each sort the page shows; the list of tokens has all.
const mostAttention = 6

func (v *visit) overviewPage() error {
	data := overview{}
	if v.me.SuperAdmin {
		list, err := v.api.Replicas(v.ctx)
		if err != nil && !api.Refused(err) {
			return err
		}
		data.Replicas = list
	}
	if data.Tokens = v.rights.Can("read", "identity"); data.Tokens {
		var err error
		data.Expiring, _, err = v.api.AllTokens(v.ctx, api.TokenFilter{State: "live", ExpiresBy: v.now().Add(7 * 24 * time.Hour), Limit: mostAttention})
		if err == nil {
			data.Idle, _, err = v.api.AllTokens(v.ctx, api.TokenFilter{State: "live", IdleSince: v.now().Add(-idleAfter), Limit: mostAttention})
		}
		if err != nil {
			return err
		}
	}
	return v.show(http.StatusOK, "overview", "Overview", data)
}
