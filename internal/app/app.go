// Package app builds every feature and mounts it: the one list to read first. It holds no rules of its own.
package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/auth/assertion"
	"github.com/sallyport/sallyport/internal/auth/jwt"
	"github.com/sallyport/sallyport/internal/auth/kubernetes"
	"github.com/sallyport/sallyport/internal/auth/oidc"
	"github.com/sallyport/sallyport/internal/auth/tokenauth"
	"github.com/sallyport/sallyport/internal/auth/universal"
	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/limit"
	"github.com/sallyport/sallyport/internal/base/lockout"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/identity"
	"github.com/sallyport/sallyport/internal/keys"
	"github.com/sallyport/sallyport/internal/member"
	"github.com/sallyport/sallyport/internal/oauth"
	"github.com/sallyport/sallyport/internal/ops/transfer"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/project"
	"github.com/sallyport/sallyport/internal/role"
	"github.com/sallyport/sallyport/internal/secret"
	"github.com/sallyport/sallyport/internal/token"
	"github.com/sallyport/sallyport/internal/user"
	"github.com/sallyport/sallyport/internal/user/password"
)

// Options says how to build an App.
type Options struct {
	Config  config.Server
	Version string
	Logger  *slog.Logger
	Now     func() time.Time // nil means the clock of the machine

	// CleanEvery is how often what nobody needs any more is deleted; 0 means a minute.
	CleanEvery time.Duration

	// PasswordCost is what hashing a password costs; zero means what RFC 9106 recommends.
	PasswordCost org.Cost

	// Memory is the limit of the server's memory in bytes; 0 for none that is known.
	Memory int64

	// Recovering builds the app also on a database that was moved away and is not to be served: Recover is to follow.
	Recovering bool
}

// App is the server without its listener.
type App struct {
	log        *slog.Logger
	memory     *limit.Budget // what requests share
	cleanEvery time.Duration
	matchSteps int64 // of one request
	db         *sqldb.DB
	feed       *feed.Feed
	audit      *audit.Log
	roles      *role.Service
	members    *member.Service
	orgs       *org.Service
	identities *identity.Service
	tokens     *token.Service
	lockouts   *lockout.Counter
	configs    *auth.Service
	tokenAuth  *tokenauth.Service
	universal  *universal.Service
	assertions *assertion.Service
	users      *user.Service
	projects   *project.Service
	secrets    *secret.Service
	keys       *keys.Service
	api        *httpapi.API
	internal   *httpapi.API // metrics, health and profiles; the same as api unless there is an address for operators
}

// New opens the database and builds every feature on it. Errors say what an operator can do. Close it after use.
func New(ctx context.Context, o Options) (*App, error) {
	if o.Now == nil {
		o.Now = wallClock(o.Config.DataDir)
	}
	db, root, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	a := &App{log: o.Logger, cleanEvery: cmp.Or(o.CleanEvery, time.Minute), matchSteps: o.Config.MatchSteps, db: db, audit: audit.New(db, o.Config.AuditRetention),
		feed: feed.New(feed.Options{DB: db, Logger: o.Logger, Lease: o.Config.Lease, Name: replicaName(o.Config), Version: o.Version, Keys: root.IDs(), Caches: limit.Caches(o.Memory)})}
	a.build(root, o)
	if err := a.mount(root, o); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := a.start(ctx, o.Recovering); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return a, nil
}

// build makes the features. Where one needs another that is above it, it gets a function that is set here.
func (a *App) build(root *seal.Key, o Options) {
	c := o.Config
	a.memory = limit.NewBudget(o.Memory)
	hashing := limit.NewLine(a.memory)
	a.roles = role.New(a.db, a.feed, a.audit)
	a.orgs = org.New(org.Options{DB: a.db, Feed: a.feed, Audit: a.audit, Root: root, Cost: o.PasswordCost, MinPassword: c.MinPassword,
		Hashing: hashing, RequireSetupCode: c.SetupCode != "none", MakeUser: user.Insert, MakeAdmin: a.makeAdmin})
	a.members = member.New(member.Options{DB: a.db, Feed: a.feed, Audit: a.audit, Roles: a.roles,
		Projects: member.Projects{Hold: project.Hold,
			Enter: func(ctx context.Context, actor *access.Actor, id string) (member.Scope, error) {
				return a.projects.Scope(ctx, actor, id)
			},
			EnterSlug: func(ctx context.Context, actor *access.Actor, slug string) (member.Scope, error) {
				return a.projects.ScopeOf(ctx, actor, slug)
			}},
		OwnerOf: func(ctx context.Context, actor *access.Actor, identityID string) (string, error) {
			return a.identities.OwnerOf(ctx, actor, identityID)
		},
		Methods: a.methodsOf,
		LockedOut: func(ctx context.Context, ids []string) (map[string][]string, error) {
			return a.lockouts.LockedOut(ctx, ids)
		},
		ExpiryBound: a.expiryBound,
		EndSecrets: func(ctx context.Context, tx *feed.Tx, identityID string) error {
			return a.universal.EndSecrets(ctx, tx, identityID)
		}})
	a.identities = identity.New(identity.Options{Quota: c.Identities, MemberQuota: c.MemberIdentities, DB: a.db, Feed: a.feed, Audit: a.audit,
		Roles: a.roles, Members: a.members, ExpiryBound: a.expiryBound, Methods: a.methodsOf})
	a.tokens = token.New(token.Options{DB: a.db, Feed: a.feed, Audit: a.audit, Root: root, MaxAge: c.MaxTokenAge, Issuer: c.BaseURL(),
		Orgs: a.orgs, Identities: a.identities, Unlisted: c.UnlistedRevocations, Quota: c.Tokens,
		Member:  a.members.Member,
		Methods: func() []string { return a.configs.Methods() },
		AddressAllowed: func(ctx context.Context, identityID, method string, ip netip.Addr) (bool, error) {
			return a.configs.AddressAllowed(ctx, identityID, method, ip)
		},
		Limits: func(ctx context.Context, identityID, method string) (token.Limits, error) {
			return a.configs.Limits(ctx, identityID, method)
		}})
	a.lockouts = lockout.New(a.db)
	a.users = user.New(user.Options{DB: a.db, Feed: a.feed, Audit: a.audit, Roles: a.roles, Memberships: a.members, Orgs: a.orgs, Tokens: a.tokens,
		Lockouts: a.lockouts, Hashing: hashing, Password: password.SignIn(a.orgs), BaseURL: c.BaseURL(), Quota: c.Members, SecureCookie: strings.HasPrefix(c.BaseURL(), "https:")})
	a.configs = auth.New(auth.Options{DB: a.db, Feed: a.feed, Audit: a.audit, Root: root, Orgs: a.orgs,
		Identities: a.identities, Members: a.members, Tokens: a.tokens})
	a.projects = project.New(project.Options{DB: a.db, Feed: a.feed, Audit: a.audit, Roles: a.roles, Members: a.members, Orgs: a.orgs, Identities: a.identities,
		Grace: c.EnvGrace, Quota: c.Projects, MemberQuota: c.MemberProjects, EmptyFolder: secret.Empty, HoldsAny: secret.HoldsAny, Holdings: secret.Holdings()})
	a.audit.Projects = audit.Projects{Check: a.projects.MayReadAudit, Readable: a.projects.Audited}
	a.secrets = secret.New(secret.Options{DB: a.db, Feed: a.feed, Audit: a.audit, Projects: a.projects, Cache: min(c.SecretCache, limit.Caches(o.Memory)/2), Versions: c.SecretVersions})
	a.tokenAuth = tokenauth.New(tokenauth.Options{DB: a.db, Audit: a.audit, Orgs: a.orgs, Identities: a.identities, Members: a.members,
		Configs: a.configs, Tokens: a.tokens})
	a.universal = universal.New(universal.Options{DB: a.db, Feed: a.feed, Audit: a.audit, Root: root, Identities: a.identities, Members: a.members,
		Configs: a.configs, Tokens: a.tokens, Quota: c.ClientSecrets})
	a.keys = keys.New(keys.Options{DB: a.db, Feed: a.feed, Audit: a.audit, Root: root, Orgs: a.orgs, Projects: a.projects, Secrets: a.secrets,
		RootFile: ownRootFile(a.db, c)})
}

// methodsOf returns the login methods of each of the identities.
func (a *App) methodsOf(ctx context.Context, identityIDs []string) (map[string][]string, error) {
	return a.configs.MethodsOf(ctx, identityIDs)
}

// expiryBound returns the time by which every token that lives now has expired.
func (a *App) expiryBound(ctx context.Context, tx *sqldb.Tx) (time.Time, error) {
	return a.tokens.ExpiryBound(ctx, tx)
}

// mount puts every route on the API.
func (a *App) mount(root *seal.Key, o Options) error {
	proxies, err := o.Config.Proxies()
	if err != nil {
		return err
	}
	private, err := o.Config.PrivateNetworks()
	if err != nil {
		return err
	}
	a.assertions = assertion.New(assertion.Options{DB: a.db, Private: private})
	limits, err := limitsOf(o.Config.Limits)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	a.api = httpapi.New(httpapi.Options{
		Authenticate: a.authenticate, Refused: a.refused, Explain: explain, TrustedProxies: proxies, MaxBody: o.Config.MaxBody, Limits: limits,
		Memory: a.memory, RequestTimeout: o.Config.RequestTimeout, AnswerTimeout: o.Config.AnswerTimeout,
		Logger: o.Logger, Now: o.Now, Version: o.Version, Registry: registry,
	})
	a.internal = a.api
	if o.Config.InternalListen != "" {
		a.internal = httpapi.New(httpapi.Options{Explain: explain, Logger: o.Logger, Now: o.Now, Version: o.Version})
		a.profiles()
	}
	a.statusRoutes()
	a.orgs.Routes(a.api)
	a.users.Routes(a.api)
	a.identities.Routes(a.api)
	a.members.Routes(a.api)
	a.roles.Routes(a.api)
	a.projects.Routes(a.api)
	a.secrets.Routes(a.api)
	a.tokenAuth.Routes(a.api)
	a.universal.Routes(a.api)
	a.tokens.Routes(a.api)
	oauth.New(a.tokens, o.Config.BaseURL()).Routes(a.api)
	auth.Mount(a.configs, a.api, jwt.Method(a.assertions))
	auth.Mount(a.configs, a.api, oidc.Method(a.assertions))
	auth.Mount(a.configs, a.api, kubernetes.Method(a.assertions))
	a.keys.Routes(a.api)
	a.audit.Routes(a.api)
	a.feed.Routes(a.api)
	a.documents()
	if err := a.pages(root, o); err != nil {
		return err
	}
	a.measure(registry, o.Version)
	return nil
}

// start loads what the features answer from. Whether this database may be served is asked before anything is written,
// and again once this replica is in the register, which a move looks at: so neither can miss the other.
func (a *App) start(ctx context.Context, recovering bool) error {
	servable := func(ctx context.Context) error { return transfer.Check(ctx, a.db, recovering) }
	for _, step := range []func(context.Context) error{servable, a.feed.Start, servable, a.keys.Start, a.tokens.Start, a.universal.Start} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Check reads a large database through, and returns an error that says what to do if it is damaged: then stop serving,
// since a revocation may be lost. A small one was read when it was opened.
func (a *App) Check(ctx context.Context) error { return a.db.Check(ctx) }

// Superseded returns an error as soon as this server is too old for the schema of its database, which a newer one has changed: then
// stop serving. It returns nil when ctx ends first.
func (a *App) Superseded(ctx context.Context) error { return a.feed.Superseded(ctx) }

// Handler serves the whole API.
func (a *App) Handler() http.Handler { return a.api.Handler() }

// SetupCode returns the code that setting up this server asks for; "" if it is set up, or asks for none.
func (a *App) SetupCode(ctx context.Context) (string, error) {
	done, err := a.orgs.Initialized(ctx)
	if err != nil || done || !a.orgs.RequiresSetupCode() {
		return "", err
	}
	return a.orgs.SetupCode(), nil
}

// SignInCode returns a code that logs the first instance administrator in once, and their e-mail address.
func (a *App) SignInCode(ctx context.Context) (code, email string, err error) {
	return a.users.MakeCode(ctx)
}

// Internal serves what is for operators, where Config.InternalListen is set.
func (a *App) Internal() http.Handler { return a.internal.Handler() }

// Drain has /readyz answer 503 and every answer ask for a new connection, while requests are served as before. It is
// what comes before a stop.
func (a *App) Drain() { a.api.Drain() }

// API gives the routes and the OpenAPI document.
func (a *App) API() *httpapi.API { return a.api }

// Close writes what is still only in memory, and closes the database. Stop Run and the listener first.
func (a *App) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return errors.Join(a.tokens.Flush(ctx), a.universal.Flush(ctx), a.members.Flush(ctx), a.users.Flush(ctx), a.audit.Flush(ctx), a.db.Close())
}

// pageCache returns how many bytes of the database a connection may keep in memory; 0 for the default.
func pageCache(memory int64) int64 {
	if memory <= 0 {
		return 0
	}
	return min(4<<20, max(1<<20, memory/256))
}

// open opens the database and finds the root key.
func open(ctx context.Context, o Options) (*sqldb.DB, *seal.Key, error) {
	c := o.Config
	if c.DatabaseURL == "" || c.RootKey == "" && c.RootKeyFile == "" {
		if err := makeDir(c.DataDir); err != nil {
			return nil, nil, err
		}
	}
	url := o.Config.DatabaseURL
	if url == "" {
		url = "sqlite:" + filepath.Join(o.Config.DataDir, "sallyport.db")
	}
	db, err := sqldb.Open(ctx, sqldb.Options{URL: url, Now: o.Now, Logger: o.Logger, SearchTime: o.Config.SearchTime, LostLog: o.Recovering, PageCache: pageCache(o.Memory)})
	if err != nil {
		return nil, nil, err
	}
	root, err := rootKey(ctx, db, o)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, root, nil
}

// authenticate turns an access token into the actor that it stands for.
func (a *App) authenticate(ctx context.Context, jwt string, client access.Client) (*access.Actor, error) {
	known, err := a.tokens.Recall(ctx, jwt, client.IP)
	if err != nil {
		return nil, err
	}
	if known != nil {
		return a.admit(ctx, *known, client), nil
	}
	mark := a.feed.Mark() // before anything is looked at
	c, err := a.tokens.Verify(ctx, jwt, client.IP)
	if err != nil {
		return nil, err
	}
	if c.Type == token.UserType {
		return a.userActor(ctx, c, client)
	}
	grants, err := a.members.Of(ctx, c.IdentityID, c.OrgID)
	if err != nil {
		return nil, err
	}
	if !grants.Member {
		return nil, token.NotMember(c) // it left while the token was looked at
	}
	actor := access.Actor{
		Type: access.ActorIdentity, ID: c.IdentityID, Name: c.IdentityName, OrgID: c.OrgID, AuthMethod: c.Method, TokenID: c.ID,
		InstanceAdmin: grants.InstanceAdmin, Rights: grants.Rights,
	}
	a.tokens.Remember(c, mark, client.IP, actor)
	return a.admit(ctx, actor, client), nil
}

// admit gives an actor what belongs to its request: where it came from, and a budget. All is one allocation.
func (a *App) admit(ctx context.Context, actor access.Actor, client access.Client) *access.Actor {
	admitted := &struct {
		actor  access.Actor
		budget access.Budget
	}{actor, access.NewBudget(ctx, a.matchSteps)}
	admitted.actor.Client, admitted.actor.Budget = client, &admitted.budget
	return &admitted.actor
}
