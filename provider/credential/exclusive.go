package credential

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

const (
	// leaseLife ends the hold of a process that died. It is longer than any change can take.
	leaseLife = time.Minute
	// leaseWait is how long a change waits for the one before it.
	leaseWait = 5 * time.Second
)

// Accept is asked in the middle of a change, when no other change of the same user's factors is under way: held are
// the user's credentials at that moment. It refuses with an error, and then nothing is changed; what it permits it puts
// into the audit log first.
type Accept func(held []storage.Credential) error

// change makes one change of a user's factors at a time, over all processes. What is allowed depends on what else
// there is (the last factor may not go, the first comes with codes, a password alone adds none beside another), so of
// two changes at once each must see what the other did.
func (k *Keeper) change(ctx context.Context, p Person, accept Accept, do func(held []storage.Credential) error) error {
	lease := storage.Counter{Key: storage.Key{Tenant: p.User.Tenant, ID: "factors/" + p.User.ID, Expires: k.Now().Add(leaseLife)}}
	if err := k.take(ctx, &lease); err != nil {
		return err
	}
	defer func() {
		// One that ran out meanwhile may be somebody else's by now. If this fails it runs out by itself.
		if !k.Now().Before(lease.Expires) {
			return
		}
		_ = k.Counters.Delete(context.WithoutCancel(ctx), lease.Tenant, lease.ID)
	}()
	held, err := k.List(ctx, p)
	if err != nil {
		return err
	}
	if accept != nil {
		if err := accept(held); err != nil {
			return err
		}
	}
	return do(held)
}

func (k *Keeper) take(ctx context.Context, lease *storage.Counter) error {
	ctx, cancel := context.WithTimeout(ctx, leaseWait)
	defer cancel()
	for {
		err := k.Counters.Insert(ctx, lease)
		if !errors.Is(err, storage.ErrExists) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another change of the same user's factors is under way: %w", web.ErrBusy)
		case <-time.After(5*time.Millisecond + rand.N(20*time.Millisecond)): //nolint:gosec // G404: it spreads out tries and guards nothing.
		}
	}
}
