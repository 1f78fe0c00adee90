package sqldb

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Listen calls fn with the name of a channel whenever PostgreSQL notifies one of them, and with "" after each time that
// the connection was made anew, since notifications may have been missed. It returns when ctx ends. Notifications are
// hints: nothing may rest on them. On SQLite, where nobody else is, it only waits.
func (db *DB) Listen(ctx context.Context, fn func(channel string), channels ...string) {
	pg, ok := db.store.(*pgStore)
	if !ok {
		<-ctx.Done()
		return
	}
	for pause := time.Duration(0); ctx.Err() == nil; pause = min(2*pause+listenPause, time.Second) {
		wait(ctx, pause)
		if heard, err := pg.listen(ctx, fn, channels); heard {
			pause = 0
		} else if ctx.Err() == nil {
			db.log.Debug("cannot listen to PostgreSQL; trying again", "error", err)
		}
	}
}

// listenPause is the first pause before a lost connection is made again.
const listenPause = 20 * time.Millisecond

// listen serves one connection until it fails, and tells whether it ever worked.
func (s *pgStore) listen(ctx context.Context, fn func(string), channels []string) (heard bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, s.config.Copy())
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, channel := range channels {
		if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
			return false, err
		}
	}
	fn("")
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return true, err
		}
		fn(n.Channel)
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
