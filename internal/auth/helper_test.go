package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/feed/feedtest"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/role"
	"github.com/sallyport/sallyport/internal/token"
)

// knock is a login method for these tests: whoever knows the word of an identity is let in.
type knockSettings struct {
	Shared
	Word *string `json:"word,omitempty"`
}

func (*knockSettings) Key() string { return "identityKnockAuth" }

type knockLogin struct {
	LoginShared
	IdentityID string `json:"identityId"`
	Word       string `json:"word"`
}

var knock = Method[knockSettings, knockLogin, *knockSettings]{
	Slug: "knock-auth", Title: "Knock Auth",
	Check: func(_ context.Context, s *knockSettings) error {
		if s.Word == nil {
			return fault.Invalid("too_small", "A word is needed.", "word")
		}
		return nil
	},
	Identify: func(_ context.Context, login *knockLogin, _ access.Client) (string, error) {
		return login.IdentityID, nil
	},
	Verify: func(_ context.Context, s *knockSettings, login *knockLogin, _ access.Client) (Proof, error) {
		if login.Word != *s.Word {
			return Proof{}, Refuse("wrong_word", "The word is wrong.")
		}
		return Proof{Facts: map[string]any{"knocks": 3}}, nil
	},
}

// house is all that login methods work with, in one organization, with a clock that only the test moves.
type house struct {
	*Service
	t       testing.TB
	ms      *atomic.Int64
	org     string
	knocked info
}

// each runs fn once an engine.
func each(t *testing.T, fn func(t *testing.T, h *house)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) { fn(t, newHouse(t, engine)) })
	}
}

func newHouse(t testing.TB, engine sqldb.Engine) *house {
	t.Helper()
	ms := &atomic.Int64{}
	ms.Store(1_790_000_000_000)
	db := sqldbtest.OpenWith(t, engine, sqldb.Options{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.UnixMilli(ms.Load()) }})
	h := &house{Service: replica(t, db), t: t, ms: ms, org: id.New()}
	h.knocked = h.methods[knock.Slug]
	h.exec(`INSERT INTO organizations (id, name, slug, created_at, updated_at) VALUES ($1, 'o', $1, 0, 0)`, h.org)
	return h
}

// replica starts all services on a database.
func replica(t testing.TB, db *sqldb.DB) *Service {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	root, err := seal.NewKey(bytes.Repeat([]byte{7}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	var s *Service
	f, log := feed.New(feed.Options{DB: db, Logger: quiet}), audit.New(db, 0)
	orgs := org.New(org.Options{DB: db, Feed: f, Audit: log})
	roles := role.New(db, f, log)
	members := member.New(member.Options{DB: db, Feed: f, Audit: log, Roles: roles})
	tokens := token.New(token.Options{DB: db, Feed: f, Audit: log, Root: root, Logger: quiet, Member: members.Member,
		AddressAllowed: func(ctx context.Context, identityID, method string, ip netip.Addr) (bool, error) {
			return s.AddressAllowed(ctx, identityID, method, ip)
		},
		Limits: func(ctx context.Context, identityID, method string) (token.Limits, error) {
			return s.Limits(ctx, identityID, method)
		}})
	identities := identity.New(identity.Options{DB: db, Feed: f, Roles: roles, Members: members, Audit: log, ExpiryBound: tokens.ExpiryBound,
		Methods: func(ctx context.Context, ids []string) (map[string][]string, error) { return s.MethodsOf(ctx, ids) }})
	s = New(Options{DB: db, Feed: f, Audit: log, Root: root, Orgs: orgs, Identities: identities, Members: members, Tokens: tokens})
	api := httpapi.New(httpapi.Options{Authenticate: func(context.Context, string, access.Client) (*access.Actor, error) { return nil, nil }, Logger: quiet})
	Mount(s, api, knock)
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := tokens.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	feedtest.Follow(t, f)
	return s
}

// replicas returns the service and, where the engine allows for it, another one on the same database.
func (h *house) replicas() []*Service {
	if h.db.Engine() == sqldb.SQLite {
		return []*Service{h.Service}
	}
	return []*Service{h.Service, replica(h.t, h.db)}
}

func (h *house) exec(query string, args ...any) {
	h.t.Helper()
	sqldbtest.Exec(h.t, h.db, query, args...)
}

// actor has a built-in role.
func (h *house) actor(slug string) *access.Actor {
	h.t.Helper()
	rules, _ := access.OrgRole(slug)
	return h.with(rules...)
}

func (h *house) with(rules ...access.Rule) *access.Actor {
	h.t.Helper()
	rights, err := access.Resolve([]access.Grant{{Rules: rules}}, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	return &access.Actor{Type: access.ActorIdentity, ID: id.New(), Name: "actor", OrgID: h.org, Rights: rights}
}

func (h *house) admin() *access.Actor { return h.actor(role.Admin) }

// identity makes an identity with a role.
func (h *house) identity(slug string) string {
	h.t.Helper()
	name, protected := "robot", false
	d, err := h.identities.Create(h.t.Context(), h.admin(), h.org, identity.Changes{Name: &name, Role: &slug, DeleteProtection: &protected})
	if err != nil {
		h.t.Fatal(err)
	}
	return d.ID
}

// settings reads settings as a request brings them.
func settings(t testing.TB, text string) *knockSettings {
	t.Helper()
	s := &knockSettings{}
	if err := json.Unmarshal([]byte(text), s); err != nil {
		t.Fatal(err)
	}
	return s
}

// attach, update and detach are the routes without HTTP.
func (h *house) attach(a *access.Actor, identityID, text string) (*Config, error) {
	return h.Attach(h.t.Context(), a, h.knocked, identityID, attaching(knock, settings(h.t, text)), knock.stored)
}

func (h *house) update(a *access.Actor, identityID, text string) (*Config, error) {
	return h.Update(h.t.Context(), a, h.knocked, identityID, changing(knock, settings(h.t, text)))
}

func (h *house) detach(a *access.Actor, identityID string) (*Config, error) {
	return h.Detach(h.t.Context(), a, h.knocked, identityID, knock.detached)
}

// attached makes an identity that can knock.
func (h *house) attached(text string) string {
	h.t.Helper()
	identityID := h.identity(role.NoAccess)
	if _, err := h.attach(h.admin(), identityID, text); err != nil {
		h.t.Fatal(err)
	}
	return identityID
}

// login knocks.
func (h *house) login(identityID, word string) (*token.Issued, error) {
	return Login(h.t.Context(), h.Service, knock, &knockLogin{IdentityID: identityID, Word: word}, access.Client{IP: home})
}

var (
	home   = netip.MustParseAddr("192.0.2.1")
	abroad = netip.MustParseAddr("198.51.100.1")
)

// kind is the kind of a fault, or -1 for none, -2 for an error that is no fault.
func kind(err error) int {
	switch {
	case err == nil:
		return -1
	case fault.From(err).Kind == fault.Internal:
		return -2
	}
	return int(fault.From(err).Kind)
}

func want(t testing.TB, err error, k fault.Kind) {
	t.Helper()
	if kind(err) != int(k) {
		t.Fatalf("got %v; want a fault of kind %d", err, k)
	}
}
