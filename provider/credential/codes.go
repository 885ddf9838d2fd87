package credential

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/storage"
)

// NewCodes makes a new set of the factor that is handed out by itself: the backup codes. The old set stops at once.
// There are none where the deployment has no such factor.
func (k *Keeper) NewCodes(ctx context.Context, p Person, accept Accept) (codes []string, err error) {
	err = k.change(ctx, p, accept, func(held []storage.Credential) error {
		codes, err = k.newCodes(ctx, p, held)
		return err
	})
	return codes, err
}

func (k *Keeper) newCodes(ctx context.Context, p Person, held []storage.Credential) ([]string, error) {
	i := slices.IndexFunc(k.Factors, func(f mfa.Factor) bool { return f.Info().Enrolment == mfa.Automatic })
	if i < 0 {
		return nil, nil
	}
	codes, _, err := k.make(ctx, p, k.Factors[i], held)
	return codes, err
}

// make makes a set of codes that nobody needs to confirm, in place of the one before.
func (k *Keeper) make(ctx context.Context, p Person, f mfa.Factor, held []storage.Credential) ([]string, storage.Credential, error) {
	ch, err := f.Enroll(ctx, k.user(p, nil), "")
	if err != nil {
		return nil, storage.Credential{}, fmt.Errorf("set-up of %s: %w", f.Info().ID, err)
	}
	got, err := f.Confirm(ctx, k.user(p, nil), ch, "")
	if err != nil {
		return nil, storage.Credential{}, fmt.Errorf("set-up of %s: %w", f.Info().ID, err)
	}
	c, err := k.insert(ctx, p, f, got, storage.NewID())
	if err != nil {
		return nil, c, err
	}
	return ch.Prompt.Codes, c, k.deleteOthers(ctx, held, c)
}

// SealCodes keeps codes for the moment until their owner has saved them; OpenCodes shows them again till then.
func (k *Keeper) SealCodes(ctx context.Context, p Person, codes []string) ([]byte, error) {
	if len(codes) == 0 {
		return nil, nil
	}
	return k.sealJSON(ctx, p, sealCodes, codes)
}

// OpenCodes is the way back from SealCodes.
func (k *Keeper) OpenCodes(ctx context.Context, p Person, sealed []byte) ([]string, error) {
	if len(sealed) == 0 {
		return nil, ErrNothingPending
	}
	var codes []string
	err := k.openJSON(ctx, p, sealCodes, sealed, &codes)
	return codes, err
}

// owners is the factor that owners hand out: the recovery code.
func (k *Keeper) owners() (mfa.Factor, error) {
	for _, f := range k.Factors {
		if f.Info().Enrolment == mfa.ByOwner {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%w: owners have none to hand out", ErrUnknownFactor)
}

// HandOut makes the code that an owner gives to a user; the one before stops at once. It returns when it expires.
func (k *Keeper) HandOut(ctx context.Context, p Person, accept Accept) (code string, until time.Time, err error) {
	f, err := k.owners()
	if err != nil {
		return "", time.Time{}, err
	}
	err = k.change(ctx, p, accept, func(held []storage.Credential) error {
		codes, c, err := k.make(ctx, p, f, held)
		if err != nil {
			return err
		}
		if len(codes) != 1 || c.Expires.IsZero() {
			return fmt.Errorf("factor %s made %d codes, want one that expires", f.Info().ID, len(codes))
		}
		code, until = codes[0], c.Expires
		return nil
	})
	return code, until, err
}

// HandedOut finds the code that waits to be used; storage.ErrNotFound where there is none.
func (k *Keeper) HandedOut(held []storage.Credential) (storage.Credential, error) {
	for _, c := range held {
		if f, err := k.Factor(c.Factor); err == nil && f.Info().Enrolment == mfa.ByOwner && c.Left > 0 {
			return c, nil
		}
	}
	return storage.Credential{}, storage.ErrNotFound
}

// TakeBack revokes the code that HandOut made. storage.ErrNotFound where none waits.
func (k *Keeper) TakeBack(ctx context.Context, p Person, accept Accept) error {
	return k.change(ctx, p, accept, func(held []storage.Credential) error {
		c, err := k.HandedOut(held)
		if err != nil {
			return err
		}
		return k.Credentials.Delete(ctx, c.Tenant, c.ID)
	})
}
