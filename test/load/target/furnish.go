package target

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// makeLogin gives the worker a client secret.
func (s *Site) makeLogin(ctx context.Context) error {
	var config struct {
		IdentityUniversalAuth struct{ ClientID string }
	}
	if err := s.ask(ctx, s.admin(http.MethodPost, universalPath+s.identity, map[string]any{}), &config); err != nil {
		return err
	}
	var made struct{ ClientSecret string }
	if err := s.ask(ctx, s.admin(http.MethodPost, universalPath+s.identity+"/client-secrets", map[string]any{}), &made); err != nil {
		return err
	}
	var err error
	s.login, err = json.Marshal(map[string]string{"clientId": config.IdentityUniversalAuth.ClientID, "clientSecret": made.ClientSecret})
	return err
}

// The place of the secrets in the run's project.
const (
	environment = "dev"
	folder      = "load"
)

// makeProject makes a project that the worker may read.
func (s *Site) makeProject(ctx context.Context) error {
	var made struct{ Project struct{ ID string } }
	if err := s.ask(ctx, s.admin(http.MethodPost, projectsPath, map[string]any{"projectName": s.Name}), &made); err != nil {
		return err
	}
	s.project = made.Project.ID
	s.keep(projectsPath + "/" + s.project)
	return s.ask(ctx, s.admin(http.MethodPost, projectsPath+"/"+s.project+"/memberships/identities/"+s.identity,
		map[string]any{"role": "viewer"}), nil)
}

// batch is how many secrets one request makes.
const batch = 100

func (s *Site) makeSecrets(ctx context.Context) error {
	err := s.ask(ctx, s.admin(http.MethodPost, foldersPath,
		map[string]any{"projectId": s.project, "environment": environment, "path": "/", "name": folder}), nil)
	for first := 0; err == nil && first < s.Secrets; first += batch {
		var items []map[string]string
		for n := first; n < min(first+batch, s.Secrets); n++ {
			items = append(items, map[string]string{"secretKey": secretName(n), "secretValue": fmt.Sprintf("a value of some length, as a password has: %08d", n)})
		}
		err = s.ask(ctx, s.admin(http.MethodPost, secretsPath+"/batch",
			map[string]any{"projectId": s.project, "environment": environment, "secretPath": "/" + folder, "secrets": items}), nil)
	}
	return err
}

func secretName(n int) string { return fmt.Sprint("SECRET_", n) }

// firstPoll reads the list once, to have the tag that later polls send.
func (s *Site) firstPoll(ctx context.Context) error {
	a := s.send(ctx, s.listCall(s.URLs[0]))
	s.tag = a.tag
	if s.tag == "" {
		return cmp.Or(a.err, fmt.Errorf("the list of secrets was answered with %d and no ETag, so there is nothing to poll with", a.status))
	}
	return nil
}

func (s *Site) secretPlace() string {
	return "?" + url.Values{"projectId": {s.project}, "environment": {environment}, "secretPath": {"/" + folder}}.Encode()
}

// fillers is how many requests make tokens for the stock at the same time.
const fillers = 16

// Fill makes tokens until so many are in stock.
func (s *Site) Fill(ctx context.Context, want int) error {
	s.mu.Lock()
	missing := want - len(s.stock)
	s.mu.Unlock()
	made, err := s.mint(ctx, s.identity, missing)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stock = append(s.stock, made...)
	return err
}

// mint makes n tokens of an identity.
func (s *Site) mint(ctx context.Context, identity string, n int) ([]token, error) {
	if n <= 0 {
		return nil, nil
	}
	made := make([]token, n)
	var next atomic.Int64
	work, ctx := errgroup.WithContext(ctx)
	for range min(fillers, n) {
		work.Go(func() (err error) {
			for i := int(next.Add(1)) - 1; i < n && err == nil; i = int(next.Add(1)) - 1 {
				made[i], err = s.makeToken(ctx, identity)
			}
			return err
		})
	}
	err := work.Wait()
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted while tokens were made")
	}
	if err != nil {
		return nil, err
	}
	return made, nil
}

// take returns a token of the stock, which nobody else gets.
func (s *Site) take() (t token, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.stock) == 0 {
		return token{}, false
	}
	last := len(s.stock) - 1
	t, s.stock = s.stock[last], s.stock[:last]
	return t, true
}
