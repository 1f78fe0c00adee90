package token

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/feed"
)

// life is one identity with its tokens, and a server that is restarted now and then.
type life struct {
	*fixture
	t       *rapid.T
	present Limits // what the configuration of every method allows now
	stop    func()
	admin   *access.Actor
	tokens  []*living
}

// living is a token with every JWT of it.
type living struct {
	Grant
	id   string
	row  *Row
	jwts []timed
	uses int64
	dead bool // a revoke of it has returned
}

type timed struct {
	text    string
	expires time.Time
}

const day = 24 * time.Hour

// TestOnceRevokedAlwaysRefused draws tokens of every sort and does to them what can be done, over months and through
// restarts: once a revoke has returned, no JWT of the token and no renewal is ever accepted again; and before, none is
// refused that the limits allow.
func TestOnceRevokedAlwaysRefused(t *testing.T) {
	bound(t, "rapid.checks", "100", "40")
	bound(t, "rapid.steps", "30", "80")
	each(t, func(t *testing.T, f *fixture) {
		rapid.Check(t, func(t *rapid.T) {
			l := &life{fixture: &fixture{t: f.t, clock: f.clock, org: id.New(), ident: id.New(), Service: f.Service}, t: t}
			l.addIdentity(l.org, l.ident)
			l.start(DefaultMaxAge)
			defer func() { l.stop() }()
			t.Repeat(map[string]func(*rapid.T){
				"mint":      func(t *rapid.T) { l.mintAny(t) },
				"renew":     func(t *rapid.T) { l.renewAny(t) },
				"use":       func(t *rapid.T) { l.useAny(t) },
				"configure": func(t *rapid.T) { l.present = limits(t) },
				"months pass": func(t *rapid.T) {
					for range rapid.Int64Range(1, 6).Draw(t, "times") {
						l.clock.advance(time.Duration(rapid.Int64Range(1, 10).Draw(t, "days")) * day)
						l.renewAny(t)
					}
				},
				"time passes": func(t *rapid.T) {
					l.clock.advance(time.Duration(rapid.Int64Range(1, 400).Draw(t, "hours")) * time.Hour)
				},
				"revoke": func(t *rapid.T) { l.revokeAny(t) },
				"clean": func(t *rapid.T) {
					l.clean(1000)
					if _, err := l.feed.Prune(l.fixture.t.Context(), 1000); err != nil {
						t.Fatal(err)
					}
				},
				"restart": func(t *rapid.T) {
					l.stop()
					l.start(time.Duration(rapid.Int64Range(1, 120).Draw(t, "longest life")) * day)
				},
				"": func(t *rapid.T) { l.check(t) },
			})
		})
	})
}

// bound sets a flag of rapid for a test whose checks are dear, unless the command line says otherwise.
func bound(t *testing.T, name, usual, value string) {
	t.Helper()
	if f := flag.Lookup(name); f.Value.String() == usual {
		_ = f.Value.Set(value)
		t.Cleanup(func() { _ = f.Value.Set(usual) })
	}
}

// limits draws a configuration: about half of them periodic.
func limits(t *rapid.T) Limits {
	days := rapid.SampledFrom([]int64{0, 1, 7, 30, 100, 400})
	period := rapid.SampledFrom([]int64{0, 0, 7, 30, 100}).Draw(t, "period")
	const seconds = int64(day / time.Second)
	return Limits{TTL: days.Draw(t, "ttl") * seconds, MaxTTL: days.Draw(t, "max ttl") * seconds, Period: period * seconds}
}

// start starts a server that knows only what the database holds.
func (l *life) start(maxAge time.Duration) {
	l.fixture.t.Helper()
	s := New(Options{DB: l.db, Feed: feed.New(feed.Options{DB: l.db, Logger: l.logger}), Audit: l.audit, Root: l.root, Logger: l.logger, MaxAge: maxAge,
		Member:         func(context.Context, string, string) (bool, error) { return true, nil },
		AddressAllowed: func(context.Context, string, string, netip.Addr) (bool, error) { return true, nil },
		Methods:        func() []string { return []string{TokenAuth, "universal-auth"} },
		Limits:         func(context.Context, string, string) (Limits, error) { return l.present, nil }})
	ctx, cancel := context.WithCancel(context.Background())
	if err := s.feed.Start(ctx); err != nil {
		l.t.Fatal(err)
	}
	if err := s.Start(ctx); err != nil {
		l.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.feed.Run(ctx)
	}()
	l.Service, l.stop = s, func() { cancel(); <-ended }
	l.admin = l.administrator()
}

func (l *life) mintAny(t *rapid.T) {
	g := Grant{IdentityID: l.ident, OrgID: l.org, Method: rapid.SampledFrom([]string{TokenAuth, "universal-auth"}).Draw(t, "method"),
		Limits: limits(t), UsesLimit: rapid.SampledFrom([]int64{0, 0, 3}).Draw(t, "limit of uses"), Born: l.Birth()}
	if g.Method != TokenAuth {
		g.ClientSecretID = id.New()
	}
	issued := l.mint(g)
	k := &living{Grant: g, id: issued.Row.ID, jwts: []timed{l.timed(issued)}}
	if g.Method == TokenAuth || g.UsesLimit > 0 {
		k.row = &issued.Row
	}
	l.tokens = append(l.tokens, k)
}

func (l *life) timed(issued *Issued) timed {
	return timed{issued.AccessToken, l.clock.Now().Truncate(time.Second).Add(time.Duration(issued.ExpiresIn) * time.Second)}
}

// pick draws one of the newest tokens and a JWT of it that has not expired, if there are any.
func (l *life) pick(t *rapid.T) (*living, timed) {
	if len(l.tokens) == 0 {
		t.Skip("no token yet")
	}
	k := rapid.SampledFrom(l.tokens[max(0, len(l.tokens)-6):]).Draw(t, "token")
	jwt := rapid.SampledFrom(k.jwts[max(0, len(k.jwts)-3):]).Draw(t, "jwt")
	if !l.clock.Now().Before(jwt.expires) {
		t.Skip("it has expired")
	}
	return k, jwt
}

func (l *life) renewAny(t *rapid.T) {
	k, jwt := l.pick(t)
	issued, err := l.Renew(l.fixture.t.Context(), jwt.text, goodIP)
	switch {
	case err != nil && (reason(err) == "" || reason(err) == "revoked" && !k.dead):
		t.Fatalf("renewing answered %v", err)
	case err == nil && k.dead:
		t.Fatal("a revoked token was renewed")
	case err == nil:
		l.allowed(t, k, issued)
		k.jwts = append(k.jwts, l.timed(issued))
	}
}

// allowed checks a renewal against the claims and the present configuration, each by itself.
func (l *life) allowed(t *rapid.T, k *living, issued *Issued) {
	age := l.clock.Now().Unix() - k.Born.At.Unix()
	for name, limit := range map[string]Limits{"the claims": k.Limits, "the configuration": l.present} {
		most := int64(l.maxAge / time.Second)
		switch {
		case limit.Period > 0:
			most = min(most, limit.Period)
		case limit.TTL > 0:
			most = min(most, limit.TTL)
		}
		if limit.Period == 0 && limit.MaxTTL > 0 {
			most = min(most, limit.MaxTTL-age)
		}
		if issued.ExpiresIn > most {
			t.Fatalf("renewed for %d s; %s allow %d: %+v", issued.ExpiresIn, name, most, limit)
		}
	}
}

func (l *life) useAny(t *rapid.T) {
	k, jwt := l.pick(t)
	if err := l.verify(jwt.text); err == nil {
		k.uses++
		if k.dead {
			t.Fatal("a revoked token was accepted")
		}
	}
}

// revokeAny takes a token back in one of the ways that there are, with all others that this way concerns.
func (l *life) revokeAny(t *rapid.T) {
	k, jwt := l.pick(t)
	ctx := l.fixture.t.Context()
	only := func(o *living) bool { return o == k }
	all := func(*living) bool { return true }
	way := rapid.SampledFrom([]struct {
		name string
		do   func() error
		hits func(*living) bool
	}{
		{"self", func() error { return l.RevokeSelf(ctx, jwt.text, access.Client{}) }, only},
		{"self", func() error { return l.RevokeSelf(ctx, jwt.text, access.Client{}) }, only},
		{"row", func() error {
			if k.row == nil {
				return l.RevokeAny(ctx, l.admin, l.ident, k.id)
			}
			return l.Revoke(ctx, l.admin, *k.row)
		}, only},
		{"any", func() error { return l.RevokeAny(ctx, l.admin, l.ident, k.id) }, only},
		{"identity", func() error { return l.RevokeIdentity(ctx, l.admin, l.ident, "") }, all},
		{"method", func() error { return l.RevokeIdentity(ctx, l.admin, l.ident, k.Method) }, func(o *living) bool { return o.Method == k.Method }},
		{"client secret", func() error {
			if k.ClientSecretID == "" {
				return l.RevokeSelf(ctx, jwt.text, access.Client{})
			}
			return l.RevokeMade(ctx, l.admin, l.ident, k.ClientSecretID)
		}, only},
	}).Draw(t, "way")
	if err := way.do(); err != nil && !k.dead {
		t.Fatalf("revoking by %s: %v", way.name, err)
	}
	for _, o := range l.tokens {
		o.dead = o.dead || way.hits(o)
	}
}

// check asks about every JWT that there is, without spending uses.
func (l *life) check(t *rapid.T) {
	for _, k := range l.tokens {
		for n, jwt := range k.jwts {
			_, err := l.Inspect(l.fixture.t.Context(), jwt.text)
			expired, spent := !l.clock.Now().Before(jwt.expires), k.UsesLimit > 0 && k.uses >= k.UsesLimit
			if want := !k.dead && !expired && !spent; (err == nil) != want {
				t.Fatalf("JWT %d of %s: got %v; dead %v, expired %v, used up %v", n, k, err, k.dead, expired, spent)
			}
		}
	}
}

func (k *living) String() string { return fmt.Sprintf("a token of %s with %+v", k.Method, k.Limits) }
