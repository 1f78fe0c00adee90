package feed

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/sqldb"
)

// ending is the end of a replica whose program is too old for the schema that a newer one has made.
type ending struct {
	once sync.Once
	over chan struct{} // closed at the end
	why  error         // set before
}

// supports returns nil if this program can serve a database whose floor is oldest. Otherwise this replica is at its end: it decides
// nothing any more, and the error is Unavailable. A replica that is in the register never sees that, since such a schema is only made
// once no older replica is there; one that was silent for a lease and was struck off does.
func (f *Feed) supports(oldest int64) error {
	if oldest <= f.db.Schema() {
		return nil
	}
	return f.supersede(&sqldb.Superseded{Oldest: oldest, Newest: f.db.Schema()})
}

func (f *Feed) supersede(why *sqldb.Superseded) error {
	f.ending.once.Do(func() {
		f.lease.extend(0)
		f.ending.why = why
		close(f.ending.over)
	})
	e := fault.New(fault.Unavailable, "This replica is older than the database, which a newer version has changed since, so it ends. Ask another replica.")
	e.RetryAfter = time.Second
	return e.Because(why)
}

// Superseded returns why this replica must end, which is a *sqldb.Superseded, as soon as it must; nil if ctx ends first.
func (f *Feed) Superseded(ctx context.Context) error {
	select {
	case <-f.ending.over:
		return f.ending.why
	case <-ctx.Done():
		return nil
	}
}

// superseded reports whether err says that this replica is at its end.
func superseded(err error) bool {
	var why *sqldb.Superseded
	return errors.As(err, &why)
}
