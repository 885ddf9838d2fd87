package audit_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/storage"
)

// plainly hides what a table can do beside storage.Table.
type plainly struct{ storage.Table[storage.Event] }

func TestSeriesAndSingleEventsOfTwoProcessesGiveOneChain(t *testing.T) {
	s := openStore(t)
	heard := &counter{}
	logs := []*audit.Log{
		audit.New(s.Events, audit.Options{Sinks: []audit.Sink{heard}}),
		audit.New(plainly{s.Events}, audit.Options{Sinks: []audit.Sink{heard}}),
	}
	const writers, rounds, each = 4, 5, 7
	var all sync.WaitGroup
	for i := range writers {
		l := logs[i%len(logs)]
		all.Go(func() {
			for r := range rounds {
				series := make([]storage.Event, each)
				for k := range series {
					series[k] = event("acme", fmt.Sprintf("series.%d.%d.%d", i, r, k))
				}
				if err := l.RecordSeries(t.Context(), "acme", series); err != nil {
					t.Error(err)
				}
				if err := l.Record(t.Context(), event("acme", "single")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if r := verify(t, logs[0], "acme"); !r.OK() || r.Entries != writers*rounds*(each+1) {
		t.Errorf("%+v", r)
	}
	if heard.n != writers*rounds*(each+1) {
		t.Errorf("sinks heard of %d", heard.n)
	}
}

// counter counts what it hears of, from several at once.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) Event(context.Context, storage.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
}

func TestSeriesThatIsNotKeptIsAnError(t *testing.T) {
	s := openStore(t)
	heard := &sink{}
	l := audit.New(full{s.Events}, audit.Options{Sinks: []audit.Sink{heard}})
	if err := l.RecordSeries(t.Context(), "acme", []storage.Event{event("acme", "a"), event("acme", "b")}); !errors.Is(err, errFull) {
		t.Error(err)
	}
	if len(heard.events) != 0 {
		t.Errorf("a sink heard of %v", heard.events)
	}
	if err := audit.New(s.Events, audit.Options{}).RecordSeries(t.Context(), "acme", nil); err != nil {
		t.Errorf("no events at all: %v", err)
	}
}
