package credential

import (
	"context"
	"errors"
	"slices"

	"github.com/sallyport-id/sallyport/storage"
)

// Remove takes one credential away. With the last one that is a second step by itself the others go too: backup codes
// without a factor would be a lone password's equal.
func (k *Keeper) Remove(ctx context.Context, p Person, id string, accept Accept) error {
	return k.change(ctx, p, accept, func(held []storage.Credential) error {
		i := slices.IndexFunc(held, func(c storage.Credential) bool { return c.ID == id })
		if i < 0 {
			return storage.ErrNotFound
		}
		left := slices.Delete(slices.Clone(held), i, i+1)
		if len(k.Primary(left)) == 0 {
			return k.deleteAll(ctx, held)
		}
		return k.delete(ctx, held[i])
	})
}

// RemoveAll takes all credentials away: the second step is off.
func (k *Keeper) RemoveAll(ctx context.Context, p Person, accept Accept) error {
	return k.change(ctx, p, accept, func(held []storage.Credential) error { return k.deleteAll(ctx, held) })
}

// deleteAll begins with the stand-ins: one that was left behind would be no second step by itself.
func (k *Keeper) deleteAll(ctx context.Context, held []storage.Credential) error {
	primary := k.Primary(held)
	for _, c := range held {
		if !slices.ContainsFunc(primary, func(p storage.Credential) bool { return p.ID == c.ID }) {
			if err := k.delete(ctx, c); err != nil {
				return err
			}
		}
	}
	for _, c := range primary {
		if err := k.delete(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// deleteOthers takes away the older credentials of the same factor.
func (k *Keeper) deleteOthers(ctx context.Context, all []storage.Credential, keep storage.Credential) error {
	for _, c := range all {
		if c.Factor == keep.Factor && c.ID != keep.ID {
			if err := k.delete(ctx, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *Keeper) delete(ctx context.Context, c storage.Credential) error {
	err := k.Credentials.Delete(ctx, c.Tenant, c.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}
