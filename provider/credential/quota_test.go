package credential_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/storage/sqlite"
	"github.com/sallyport-id/sallyport/storage/sqlite/sqlitetest"
)

// counted is a quota over a store of its own, with a clock that stands still.
type counted struct {
	*testing.T
	store storage.Store
	quota *credential.Quota
	now   time.Time
}

func newQuota(t *testing.T) *counted {
	t.Helper()
	c := &counted{T: t, now: time.Date(2026, 3, 1, 23, 59, 0, 0, time.UTC)}
	clock := func() time.Time { return c.now }
	c.store = sqlitetest.Open(t, sqlite.Options{Now: clock})
	c.quota = &credential.Quota{Counters: c.store.Counters, Now: clock}
	return c
}

// free wants the use to be free, and refused wants it to be so again after a while.
func (c *counted) free(tenant string, limits ...mfa.Limit) {
	c.Helper()
	if err := c.quota.Take(c.Context(), tenant, limits...); err != nil {
		c.Errorf("at %v: %v", c.now, err)
	}
}

func (c *counted) refused(after time.Duration, tenant string, limits ...mfa.Limit) {
	c.Helper()
	err := c.quota.Take(c.Context(), tenant, limits...)
	r, ok := errors.AsType[*mfa.Refused](err)
	if !ok || r.Reason != mfa.Often || !r.Until.Equal(c.now.Add(after)) {
		c.Errorf("at %v: %#v; want it refused as too often for %v", c.now, err, after)
	}
}

// used wants the limits to be used up, for however long.
func (c *counted) used(tenant string, limits ...mfa.Limit) {
	c.Helper()
	if _, ok := errors.AsType[*mfa.Refused](c.quota.Take(c.Context(), tenant, limits...)); !ok {
		c.Error("a use too many is free")
	}
}

func TestQuotaSlides(t *testing.T) {
	c := newQuota(t)
	l := mfa.Limit{Name: "sms/user/ada", Most: 3, Per: 10 * time.Minute}
	c.free("acme", l) // at 0
	c.now = c.now.Add(4 * time.Minute)
	c.free("acme", l) // at 4
	c.free("acme", l)
	c.refused(6*time.Minute, "acme", l)
	c.now = c.now.Add(6*time.Minute - time.Millisecond)
	c.refused(time.Millisecond, "acme", l)
	c.now = c.now.Add(time.Millisecond) // at 10: the first is out of the window
	c.free("acme", l)
	c.refused(4*time.Minute, "acme", l)
	c.now = c.now.Add(4 * time.Minute) // at 14: so are the next two
	c.free("acme", l)
	c.free("acme", l)
	c.refused(6*time.Minute, "acme", l)

	// A limit that was lowered holds for what was counted before.
	l.Most = 1
	c.refused(10*time.Minute, "acme", l)
	c.now = c.now.Add(10 * time.Minute)
	c.free("acme", l)
}

func TestQuotaOfManyStartsAnewWithItsWindow(t *testing.T) {
	c := newQuota(t) // a minute before midnight
	l := mfa.Limit{Name: "sms", Most: 60, Per: 24 * time.Hour}
	for range 60 {
		c.free("acme", l)
	}
	c.refused(time.Minute, "acme", l)
	c.now = c.now.Add(time.Minute)
	for range 60 {
		c.free("acme", l)
	}
	c.refused(24*time.Hour, "acme", l)
}

// Names, tenants and times are counted apart, and what holds everywhere over all tenants.
func TestQuotaCountsApart(t *testing.T) {
	c := newQuota(t)
	for _, most := range []int{1, 51} {
		hour := mfa.Limit{Name: "sms", Most: most, Per: time.Hour}
		day := mfa.Limit{Name: "sms", Most: most, Per: 24 * time.Hour}
		longer := mfa.Limit{Name: "sms/1", Most: most, Per: time.Hour}
		for range most {
			c.free("acme", hour)
		}
		if err := c.quota.Take(t.Context(), "acme", hour); err == nil {
			t.Error("the limit does not hold")
		}
		c.free("bolt", hour)
		c.free("acme", day)
		c.free("acme", longer)

		all := mfa.Limit{Name: "sms", Most: most, Per: 7 * time.Hour, Everywhere: true}
		for i := range most {
			c.free(fmt.Sprint("tenant", i), all)
		}
		if err := c.quota.Take(t.Context(), "yet-another", all); err == nil {
			t.Error("the limit does not hold over tenants")
		}
	}
}

// All limits are counted in, or none: what one refuses must not use up another. What is told is when the last of those that
// hold is free again, and its reason.
func TestQuotaTakesAllOrNone(t *testing.T) {
	c := newQuota(t)
	first := mfa.Limit{Name: "first", Most: 4, Per: time.Hour}
	second := mfa.Limit{Name: "second", Most: 1, Per: 2 * time.Hour}
	third := mfa.Limit{Name: "third", Most: 2, Per: time.Hour, Everywhere: true}
	many := mfa.Limit{Name: "many", Most: 52, Per: time.Hour}
	c.free("acme", first, second, third, many)
	for range 20 {
		c.refused(2*time.Hour, "acme", first, second, third, many)
	}
	c.free("acme", third, first) // counted once each so far
	c.refused(time.Hour, "acme", first, third)
	c.now = c.now.Add(30 * time.Minute)
	c.free("acme", first) // twice so far
	c.free("acme", first)
	c.refused(30*time.Minute, "acme", first)
	c.refused(90*time.Minute, "acme", first, second, third) // whichever stands first
	c.refused(90*time.Minute, "acme", second, first)
	c.now = c.now.Add(-30 * time.Minute)
	for range 51 { // once so far
		c.free("acme", many)
	}
	c.refused(time.Minute, "acme", many)
	c.free("acme")

	day := mfa.Limit{Name: "day", Most: 1, Per: 24 * time.Hour, Refusal: mfa.Budget}
	c.free("acme", day)
	if r, ok := errors.AsType[*mfa.Refused](c.quota.Take(t.Context(), "acme", day, second)); !ok || r.Reason != mfa.Budget || !r.Until.Equal(c.now.Add(24*time.Hour)) {
		t.Errorf("a limit with a reason of its own: %+v", r)
	}
	// A limit that is none is found out before another is counted in.
	c.free("birch", second)
	if err := c.quota.Take(t.Context(), "cedar", second, mfa.Limit{Name: "none", Per: time.Hour}); err == nil {
		t.Error("a limit of none is free")
	}
	c.free("cedar", second)
}

// What is used up between the look and the count is given back in the limits before it: by twenty at once, of whom three may
// pass, three are counted.
func TestQuotaGivesBackWhatOthersRefuse(t *testing.T) {
	for _, most := range []int{20, 60} {
		c := newQuota(t)
		own := mfa.Limit{Name: "own", Most: most, Per: time.Hour}
		shared := mfa.Limit{Name: "shared", Most: 3, Per: time.Hour}
		var free atomic.Int32
		together(t, 20, func() {
			if c.quota.Take(t.Context(), "acme", own, shared) == nil {
				free.Add(1)
			}
		})
		if free.Load() != 3 {
			t.Errorf("%d were free, want 3", free.Load())
		}
		for range most - 3 {
			c.free("acme", own)
		}
		c.used("acme", own)
	}
}

// together runs f n times at once.
func together(t *testing.T, n int, f func()) {
	t.Helper()
	var all sync.WaitGroup
	start := make(chan struct{})
	for range n {
		all.Go(func() { <-start; f() })
	}
	close(start)
	all.Wait()
}

// Where the second of two limits can't be counted, the first is as it was; where that can't be given back it is no refusal,
// which would be believed, but an error.
func TestQuotaGivesBackWhatFailed(t *testing.T) {
	own := mfa.Limit{Name: "own", Most: 2, Per: time.Hour}
	other := mfa.Limit{Name: "other", Most: 1, Per: time.Hour}
	c := newQuota(t)
	c.quota.Counters = &breaking{Table: c.store.Counters, failsAt: 2}
	if err := c.quota.Take(t.Context(), "acme", own, other); !errors.Is(err, errDisk) {
		t.Errorf("%v; want that of the disk", err)
	}
	c.quota.Counters = c.store.Counters
	c.free("acme", own)
	c.free("acme", own)
	c.used("acme", own)

	c = newQuota(t)
	c.quota.Counters = &breaking{Table: c.store.Counters, failsAt: 2, forGood: true}
	err := c.quota.Take(t.Context(), "acme", own, other)
	if _, refused := errors.AsType[*mfa.Refused](err); !errors.Is(err, errDisk) || refused {
		t.Errorf("%v; want that of the disk, and no refusal", err)
	}
}

// Takers at the same time, in two processes, can't pass a limit together.
func TestQuotaHoldsForParallelTakers(t *testing.T) {
	for _, l := range []mfa.Limit{
		{Name: "sliding", Most: 5, Per: time.Hour},
		{Name: "fixed", Most: 51, Per: time.Hour},
	} {
		c := newQuota(t)
		other := &credential.Quota{Counters: c.store.Counters, Now: c.quota.Now}
		takers := 4 * l.Most
		if l.Most > 50 {
			takers = l.Most + 20
		}
		var free, refused atomic.Int32
		errs := make(chan error)
		for i := range takers {
			go func() {
				err := []*credential.Quota{c.quota, other}[i%2].Take(t.Context(), "acme", l)
				if r, ok := errors.AsType[*mfa.Refused](err); ok && r.Reason == mfa.Often {
					refused.Add(1)
					err = nil
				} else if err == nil {
					free.Add(1)
				}
				errs <- err
			}()
		}
		for range takers {
			if err := <-errs; err != nil {
				t.Errorf("%s: %v", l.Name, err)
			}
		}
		if int(free.Load()) != l.Most || int(refused.Load()) != takers-l.Most {
			t.Errorf("%s: %d were free and %d refused, want %d and %d", l.Name, free.Load(), refused.Load(), l.Most, takers-l.Most)
		}
	}
}

// When nothing is counted any more, nothing is left on the disk.
func TestQuotaIsSweptWhenItIsOver(t *testing.T) {
	c := newQuota(t)
	c.now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	sliding := mfa.Limit{Name: "sms", Most: 2, Per: time.Hour}
	fixed := mfa.Limit{Name: "sms", Most: 100, Per: time.Hour}
	c.free("acme", sliding, fixed)
	c.now = c.now.Add(30 * time.Minute)
	c.free("acme", sliding, fixed)
	kept, err := c.store.Counters.List(t.Context(), storage.Query{Tenant: "acme"})
	if err != nil || len(kept) != 2 {
		t.Fatalf("%+v, %v; want 2", kept, err)
	}
	for _, k := range kept {
		if !strings.HasPrefix(k.ID, "quota/") {
			t.Errorf("a counter named %q", k.ID)
		}
	}
	for _, step := range []struct {
		after  time.Duration
		remove int
	}{{30 * time.Minute, 1}, {30*time.Minute - time.Millisecond, 0}, {time.Millisecond, 1}} {
		c.now = c.now.Add(step.after)
		if n, err := c.store.Sweep(t.Context()); err != nil || n != step.remove {
			t.Errorf("at %v: swept %d, %v; want %d", c.now, n, err, step.remove)
		}
	}
}

// What can't be counted is not refused as too often, and is not free either.
func TestQuotaThatCannotCount(t *testing.T) {
	good := mfa.Limit{Name: "sms", Most: 5, Per: time.Hour}
	for name, change := range map[string]func(c *counted, l *mfa.Limit) context.Context{
		"no name": func(c *counted, l *mfa.Limit) context.Context { l.Name = ""; return c.Context() },
		"none":    func(c *counted, l *mfa.Limit) context.Context { l.Most = 0; return c.Context() },
		"no time": func(c *counted, l *mfa.Limit) context.Context { l.Per = 0; return c.Context() },
		"gone":    func(c *counted, _ *mfa.Limit) context.Context { return cancelled(c.Context()) },
		"failing": func(c *counted, _ *mfa.Limit) context.Context {
			c.quota.Counters = failing{c.store.Counters}
			return c.Context()
		},
		"conflict": func(c *counted, _ *mfa.Limit) context.Context {
			c.quota.Counters = contended{c.store.Counters}
			return deadline(c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newQuota(t)
			l := good
			ctx := change(c, &l)
			err := c.quota.Take(ctx, "acme", l)
			if _, refused := errors.AsType[*mfa.Refused](err); err == nil || refused {
				t.Errorf("%v; want an error that is no refusal", err)
			}
		})
	}
	c := newQuota(t)
	if err := c.quota.Take(t.Context(), "", good); err == nil {
		t.Error("of no tenant: free")
	}
}

func cancelled(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

func deadline(c *counted) context.Context {
	ctx, cancel := context.WithTimeout(c.Context(), 50*time.Millisecond)
	c.Cleanup(cancel)
	return ctx
}

// failing counters can be read and not written, contended ones are always changed by somebody else first.
type (
	failing   struct{ storage.Table[storage.Counter] }
	contended struct{ storage.Table[storage.Counter] }
)

// breaking counters fail at a write, and from there on where it is for good.
type breaking struct {
	storage.Table[storage.Counter]
	failsAt int
	forGood bool
	writes  int
}

func (s *breaking) write(write func() error) error {
	if s.writes++; s.writes == s.failsAt || s.forGood && s.writes > s.failsAt {
		return errDisk
	}
	return write()
}

func (s *breaking) Insert(ctx context.Context, c *storage.Counter) error {
	return s.write(func() error { return s.Table.Insert(ctx, c) })
}

func (s *breaking) Replace(ctx context.Context, c *storage.Counter) error {
	return s.write(func() error { return s.Table.Replace(ctx, c) })
}

var errDisk = errors.New("disk full")

func (failing) Insert(context.Context, *storage.Counter) error  { return errDisk }
func (failing) Replace(context.Context, *storage.Counter) error { return errDisk }

func (contended) Insert(context.Context, *storage.Counter) error { return storage.ErrExists }
