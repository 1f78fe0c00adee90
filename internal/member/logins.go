package member

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// logins notes when identities last logged in, until it is written. A login does not wait for it.
type logins struct {
	mu   sync.Mutex
	last map[string]login // by identity id
}

type login struct {
	method string
	at     int64 // milliseconds UTC
}

// LoggedIn notes that an identity got a token by a method. It shows up to 10 s later.
func (s *Service) LoggedIn(identityID, method string, at time.Time) {
	s.logins.mu.Lock()
	defer s.logins.mu.Unlock()
	if s.logins.last == nil {
		s.logins.last = map[string]login{}
	}
	s.logins.last[identityID] = login{method, at.UnixMilli()}
}

// flushStep is how many logins are written in one transaction, so that a flush never holds others up for long.
const flushStep = 500

// Flush writes the logins that were noted since the last time, in the order of the identities, so that replicas that write
// at the same time wait for each other instead of locking each other out. They are for people to read, so what cannot be
// written is given up: the next login says more.
func (s *Service) Flush(ctx context.Context) error {
	s.logins.mu.Lock()
	noted := s.logins.last
	s.logins.last = nil
	s.logins.mu.Unlock()
	for part := range slices.Chunk(slices.Sorted(maps.Keys(noted)), flushStep) {
		crashpoint.Reach(crashpoint.LoginsFlush)
		err := s.db.Write(ctx, func(tx *sqldb.Tx) error { return writeLogins(ctx, tx, part, noted) })
		crashpoint.Reach(crashpoint.LoginsFlushed)
		if err != nil {
			return err
		}
	}
	return nil
}

func writeLogins(ctx context.Context, tx *sqldb.Tx, identityIDs []string, noted map[string]login) error {
	for _, identityID := range identityIDs {
		_, err := tx.Exec(ctx, `UPDATE memberships SET last_login_method = $1, last_login_at = $2
			WHERE identity_id = $3 AND scope = 'organization'`, noted[identityID].method, noted[identityID].at, identityID)
		if err != nil {
			return err
		}
	}
	return nil
}
