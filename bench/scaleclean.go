package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/token"
)

// afterAll is when all that was filled is over: tokens live for a month, revocations for 90 days, events for a year.
const afterAll = 400 * day

// How many rows are cleaned, and in how many rounds if these are more than steps.
const (
	cleanMost   = 20_000
	cleanRounds = 10
)

// pause is how long others may wait for cleaning up, in milliseconds.
const pause = 50

// cleaner is a database without its server, at a time when all that was filled is over.
type cleaner struct {
	*stage
	db     *sqldb.DB
	tokens *token.Service
	feed   *feed.Feed
	audit  *audit.Log
}

// step deletes up to n rows that are over, and returns how many went.
type step func(ctx context.Context, n int64) (int64, error)

// waits are the longest waits of a writer and a reader in each round, in milliseconds.
type waits struct{ write, read []float64 }

func (w *waits) add(write, read time.Duration) {
	w.write, w.read = append(w.write, milliseconds(write)), append(w.read, milliseconds(read))
}

// clean cleans up in steps, as the server does, while somebody else makes tokens and somebody else lists them. It notes how
// long a thousand rows take, and how long the others waited at most. Rounds without cleaning go between, as long as those with.
func (c *cleaner) clean(what string, delete step) error {
	var with, without waits
	var each []float64
	for rows := int64(0); rows < min(c.n, cleanMost); {
		var went int64
		begin := time.Now()
		write, read, err := c.beside(func() (err error) { went, err = c.round(delete); return err })
		if err != nil {
			return err
		}
		took := time.Since(begin)
		with.add(write, read)
		// The same without cleaning, for as long: what the machine alone has others wait.
		if write, read, err = c.beside(func() error { time.Sleep(took); return nil }); err != nil {
			return err
		}
		without.add(write, read)
		rows, each = rows+went, append(each, milliseconds(took)/float64(went)*1000)
	}
	c.note("clean up "+what+", for each 1,000", "ms", median(each))
	c.pauses("writer", with.write, without.write)
	c.pauses("reader", with.read, without.read)
	return nil
}

// round deletes the rows of one round.
func (c *cleaner) round(delete step) (rows int64, err error) {
	for rows < max(app.CleanStep, min(c.n, cleanMost)/cleanRounds) {
		n, err := delete(c.ctx, app.CleanStep)
		if err != nil {
			return rows, err
		}
		if n == 0 {
			return rows, fmt.Errorf("%d rows went, and then no more", rows)
		}
		rows += n
	}
	return rows, nil
}

// pauses notes how long somebody waited. The machine has other work, so that the budget is for the median of the rounds.
func (c *cleaner) pauses(who string, with, without []float64) {
	c.limit("- another "+who+"'s longest wait in a round meanwhile", "ms", median(with), pause)
	c.note("- another "+who+"'s longest wait in all rounds", "ms", slices.Max(with))
	c.note("- another "+who+"'s longest wait in all rounds without cleaning", "ms", slices.Max(without))
}

// besideEvery is how often others write and read while something else goes on.
const besideEvery = 2 * time.Millisecond

// beside runs do while somebody makes tokens and somebody lists them, and returns the longest that each waited.
func (c *cleaner) beside(do func() error) (write, read time.Duration, err error) {
	ctx, stop := context.WithCancel(c.ctx)
	var others sync.WaitGroup
	var failed [2]error
	others.Go(func() { write, failed[0] = longestOf(ctx, c.makeToken) })
	others.Go(func() { read, failed[1] = longestOf(ctx, c.listPage) })
	err = do()
	stop()
	others.Wait()
	return write, read, errors.Join(err, failed[0], failed[1])
}

// longestOf repeats do until ctx ends, and returns the longest that it took.
func longestOf(ctx context.Context, do func() error) (longest time.Duration, err error) {
	tick := time.NewTicker(besideEvery)
	defer tick.Stop()
	for err == nil {
		begin := time.Now()
		err = do()
		longest = max(longest, time.Since(begin))
		select {
		case <-ctx.Done():
			return longest, err
		case <-tick.C:
		}
	}
	return longest, err
}

// makeToken writes what the making of a token does.
func (c *cleaner) makeToken() error {
	name := "beside"
	issued, err := c.tokens.Mint(c.ctx, token.Grant{IdentityID: c.s.identity, IdentityName: "bench", OrgID: c.s.org, Method: token.TokenAuth,
		Name: &name, Limits: token.Limits{TTL: 3600, MaxTTL: 3600}, Born: c.tokens.Birth()})
	if err != nil {
		return err
	}
	actor := &access.Actor{Type: access.ActorIdentity, ID: c.s.identity, OrgID: c.s.org}
	return c.db.WriteGrouped(c.ctx, func(tx *sqldb.Tx) error {
		if err := c.tokens.Insert(c.ctx, tx, issued.Row); err != nil {
			return err
		}
		return c.audit.Record(c.ctx, tx, actor, audit.Event{Type: audit.CreateTokenIdentityTokenAuth})
	})
}

// listPage reads a page of tokens.
func (c *cleaner) listPage() error {
	_, _, err := c.tokens.List(c.ctx, c.s.identity, token.TokenAuth, token.Page{Limit: 20})
	return err
}
