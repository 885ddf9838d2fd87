package audit_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

func newMetrics(t *testing.T) (*audit.Metrics, *prometheus.Registry) {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	m, err := audit.NewMetrics(r)
	if err != nil {
		t.Fatal(err)
	}
	return m, r
}

// What is recorded is counted by what it was, and by nothing about whom.
func TestMetricsCountEvents(t *testing.T) {
	m, registry := newMetrics(t)
	store := sqlitetest.Open(t, sqlite.Options{})
	log := audit.New(store.Events, audit.Options{Sinks: []audit.Sink{m}})
	for i, e := range []storage.Event{
		{Action: "sign_in.factor", Outcome: "ok", Factor: "totp"},
		{Action: "sign_in.factor", Outcome: "ok", Factor: "totp"},
		{Action: "sign_in.factor", Outcome: "refused", Factor: "sms", Reason: "mismatch"},
		{Action: "sign_out", Outcome: "ok"},
	} {
		e.Tenant, e.User = fmt.Sprint("tenant", i), fmt.Sprint("user", i)
		e.Actor, e.Address, e.Agent, e.Request = e.User, "192.0.2.1", "Firefox", "r1"
		if err := log.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	const want = `
# HELP sallyport_events_total Events in the audit log: what was tried, with which factor, and what came of it.
# TYPE sallyport_events_total counter
sallyport_events_total{action="sign_in.factor",factor="sms",outcome="refused"} 1
sallyport_events_total{action="sign_in.factor",factor="totp",outcome="ok"} 2
sallyport_events_total{action="sign_out",factor="",outcome="ok"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// However many names come, and whatever they are, there is an end to the series; the events are counted all the same.
func TestMetricsAreBounded(t *testing.T) {
	m, registry := newMetrics(t)
	const n = 1000
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			m.Event(context.Background(), storage.Event{Action: "sign_in", Outcome: "ok", Factor: fmt.Sprint("f", i)})
			m.Event(context.Background(), storage.Event{Action: "sign_in", Outcome: fmt.Sprint("o", i)})
			m.Event(context.Background(), storage.Event{Action: "Ada Lovelace\n", Outcome: "ok", Factor: strings.Repeat("f", 65)})
		})
	}
	all.Wait()
	count, err := testutil.GatherAndCount(registry)
	if want := (64 + 1) + (15 + 1) + 1; err != nil || count != want {
		t.Errorf("%d series, %v; want %d", count, err, want)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum, strange := 0.0, 0.0
	for _, series := range families[0].GetMetric() {
		sum += series.GetCounter().GetValue()
		if labels := series.GetLabel(); labels[0].GetValue() == "other" && labels[1].GetValue() == "other" && labels[2].GetValue() == "ok" {
			strange += series.GetCounter().GetValue()
		}
	}
	if sum != 3*n || strange != n {
		t.Errorf("counted %v, %v of them strange; want %d and %d", sum, strange, 3*n, n)
	}
	// What was known before stays what it is.
	m.Event(t.Context(), storage.Event{Action: "sign_in", Outcome: "ok"})
	if again, err := testutil.GatherAndCount(registry); err != nil || again != count+1 {
		t.Errorf("%d series, %v; want %d", again, err, count+1)
	}
}

func TestMetricsAreRegisteredOnce(t *testing.T) {
	_, registry := newMetrics(t)
	if _, err := audit.NewMetrics(registry); err == nil {
		t.Error("registered twice")
	}
}
