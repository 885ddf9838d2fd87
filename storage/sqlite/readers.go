package sqlite

import (
	"context"
	"errors"
	"sync"
)

var errClosed = errors.New("the store is closed")

// readers are the reading connections. The one used last is used next: its pages are warm.
type readers struct {
	free   chan struct{} // one for each idle connection
	closed chan struct{}
	once   sync.Once

	mu    sync.Mutex
	idle  []*conn
	count int
}

func newReaders(most int) *readers {
	return &readers{free: make(chan struct{}, most), closed: make(chan struct{})}
}

// add takes a new connection in; before the first take only.
func (r *readers) add(c *conn) {
	r.count++
	r.put(c)
}

func (r *readers) take(ctx context.Context) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case <-r.closed:
		return nil, errClosed
	default:
	}
	select {
	case <-r.free:
	default:
		select {
		case <-r.free:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-r.closed:
			return nil, errClosed
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.idle) - 1
	c := r.idle[last]
	r.idle = r.idle[:last]
	return c, nil
}

func (r *readers) put(c *conn) {
	r.mu.Lock()
	r.idle = append(r.idle, c)
	r.mu.Unlock()
	r.free <- struct{}{}
}

// close waits for each connection to come back and closes it.
func (r *readers) close() error {
	var errs []error
	r.once.Do(func() {
		close(r.closed)
		for range r.count {
			<-r.free
		}
		for _, c := range r.idle {
			errs = append(errs, c.close())
		}
	})
	return errors.Join(errs...)
}
