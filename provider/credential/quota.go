package credential

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/storage"
)

// Quota is the mfa.Quota that counts in the store, and so over all processes.
//
// A limit of up to 50 uses slides: in no stretch of time as long as Per are there more. A higher one starts anew at
// every multiple of Per since 1970 (a day's at midnight UTC), so that its record stays small; around that moment up to
// twice as many can pass. Uses are counted by name and Per, so one name can have a limit an hour and another a day.
type Quota struct {
	Counters storage.Table[storage.Counter]
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

var _ mfa.Quota = (*Quota)(nil)

// slidingMost is the highest limit for which the time of every use is kept.
const slidingMost = 50

// Take implements mfa.Quota. There is nothing in storage that changes several records at once. So the limits are looked at
// before any is counted in, and where somebody else uses one up in that moment, what was counted in the others until then
// is given back: for as long as that takes, others may be refused who need not be, and never may too many pass.
func (q *Quota) Take(ctx context.Context, tenant string, limits ...mfa.Limit) error {
	now := q.now()
	var uses []use
	for _, l := range limits {
		u, err := useOf(tenant, l, now)
		if err != nil {
			return err
		}
		uses = append(uses, u)
	}
	switch refused, err := q.full(ctx, uses); {
	case err != nil:
		return err
	case refused != nil:
		return refused
	}
	for i, u := range uses {
		if err := q.take(ctx, u); err != nil {
			return q.undo(ctx, uses, i, err)
		}
	}
	return nil
}

// undo gives back what was counted before the use number n was refused, or could not be counted, and says why it was.
func (q *Quota) undo(ctx context.Context, uses []use, n int, why error) error {
	// Whoever asked may be gone; what is not given back keeps others waiting.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackTime)
	defer cancel()
	for _, u := range uses[:n] {
		if err := q.giveBack(ctx, u); err != nil {
			return fmt.Errorf("%w, after: %v", err, why) //nolint:errorlint // It is no refusal any more: some uses are lost.
		}
	}
	refused, ok := errors.AsType[*mfa.Refused](why)
	if !ok {
		return why
	}
	// Others may be used up too by now, and for longer.
	all, err := q.full(ctx, uses)
	if err != nil {
		return err
	}
	return later(refused, all)
}

// giveBackTime bounds how long it may take to give back what was counted.
const giveBackTime = 5 * time.Second

// use is one use that is to be counted.
type use struct {
	limit mfa.Limit
	// tenant and id name the counter.
	tenant, id string
	at         time.Time
	// count counts it, or tells when the next one is free; uncount is its reverse.
	count   func(*storage.Counter, mfa.Limit, time.Time) time.Time
	uncount func(*storage.Counter, time.Time)
}

func useOf(tenant string, l mfa.Limit, now time.Time) (use, error) {
	if l.Name == "" || l.Most < 1 || l.Per < time.Millisecond {
		return use{}, fmt.Errorf("credential: quota %q: %d uses in %v is no limit", l.Name, l.Most, l.Per)
	}
	u := use{limit: l, tenant: tenant, at: now, count: slide, uncount: unslide}
	if l.Everywhere {
		u.tenant = storage.Global
	}
	// The part of the ID before the name is ours, so that no name can be another's with something behind it.
	per, window := l.Per.Milliseconds(), ""
	if l.Most > slidingMost {
		window = fmt.Sprintf(".%d", now.UnixMilli()/per)
		u.count, u.uncount = fixed, unfixed
	}
	u.id = fmt.Sprintf("quota/%d%s/%s", per, window, l.Name)
	return u, nil
}

// refusal says until when a use is refused.
func (u use) refusal(until time.Time) *mfa.Refused {
	return &mfa.Refused{Reason: cmp.Or(u.limit.Refusal, mfa.Often), Until: until}
}

// full looks at all limits, and counts in none. It returns the refusal that holds the longest; nil where there is none.
func (q *Quota) full(ctx context.Context, uses []use) (refused *mfa.Refused, err error) {
	for _, u := range uses {
		c, err := q.Counters.Get(ctx, u.tenant, u.id)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, fmt.Errorf("credential: quota %q: %w", u.limit.Name, err)
		}
		if until := u.count(&c, u.limit, u.at); !until.IsZero() {
			refused = later(refused, u.refusal(until))
		}
	}
	return refused, nil
}

// later is the refusal that holds longer; either may be nil.
func later(a, b *mfa.Refused) *mfa.Refused {
	if a == nil || b != nil && b.Until.After(a.Until) {
		return b
	}
	return a
}

// take counts a use before it is made; Put starts over where somebody else was first, so that each of those who count at
// once sees those before it.
func (q *Quota) take(ctx context.Context, u use) error {
	_, err := storage.Put(ctx, q.Counters, u.tenant, u.id, func(c *storage.Counter) error {
		if until := u.count(c, u.limit, u.at); !until.IsZero() {
			return u.refusal(until)
		}
		return nil
	})
	if refused, ok := errors.AsType[*mfa.Refused](err); ok {
		return refused
	}
	if err != nil {
		return fmt.Errorf("credential: quota %q: %w", u.limit.Name, err)
	}
	return nil
}

// giveBack takes back that a use was counted. A counter that is gone has forgotten it already.
func (q *Quota) giveBack(ctx context.Context, u use) error {
	_, err := storage.Change(ctx, q.Counters, u.tenant, u.id, func(c *storage.Counter) error {
		u.uncount(c, u.at)
		return nil
	})
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("credential: quota %q is not given back: %w", u.limit.Name, err)
	}
	return nil
}

// slide counts a use in the stretch of time that ends now, or tells when the next one is free.
func slide(c *storage.Counter, l mfa.Limit, now time.Time) (until time.Time) {
	c.Times = slices.DeleteFunc(c.Times, func(t time.Time) bool { return !t.After(now.Add(-l.Per)) })
	if n := len(c.Times); n >= l.Most {
		return c.Times[n-l.Most].Add(l.Per)
	}
	c.Times = append(c.Times, now)
	// The clock of another process may be ahead.
	slices.SortFunc(c.Times, time.Time.Compare)
	c.Expires = c.Times[len(c.Times)-1].Add(l.Per)
	return time.Time{}
}

// unslide takes one use of that moment back. Databases keep times no finer than to the millisecond.
func unslide(c *storage.Counter, at time.Time) {
	i := slices.IndexFunc(c.Times, func(t time.Time) bool { return t.UnixMilli() == at.UnixMilli() })
	if i >= 0 {
		c.Times = slices.Delete(c.Times, i, i+1)
	}
}

// fixed counts a use in the window that now is in, or tells when that ends.
func fixed(c *storage.Counter, l mfa.Limit, now time.Time) (until time.Time) {
	per := l.Per.Milliseconds()
	end := time.UnixMilli((now.UnixMilli()/per + 1) * per).UTC()
	if c.Count >= l.Most {
		return end
	}
	c.Count++
	c.Expires = end
	return time.Time{}
}

// unfixed takes one use back, in the window that it was counted in.
func unfixed(c *storage.Counter, _ time.Time) { c.Count = max(0, c.Count-1) }

func (q *Quota) now() time.Time {
	if q.Now == nil {
		return time.Now()
	}
	return q.Now()
}
