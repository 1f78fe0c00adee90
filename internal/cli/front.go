//go:build !windows

package cli

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/limit"
)

// front is the listeners and what answers on them, which changes once when the server had to wait for its database.
type front struct {
	cfg      config.Server
	log      *slog.Logger
	server   *http.Server
	internal *http.Server // nil without an address for operators
	handlers [2]atomic.Pointer[http.Handler]
	listener net.Listener  // nil until open
	certs    *certificates // nil without TLS
	memory   int64         // the limit in bytes; 0 for none
	failed   chan error    // why serving ended; holds the failures of all who can fail
}

// The handlers of front.
const (
	publicSide = iota
	internalSide
)

// mostStreams is how many requests one connection of HTTP/2 may have at once. Each may send a header of --max-header.
const mostStreams = 64

// newFront bounds what one connection may cost: time for headers, body and answer, and the size of headers.
func newFront(cfg config.Server, memory int64, log *slog.Logger) *front {
	f := &front{cfg: cfg, log: log, memory: memory, failed: make(chan error, 4)}
	f.server = f.newServer(publicSide)
	f.server.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: mostStreams, MaxReceiveBufferPerConnection: 256 << 10, MaxReceiveBufferPerStream: 64 << 10}
	limit.Attach(f.server)
	if cfg.InternalListen != "" {
		f.internal = f.newServer(internalSide)
	}
	return f
}

func (f *front) newServer(side int) *http.Server {
	return &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*f.handlers[side].Load()).ServeHTTP(w, r) }),
		ReadHeaderTimeout: f.cfg.HeaderTimeout, ReadTimeout: f.cfg.RequestTimeout, WriteTimeout: f.cfg.AnswerTimeout,
		IdleTimeout: f.cfg.IdleTimeout, MaxHeaderBytes: f.cfg.MaxHeader, ErrorLog: slog.NewLogLogger(f.log.Handler(), slog.LevelDebug),
	}
}

// open has the handlers answer from now on, and starts listening unless it does so already.
func (f *front) open(public, internal http.Handler) (err error) {
	f.handlers[publicSide].Store(&public)
	f.handlers[internalSide].Store(&internal)
	if f.listener != nil {
		return nil
	}
	if f.cfg.TLSCert != "" {
		if f.certs, err = loadCertificates(f.cfg.Listening, f.log); err != nil {
			return err
		}
		f.server.TLSConfig = f.certs.config()
	}
	passed := passedOn()
	if f.internal != nil {
		l, err := listen(passed.internal, "internal-listen", f.cfg.InternalListen)
		if err != nil {
			return err
		}
		f.log.Info("serving operators", "address", l.Addr().String())
		go func() { f.failed <- f.internal.Serve(l) }()
	}
	if f.listener, err = listen(passed.public, "listen", f.cfg.Listen); err != nil {
		return err
	}
	f.listener = limit.NewConnections(f.listener, f.cfg.MaxConnections, f.memory)
	go func() { f.failed <- f.serve() }()
	return nil
}

func (f *front) serve() error {
	if f.certs != nil {
		return f.server.ServeTLS(f.listener, "", "")
	}
	return f.server.Serve(f.listener)
}

func (f *front) url() string {
	if f.listener.Addr().Network() == "unix" {
		return "unix:" + f.listener.Addr().String()
	}
	if f.certs != nil {
		return "https://" + f.listener.Addr().String()
	}
	return "http://" + f.listener.Addr().String()
}

// reload reads again what may change while the server serves.
func (f *front) reload() {
	if f.certs == nil {
		f.log.Info("reload: there is nothing to reload without --tls-cert")
		return
	}
	if err := f.certs.reload(); err != nil {
		f.log.Error("cannot reload the certificates; the server goes on with those that it has", "error", err)
		return
	}
	f.log.Info("reloaded the certificates")
}

// close stops listening at once.
func (f *front) close() error {
	if f.internal != nil {
		return errors.Join(f.server.Close(), f.internal.Close())
	}
	return f.server.Close()
}

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

// shutdown lets requests in flight finish, and cuts off those that do not in time. The address for operators is the last to close.
func (f *front) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.cfg.ShutdownTimeout)
	defer cancel()
	err := f.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.Join(errors.New("requests that took longer than "+f.cfg.ShutdownTimeout.String()+" were cut off"), f.server.Close())
	}
	if f.internal != nil {
		err = errors.Join(err, f.internal.Close())
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
