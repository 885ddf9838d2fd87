package credential

import (
	"context"
	"errors"
	"fmt"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Accept is asked in the middle of a change, when no other change of the same user's factors is under way: held are
// the user's credentials at that moment. It refuses with an error, and then nothing is changed; what it permits it puts
// into the audit log first.
type Accept func(held []storage.Credential) error

// change makes one change of a user's factors at a time, over all processes. What is allowed depends on what else
// there is (the last factor may not go, the first comes with codes, a password alone adds none beside another), so of
// two changes at once each must see what the other did.
func (k *Keeper) change(ctx context.Context, p Person, accept Accept, do func(held []storage.Credential) error) error {
	end, err := storage.Lease{Counters: k.Counters, Now: k.Now}.Take(ctx, p.User.Tenant, "factors/"+p.User.ID)
	if errors.Is(err, storage.ErrExists) {
		return fmt.Errorf("another change of the same user's factors is under way: %w", web.ErrBusy)
	}
	if err != nil {
		return err
	}
	defer end()
	held, err := k.List(ctx, p)
	if err != nil {
		return err
	}
	if accept != nil {
		if err := accept(held); err != nil {
			return err
		}
	}
	err = do(held)
	// Also after an error: it may have come halfway.
	k.bringUpToDate(ctx, p)
	return err
}
