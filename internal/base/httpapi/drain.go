package httpapi

import (
	"errors"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// errDraining is the cause of the fault that Draining returns: an orderly stop, so it is not logged as an error.
var errDraining = errors.New("the server was told to stop")

// Drain has every answer from now on tell its caller to close the connection, so that the next request goes over a new
// one, to a server that stays. Requests are served as before. Closing idle connections here instead could meet a request
// that is on its way, which would be lost.
func (a *API) Drain() { a.draining.Store(true) }

// Draining returns nil before Drain, and from then on a fault of kind Unavailable for readiness checks.
func (a *API) Draining() error {
	if !a.draining.Load() {
		return nil
	}
	f := fault.New(fault.Unavailable, "This server is stopping. Send requests to another one.").Because(errDraining)
	f.RetryAfter = time.Second
	return f
}
