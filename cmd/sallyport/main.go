// Command sallyport is a machine-identity server: it issues access tokens, checks them, and takes them back for good.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/sallyport/sallyport/internal/cli"
)

// version is set by the linker in released builds.
var version = "dev"

func main() {
	profiled := profile()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	code := cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, version)
	stop()
	profiled()
	os.Exit(code)
}
