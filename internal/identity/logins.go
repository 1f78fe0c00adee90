package identity

import (
	"context"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/crashpoint"
	"github.com/sallyport/sallyport/internal/sqldb"
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

// Flush writes the logins that were noted since the last time. They are for people to read, so what cannot be written
// is given up: the next login says more.
func (s *Service) Flush(ctx context.Context) error {
	s.logins.mu.Lock()
	noted := s.logins.last
	s.logins.last = nil
	s.logins.mu.Unlock()
	if len(noted) == 0 {
		return nil
	}
	crashpoint.Reach(crashpoint.LoginsFlush)
	err := s.DB.Write(ctx, func(tx *sqldb.Tx) error {
		for identityID, l := range noted {
			_, err := tx.Exec(ctx, `UPDATE memberships SET last_login_method = $1, last_login_at = $2
				WHERE identity_id = $3 AND scope = 'organization'`, l.method, l.at, identityID)
			if err != nil {
				return err
			}
		}
		return nil
	})
	crashpoint.Reach(crashpoint.LoginsFlushed)
	return err
}
