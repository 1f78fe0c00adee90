package drive

import (
	"context"
	"time"
)

// fine is the part of a pause that is left to nap: a timer may fire a millisecond late.
const fine = 2 * time.Millisecond

// Until waits for a moment, as exactly as the machine can. It returns the error of ctx if that ends first.
func Until(ctx context.Context, moment time.Time) error {
	for {
		left := time.Until(moment)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case left <= 0:
			return nil
		case left <= fine:
			nap(left)
			continue
		}
		timer := time.NewTimer(left - fine)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}
