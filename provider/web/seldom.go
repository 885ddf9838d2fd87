package web

import (
	"sync"
	"time"
)

// Seldom bounds how often something is noted that strangers can cause as often as they like. Its zero value is ready to use.
type Seldom struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// maxNoted bounds the memory, in keys; beyond it all are forgotten at once.
const maxNoted = 10_000

// First tells whether key was not noted within the time before now, and notes it.
func (s *Seldom) First(key string, now time.Time, within time.Duration) bool {
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
