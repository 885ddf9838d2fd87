package hook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// recorder keeps what is audited.
type recorder struct {
	events []storage.Event
	fails  bool
}

func (r *recorder) Record(_ context.Context, e storage.Event) error {
	r.events = append(r.events, e)
	if r.fails {
		return errors.New("disk full")
	}
	return nil
}

var event = hook.Event{
	Point: hook.BeforeSignIn, Tenant: "acme", User: "u1", Account: "ada@example.com", UserType: "staff", Role: storage.Owner,
	Client: "app", Factor: "totp", Factors: []string{"password", "totp"}, Address: netip.MustParseAddr("192.0.2.7"),
	Agent: "Firefox", Request: "r1", Scopes: []string{"openid"}, Time: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC),
}

// The hooks of the tests.
var (
	allow  = hook.Func(func(context.Context, hook.Event) error { return nil })
	denies = hook.Func(func(context.Context, hook.Event) error { return hook.Deny("closed on Sundays") })
	wraps  = hook.Func(func(context.Context, hook.Event) error { return fmt.Errorf("rules: %w", hook.Deny("not from here")) })
	silent = hook.Func(func(context.Context, hook.Event) error { return hook.Deny("") })
	fails  = hook.Func(func(context.Context, hook.Event) error { return errors.New("dial tcp 10.0.0.1: secret") })
	panics = hook.Func(func(context.Context, hook.Event) error { panic("nil map") })
	exits  = hook.Func(func(context.Context, hook.Event) error { runtime.Goexit(); return nil })
	waits  = hook.Func(func(ctx context.Context, _ hook.Event) error { <-ctx.Done(); return ctx.Err() })
)

func TestHooks(t *testing.T) {
	deaf := make(chan struct{})
	defer close(deaf)
	ignores := hook.Func(func(context.Context, hook.Event) error { <-deaf; return nil })
	for name, c := range map[string]struct {
		hook   hook.Hook
		passes bool
		// reason is what the user reads, audited what the tenant does, logged what the operator does.
		reason, audited, logged string
	}{
		"allows":              {hook: allow, passes: true},
		"denies":              {denies, false, "closed on Sundays", "closed on Sundays", "hook denied"},
		"denies, wrapped":     {wraps, false, "not from here", "not from here", "hook denied"},
		"denies without word": {silent, false, "", "", "hook denied"},
		"fails":               {fails, false, "", "hook failed", "10.0.0.1"},
		"panics":              {panics, false, "", "hook panicked", "hook_test.go"},
		"ends its goroutine":  {exits, false, "", "hook panicked", "ended its goroutine"},
		"is none":             {nil, false, "", "hook panicked", "nil pointer"},
		"waits for ever":      {waits, false, "", "hook timed out", "timed out"},
		"ignores its context": {ignores, false, "", "hook timed out", "timed out"},
	} {
		for _, point := range []hook.Point{hook.BeforeSignIn, hook.AfterSignIn, "unheard.of"} {
			t.Run(name+" "+string(point), func(t *testing.T) {
				var audit recorder
				var log bytes.Buffer
				timeout := time.Minute // a hook that answers is never late, however busy the machine
				if c.audited == "hook timed out" {
					timeout = 20 * time.Millisecond
				}
				r := &hook.Runner{
					Hooks: []hook.Hook{c.hook}, Audit: &audit, Timeout: timeout,
					Logger: slog.New(slog.NewTextHandler(&log, nil)),
				}
				e := event
				e.Point = point
				err := r.Run(t.Context(), e)
				var refused *web.Hooked
				switch after := point == hook.AfterSignIn; {
				case after && err != nil:
					t.Errorf("afterwards: %v", err)
				case !after && c.passes && err != nil:
					t.Errorf("%v", err)
				case !after && !c.passes && (!errors.As(err, &refused) || refused.Reason != c.reason):
					t.Errorf("%#v, want a refusal for %q", err, c.reason)
				}
				if c.passes {
					if len(audit.events) != 0 || log.Len() != 0 {
						t.Errorf("audited %+v, logged %s", audit.events, &log)
					}
					return
				}
				outcome := "refused"
				if point == hook.AfterSignIn {
					outcome = "failed"
				}
				want := storage.Event{
					Key: storage.Key{Tenant: "acme"}, Time: e.Time, Action: "hook." + string(point), Outcome: outcome, Reason: c.audited,
					Actor: "u1", User: "u1", Client: "app", Factor: "totp", Address: "192.0.2.7", Agent: "Firefox", Request: "r1",
				}
				if len(audit.events) != 1 || audit.events[0] != want {
					t.Errorf("audited %+v\nwant %+v", audit.events, want)
				}
				if !strings.Contains(log.String(), c.logged) || !strings.Contains(log.String(), "tenant=acme") {
					t.Errorf("logged %s\nwant %q", &log, c.logged)
				}
			})
		}
	}
}

// A reason is shown as it can be: one line, nothing that turns text around, and not a page of it.
func TestReasonIsCleaned(t *testing.T) {
	long := strings.Repeat("ä", 201)
	for reason, want := range map[string]string{
		"closed":                             "closed",
		"\u2028closed\r\n on\tSundays\u2028": "closed on Sundays",
		"a\x00b\x1b[31mc\u202ed\u2066e":      "ab[31mcde",
		"\xff\xfe":                           "",
		"\n":                                 "",
		strings.Repeat("ä", 200):             strings.Repeat("ä", 200),
		long:                                 strings.Repeat("ä", 199) + "…",
		"<script>alert(1)</script>":          "<script>alert(1)</script>", // plain text; pages escape it
		"\u0646\u0645\u06cc\u200c\u0634":     "\u0646\u0645\u06cc\u200c\u0634",
	} {
		r := &hook.Runner{
			Hooks: []hook.Hook{hook.Func(func(context.Context, hook.Event) error { return hook.Deny(reason) })},
			Audit: &recorder{}, Logger: slog.New(slog.DiscardHandler),
		}
		refused, ok := errors.AsType[*web.Hooked](r.Run(t.Context(), event))
		if !ok || refused.Reason != want {
			t.Errorf("%q: %+v, want %q", reason, refused, want)
		}
	}
}

// Hooks are called in order with the whole event, one after the other, and none after one that refused.
func TestHooksInOrder(t *testing.T) {
	for point, want := range map[hook.Point]string{
		hook.BeforeSignIn: "first second denies", hook.AfterSignIn: "first second denies last",
	} {
		var called []string
		note := func(name string, err error) hook.Hook {
			return hook.Func(func(_ context.Context, e hook.Event) error {
				called = append(called, name)
				same := event
				same.Point = point
				if fmt.Sprint(e) != fmt.Sprint(same) {
					t.Errorf("%s was told %+v\nwant %+v", name, e, same)
				}
				e.Factors[0], e.Scopes[0] = "changed", "changed"
				return err
			})
		}
		r := &hook.Runner{
			Hooks: []hook.Hook{note("first", nil), note("second", nil), note("denies", hook.Deny("no")), note("last", nil)},
			Audit: &recorder{}, Logger: slog.New(slog.DiscardHandler),
		}
		e := event
		e.Point = point
		if err := r.Run(t.Context(), e); (err != nil) != (point == hook.BeforeSignIn) {
			t.Errorf("%s: %v", point, err)
		}
		if got := strings.Join(called, " "); got != want {
			t.Errorf("%s: called %s, want %s", point, got, want)
		}
	}
	if event.Factors[0] != "password" {
		t.Error("a hook changed its caller's event")
	}
}

// Without hooks nothing is done, and nothing is needed.
func TestNoHooks(t *testing.T) {
	for _, r := range []*hook.Runner{nil, {}} {
		if err := r.Run(t.Context(), event); err != nil {
			t.Error(err)
		}
		if n := testing.AllocsPerRun(10, func() { _ = r.Run(context.Background(), event) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

// Who hangs up is not let in before a hook has spoken, and is still told of afterwards.
func TestCallerWhoHangsUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	audit := &recorder{}
	r := &hook.Runner{Hooks: []hook.Hook{waits}, Audit: audit, Logger: slog.New(slog.DiscardHandler)}
	if _, ok := errors.AsType[*web.Hooked](r.Run(ctx, event)); !ok {
		t.Error("let in")
	}
	if len(audit.events) != 1 || audit.events[0].Reason != "hook failed" {
		t.Errorf("audited %+v", audit.events)
	}
	e := event
	e.Point = hook.AfterToken
	var told hook.Point
	r.Hooks = []hook.Hook{hook.Func(func(ctx context.Context, e hook.Event) error { told = e.Point; return ctx.Err() })}
	if err := r.Run(ctx, e); err != nil || told != hook.AfterToken || len(audit.events) != 1 {
		t.Errorf("%v, told %q, audited %+v", err, told, audit.events)
	}
}

// A refusal that can't be audited is a refusal all the same.
func TestRefusalThatIsNotAudited(t *testing.T) {
	var log bytes.Buffer
	r := &hook.Runner{Hooks: []hook.Hook{denies}, Audit: &recorder{fails: true}, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	if _, ok := errors.AsType[*web.Hooked](r.Run(t.Context(), event)); !ok {
		t.Error("let in")
	}
	if !strings.Contains(log.String(), "disk full") {
		t.Errorf("log: %s", &log)
	}
}

// An event of no user is the client's, its time is the clock's, and its address may be unknown.
func TestEventOfAMachine(t *testing.T) {
	audit := &recorder{}
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	var told hook.Event
	r := &hook.Runner{
		Audit: audit, Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler),
		Hooks: []hook.Hook{hook.Func(func(_ context.Context, e hook.Event) error { told = e; return hook.Deny("no") })},
	}
	if err := r.Run(t.Context(), hook.Event{Point: hook.BeforeToken, Tenant: "acme", Client: "batch"}); err == nil {
		t.Error("let in")
	}
	if !told.Time.Equal(now) {
		t.Errorf("told at %v", told.Time)
	}
	if len(audit.events) != 1 || audit.events[0].Actor != "batch" || audit.events[0].Address != "" || !audit.events[0].Time.Equal(now) {
		t.Errorf("audited %+v", audit.events)
	}
}

// Many sign-ins at once share one runner.
func TestHooksAreCalledAtOnce(t *testing.T) {
	const n = 8
	var all sync.WaitGroup
	meet := make(chan struct{}, n)
	together := hook.Func(func(ctx context.Context, _ hook.Event) error {
		meet <- struct{}{}
		for len(meet) < n {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			runtime.Gosched()
		}
		return nil
	})
	r := &hook.Runner{Hooks: []hook.Hook{together}, Audit: &recorder{}}
	errs := make([]error, n)
	for i := range n {
		all.Go(func() { errs[i] = r.Run(t.Context(), event) })
	}
	all.Wait()
	if slices.ContainsFunc(errs, func(err error) bool { return err != nil }) {
		t.Error(errs)
	}
}
