package audit

import (
	"context"
	"log/slog"
	"testing"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
)

// BenchmarkRecord measures changes of 16 callers that consist of their event alone, with and without a server that gives the
// events positions: what that costs the changes.
func BenchmarkRecord(b *testing.B) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		for _, placed := range []bool{false, true} {
			b.Run(string(engine)+map[bool]string{true: "/placed", false: "/not placed"}[placed], func(b *testing.B) {
				l, actor := New(sqldbtest.OpenWith(b, engine, sqldb.Options{Logger: slog.New(slog.DiscardHandler)}), 0), admin(b)
				ctx, stop := context.WithCancel(b.Context())
				ended := make(chan struct{})
				if placed {
					go func() { defer close(ended); l.Run(ctx, slog.New(slog.DiscardHandler)) }()
				} else {
					close(ended)
				}
				b.SetParallelism(8)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						err := l.db.WriteGrouped(b.Context(), func(tx *sqldb.Tx) error {
							return l.Record(b.Context(), tx, actor, Event{Type: Type{"create-identity"}, Metadata: map[string]any{"name": "worker"}})
						})
						if err != nil {
							b.Error(err)
						}
					}
				})
				stop()
				<-ended
			})
		}
	}
}
