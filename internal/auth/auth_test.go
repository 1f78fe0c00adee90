package auth

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/role"
	"github.com/sallyport/sallyport/internal/token"
)

// jsonOf is the settings of a configuration, as JSON.
func jsonOf(t testing.TB, c *Config) string {
	t.Helper()
	text, err := json.Marshal(c.own)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const everywhere = `[{"ipAddress":"0.0.0.0","type":"ipv4","prefix":0},{"ipAddress":"::","type":"ipv6","prefix":0}]`

// all writes settings with every field.
func all(ttl, maxTTL, uses int, ips, word string) string {
	return fmt.Sprintf(`{"accessTokenTTL":%d,"accessTokenMaxTTL":%d,"accessTokenNumUsesLimit":%d,"accessTokenTrustedIps":%s,"word":%q}`, ttl, maxTTL, uses, ips, word)
}

// TestEffectiveSettings attaches, then changes: what is compared is what results, whoever named which part.
func TestEffectiveSettings(t *testing.T) {
	const day = 2_592_000
	each(t, func(t *testing.T, h *house) {
		for name, c := range map[string]struct {
			attach, patch string
			want          string // the settings in the end; "" for a refusal of the last step
			kind          fault.Kind
		}{
			"defaults":                              {`{"word":"w"}`, "", all(day, day, 0, everywhere, "w"), 0},
			"all set":                               {all(60, 600, 5, `[{"ipAddress":"192.0.2.1"}]`, "w"), "", all(60, 600, 5, `[{"ipAddress":"192.0.2.1","type":"ipv4"}]`, "w"), 0},
			"zeros":                                 {all(0, 0, 0, everywhere, "w"), "", all(0, 0, 0, everywhere, "w"), 0},
			"equal":                                 {`{"word":"w","accessTokenTTL":60,"accessTokenMaxTTL":60}`, "", all(60, 60, 0, everywhere, "w"), 0},
			"no max TTL":                            {`{"word":"w","accessTokenTTL":60,"accessTokenMaxTTL":0}`, "", all(60, 0, 0, everywhere, "w"), 0},
			"no TTL":                                {`{"word":"w","accessTokenTTL":0,"accessTokenMaxTTL":60}`, "", all(0, 60, 0, everywhere, "w"), 0},
			"addresses stay as they were sent":      {`{"word":"w","accessTokenTrustedIps":[{"ipAddress":" 10.1.2.3/8 "},{"ipAddress":"2001:DB8::1"},{"ipAddress":"10.0.0.0","prefix":8}]}`, "", all(day, day, 0, `[{"ipAddress":"10.1.2.3","type":"ipv4","prefix":8},{"ipAddress":"2001:DB8::1","type":"ipv6"},{"ipAddress":"10.0.0.0","type":"ipv4","prefix":8}]`, "w"), 0},
			"patch/nothing":                         {all(60, 600, 5, everywhere, "w"), `{}`, all(60, 600, 5, everywhere, "w"), 0},
			"patch/one field":                       {all(60, 600, 5, everywhere, "w"), `{"accessTokenNumUsesLimit":0}`, all(60, 600, 0, everywhere, "w"), 0},
			"patch/own field":                       {all(60, 600, 5, everywhere, "w"), `{"word":"v"}`, all(60, 600, 5, everywhere, "v"), 0},
			"patch/lower the max TTL":               {all(60, 600, 0, everywhere, "w"), `{"accessTokenMaxTTL":60}`, all(60, 60, 0, everywhere, "w"), 0},
			"patch/no max TTL any more":             {all(60, 600, 0, everywhere, "w"), `{"accessTokenMaxTTL":0}`, all(60, 0, 0, everywhere, "w"), 0},
			"patch/no TTL any more":                 {all(60, 600, 0, everywhere, "w"), `{"accessTokenTTL":0}`, all(0, 600, 0, everywhere, "w"), 0},
			"patch/both":                            {all(60, 600, 0, everywhere, "w"), `{"accessTokenTTL":6000,"accessTokenMaxTTL":6000}`, all(6000, 6000, 0, everywhere, "w"), 0},
			"patch/addresses":                       {all(60, 600, 0, everywhere, "w"), `{"accessTokenTrustedIps":[{"ipAddress":"192.0.2.0/24"}]}`, all(60, 600, 0, `[{"ipAddress":"192.0.2.0","type":"ipv4","prefix":24}]`, "w"), 0},
			"refused/TTL above max TTL":             {all(61, 60, 0, everywhere, "w"), "", "", fault.Validation},
			"refused/TTL above the default max TTL": {`{"word":"w","accessTokenTTL":2592001}`, "", "", fault.Validation},
			"refused/max TTL below the default TTL": {`{"word":"w","accessTokenMaxTTL":60}`, "", "", fault.Validation},
			"refused/bad address":                   {`{"word":"w","accessTokenTrustedIps":[{"ipAddress":"192.0.2.1/33"}]}`, "", "", fault.BadRequest},
			"refused/address with a zone":           {`{"word":"w","accessTokenTrustedIps":[{"ipAddress":"fe80::1%eth0"}]}`, "", "", fault.BadRequest},
			"refused/negative prefix":               {`{"word":"w","accessTokenTrustedIps":[{"ipAddress":"10.0.0.0","prefix":-1}]}`, "", "", fault.BadRequest},
			"refused/by the method":                 {`{}`, "", "", fault.Validation},
			"refused/patch TTL above the stored":    {all(60, 600, 0, everywhere, "w"), `{"accessTokenTTL":601}`, "", fault.BadRequest},
			"refused/patch max TTL below stored":    {all(60, 600, 0, everywhere, "w"), `{"accessTokenMaxTTL":59}`, "", fault.BadRequest},
			"refused/patch both":                    {all(60, 600, 0, everywhere, "w"), `{"accessTokenTTL":3,"accessTokenMaxTTL":2}`, "", fault.Validation},
		} {
			t.Run(name, func(t *testing.T) {
				identityID := h.identity(role.NoAccess)
				got, err := h.attach(h.admin(), identityID, c.attach)
				if c.patch != "" {
					if err != nil {
						t.Fatal(err)
					}
					h.ms.Add(1000)
					got, err = h.update(h.admin(), identityID, c.patch)
				}
				if c.want == "" {
					want(t, err, c.kind)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				stored, err := h.readConfig(t.Context(), identityID, knock.Slug)
				if err != nil {
					t.Fatal(err)
				}
				for _, c2 := range []*Config{got, stored} {
					if diff := cmp.Diff(c.want, jsonOf(t, c2)); diff != "" {
						t.Error(diff)
					}
				}
				if got.UpdatedAt != h.ms.Load() || stored.UpdatedAt != got.UpdatedAt || stored.CreatedAt != got.CreatedAt || stored.ID != got.ID {
					t.Errorf("answered %+v, stored %+v", got, stored)
				}
			})
		}
	})
}

// TestRefusedChangesLeaveTheConfiguration as it was, without an event.
func TestRefusedChangesLeaveTheConfiguration(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		identityID := h.attached(all(60, 600, 5, everywhere, "w"))
		before, err := h.readConfig(t.Context(), identityID, knock.Slug)
		if err != nil {
			t.Fatal(err)
		}
		h.ms.Add(1000)
		_, err = h.update(h.admin(), identityID, `{"accessTokenTTL":601,"word":"v"}`)
		want(t, err, fault.BadRequest)
		after, err := h.readConfig(t.Context(), identityID, knock.Slug)
		if err != nil || jsonOf(t, before) != jsonOf(t, after) || after.UpdatedAt != before.UpdatedAt {
			t.Errorf("it is now %s of %d, %v", jsonOf(t, after), after.UpdatedAt, err)
		}
		if n := h.events("update-identity-knock-auth"); n != 0 {
			t.Errorf("%d events of a change that was refused", n)
		}
	})
}

// events counts the audit events of a type, noted ones too.
func (h *house) events(kind string) (n int) {
	h.t.Helper()
	if err := h.audit.Flush(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	if err := h.db.Get(h.t.Context(), &n, `SELECT count(*) FROM audit_logs WHERE event_type = $1`, kind); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// TestSettingsAreSealed: what a method keeps cannot be read in the database, nor in the audit log.
func TestSettingsAreSealed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const word = "open-sesame-very-secret"
		h.attached(all(60, 600, 5, everywhere, word))
		var stored []byte
		if err := h.db.Get(t.Context(), &stored, `SELECT settings FROM auth_configs`); err != nil {
			t.Fatal(err)
		}
		var events []string
		if err := h.db.Select(t.Context(), &events, `SELECT event_metadata FROM audit_logs`); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(stored)+strings.Join(events, ""), word) {
			t.Error("the word can be read")
		}
	})
}

// TestConcurrentUpdatesLoseNothing: changes of different fields at the same time all stay, on several replicas too.
func TestConcurrentUpdatesLoseNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		replicas := h.replicas()
		for range 5 {
			identityID := h.attached(all(60, 600, 5, everywhere, "w"))
			var group sync.WaitGroup
			for n, text := range []string{`{"accessTokenTTL":30}`, `{"accessTokenMaxTTL":300}`, `{"accessTokenNumUsesLimit":7}`, `{"word":"v"}`,
				`{"accessTokenTrustedIps":[{"ipAddress":"192.0.2.1"}]}`} {
				group.Go(func() {
					s := replicas[n%len(replicas)]
					if _, err := s.Update(t.Context(), h.admin(), h.knocked, identityID, changing(knock, settings(t, text))); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			for _, s := range replicas {
				c, err := s.Find(t.Context(), identityID, knock.Slug)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(all(30, 300, 7, `[{"ipAddress":"192.0.2.1","type":"ipv4"}]`, "v"), jsonOf(t, c)); diff != "" {
					t.Error(diff)
				}
			}
		}
	})
}

// TestAttachHasOneWinner of several at once.
func TestAttachHasOneWinner(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		replicas, identityID := h.replicas(), h.identity(role.NoAccess)
		var won, refused atomic.Int64
		var group sync.WaitGroup
		for n := range 8 {
			group.Go(func() {
				s := replicas[n%len(replicas)]
				_, err := s.Attach(t.Context(), h.admin(), h.knocked, identityID, attaching(knock, settings(t, `{"word":"w"}`)), knock.stored)
				switch kind(err) {
				case -1:
					won.Add(1)
				case int(fault.BadRequest):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 || refused.Load() != 7 || h.events("add-identity-knock-auth") != 1 {
			t.Errorf("%d won, %d were refused, %d events; want 1, 7, 1", won.Load(), refused.Load(), h.events("add-identity-knock-auth"))
		}
	})
}

// TestTrustedAddressesHoldAtOnce, for tokens that live already, on every replica.
func TestTrustedAddressesHoldAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		replicas, identityID := h.replicas(), h.attached(`{"word":"w"}`)
		issued, err := h.login(identityID, "w")
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			ips                string
			fromHome, fromAway string
		}{
			{`[{"ipAddress":"192.0.2.0/24"}]`, "", "forbidden"}, {`[{"ipAddress":"198.51.100.1"}]`, "forbidden", ""},
			{`[{"ipAddress":"0.0.0.0/0"}]`, "", ""}, {`[{"ipAddress":"2001:db8::/32"}]`, "forbidden", "forbidden"},
		} {
			for _, s := range replicas { // fills the caches
				_, _ = s.tokens.Verify(t.Context(), issued.AccessToken, home)
			}
			if _, err := h.update(h.admin(), identityID, `{"accessTokenTrustedIps":`+step.ips+`}`); err != nil {
				t.Fatal(err)
			}
			for n, s := range replicas {
				_, err := s.tokens.Verify(t.Context(), issued.AccessToken, home)
				_, errAway := s.tokens.Verify(t.Context(), issued.AccessToken, abroad)
				for _, got := range []struct {
					err  error
					want string
				}{{err, step.fromHome}, {errAway, step.fromAway}} {
					if refused := fault.Is(got.err, fault.Forbidden); refused != (got.want != "") || !refused && got.err != nil {
						t.Errorf("replica %d, %s: %v; want %q", n, step.ips, got.err, got.want)
					}
				}
			}
		}
	})
}

// TestDetachKillsItsTokens, and attaching again does not bring them back; other methods and identities are spared.
func TestDetachKillsItsTokens(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		replicas, identityID, other := h.replicas(), h.attached(`{"word":"w"}`), h.attached(`{"word":"w"}`)
		old, err := h.login(identityID, "w")
		if err != nil {
			t.Fatal(err)
		}
		spared, err := h.login(other, "w")
		if err != nil {
			t.Fatal(err)
		}
		alive := func(when string, issued *token.Issued, wantAlive bool) {
			t.Helper()
			for n, s := range replicas {
				_, err := s.tokens.Verify(t.Context(), issued.AccessToken, home)
				if wantAlive != (err == nil) || err != nil && !fault.Is(err, fault.DeadToken) {
					t.Errorf("%s, replica %d: %v", when, n, err)
				}
			}
		}
		alive("attached", old, true)
		before := h.feed.Applied()
		if _, err := h.detach(h.admin(), identityID); err != nil {
			t.Fatal(err)
		}
		alive("detached", old, false)
		alive("another identity", spared, true)
		_, err = h.login(identityID, "w")
		want(t, err, fault.Unauthenticated)
		_, err = h.detach(h.admin(), identityID)
		want(t, err, fault.BadRequest)
		_, err = h.update(h.admin(), identityID, `{}`)
		want(t, err, fault.BadRequest)
		if _, err := h.AddressAllowed(t.Context(), identityID, knock.Slug, home); !fault.Is(err, fault.DeadToken) {
			t.Errorf("a detached method: %v; want a dead token", err)
		}
		var cuts []int64
		err = h.db.Select(t.Context(), &cuts, `SELECT until FROM change_log WHERE seq > $1 AND kind = $2`, before, feed.CutMethod)
		if bound := h.ms.Load() + (90 * 24 * time.Hour).Milliseconds(); err != nil || len(cuts) != 1 || cuts[0] != bound {
			t.Errorf("cut-offs until %v, %v; want one until %d", cuts, err, bound)
		}
		if _, err := h.attach(h.admin(), identityID, `{"word":"v"}`); err != nil {
			t.Fatal(err)
		}
		alive("attached again", old, false)
		fresh, err := h.login(identityID, "v")
		if err != nil {
			t.Fatal(err)
		}
		alive("made after", fresh, true)
	})
}

// TestRefusals: who may not, and of what one cannot.
func TestRefusals(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		plain, boss, bare := h.attached(`{"word":"w"}`), h.identity(role.Admin), h.identity(role.NoAccess)
		if _, err := h.attach(h.admin(), boss, `{"word":"w"}`); err != nil {
			t.Fatal(err)
		}
		chief := h.identity(role.NoAccess)
		h.exec(`INSERT INTO instance_admins (identity_id) VALUES ($1)`, chief)
		stranger := h.admin()
		stranger.OrgID = id.New()
		keeper := h.with(access.Rule{Subject: access.SubjectIdentity, Actions: []access.Action{access.Read, access.EditAuth, access.RevokeAuth}})
		for name, call := range map[string]func(a *access.Actor, identityID string) error{
			"attach": func(a *access.Actor, i string) error { _, err := h.attach(a, i, `{"word":"w"}`); return err },
			"update": func(a *access.Actor, i string) error { _, err := h.update(a, i, `{"word":"v"}`); return err },
			"detach": func(a *access.Actor, i string) error { _, err := h.detach(a, i); return err },
		} {
			t.Run(name, func(t *testing.T) {
				want(t, call(h.actor(role.NoAccess), plain), fault.PermissionDenied)
				want(t, call(h.actor("member"), plain), fault.PermissionDenied)
				want(t, call(nil, plain), fault.PermissionDenied)
				want(t, call(keeper, boss), fault.Boundary)
				want(t, call(h.admin(), chief), fault.Forbidden)
				want(t, call(stranger, plain), fault.NotFound)
				want(t, call(h.admin(), id.New()), fault.NotFound)
				want(t, call(h.admin(), "x"), fault.NotFound)
			})
		}
		_, err := h.Read(t.Context(), h.actor(role.NoAccess), h.knocked, plain)
		want(t, err, fault.PermissionDenied)
		_, err = h.Read(t.Context(), stranger, h.knocked, plain)
		want(t, err, fault.NotFound)
		_, err = h.Read(t.Context(), h.admin(), h.knocked, bare)
		want(t, err, fault.NotFound)
		_, err = h.attach(h.admin(), plain, `{"word":"w"}`)
		want(t, err, fault.BadRequest)
		_, err = h.detach(h.admin(), bare)
		want(t, err, fault.BadRequest)
		for _, identityID := range []string{plain, boss} {
			if c, err := h.Find(t.Context(), identityID, knock.Slug); err != nil || !strings.Contains(jsonOf(t, c), `"word":"w"`) {
				t.Errorf("a refused call changed the configuration: %v", err)
			}
		}
	})
}

// TestAttachToAnIdentityThatHasJustGone: this replica still has it in memory, another has deleted it.
func TestAttachToAnIdentityThatHasJustGone(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		identityID := h.identity(role.NoAccess)
		if _, err := h.identities.Find(t.Context(), h.admin(), identityID); err != nil {
			t.Fatal(err)
		}
		h.exec(`DELETE FROM identities WHERE id = $1`, identityID)
		_, err := h.attach(h.admin(), identityID, `{"word":"w"}`)
		want(t, err, fault.NotFound)
	})
}

func TestMethodsOf(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		with, without := h.attached(`{"word":"w"}`), h.identity(role.NoAccess)
		got, err := h.MethodsOf(t.Context(), []string{with, without, id.New()})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string][]string{with: {knock.Slug}}, got); diff != "" {
			t.Error(diff)
		}
		if got, err := h.MethodsOf(t.Context(), nil); err != nil || len(got) != 0 {
			t.Errorf("of nobody: %v, %v", got, err)
		}
	})
}

// TestUnknownMethodsInTheDatabase are an error of ours, not a hole.
func TestUnknownMethodsInTheDatabase(t *testing.T) {
	h := newHouse(t, sqldb.SQLite)
	identityID := h.attached(`{"word":"w"}`)
	h.exec(`UPDATE auth_configs SET method = 'other-auth'`)
	if _, err := h.AddressAllowed(t.Context(), identityID, "other-auth", home); kind(err) != -2 {
		t.Errorf("got %v; want an error of ours", err)
	}
}
