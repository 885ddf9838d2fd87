package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync"

	sqlite3lib "modernc.org/sqlite/lib"
)

// writer puts writes through the one writing connection and groups those that wait for each other into one
// transaction, so that they share one fsync. It has no goroutine: the first caller of an idle writer leads, writes
// for all who are in the queue when it begins, and hands the lead to the next in the queue when it is done. A single
// sign-in thus pays for no switch between goroutines.
type writer struct {
	c                       *conn
	begin, commit, rollback *query
	stuck                   error // the leader's: why nothing more can be written

	mu     sync.Mutex
	queue  []*write
	busy   bool // somebody leads
	closed bool
	idle   chan struct{} // closed when closed and no longer busy
}

// batchMost bounds a transaction, so that the first of a long queue need not wait for the last.
const batchMost = 256

// write is one statement, a second one for where the first changes nothing, and, later, what came of them. Each
// states all that must hold for it, so that it does not matter what happened between the two.
type write struct {
	query         *query
	args          []driver.NamedValue
	otherwise     *query
	otherwiseArgs []driver.NamedValue
	// series are instead of all that several, done in their order up to the first that changes nothing.
	series []*write

	changed int64
	err     error

	// ready, for one that waits, gets a value when the write is done or its turn to lead has come, as lead tells.
	ready chan struct{}
	lead  bool
}

func newWriter(c *conn, begin, commit, rollback *query) *writer {
	return &writer{c: c, begin: begin, commit: commit, rollback: rollback, idle: make(chan struct{})}
}

// do runs one write, in a transaction, and returns when it is durable. With an error nothing was changed, except
// where the disk failed in the middle of a commit; then that is not known.
func (w *writer) do(ctx context.Context, j *write) (changed int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	w.mu.Lock()
	switch {
	case w.closed:
		w.mu.Unlock()
		return 0, errClosed
	case w.busy:
		j.ready = make(chan struct{}, 1)
		w.queue = append(w.queue, j)
		w.mu.Unlock()
		return w.wait(ctx, j)
	}
	w.busy = true
	w.mu.Unlock()
	w.alone(j)
	w.handOver()
	return j.changed, j.err
}

// wait sits in the queue until somebody else has done j, or its turn has come to lead.
func (w *writer) wait(ctx context.Context, j *write) (changed int64, err error) {
	select {
	case <-j.ready:
	case <-ctx.Done():
		if w.withdraw(j) {
			return 0, ctx.Err()
		}
		<-j.ready
	}
	if !j.lead {
		return j.changed, j.err
	}
	w.mu.Lock()
	batch := w.queue[:min(len(w.queue), batchMost)]
	w.queue = w.queue[len(batch):]
	w.mu.Unlock()
	w.run(batch)
	for _, b := range batch {
		if b != j {
			b.ready <- struct{}{}
		}
	}
	w.handOver()
	return j.changed, j.err
}

// withdraw takes a write out of the queue whose caller has gone, unless it was begun or is to lead others.
func (w *writer) withdraw(j *write) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, queued := range w.queue {
		if queued == j && !j.lead {
			w.queue = append(w.queue[:i:i], w.queue[i+1:]...)
			return true
		}
	}
	return false
}

func (w *writer) handOver() {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case len(w.queue) > 0:
		w.queue[0].lead = true
		w.queue[0].ready <- struct{}{}
	default:
		w.queue = nil
		w.busy = false
		if w.closed {
			close(w.idle)
		}
	}
}

// run does the batch. Where a statement fails in the company of others, the whole is undone and each is done by
// itself, so that a failing write does not take its neighbours along. Savepoints would do the same at two more
// statements a write; what can fail here (a disk, a full disk) is rare, and "changed nothing" is no failure.
func (w *writer) run(batch []*write) {
	if len(batch) > 1 {
		retry, err := w.together(batch)
		if err == nil {
			return
		}
		if !retry {
			for _, j := range batch {
				j.changed, j.err = 0, err
			}
			return
		}
	}
	for _, j := range batch {
		w.alone(j)
	}
}

// write runs the statements of j in whatever transaction there is.
func (c *conn) write(j *write) {
	if j.series != nil {
		j.changed, j.err = 0, nil
		for _, one := range j.series {
			if c.write(one); one.err != nil || one.changed == 0 {
				j.err = one.err
				return
			}
			j.changed += one.changed
		}
		return
	}
	j.changed, j.err = c.run(j.query, j.args)
	if j.err == nil && j.changed == 0 && j.otherwise != nil {
		j.changed, j.err = c.run(j.otherwise, j.otherwiseArgs)
	}
}

// alone does one write in a transaction of its own, the one SQLite puts around a lone statement.
func (w *writer) alone(j *write) {
	switch {
	case w.stuck != nil:
		j.err = w.stuck
	case j.series != nil:
		w.wrapped(j)
	default:
		w.c.write(j)
	}
}

// wrapped puts a transaction around a series: one fsync, and all or nothing where the disk fails.
func (w *writer) wrapped(j *write) {
	if _, j.err = w.c.run(w.begin, nil); j.err != nil {
		return
	}
	if w.c.write(j); j.err != nil {
		w.undo()
		return
	}
	if _, j.err = w.c.run(w.commit, nil); j.err != nil {
		w.undo()
	}
}

// together does the batch in one transaction. After an error, retry tells whether each may be tried by itself: not
// when the commit failed, for then the cause is the disk's and not one write's.
func (w *writer) together(batch []*write) (retry bool, err error) {
	if w.stuck != nil {
		return false, w.stuck
	}
	if _, err := w.c.run(w.begin, nil); err != nil {
		return false, err
	}
	for _, j := range batch {
		if w.c.write(j); j.err != nil {
			err := j.err
			return w.undo(), err
		}
	}
	if _, err := w.c.run(w.commit, nil); err != nil {
		w.undo()
		return false, err
	}
	return false, nil
}

// undo rolls back and tells whether the connection is fit for the next write. SQLite rolls some failures back by
// itself (a full disk) and then answers SQLITE_ERROR, "no transaction is active", which is what was wanted. After
// any other answer a transaction may still be open, and a write in it would be called durable when it is not.
func (w *writer) undo() bool {
	_, err := w.c.run(w.rollback, nil)
	if err != nil && codeOf(err) != sqlite3lib.SQLITE_ERROR {
		w.stuck = fmt.Errorf("a transaction could not be rolled back, restart to go on: %w", err)
	}
	return w.stuck == nil
}

// close waits for the writes that are under way or in the queue.
func (w *writer) close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	if !w.busy {
		close(w.idle)
	}
	w.mu.Unlock()
	<-w.idle
	return w.c.close()
}
