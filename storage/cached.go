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
	// under are the reads that are under way.
	under map[[2]string]*reads
}

// reads are those of one record that began since it was last forgotten.
type reads struct {
	n int
	// old: it was forgotten meanwhile, so that what they find may be what was there before.
	old bool
}

type cached[T any] struct {
	value T
	until time.Time
}

// cacheSize bounds the memory; when it is reached, all is forgotten at once.
const cacheSize = 10_000

// Get is Table.Get. The record is shared with other callers: it is not to be changed.
func (c *Cached[T, P]) Get(ctx context.Context, tenant, id string) (T, error) {
	now := c.Now()
	c.mu.Lock()
	k, ok := c.kept[[2]string{tenant, id}]
	c.mu.Unlock()
	if ok && now.Before(k.until) {
		return k.value, nil
	}
	return c.Anew(ctx, tenant, id)
}

// Anew is Get past what is kept, and keeps what it read, unless Forget was called meanwhile.
func (c *Cached[T, P]) Anew(ctx context.Context, tenant, id string) (T, error) {
	key := [2]string{tenant, id}
	r := c.begin(key)
	v, err := c.Table.Get(ctx, tenant, id)
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.n--; r.n == 0 && !r.old {
		delete(c.under, key)
	}
	if err == nil && !r.old {
		c.keep(v)
	}
	return v, err
}

func (c *Cached[T, P]) begin(key [2]string) *reads {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.under[key]
	if r == nil {
		r = &reads{}
		if c.under == nil {
			c.under = map[[2]string]*reads{}
		}
		c.under[key] = r
	}
	r.n++
	return r
}

// Keep puts a record there that was read or written elsewhere.
func (c *Cached[T, P]) Keep(v T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(v)
}

func (c *Cached[T, P]) keep(v T) {
	key := P(&v).Record()
	until := c.Now().Add(c.Life)
	if !key.Expires.IsZero() && key.Expires.Before(until) {
		until = key.Expires
	}
	if c.kept == nil || len(c.kept) >= cacheSize {
		c.kept = map[[2]string]cached[T]{}
	}
	c.kept[[2]string{key.Tenant, key.ID}] = cached[T]{value: v, until: until}
}

// Forget has the next Get read the record again. What reads that are under way find is not kept.
func (c *Cached[T, P]) Forget(tenant, id string) {
	key := [2]string{tenant, id}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.kept, key)
	if r := c.under[key]; r != nil {
		r.old = true
		delete(c.under, key)
	}
}
