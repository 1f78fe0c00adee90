// Command sallyport-load loads a server of this API: in a closed loop or at a fixed rate, with mixes of requests, and with a
// check that no revoked token is accepted. It writes down what it measured and draws it. It knows a server by its public API
// alone, takes away all that it made, and is no part of the server.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], console{out: os.Stdout, err: os.Stderr, env: os.Getenv}))
}
