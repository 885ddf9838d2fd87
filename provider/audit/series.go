package audit

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// RecordSeries is Record for several events of one tenant, for the price of about one where the store can. After an error
// some of the first may be in the log; what the events are about must not happen.
func (l *Log) RecordSeries(ctx context.Context, tenant string, events []storage.Event) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	series := make([]*storage.Event, len(events))
	for i := range events {
		e := events[i]
		if e.Action == Retention {
			return errAttests
		}
		e.Tenant = tenant
		l.prepare(&e)
		series[i] = &e
	}
	kept, err := l.append(ctx, tenant, series...)
	for _, e := range series[:kept] {
		l.tell(ctx, *e)
	}
	if err != nil {
		l.o.Logger.LogAttrs(ctx, slog.LevelError, "audit events not kept",
			slog.String("tenant", tenant), slog.Int("events", len(series)-kept), slog.Any("error", err))
		return fmt.Errorf("audit: record %d events: %w", len(series)-kept, err)
	}
	return nil
}

// prepare brings an event into the form in which it is kept.
func (l *Log) prepare(e *storage.Event) {
	e.Tenant = tenantOf(e.Tenant)
	if e.Time.IsZero() {
		e.Time = l.o.Now()
	}
	// Stores keep milliseconds; the hash must be that of what is read back.
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	e.Expires = time.Time{}
	clean(e)
}

// tell tells of an event that is kept.
func (l *Log) tell(ctx context.Context, e storage.Event) {
	l.o.Logger.LogAttrs(ctx, slog.LevelInfo, "audit", attrs(e)...)
	for _, s := range l.o.Sinks {
		s.Event(ctx, e)
	}
}
