//go:build !windows

package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/limit"
)

// front is the listener and what answers on it, which changes once when the server had to wait for its database.
type front struct {
	cfg      config.Server
	log      *slog.Logger
	server   *http.Server
	handler  atomic.Pointer[http.Handler]
	listener net.Listener // nil until open
	memory   int64        // the limit in bytes; 0 for none
	failed   chan error   // why serving ended; holds the failures of all who can fail
}

// newFront bounds what one connection may cost: time for headers, body and answer, and the size of headers.
func newFront(cfg config.Server, memory int64, log *slog.Logger) *front {
	f := &front{cfg: cfg, log: log, memory: memory, failed: make(chan error, 3)}
	f.server = &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*f.handler.Load()).ServeHTTP(w, r) }),
		ReadHeaderTimeout: cfg.HeaderTimeout, ReadTimeout: cfg.RequestTimeout, WriteTimeout: cfg.AnswerTimeout,
		IdleTimeout: cfg.IdleTimeout, MaxHeaderBytes: cfg.MaxHeader, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	limit.Attach(f.server)
	return f
}

// open has h answer from now on, and starts listening unless it does so already.
func (f *front) open(h http.Handler) (err error) {
	f.handler.Store(&h)
	if f.listener != nil {
		return nil
	}
	if f.listener, err = net.Listen("tcp", f.cfg.Listen); err != nil {
		return fmt.Errorf("cannot serve on %s; choose another address with --listen: %w", f.cfg.Listen, err)
	}
	f.listener = limit.NewConnections(f.listener, f.cfg.MaxConnections, f.memory)
	go func() { f.failed <- f.server.Serve(f.listener) }()
	return nil
}

func (f *front) url() string { return "http://" + f.listener.Addr().String() }

// close stops listening at once.
func (f *front) close() error { return f.server.Close() }

// drain goes on serving for a while, so that proxies notice that they should send requests elsewhere.
func (f *front) drain(a *app.App) error {
	if f.cfg.Drain == 0 {
		return nil
	}
	a.Drain()
	f.log.Info("draining: /readyz answers 503, requests are served", "for", f.cfg.Drain.String())
	over, cancel := context.WithTimeout(context.Background(), f.cfg.Drain)
	defer cancel()
	return wait(over, f.failed)
}

// shutdown lets requests in flight finish, and cuts off those that do not in time.
func (f *front) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.cfg.ShutdownTimeout)
	defer cancel()
	err := f.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.Join(fmt.Errorf("requests that took longer than %s were cut off", f.cfg.ShutdownTimeout), f.server.Close())
	}
	return err
}

// wait returns nil when ctx ends, or the failure that comes first.
func wait(ctx context.Context, failed <-chan error) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}
