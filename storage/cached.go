package storage

import (
	"context"
	"sync"
	"time"
)

// Cached reads through a table and keeps what it read for a moment: for records that are read with every request and
// changed seldom. Records that are not there are not kept. It is safe for concurrent use.
type Cached[T any, P Row[T]] struct {
	Table Table[T]
	Now   func() time.Time
	// Life is how long a record is used without being read again, and so how late a change is noticed at most.
	Life time.Duration

	mu   sync.Mutex
	kept map[[2]string]cached[T]
}

type cached[T any] struct {
	value T
	until time.Time
}

// cacheSize bounds the memory; when it is reached, all is forgotten at once.
const cacheSize = 10_000

// Get is Table.Get. The record is shared with other callers: it is not to be changed.
func (c *Cached[T, P]) Get(ctx context.Context, tenant, id string) (T, error) {
	key := [2]string{tenant, id}
	now := c.Now()
	c.mu.Lock()
	k, ok := c.kept[key]
	c.mu.Unlock()
	if ok && now.Before(k.until) {
		return k.value, nil
	}
	v, err := c.Table.Get(ctx, tenant, id)
	if err != nil {
		return v, err
	}
	c.Keep(v)
	return v, nil
}

// Keep puts a record there that was read or written elsewhere.
func (c *Cached[T, P]) Keep(v T) {
	key := P(&v).Record()
	until := c.Now().Add(c.Life)
	if !key.Expires.IsZero() && key.Expires.Before(until) {
		until = key.Expires
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) >= cacheSize {
		c.kept = map[[2]string]cached[T]{}
	}
	c.kept[[2]string{key.Tenant, key.ID}] = cached[T]{value: v, until: until}
}

// Forget has the next Get read the record again.
func (c *Cached[T, P]) Forget(tenant, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.kept, [2]string{tenant, id})
}
