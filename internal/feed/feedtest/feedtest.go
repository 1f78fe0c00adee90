// Package feedtest keeps feeds going for the tests of the features that follow one. It does not test the feed.
package feedtest

import (
	"context"
	"testing"

	"github.com/sallyport/sallyport/internal/feed"
)

// Follow keeps the lease of a started feed until the test ends.
func Follow(t testing.TB, f *feed.Feed) {
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
}
