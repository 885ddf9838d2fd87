package admin

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

const (
	// manyUsers is from how many on it is too much work to count them for each page that shows how many there are: an index
	// is read in milliseconds for some thousand users, and in a second for a million.
	manyUsers = 5000
	// countLife is how old the numbers of such a tenant may be. Among so many nobody sees the difference.
	countLife = time.Minute
)

// counts keeps what was counted in large tenants. It is safe for concurrent use.
type counts struct {
	mu sync.Mutex
	of map[string]counted
}

type counted struct {
	types map[string]storage.TypeTally
	until time.Time
}

// recall returns what was counted of all types of a tenant, if that is not too old.
func (c *counts) recall(t *storage.Tenant, now time.Time) (map[string]storage.TypeTally, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept, ok := c.of[t.ID]
	if !ok || !now.Before(kept.until) {
		return nil, false
	}
	for _, id := range t.UserTypes {
		if _, ok := kept.types[id]; !ok {
			return nil, false
		}
	}
	return kept.types, true
}

// keep keeps what was counted, where it was much, and forgets what is too old.
func (c *counts) keep(tenant string, types map[string]storage.TypeTally, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.of, func(_ string, k counted) bool { return !now.Before(k.until) })
	all := 0
	for _, n := range types {
		all += n.Users
	}
	if all < manyUsers {
		return
	}
	if c.of == nil {
		c.of = map[string]counted{}
	}
	c.of[tenant] = counted{types: types, until: now.Add(countLife)}
}

// countedUsers is countUsers with numbers that may be a minute old where there are many.
func (s *Service) countedUsers(ctx context.Context, t *storage.Tenant) (map[string]storage.TypeTally, error) {
	if kept, ok := s.counts.recall(t, s.Now()); ok {
		return kept, nil
	}
	types, err := s.countUsers(ctx, t)
	if err == nil {
		s.counts.keep(t.ID, types, s.Now())
	}
	return types, err
}
