// Package e2e tests the server as its clients see it: over real HTTP, on a real database. What a client cannot see, such
// as a half-written change, it reads from the database beside the server.
package e2e

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

// shared is the server of all tests that do not disturb each other: they make their own identities, never move the
// clock and never break the database.
var shared *harness.Server

func TestMain(m *testing.M) {
	code, err := runShared(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func runShared(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "sallyport-e2e-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if shared, err = harness.New(dir); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, shared.Close()) }()
	if err := shared.Bootstrap(); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// atOnce runs do n times at the same moment and returns when all are done.
func atOnce(n int, do func(i int)) {
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			do(i)
		})
	}
	close(start)
	all.Wait()
}

// object is a JSON object to send.
type object = map[string]any
