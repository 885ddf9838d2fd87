package credential

import (
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

// Take implements mfa.Quota. Uses that were counted stay counted where a later limit refuses.
func (q *Quota) Take(ctx context.Context, tenant string, limits ...mfa.Limit) error {
	for _, l := range limits {
		if err := q.take(ctx, tenant, l); err != nil {
			return err
		}
	}
	return nil
}

func (q *Quota) take(ctx context.Context, tenant string, l mfa.Limit) error {
	if l.Name == "" || l.Most < 1 || l.Per < time.Millisecond {
		return fmt.Errorf("credential: quota %q: %d uses in %v is no limit", l.Name, l.Most, l.Per)
	}
	if l.Everywhere {
		tenant = storage.Global
	}
	// The part of the ID before the name is ours, so that no name can be another's with something behind it.
	per, window := l.Per.Milliseconds(), ""
	now := q.now()
	count := slide
	if l.Most > slidingMost {
		window = fmt.Sprintf(".%d", now.UnixMilli()/per)
		count = fixed
	}
	// The use is counted before it is made; Put starts over where somebody else was first, so that each of those who
	// count at once sees those before it.
	_, err := storage.Put(ctx, q.Counters, tenant, fmt.Sprintf("quota/%d%s/%s", per, window, l.Name), func(c *storage.Counter) error {
		if until := count(c, l, now); !until.IsZero() {
			return &mfa.Refused{Reason: mfa.Often, Until: until}
		}
		return nil
	})
	if refused, ok := errors.AsType[*mfa.Refused](err); ok {
		return refused
	}
	if err != nil {
		return fmt.Errorf("credential: quota %q: %w", l.Name, err)
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

func (q *Quota) now() time.Time {
	if q.Now == nil {
		return time.Now()
	}
	return q.Now()
}
