package console

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// TestOverviewTellsWhatNeedsAttention: tokens that expire soon, and tokens that nobody uses.
func TestOverviewTellsWhatNeedsAttention(t *testing.T) {
	t.Parallel()
	s := harness.StartReady(t)
	idle, short := s.NewActor(t, "no-access", object{"accessTokenTTL": 60 * 24 * 3600, "accessTokenMaxTTL": 60 * 24 * 3600}), s.NewIdentity(t, "no-access")
	s.Clock.Advance(31 * 24 * time.Hour)
	s.Attach(t, short, object{"accessTokenTTL": 3600, "accessTokenMaxTTL": 3600})
	_, _ = s.NewToken(t, short)
	b := signIn(t, s)
	b.goTo(b.inOrg("")).inspect("overview-attention")
	for list, identity := range map[string]string{"#idle": idle.ID, "#expiring": short} {
		if !value[bool](b, `[...document.querySelector("`+list+`").closest("section").querySelectorAll(".attention a")].some((a) => a.href.endsWith("`+identity+`"))`) {
			t.Errorf("%s lacks %s: %s", list, identity, b.describe())
		}
	}
}
