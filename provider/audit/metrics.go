package audit

import (
	"context"
	"fmt"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sallyport-id/sallyport/storage"
)

// Metrics is a Sink that counts events for Prometheus, as sallyport_events_total by action, outcome and factor. Nothing
// that names a person, a tenant or an address is a label.
type Metrics struct {
	events *prometheus.CounterVec

	mu   sync.Mutex
	seen [len(labels)]map[string]bool
}

var _ Sink = (*Metrics)(nil)

// labels bound how many values each has. What events are called is our code's and the factors' choice, of which there
// are fewer; but whoever found a way to choose a name could otherwise fill the memory of this process and of Prometheus.
var labels = [...]struct {
	name string
	most int
}{{"action", 256}, {"outcome", 16}, {"factor", 64}}

// otherValue counts what is over a label's bound, or is no name.
const otherValue = "other"

// NewMetrics registers the counter. It fails where one is registered already, so there is one for each registerer.
func NewMetrics(r prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{}
	names := make([]string, len(labels))
	for i, l := range labels {
		names[i] = l.name
		m.seen[i] = map[string]bool{}
	}
	m.events = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sallyport_events_total",
		Help: "Events in the audit log: what was tried, with which factor, and what came of it.",
	}, names)
	if err := r.Register(m.events); err != nil {
		return nil, fmt.Errorf("audit: metrics: %w", err)
	}
	return m, nil
}

// Event implements Sink.
func (m *Metrics) Event(_ context.Context, e storage.Event) {
	values := [len(labels)]string{e.Action, e.Outcome, e.Factor}
	m.bound(&values)
	m.events.WithLabelValues(values[:]...).Inc()
}

// bound keeps the values of each label few.
func (m *Metrics) bound(values *[len(labels)]string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, v := range values {
		switch seen := m.seen[i]; {
		case v == "" || seen[v]:
		case len(seen) < labels[i].most && isName(v):
			seen[v] = true
		default:
			values[i] = otherValue
		}
	}
}

// isName tells whether s is what we call things: lower-case letters, digits, dots and underscores, 64 at most.
func isName(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '_' {
			return false
		}
	}
	return len(s) <= 64
}
