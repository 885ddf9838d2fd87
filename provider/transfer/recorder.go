package transfer

import (
	"context"
	"errors"
	"fmt"

	"github.com/sallyport-id/sallyport/storage"
)

// recorder puts events of many workers into the audit log. An event is one durable write, and a chain has one end; so the
// events of workers that wait at the same time are written together.
type recorder struct {
	audit  Audit
	tenant string
	in     chan recording
}

type recording struct {
	event storage.Event
	done  chan<- error
}

func newRecorder(a Audit, tenant string, workers int) *recorder {
	return &recorder{audit: a, tenant: tenant, in: make(chan recording, workers)}
}

// record returns once the event is in the log, or can't be.
func (r *recorder) record(e storage.Event) error {
	done := make(chan error, 1)
	r.in <- recording{e, done}
	return <-done
}

// run writes until in is closed. What is waited for is written, whoever hangs up meanwhile.
func (r *recorder) run(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	for first := range r.in {
		waiting := []recording{first}
		// All who wait at this moment; those who come later are the next ones.
		for range len(r.in) {
			waiting = append(waiting, <-r.in)
		}
		events := make([]storage.Event, 0, len(waiting))
		for _, w := range waiting {
			events = append(events, w.event)
		}
		err := r.audit.RecordSeries(ctx, r.tenant, events)
		for _, w := range waiting {
			w.done <- err
		}
	}
}

// audited records an event and then does what it is about. Where that fails after all, the log is told too.
func (r *run) audited(e storage.Event, line *Line, do func() error) error {
	who := about(r.by, e.Tenant, e.Action)
	who.User, who.Factor, who.Reason = e.User, e.Factor, fmt.Sprintf("import, line %d", line.Line)
	e = who
	if err := r.log.record(e); err != nil {
		return fmt.Errorf("nothing was changed, because it could not be put into the audit log: %w", err)
	}
	err := do()
	if err == nil {
		return nil
	}
	e.Outcome = "failed"
	return errors.Join(err, r.log.record(e))
}
