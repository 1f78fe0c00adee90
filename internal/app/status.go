package app

import (
	"context"
	"net/http"
	"net/http/pprof"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/feed"
)

type statusOutput struct {
	Body struct {
		Date             httpapi.Time `json:"date"`
		Message          string       `json:"message"`
		EmailConfigured  bool         `json:"emailConfigured"`
		InviteOnlySignup bool         `json:"inviteOnlySignup"`
		RedisConfigured  bool         `json:"redisConfigured"`
		SecretScanning   bool         `json:"secretScanningConfigured"`
	}
}

type healthOutput struct {
	Body struct {
		Status string `json:"status"`
	}
}

// statusRoutes mounts what tells whether the server lives, and whether it can work.
func (a *App) statusRoutes() {
	httpapi.HandleOpen(a.api, statusRoute("/api/status", "get-status", "Check that the API answers"), a.statusRoute)
	healthRoutes(a.internal)
	httpapi.HandleOpen(a.internal, statusRoute("/readyz", "get-readiness",
		"Check that the server can decide requests and write changes; 503 also while it stops", http.StatusServiceUnavailable), a.readyRoute)
}

// healthRoutes mounts what needs no database.
func healthRoutes(api *httpapi.API) {
	httpapi.HandleOpen(api, statusRoute("/healthz", "get-health", "Check that the process runs"), healthRoute)
}

func statusRoute(path, id, summary string, errors ...int) httpapi.Route {
	return httpapi.Route{Method: http.MethodGet, Path: path, ID: id, Tag: "Instance", Summary: summary, Open: true, Errors: errors}
}

func (a *App) statusRoute(context.Context, access.Client, *httpapi.Empty) (*statusOutput, error) {
	out := &statusOutput{}
	out.Body.Date, out.Body.Message = httpapi.Time(a.db.Now().UnixMilli()), "Ok"
	return out, nil
}

func healthRoute(context.Context, access.Client, *httpapi.Empty) (*healthOutput, error) {
	out := &healthOutput{}
	out.Body.Status = "ok"
	return out, nil
}

func (a *App) readyRoute(ctx context.Context, _ access.Client, _ *httpapi.Empty) (*healthOutput, error) {
	if err := a.Ready(ctx); err != nil {
		return nil, err
	}
	out := &healthOutput{}
	out.Body.Status = "ready"
	return out, nil
}

// Ready returns nil if the server can decide requests and write changes, and is not about to stop. Otherwise the error is a
// fault of the kind Unavailable.
func (a *App) Ready(ctx context.Context) error {
	if err := a.api.Draining(); err != nil {
		return err
	}
	err := a.feed.Current(ctx)
	if err == nil {
		err = a.db.Writable(ctx)
	}
	if err == nil {
		return nil
	}
	f := fault.New(fault.Unavailable, "The server cannot write to its database now. Its log says why.").Because(err)
	f.RetryAfter = time.Second
	return f
}

// profiles mounts what tells where time and memory go. It is never on the public address.
func (a *App) profiles() {
	a.internal.Mount("GET /debug/pprof/", http.HandlerFunc(pprof.Index))
	a.internal.Mount("GET /debug/pprof/profile", http.HandlerFunc(pprof.Profile))
	a.internal.Mount("GET /debug/pprof/trace", http.HandlerFunc(pprof.Trace))
}

// documents mounts the OpenAPI document and its readable form.
func (a *App) documents() {
	a.api.Mount("GET /api/docs", a.api.DocsPage())
	openAPI := sync.OnceValues(a.api.OpenAPI)
	a.api.Mount("GET /api/docs/json", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		document, err := openAPI()
		if err != nil {
			a.log.Error("cannot write the OpenAPI document", "error", err)
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document) // the caller may have gone
	}))
}

// measure mounts the metrics.
func (a *App) measure(registry *prometheus.Registry, version string) {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "sallyport", Name: name, Help: help}, value)
	}
	counter := func(name, help string, value func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "sallyport", Name: name, Help: help},
			func() float64 { return float64(value()) })
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "sallyport", Name: "build_info",
		Help:        "Always 1; the labels tell the version of this program, and the newest schema version that it knows.",
		ConstLabels: prometheus.Labels{"version": version, "schema": strconv.FormatInt(a.db.Schema(), 10)}})
	build.Set(1)
	registry.MustRegister(build, programs{a.feed}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		gauge("revoked_tokens", "Revoked tokens held in memory.", func() float64 { n, _ := a.tokens.Revocations(); return float64(n) }),
		gauge("cutoffs", "Cut-offs held in memory.", func() float64 { _, n := a.tokens.Revocations(); return float64(n) }),
		gauge("feed_applied", "Sequence number of the newest change that is applied.", func() float64 { return float64(a.feed.Applied()) }),
		gauge("feed_lease_seconds", "For how long this replica may still answer from memory; 0 or less: not at all.", func() float64 { return a.feed.LeaseLeft().Seconds() }),
		counter("grouped_commits_total", "Commits of groups of changes.", func() uint64 { return a.db.Stats().Commits }),
		counter("grouped_changes_total", "Changes in those groups: divided by the commits, the size of a group.", func() uint64 { return a.db.Stats().Grouped }),
	)
	a.internal.Mount("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
}

// programs counts the replicas by what they run.
type programs struct{ feed *feed.Feed }

var replicasByProgram = prometheus.NewDesc("sallyport_replicas",
	"Replicas in the register, by the version of their program and the newest schema version that it knows; both empty for one too old to tell.",
	[]string{"version", "schema"}, nil)

// Describe implements prometheus.Collector.
func (programs) Describe(to chan<- *prometheus.Desc) { to <- replicasByProgram }

// Collect implements prometheus.Collector. Without the database there is nothing to count.
func (p programs) Collect(to chan<- prometheus.Metric) {
	found, err := p.feed.Programs(context.Background())
	if err != nil {
		return
	}
	for program, n := range found {
		schema := ""
		if program.Schema > 0 {
			schema = strconv.FormatInt(program.Schema, 10)
		}
		to <- prometheus.MustNewConstMetric(replicasByProgram, prometheus.GaugeValue, float64(n), program.Version, schema)
	}
}
