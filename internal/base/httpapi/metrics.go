package httpapi

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts requests and measures how long they take, by route pattern and never by anything a caller chose, so
// that no caller can grow them. A nil *metrics does nothing.
type metrics struct {
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	unrouted func() *series
}

// series are the metrics of one route.
type series struct {
	classes [6]prometheus.Counter // by the first digit of the status
	latency prometheus.Observer
}

func newMetrics(registry *prometheus.Registry) *metrics {
	if registry == nil {
		return nil
	}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sallyport_http_requests_total", Help: "Requests answered, by route, method and class of the status.",
		}, []string{"route", "method", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sallyport_http_request_duration_seconds", Help: "Time from the request's header to its answer.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method"}),
	}
	registry.MustRegister(m.requests, m.latency)
	m.unrouted = m.lazy("other", "unrouted")
	return m
}

// lazy returns a route's series, made when the first request was answered: most routes are never called.
func (m *metrics) lazy(method, route string) func() *series {
	return sync.OnceValue(func() *series { return m.series(method, route) })
}

func (m *metrics) series(method, route string) *series {
	s := &series{latency: m.latency.WithLabelValues(route, method)}
	for i, class := range []string{"", "1xx", "2xx", "3xx", "4xx", "5xx"} {
		if i > 0 {
			s.classes[i] = m.requests.WithLabelValues(route, method, class)
		}
	}
	return s
}

func (m *metrics) count(ex *exchange, took time.Duration) {
	if m == nil {
		return
	}
	series := m.unrouted
	if ex.endpoint != nil {
		series = ex.endpoint.series
	}
	s := series()
	if class := ex.status / 100; class >= 1 && class <= 5 {
		s.classes[class].Inc()
	}
	s.latency.Observe(took.Seconds())
}
