package hook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Recorder keeps events for the tenant to see; audit.Log is one.
type Recorder interface {
	Record(ctx context.Context, e storage.Event) error
}

// Runner calls hooks. One without hooks, or none, does nothing.
type Runner struct {
	// Hooks are called in their order; the first that refuses is the last that is called.
	Hooks []Hook
	// Audit gets every refusal and every failure.
	Audit Recorder
	// Timeout is how long each hook may take; 0 means 3 s.
	Timeout time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Logger is told of hooks that fail; nil means slog.Default.
	Logger *slog.Logger
}

const defaultTimeout = 3 * time.Second

var (
	errTimeout = errors.New("hook: timed out")
	errPanic   = errors.New("hook: panicked")
)

// Run calls the hooks for e. Before something happens its error is a *web.Hooked, and it must not happen: a hook
// refused, or failed, which refuses as well, so that nobody gets in by breaking one. After it there is no error, and
// all hooks are called, even when the caller has gone.
func (r *Runner) Run(ctx context.Context, e Event) error {
	if r == nil || len(r.Hooks) == 0 {
		return nil
	}
	if e.Time.IsZero() {
		e.Time = r.now()
	}
	if e.Point.after() {
		ctx = context.WithoutCancel(ctx)
	}
	for i, h := range r.Hooks {
		err := r.call(ctx, h, e)
		switch {
		case err == nil:
		case e.Point.after():
			r.tell(ctx, i, e, "failed", err)
		default:
			return &web.Hooked{Reason: r.tell(ctx, i, e, "refused", err)}
		}
	}
	return nil
}

// call calls one hook in a goroutine of its own: one that does not return when it should is left behind, and does not
// hang the request.
func (r *Runner) call(ctx context.Context, h Hook, e Event) error {
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errTimeout)
	defer cancel()
	// What one hook does to its event is not for the next to see.
	e.Factors, e.Scopes = slices.Clone(e.Factors), slices.Clone(e.Scopes)
	done := make(chan error, 1)
	go func() {
		err := fmt.Errorf("%w: it ended its goroutine", errPanic)
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
			}
			done <- err
		}()
		err = h.Hook(ctx, e)
	}()
	select {
	case err := <-done:
		if err != nil && errors.Is(err, ctx.Err()) {
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// tell logs and audits what came of a hook, and returns the reason for the user, if there is one.
func (r *Runner) tell(ctx context.Context, i int, e Event, outcome string, err error) (reason string) {
	logger := r.Logger
	if logger == nil {
		logger = slog.Default()
	}
	logger = logger.With("point", string(e.Point), "hook", i, "tenant", e.Tenant, "user", e.User, "request", e.Request)
	var recorded string
	denied, ok := errors.AsType[*Denied](err)
	switch {
	case ok:
		reason = denied.reason()
		recorded = reason
		logger.InfoContext(ctx, "hook denied", "reason", reason)
	case errors.Is(err, errTimeout):
		recorded = "hook timed out"
	case errors.Is(err, errPanic):
		recorded = "hook panicked"
	default:
		recorded = "hook failed"
	}
	if !ok {
		// Its error is for the operator alone: nobody wrote it for the user.
		logger.ErrorContext(ctx, recorded, "error", err)
	}
	record := storage.Event{
		Key: storage.Key{Tenant: e.Tenant}, Time: e.Time, Action: "hook." + string(e.Point), Outcome: outcome, Actor: e.User, User: e.User,
		Client: e.Client, Factor: e.Factor, Reason: recorded, Agent: e.Agent, Request: e.Request,
	}
	if record.Actor == "" {
		record.Actor = e.Client
	}
	if e.Address.IsValid() {
		record.Address = e.Address.String()
	}
	if err := r.Audit.Record(ctx, record); err != nil {
		logger.ErrorContext(ctx, "hook not audited", "error", err)
	}
	return reason
}

func (r *Runner) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}
