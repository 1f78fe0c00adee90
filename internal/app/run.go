package app

import (
	"context"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
	"github.com/sallyport/sallyport/internal/token"
)

// CleanStep is the most rows that one transaction of cleaning up deletes, so that other writers never wait long.
const CleanStep = 250

// Run does what goes on beside requests, until ctx ends: following the log of changes, writing counted uses and noted
// events, and cleaning up.
func (a *App) Run(ctx context.Context) {
	var beside sync.WaitGroup
	beside.Go(func() { guarded(a.log, func() { a.feed.Run(ctx) }) })
	beside.Go(func() { guarded(a.log, func() { a.audit.Run(ctx, a.log) }) })
	guarded(a.log, func() { a.tend(ctx) })
	beside.Wait()
}

// tend writes and cleans up at intervals, until ctx ends.
func (a *App) tend(ctx context.Context) {
	flush, clean := time.NewTicker(crashpoint.Pace(token.FlushEvery)), time.NewTicker(crashpoint.Pace(a.cleanEvery))
	defer flush.Stop()
	defer clean.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-flush.C:
			a.try("write the uses of tokens", func() error { return a.tokens.Flush(ctx) })
			a.try("write who logged in", func() error { return a.members.Flush(ctx) })
			a.try("write the uses of sessions", func() error { return a.users.Flush(ctx) })
			a.try("write the uses of client secrets", func() error { return a.universal.Flush(ctx) })
		case <-clean.C:
			a.clean(ctx)
		}
	}
}

func (a *App) try(what string, do func() error) {
	if err := do(); err != nil {
		a.log.Error("cannot "+what+"; trying again later", "error", err)
	}
}

// clean deletes in small steps, one after the other, until each kind is done.
func (a *App) clean(ctx context.Context) {
	for what, step := range map[string]func(context.Context, int64) (int64, error){
		"delete expired tokens":      a.tokens.Clean,
		"delete old signing keys":    a.tokens.DropKeys,
		"forget old failed logins":   a.lockouts.Clean,
		"delete expired sessions":    a.users.Clean,
		"delete expired links":       a.users.CleanLinks,
		"forget used assertions":     a.assertions.Clean,
		"delete ended secrets":       a.universal.Clean,
		"empty deleted projects":     a.projects.Clean,
		"delete old audit events":    a.audit.Prune,
		"shorten the log of changes": a.feed.Prune,
	} {
		a.try(what, func() error {
			for {
				crashpoint.Reach(crashpoint.Sweep)
				n, err := step(ctx, CleanStep)
				crashpoint.Reach(crashpoint.Swept)
				if err != nil || n < CleanStep {
					return err
				}
			}
		})
	}
}
