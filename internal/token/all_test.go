package token

import (
	"slices"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// TestAllFilters asks for each filter on both engines, with a live token, a revoked one and an expired one.
func TestAllFilters(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		rules, _ := access.OrgRole("admin")
		rights, err := access.Resolve([]access.Grant{{Rules: rules}}, f.clock.Now().UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
		actor := &access.Actor{Type: access.ActorUser, ID: f.ident, OrgID: f.org, Rights: rights}
		short := f.grant()
		short.Limits.TTL, short.Limits.MaxTTL = 60, 60
		expired := f.mint(short).Row.ID
		f.clock.advance(time.Hour)
		live, dead := f.mint(f.grant()).Row, f.mint(f.grant())
		revoked := dead.Row.ID
		if err := f.RevokeSelf(t.Context(), dead.AccessToken, access.Client{}); err != nil {
			t.Fatal(err)
		}
		now := f.clock.Now().UnixMilli()
		for name, c := range map[string]struct {
			filter Filter
			want   []string
		}{
			"all, newest first": {Filter{}, []string{revoked, live.ID, expired}},
			"live":              {Filter{State: StateLive}, []string{live.ID}},
			"revoked":           {Filter{State: StateRevoked}, []string{revoked}},
			"expired":           {Filter{State: StateExpired}, []string{expired}},
			"used up":           {Filter{State: StateUsedUp}, nil},
			"idle":              {Filter{IdleSince: now - 1000}, []string{expired}},
			"expiring":          {Filter{ExpiresBy: now}, []string{expired}},
			"of the method":     {Filter{Method: TokenAuth, State: StateLive}, []string{live.ID}},
			"of another method": {Filter{Method: "universal-auth"}, nil},
			"of another":        {Filter{IdentityID: "nobody"}, nil},
			"of the identity":   {Filter{IdentityID: f.ident, State: StateLive}, []string{live.ID}},
			"after a page":      {Filter{After: revoked}, []string{live.ID, expired}},
		} {
			t.Run(name, func(t *testing.T) {
				c.filter.Limit = 10
				rows, next, err := f.All(t.Context(), actor, c.filter)
				var got []string
				for _, r := range rows {
					got = append(got, r.ID)
				}
				if err != nil || next != "" || !slices.Equal(got, c.want) {
					t.Errorf("All() = %v, %q, %v; want %v", got, next, err, c.want)
				}
			})
		}
		_, _, err = f.All(t.Context(), &access.Actor{OrgID: f.org}, Filter{Limit: 1})
		if !fault.Is(err, fault.PermissionDenied) {
			t.Errorf("without rights: %v", err)
		}
	})
}
