package audit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// Found is a page of what was found, the newest first, and how far it was looked.
type Found struct {
	Events []storage.Event `json:"events"`
	// Next is the Filter's After for going on; empty if all was looked through. There may be a Next where Events are few or
	// none: so much was looked through without finding more.
	Next string `json:"next,omitempty"`
	// Searched is how many entries were looked at, of the user's only if the filter names one. Until is the time of the last
	// of them, so how far back it was looked; zero if there was none. "Searched 5,000 entries, back to 3 May; go on" is what
	// a page says where there is a Next.
	Searched int       `json:"searched"`
	Until    time.Time `json:"until,omitzero"`
}

const (
	// searchMost is how many entries one call of Find looks at: some tens of milliseconds.
	searchMost = 5000
	// searchPage is how many are read at a time where not all of them will match.
	searchPage = 500
	// skew is by how much an entry may be older than one before it, because processes wrote them whose clocks differ, or
	// because it waited for its turn. A process whose clock is further off than half of that also refuses the codes of
	// authenticator apps, so it is noticed.
	skew = 2 * time.Minute
)

// errEnough ends the reading.
var errEnough = errors.New("audit: enough was read")

// Find returns entries of a tenant ("" means storage.Global) that meet the filter, the newest first. It looks at a bounded
// number of entries, so it may have to be called again with Found.Next where the filter is met seldom; entries that come
// meanwhile change nothing about the older pages. Entries of a past time are found without reading those since, which
// presumes that entries are in the order of their times but for a minute or two: of those that were written while a clock
// was further off, some may not be found when From or Until is given. *FilterError, or the store's.
func (l *Log) Find(ctx context.Context, tenant string, f Filter) (Found, error) {
	tenant = tenantOf(tenant)
	found := Found{Events: []storage.Event{}}
	m, err := f.matcher()
	if err != nil {
		return found, err
	}
	within, err := l.span(ctx, tenant, f)
	if err != nil {
		return found, fmt.Errorf("audit: find: %w", err)
	}
	limit := f.Limit
	if limit <= 0 {
		limit = DefaultLimit
	}
	limit = min(limit, MaxLimit)
	q := within.query(tenant, f.User)
	q.Desc, q.After, q.Limit = true, within.high, searchPage
	if f.After != "" && (q.After == "" || f.After < q.After) {
		q.After = f.After
	}
	if m.bare() {
		// One more tells whether there is a next page.
		q.Limit = limit + 1
	}
	last := ""
	err = storage.Each(ctx, l.events, q, func(e *storage.Event) error {
		switch {
		case e.ID < within.low:
			return errEnough
		case len(found.Events) == limit || found.Searched == searchMost:
			found.Next = last
			return errEnough
		}
		last = e.ID
		found.Searched++
		found.Until = e.Time
		if m.match(e) {
			found.Events = append(found.Events, *e)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return found, fmt.Errorf("audit: find: %w", err)
	}
	return found, nil
}

// span is a part of a chain: IDs from low on and before high, as far as these are not empty.
type span struct{ low, high string }

func (s span) query(tenant, user string) storage.Query {
	q := storage.Query{Tenant: tenant}
	if user != "" {
		q.Field, q.Value = "user", user
	}
	return q
}

// span finds the part of the chain that holds all entries of the filter's time, and few others.
func (l *Log) span(ctx context.Context, tenant string, f Filter) (s span, _ error) {
	if !f.From.IsZero() {
		n, err := l.seek(ctx, tenant, f.From.Add(-skew))
		if err != nil {
			return s, err
		}
		s.low = place(n)
	}
	if !f.Until.IsZero() {
		n, err := l.seek(ctx, tenant, f.Until.Add(skew))
		if err != nil {
			return s, err
		}
		s.high = place(n)
	}
	return s, nil
}

// seek finds a place in the chain at which time t is reached: the entry before it, if there is one, is older than t, and
// its own is not. It reads about as many entries as the chain's length has binary digits.
//
// If times are in order but for skew, then all entries before that place are older than t+skew, and none from it on is older
// than t-skew.
func (l *Log) seek(ctx context.Context, tenant string, t time.Time) (uint64, error) {
	newest, err := l.events.List(ctx, storage.Query{Tenant: tenant, Desc: true, Limit: 1})
	if err != nil || len(newest) == 0 {
		return 1, err
	}
	low, high := uint64(1), uint64(math.MaxUint64)
	if n, err := number(newest[0].ID); err == nil && n < math.MaxUint64 {
		high = n + 1
	}
	for low < high {
		middle := low + (high-low)/2
		// Where the beginning was removed, the first that is left stands for all before it.
		at, err := l.events.List(ctx, storage.Query{Tenant: tenant, After: place(middle - 1), Limit: 1})
		if err != nil {
			return 0, err
		}
		if len(at) == 0 || !at[0].Time.Before(t) {
			high = middle
			continue
		}
		low = middle + 1
		if n, err := number(at[0].ID); err == nil && n >= low && n < high {
			low = n + 1
		}
	}
	return low, nil
}
