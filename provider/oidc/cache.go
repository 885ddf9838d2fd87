package oidc

import (
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// cached reads through a table, for what hardly changes and is needed at every request.
func cached[T any, P storage.Row[T]](table storage.Table[T], now func() time.Time, life time.Duration) *storage.Cached[T, P] {
	return &storage.Cached[T, P]{Table: table, Now: now, Life: life}
}

// maxNoted bounds the memory that seldom takes, in keys.
const maxNoted = 10_000

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
	if s.last == nil || len(s.last) >= maxNoted {
		s.last = map[string]time.Time{}
	}
	s.last[key] = now
	return true
}
