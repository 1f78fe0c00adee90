package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/config"
)

// serve runs the server until con.ctx ends. ready, if any, is called once requests are answered, with the base URL.
func serve(con *console, cfg config.Server, ready func(baseURL string) error) error {
	log, err := newLogger(con.err, cfg)
	if err != nil {
		return err
	}
	if err := leaveNoCore(); err != nil {
		log.Warn("core files could not be switched off: if the server crashes, its keys may stay on the disk", "error", err)
	}
	limitMemory(log)
	defer runtime.KeepAlive(make([]byte, headroom))
	a, err := app.New(con.ctx, app.Options{Config: cfg, Version: con.version, Logger: log})
	if con.ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // told to stop before it had started
	}
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return errors.Join(fmt.Errorf("cannot serve on %s; choose another address with --listen: %w", cfg.Listen, err), a.Close())
	}
	return errors.Join(run(con.ctx, a, listener, cfg, log, ready), a.Close())
}

func run(ctx context.Context, a *app.App, listener net.Listener, cfg config.Server, log *slog.Logger, ready func(string) error) error {
	server := newServer(a.Handler(), cfg, log)
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.Run(background)
	}()
	go giveBack(background)
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(listener) }()
	go func() {
		if err := a.Check(background); err != nil {
			failed <- err
		}
	}()

	baseURL := "http://" + listener.Addr().String()
	log.Info("serving", "url", baseURL)
	var err error
	if ready != nil {
		err = ready(baseURL)
	}
	if err == nil {
		err = wait(ctx, failed)
	}
	log.Info("stopping")
	err = errors.Join(err, shutdown(ctx, server, cfg.ShutdownTimeout))
	stop()
	<-ended
	return err
}

// newServer bounds what one connection may cost: time for headers, body and answer, and the size of headers.
func newServer(h http.Handler, cfg config.Server, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: cfg.HeaderTimeout, ReadTimeout: cfg.RequestTimeout, WriteTimeout: cfg.AnswerTimeout,
		IdleTimeout: cfg.IdleTimeout, MaxHeaderBytes: cfg.MaxHeader, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

func wait(ctx context.Context, failed <-chan error) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// shutdown lets requests in flight finish, and cuts off those that do not in time.
func shutdown(ctx context.Context, server *http.Server, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.Join(fmt.Errorf("requests that took longer than %s were cut off", within), server.Close())
	}
	return err
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
