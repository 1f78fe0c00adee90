package app

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// retryEvery is how long Await waits after each attempt.
const retryEvery = 500 * time.Millisecond

// Away reports whether New failed only because PostgreSQL cannot be reached or used now, so that Await may help. A wrong
// password, an unknown database or a SQLite file that is in use does not get better by itself.
func (o Options) Away(err error) bool {
	return err != nil && strings.HasPrefix(o.Config.DatabaseURL, "postgres") && sqldb.Unreachable(err)
}

// Await is New after it failed with an error that is Away: it tries again until something else comes of it, or
// Config.DatabaseWait has passed. The log says each reason once.
func Await(ctx context.Context, o Options, err error) (*App, error) {
	deadline := time.NewTimer(o.Config.DatabaseWait)
	defer deadline.Stop()
	said := ""
	for o.Away(err) {
		if reason := err.Error(); reason != said {
			o.Logger.Warn("waiting for the database", "for", o.Config.DatabaseWait.String(), "error", err)
			said = reason
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-deadline.C:
			return nil, err
		case <-time.After(retryEvery):
		}
		var a *App
		if a, err = New(ctx, o); err == nil {
			return a, nil
		}
	}
	return nil, err
}

// Waiting answers requests while Await waits: /healthz says that the process lives, all else is 503.
func Waiting(o Options) http.Handler {
	away := fault.New(fault.Unavailable, "This server is waiting for its database. Try again, or ask another replica.")
	away.RetryAfter = time.Second
	api := httpapi.New(httpapi.Options{Logger: o.Logger, Now: o.Now, Version: o.Version, Unrouted: away})
	healthRoutes(api)
	return api.Handler()
}
