package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sallyport-id/sallyport/provider/audit"
)

const (
	pathMetrics = "/metrics"
	// scrapesAtOnce bounds what whoever reaches the address can ask for.
	scrapesAtOnce = 4
)

// metrics are what Prometheus reads, on an address of their own: they are nobody's business outside. The zero value is
// none.
type metrics struct {
	listener net.Listener
	handler  http.Handler
	sinks    []audit.Sink
}

func (c *checker) metrics() {
	if c.MetricsListen == "" {
		return
	}
	if _, _, err := net.SplitHostPort(c.MetricsListen); err != nil {
		c.add("metrics_listen", fmt.Sprintf("%q is no address to listen on", c.MetricsListen), "write it as 127.0.0.1:9090")
	}
}

// openMetrics listens, where the settings say so.
func (s *settings) openMetrics(ctx context.Context) (metrics, error) {
	if s.MetricsListen == "" {
		return metrics{}, nil
	}
	r := prometheus.NewRegistry()
	events, err := audit.NewMetrics(r)
	err = errors.Join(err, r.Register(collectors.NewGoCollector()),
		r.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})))
	if err != nil {
		return metrics{}, fmt.Errorf("metrics: %w", err)
	}
	l, err := listen(ctx, s.MetricsListen, s.where("metrics_listen"))
	if err != nil {
		return metrics{}, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+pathMetrics, promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: scrapesAtOnce}))
	return metrics{listener: l, handler: mux, sinks: []audit.Sink{events}}, nil
}

func (m metrics) close() error {
	if m.listener == nil {
		return nil
	}
	return m.listener.Close()
}
