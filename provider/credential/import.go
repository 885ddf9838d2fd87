package credential

import (
	"context"
	"fmt"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/storage"
)

// CanImport tells whether from would do for Import. *mfa.Refused, ErrUnknownFactor.
func (k *Keeper) CanImport(ctx context.Context, p Person, factor, from string) error {
	_, _, err := k.read(ctx, p, factor, from)
	return err
}

// Import stores a credential that was brought along from another system, once accept agrees. No codes come with it:
// there is nobody to show them to. *mfa.Refused, ErrUnknownFactor.
func (k *Keeper) Import(ctx context.Context, p Person, factor, from string, accept Accept) (storage.Credential, error) {
	f, got, err := k.read(ctx, p, factor, from)
	if err != nil {
		return storage.Credential{}, err
	}
	var c storage.Credential
	err = k.change(ctx, p, accept, func([]storage.Credential) error {
		c, err = k.insert(ctx, p, f, got, storage.NewID())
		return err
	})
	return c, err
}

// ImportNew is Import for a user whom nobody can sign in as yet, and who so has nothing that could change meanwhile.
func (k *Keeper) ImportNew(ctx context.Context, p Person, factor, from string) (storage.Credential, error) {
	f, got, err := k.read(ctx, p, factor, from)
	if err != nil {
		return storage.Credential{}, err
	}
	return k.insert(ctx, p, f, got, storage.NewID())
}

func (k *Keeper) read(ctx context.Context, p Person, factor, from string) (mfa.Factor, mfa.Credential, error) {
	f, err := k.Factor(factor)
	if err != nil {
		return nil, mfa.Credential{}, err
	}
	i, ok := f.(mfa.Importer)
	if !ok {
		return nil, mfa.Credential{}, fmt.Errorf("%w: %q can't be brought along", ErrUnknownFactor, factor)
	}
	got, err := i.Import(ctx, k.user(p, nil), from)
	if err != nil {
		return nil, mfa.Credential{}, fmt.Errorf("import of %s: %w", factor, err)
	}
	return f, got, nil
}
