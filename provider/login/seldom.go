package login

import (
	"sync"
	"time"
)

// seldom bounds how often something is noted that strangers can cause as often as they like.
type seldom struct {
	mu   sync.Mutex
	last map[string]time.Time
}

const (
	// notedEvery is how often the same thing is noted.
	notedEvery = time.Minute
	// maxNoted bounds the memory, in keys; beyond it all are forgotten at once.
	maxNoted = 10_000
)

// first tells whether key was not noted within the last minute, and notes it.
func (s *seldom) first(key string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.last[key]; ok && now.Sub(last) < notedEvery {
		return false
	}
	if s.last == nil || len(s.last) >= maxNoted {
		s.last = map[string]time.Time{}
	}
	s.last[key] = now
	return true
}
