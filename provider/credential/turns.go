package credential

import (
	"context"
	"sync"
)

// Turns lets the requests of one sign-in, or of one session that sets a factor up, in one after the other. A second click
// sends the same code again while the first is being checked, and the browser shows what comes of the second: without its
// turn that would be "already used", on the way to a sign-in that succeeds. What is spent is still spent in the database:
// this is for manners, within one process. Its zero value is ready to use.
type Turns struct {
	mu sync.Mutex
	of map[string]*turn
}

type turn struct {
	free chan struct{}
	// users are those who have the turn or wait for it.
	users int
}

// Take waits for one's turn with id, and returns what ends it. It fails with ctx's error.
func (t *Turns) Take(ctx context.Context, id string) (end func(), err error) {
	t.mu.Lock()
	if t.of == nil {
		t.of = map[string]*turn{}
	}
	mine := t.of[id]
	if mine == nil {
		mine = &turn{free: make(chan struct{}, 1)}
		t.of[id] = mine
	}
	mine.users++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if mine.users--; mine.users == 0 {
			delete(t.of, id)
		}
	}
	select {
	case mine.free <- struct{}{}:
		return func() { <-mine.free; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
