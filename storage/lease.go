package storage

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Lease lets one at a time do something, over all processes: whoever inserts its counter has the turn.
type Lease struct {
	Counters Table[Counter]
	Now      func() time.Time
}

const (
	// leaseLife ends the hold of a process that died. What is done in one's turn takes less.
	leaseLife = time.Minute
	leaseWait = 5 * time.Second
)

// Take waits for the turn of that name, and returns what ends it. ErrExists where others had it for five seconds.
func (l Lease) Take(ctx context.Context, tenant, id string) (end func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, leaseWait)
	defer cancel()
	for {
		held := Counter{Key: Key{Tenant: tenant, ID: id, Expires: l.Now().Add(leaseLife)}}
		err := l.Counters.Insert(waiting, &held)
		if err == nil {
			return func() {
				// One that ran out meanwhile may be somebody else's by now. If this fails it runs out by itself.
				if l.Now().Before(held.Expires) {
					_ = l.Counters.Delete(context.WithoutCancel(ctx), tenant, id)
				}
			}, nil
		}
		if !errors.Is(err, ErrExists) && (waiting.Err() == nil || ctx.Err() != nil) {
			return nil, err
		}
		select {
		case <-waiting.Done():
			return nil, ErrExists
		case <-time.After(5*time.Millisecond + rand.N(20*time.Millisecond)): //nolint:gosec // G404: it spreads out tries and guards nothing.
		}
	}
}
