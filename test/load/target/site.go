// Package target owns what a load run does to a server, over its public API alone: what it sets up, the requests it
// sends, and that everything is taken away again. It does not know when requests are due, nor how they are counted.
package target

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options says what to load, and with what.
type Options struct {
	URLs    []string // base URLs of the replicas, without a slash at the end
	Token   string   // of someone who may make identities and projects
	Mix     Mix
	Name    string // of this run: part of the name of all that it makes
	Secrets int    // how many the folder has that is read and listed
	Mass    int    // how many tokens one mass revoke kills
}

// Site is a server that was set up for a mix.
type Site struct {
	Options
	client *http.Client
	order  []string
	next   atomic.Int64 // operation

	org      string
	identity string // the worker, whose tokens are used, made and revoked
	worker   string // its token
	login    []byte // the body of its login with a client secret
	project  string
	tag      string // ETag of the list

	mu    sync.Mutex
	stock []token  // to be revoked, each once
	made  []string // paths of what is to be deleted again, oldest first
}

// token is one to be revoked.
type token struct{ id, jwt string }

// lastWords bounds the requests that set up and take away: they go on when a run is interrupted, so that nothing stays
// behind that nobody knows of.
const lastWords = time.Minute

func unhurried(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), lastWords)
}

// SetUp makes what the mix needs. After an error nothing of it is left.
func SetUp(ctx context.Context, o Options) (*Site, error) {
	s := &Site{Options: o, client: newClient(), order: o.Mix.order()}
	if err := s.setUp(ctx); err != nil {
		return nil, errors.Join(err, s.TearDown(ctx))
	}
	return s, nil
}

func (s *Site) setUp(ctx context.Context) error {
	steps := []func(context.Context) error{s.findOrg, s.makeWorker}
	if s.Mix.Has(Login) {
		steps = append(steps, s.makeLogin)
	}
	if s.Mix.Has(Read, List, Poll) {
		steps = append(steps, s.makeProject, s.makeSecrets)
	}
	if s.Mix.Has(Poll) {
		steps = append(steps, s.firstPoll)
	}
	for _, step := range steps {
		if ctx.Err() != nil {
			return errors.New("interrupted while the run was set up")
		}
		calm, cancel := unhurried(ctx)
		err := step(calm)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// TearDown deletes what the run made. Its error names what is left.
func (s *Site) TearDown(ctx context.Context) error {
	var errs []error
	for _, path := range s.leftovers() {
		calm, cancel := unhurried(ctx)
		if err := s.remove(calm, path); err != nil {
			errs = append(errs, fmt.Errorf("this run's leftover could not be deleted, do it by hand: %w", err))
		}
		cancel()
	}
	s.client.CloseIdleConnections()
	return errors.Join(errs...)
}

// leftovers returns what is to be deleted, newest first.
func (s *Site) leftovers() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	paths := slices.Clone(s.made)
	slices.Reverse(paths)
	return paths
}

// keep remembers something to be deleted in the end.
func (s *Site) keep(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made = append(s.made, path)
}

func (s *Site) remove(ctx context.Context, path string) error {
	if err := s.ask(ctx, s.admin(http.MethodDelete, path, nil), nil); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made = slices.DeleteFunc(s.made, func(p string) bool { return p == path })
	return nil
}

func (s *Site) findOrg(ctx context.Context) error {
	var who struct {
		IdentityDetails struct{ Organization struct{ ID string } }
	}
	err := s.ask(ctx, s.admin(http.MethodGet, detailsPath, nil), &who)
	s.org = who.IdentityDetails.Organization.ID
	if err != nil {
		return fmt.Errorf("the token must be of an identity that may make identities and projects: %w", err)
	}
	return nil
}

// makeIdentity makes an identity with Token Auth that has no rights of its own.
func (s *Site) makeIdentity(ctx context.Context, name string) (id string, err error) {
	var made struct{ Identity struct{ ID string } }
	if err := s.ask(ctx, s.admin(http.MethodPost, identitiesPath,
		map[string]any{"name": name, "organizationId": s.org, "role": "no-access"}), &made); err != nil {
		return "", err
	}
	s.keep(identitiesPath + "/" + made.Identity.ID)
	return made.Identity.ID, s.ask(ctx, s.admin(http.MethodPost, tokenAuthPath+made.Identity.ID, map[string]any{}), nil)
}

func (s *Site) makeWorker(ctx context.Context) (err error) {
	if s.identity, err = s.makeIdentity(ctx, s.Name); err != nil {
		return err
	}
	made, err := s.makeToken(ctx, s.identity)
	s.worker = made.jwt
	return err
}

// makeToken makes a token of an identity by hand.
func (s *Site) makeToken(ctx context.Context, identity string) (token, error) {
	var made struct {
		AccessToken string
		TokenData   struct{ ID string }
	}
	err := s.ask(ctx, s.admin(http.MethodPost, tokenAuthPath+identity+"/tokens", map[string]any{"name": s.Name}), &made)
	return token{made.TokenData.ID, made.AccessToken}, err
}

// The places of the API (docs/reference/identity.md sections 1 to 4, docs/reference/secrets.md sections 1 to 3).
const (
	detailsPath    = "/api/v1/identities/details"
	identitiesPath = "/api/v1/identities"
	tokenAuthPath  = "/api/v1/auth/token-auth/identities/"
	tokensPath     = "/api/v1/auth/token-auth/tokens/"
	universalPath  = "/api/v1/auth/universal-auth/identities/"
	loginPath      = "/api/v1/auth/universal-auth/login"
	projectsPath   = "/api/v1/projects"
	foldersPath    = "/api/v2/folders"
	secretsPath    = "/api/v4/secrets"
)
