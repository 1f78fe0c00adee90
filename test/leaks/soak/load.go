package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// callers is how many ask at the same time.
const callers = 8

// caller does one thing after the other.
type caller struct {
	*site
	random *rand.Rand
	token  string // its own, of the last login
}

// load has all callers ask until ctx ends: together perSecond times a second, or as fast as they can if that is 0. It
// returns the first answer that no caller may get.
func (s *site) load(ctx context.Context, seed uint64, perSecond float64) error {
	var all sync.WaitGroup
	failed := make(chan error, callers)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for n := range callers {
		all.Go(func() {
			c := &caller{site: s, random: newRandom(seed, n)}
			if err := c.live(ctx, perSecond/callers); err != nil && ctx.Err() == nil {
				failed <- err
				cancel()
			}
		})
	}
	all.Wait()
	close(failed)
	return <-failed
}

// remembered is how many verified tokens a server keeps in memory (jwtCacheSize of internal/token).
const remembered = 100_000

// fill has the server verify more tokens than it remembers, so that this memory is full before any is measured.
func (s *site) fill(ctx context.Context) error {
	var all sync.WaitGroup
	failed := make(chan error, callers)
	for range callers {
		all.Go(func() {
			c := &caller{site: s}
			err := c.login(ctx)
			for n := 0; n < remembered*11/10/callers && err == nil; n++ {
				err = c.renew(ctx)
			}
			failed <- err
		})
	}
	all.Wait()
	close(failed)
	var errs []error
	for err := range failed {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// renew takes a new token for the caller's own, or logs in where that must not live any longer.
func (c *caller) renew(ctx context.Context) error {
	a, err := c.Call(ctx, http.MethodPost, "/api/v1/auth/token/renew", "", map[string]any{"accessToken": c.token})
	if err != nil || a.Status != http.StatusOK {
		return errors.Join(err, c.login(ctx))
	}
	c.answers.Add(1)
	c.token = a.Text("accessToken")
	return nil
}

func (c *caller) live(ctx context.Context, perSecond float64) error {
	next := time.Now()
	for ctx.Err() == nil {
		if err := c.step(ctx); err != nil {
			return err
		}
		if perSecond == 0 {
			continue
		}
		// Who falls behind does not hurry afterwards for more than a second: the load is to be even.
		next = next.Add(time.Duration(c.random.ExpFloat64() / perSecond * float64(time.Second)))
		if now := time.Now(); next.Before(now.Add(-time.Second)) {
			next = now
		}
		pause(ctx, time.Until(next))
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// step does one thing, chosen as callers of such a server do: most check a token or read a secret, few change something,
// and some do it wrong.
func (c *caller) step(ctx context.Context) error {
	if c.token == "" {
		return c.login(ctx)
	}
	name := secretPath(c.random.IntN(secrets))
	at := "?projectId=" + c.project + "&environment=dev&secretPath=/"
	switch n := c.random.IntN(1000); {
	case n < 550:
		return c.ask(ctx, http.MethodGet, "/api/v1/identities/details", c.token, nil, 200)
	case n < 750:
		return c.ask(ctx, http.MethodGet, name+at, c.token, nil, 200)
	case n < 800:
		return c.ask(ctx, http.MethodGet, "/api/v4/secrets"+at, c.token, nil, 200)
	case n < 860:
		return c.login(ctx)
	case n < 880:
		return c.ask(ctx, http.MethodPatch, name, c.token, c.value(fmt.Sprint("value ", n)), 200)
	case n < 895:
		return c.passing(ctx)
	case n < 910:
		return c.renew(ctx)
	case n < 920:
		return c.ask(ctx, http.MethodGet, "/api/v1/organization/audit-logs?limit=20", c.admin, nil, 200)
	case n < 930:
		return c.ask(ctx, http.MethodGet, tokenAuth+c.identity+"/tokens?limit=20", c.admin, nil, 200)
	default:
		return c.err(ctx, n)
	}
}

// login takes a new token, which lives for a minute.
func (c *caller) login(ctx context.Context) error {
	a, err := c.Call(ctx, http.MethodPost, "/api/v1/auth/universal-auth/login", "", map[string]any{"clientId": c.clientID, "clientSecret": c.clientSecret})
	if err == nil && a.Status == http.StatusServiceUnavailable {
		return nil
	}
	if err != nil || a.Status != http.StatusOK {
		return errors.Join(errors.New("a login failed"), err)
	}
	c.answers.Add(1)
	c.token = a.Text("accessToken")
	return nil
}

// passing makes a token, uses it and takes it back.
func (c *caller) passing(ctx context.Context) error {
	a, err := c.Call(ctx, http.MethodPost, tokenAuth+c.identity+"/tokens", c.admin, map[string]any{"name": "passing"})
	if err != nil || a.Status != http.StatusOK {
		return err
	}
	c.answers.Add(1)
	jwt := a.Text("accessToken")
	if err := c.ask(ctx, http.MethodGet, "/api/v1/identities/details", jwt, nil, 200); err != nil {
		return err
	}
	if a, err = c.Call(ctx, http.MethodPost, "/api/v1/auth/token/revoke", "", map[string]any{"accessToken": jwt}); err != nil || a.Status != http.StatusOK {
		return err // a revoke that was not acknowledged promises nothing
	}
	c.answers.Add(1)
	return c.ask(ctx, http.MethodGet, "/api/v1/identities/details", jwt, nil, 401)
}

// err asks for something that is refused.
func (c *caller) err(ctx context.Context, n int) error {
	switch n % 5 {
	case 0:
		return c.ask(ctx, http.MethodGet, "/api/v1/identities/details", "no."+c.token, nil, 401)
	case 1:
		return c.ask(ctx, http.MethodGet, "/api/v4/nothing", c.token, nil, 404)
	case 2:
		return c.ask(ctx, http.MethodPost, "/api/v1/identities", c.token, []int{1}, 422)
	case 3:
		// A client id that is not there: too many wrong secrets for one that is would lock its identity out.
		wrong := map[string]any{"clientId": fmt.Sprintf("00000000-0000-4000-8000-%012x", c.random.Int64N(1<<48)), "clientSecret": fmt.Sprintf("%064d", n)}
		return c.ask(ctx, http.MethodPost, "/api/v1/auth/universal-auth/login", "", wrong, 401)
	default:
		return c.ask(ctx, http.MethodGet, "/metrics", "", nil, 200)
	}
}

// ask makes a request whose answer must have a status. A token that expires on the way is no fault, and neither is a replica
// that gets so little of the processor that its lease runs out, and says so.
func (c *caller) ask(ctx context.Context, method, path, token string, body any, status int) error {
	a, err := c.Call(ctx, method, path, token, body)
	if err != nil {
		return err
	}
	c.answers.Add(1)
	if token == c.token && a.Status == http.StatusUnauthorized {
		c.token = ""
		return nil
	}
	if a.Status != status && a.Status != http.StatusServiceUnavailable {
		return fmt.Errorf("%s %s answered %d instead of %d: %s", method, path, a.Status, status, a.Body)
	}
	return nil
}
