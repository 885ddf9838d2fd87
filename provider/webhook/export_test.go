package webhook

// ReadAtMost lowers how many places of the queue are read at a time.
func (s *Service) ReadAtMost(n int) { s.lookAt = n }

// Roused tells whether Run would look into the queue at once, and takes that back.
func (s *Service) Roused() bool {
	select {
	case <-s.wake:
		return true
	default:
		return false
	}
}
