package oidc

import (
	"context"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// maxCached bounds the memory that a cache takes, in records.
const maxCached = 10_000

// cache keeps for a few seconds what hardly changes and is needed at every request. Records that are not there are
// not remembered: names that strangers make up would push out the others.
type cache[T any] struct {
	table storage.Table[T]
	now   func() time.Time
	life  time.Duration

	mu      sync.Mutex
	records map[storage.Key]cached[T]
}

type cached[T any] struct {
	record T
	until  time.Time
}

func newCache[T any](table storage.Table[T], now func() time.Time, life time.Duration) *cache[T] {
	return &cache[T]{table: table, now: now, life: life, records: map[storage.Key]cached[T]{}}
}

// get returns the record, which is shared: callers do not change what it points to.
func (c *cache[T]) get(ctx context.Context, tenant, id string) (T, error) {
	key := storage.Key{Tenant: tenant, ID: id}
	c.mu.Lock()
	held, ok := c.records[key]
	c.mu.Unlock()
	if ok && c.now().Before(held.until) {
		return held.record, nil
	}
	record, err := c.table.Get(ctx, tenant, id)
	if err != nil {
		c.mu.Lock()
		delete(c.records, key)
		c.mu.Unlock()
		return record, err
	}
	c.put(tenant, id, record)
	return record, nil
}

func (c *cache[T]) put(tenant, id string, record T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := storage.Key{Tenant: tenant, ID: id}
	if _, ok := c.records[key]; !ok && len(c.records) >= maxCached {
		for victim := range c.records {
			delete(c.records, victim)
			break
		}
	}
	c.records[key] = cached[T]{record, c.now().Add(c.life)}
}

// seldom bounds how often something is noted that strangers can cause as often as they like.
type seldom struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// first tells whether key was not noted within the time before now, and notes it.
func (s *seldom) first(key string, now time.Time, within time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.last[key]; ok && now.Sub(last) < within {
		return false
	}
	if s.last == nil || len(s.last) >= maxCached {
		s.last = map[string]time.Time{}
	}
	s.last[key] = now
	return true
}
