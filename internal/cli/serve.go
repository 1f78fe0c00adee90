//go:build !windows

package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type serveCmd struct {
	config.Server `embed:""`
}

// Run serves until the process is told to stop. While the server is empty, its log has the code that setting it up asks for.
func (c *serveCmd) Run(con *terminal.Console, call *kong.Context) error {
	return serve(con, call, c.Server, tellSetupCode)
}

// serve runs the server until con.Ctx ends. ready is called once requests are answered.
func serve(con *terminal.Console, call *kong.Context, cfg config.Server, ready func(*running) error) error {
	log, err := newLogger(con.Err, cfg)
	if err != nil {
		return err
	}
	if err := leaveNoCore(); err != nil {
		log.Warn("cannot disable core files: if the server crashes, its keys may stay on the disk", "error", err)
	}
	if unknown := unknownVariables(call.Model.Node, os.Environ()); len(unknown) > 0 {
		log.Warn("the environment has variables that are not settings; check their names", "variables", strings.Join(unknown, " "))
	}
	memory := limitMemory(log, cfg.MemoryLimit)
	defer runtime.KeepAlive(make([]byte, headroom))
	front := newFront(cfg, memory, log)
	a, err := build(con.Ctx, app.Options{Config: cfg, Version: con.Version, Logger: log, Memory: memory}, front)
	if con.Ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return front.close() // told to stop before it had started
	}
	if err != nil {
		return errors.Join(err, front.close())
	}
	if err := front.open(a.Handler(), a.Internal()); err != nil {
		return errors.Join(err, a.Close())
	}
	return errors.Join(run(con.Ctx, a, front, ready), a.Close())
}

// running is a server that answers requests.
type running struct {
	app *app.App
	url string // where it listens
	log *slog.Logger
	ctx context.Context //nolint:containedctx // of its life
}

func tellSetupCode(r *running) error {
	code, err := r.app.SetupCode(r.ctx)
	if r.ctx.Err() != nil {
		return nil // told to stop already
	}
	if err == nil && code != "" {
		r.log.Info("the server is not set up yet: open it in a browser, or run sallyport bootstrap; on another machine that needs the setup code", "setup_code", code)
	}
	return err
}

// build makes the server. If PostgreSQL cannot be reached, it is waited for, and front answers meanwhile. Else front stays
// closed until the server is there: what can be refused by a closed port, proxies send elsewhere.
func build(ctx context.Context, o app.Options, front *front) (*app.App, error) {
	a, err := app.New(ctx, o)
	if !o.Away(err) || o.Config.DatabaseWait == 0 {
		return a, err
	}
	if failed := front.open(app.Waiting(o), app.Waiting(o)); failed != nil {
		return nil, errors.Join(err, failed)
	}
	return app.Await(ctx, o, err)
}

// run serves until ctx ends or serving fails, and then stops in order.
func run(ctx context.Context, a *app.App, front *front, ready func(*running) error) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.Run(background)
	}()
	go giveBack(background)
	go watchdog(background, front.log)
	go onHangUp(background, front.log, front.reload)
	for _, fails := range []func(context.Context) error{a.Check, a.Superseded} {
		go func() {
			if err := fails(background); err != nil {
				front.failed <- err
			}
		}()
	}

	front.log.Info("serving", "url", front.url())
	err := ready(&running{a, front.url(), front.log, ctx})
	if err == nil {
		notify(front.log, daemon.SdNotifyReady)
		err = wait(ctx, front.failed)
	}
	notify(front.log, daemon.SdNotifyStopping)
	if err == nil {
		err = front.drain(a)
	}
	front.log.Info("stopping")
	err = errors.Join(err, front.shutdown(ctx))
	stop()
	<-ended
	return err
}

// warnings logs for a command on stopped data, which tells the rest itself.
func warnings(w io.Writer) (*slog.Logger, error) {
	cfg := config.Defaults()
	cfg.LogLevel = "warn"
	return newLogger(w, cfg)
}

func newLogger(w io.Writer, cfg config.Server) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return slog.New(slog.NewTextHandler(w, options)), nil
}
