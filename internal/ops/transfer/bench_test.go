package transfer_test

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/ops/transfer"
)

// BenchmarkMove moves 100,000 audit events, and tells how many rows a second are copied and compared.
func BenchmarkMove(b *testing.B) {
	const events = 100_000
	for b.Loop() {
		b.StopTimer()
		i, to := small(b, events), target(b)
		b.StartTimer()
		began, copied := time.Now(), time.Time{}
		_, err := i.move(b.Context(), b, to, report(func(p transfer.Progress) {
			if p.Step == transfer.Copying {
				copied = time.Now()
			}
		}))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(events/copied.Sub(began).Seconds(), "rows-copied/s")
		b.ReportMetric(events/time.Since(copied).Seconds(), "rows-compared/s")
	}
}
