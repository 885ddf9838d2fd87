package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// importLife is how long a user whose import was broken off stays. Till all is there the user has an end, so that what a
// process leaves that died goes by itself.
const importLife = 10 * time.Minute

// Prepare normalises a new user of the tenant t and holds it against it: a user, or an import's, that Create or Import
// would refuse is refused. u.Password may hold the hash of another system. Whether the names are free is not asked.
// *FieldError, *HashError.
func (d *Local) Prepare(t *storage.Tenant, u *storage.User) error {
	fresh := *u
	if err := normalizeUser(&fresh); err != nil {
		return err
	}
	if err := fits(t, &fresh); err != nil {
		return err
	}
	if fresh.Password != "" {
		var err error
		if fresh.Password, err = CheckHash(fresh.Password); err != nil {
			return err
		}
	}
	*u = fresh
	return nil
}

// Import adds a user that Prepare was asked about and who has an ID. It does what Create does, with as few reads and
// writes as can be: with nothing but the user, and a claim for each name. Broken off at any moment it leaves a user whom nobody
// can sign in as and who is gone ten minutes later, or a whole one.
// *FieldError (with ErrTaken or ErrCrowded within), *PasswordError, ErrBusy. After an error there is no such user, or none for long.
func (d *Local) Import(ctx context.Context, u *storage.User, password string) error {
	fresh := *u
	if fresh.Created.IsZero() {
		fresh.Created = d.o.Now()
	}
	if password != "" {
		if err := d.hashNew(ctx, &fresh, password); err != nil {
			return err
		}
	}
	fresh.Expires = d.o.Now().Add(importLife)
	if err := d.store.Users.Insert(ctx, &fresh); err != nil {
		return fmt.Errorf("directory: import user: %w", err)
	}
	if err := d.claimNew(ctx, claimsOf(fresh)); err != nil {
		undo := context.WithoutCancel(ctx)
		return errors.Join(err, d.store.Users.Delete(undo, fresh.Tenant, fresh.ID))
	}
	if err := d.keep(ctx, &fresh); err != nil {
		return err
	}
	*u = fresh
	return nil
}

// keep takes the end off a user of an import. Once the names are claimed the user may sign in, and so be changed.
func (d *Local) keep(ctx context.Context, u *storage.User) error {
	u.Expires = time.Time{}
	err := d.store.Users.Replace(ctx, u)
	if errors.Is(err, storage.ErrConflict) {
		*u, err = storage.Change(ctx, d.store.Users, u.Tenant, u.ID, func(u *storage.User) error {
			u.Expires = time.Time{}
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("directory: import user: %w", err)
	}
	return nil
}

// Find returns the user of a tenant who answers to a name, which is normalised. storage.ErrNotFound. Unlike Lookup it is
// faster where there is none.
func (d *Local) Find(ctx context.Context, tenant, name string) (storage.User, error) {
	l, err := d.store.Logins.Get(ctx, storage.Global, name)
	if err != nil {
		return storage.User{}, fmt.Errorf("directory: find user: %w", err)
	}
	for _, who := range l.Users {
		if who.Tenant != tenant {
			continue
		}
		u, err := d.store.Users.Get(ctx, who.Tenant, who.User)
		if err != nil {
			return u, fmt.Errorf("directory: find user: %w", err)
		}
		if u.Email == name || u.Login == name {
			return u, nil
		}
	}
	return storage.User{}, fmt.Errorf("directory: find user: %w", storage.ErrNotFound)
}

// claimNew makes all claims or none, and expects that nobody else answers to the names.
func (d *Local) claimNew(ctx context.Context, claims []claim) error {
	for i, c := range claims {
		err := d.store.Logins.Insert(ctx, &storage.Login{
			Key: storage.Key{Tenant: storage.Global, ID: c.name}, Users: []storage.LoginUser{c.entry(time.Time{})},
		})
		if errors.Is(err, storage.ErrExists) {
			err = d.change(ctx, c, d.join)
		}
		if err != nil {
			return errors.Join(err, d.changeAll(context.WithoutCancel(ctx), claims[:i+1], leave))
		}
	}
	return nil
}

// Complete makes whole a user, as last read, whose import was broken off after the claims were made, and does nothing
// for others. *FieldError (with ErrTaken within).
func (d *Local) Complete(ctx context.Context, u *storage.User) error {
	if u.Expires.IsZero() {
		return nil
	}
	if err := d.claimAll(ctx, claimsOf(*u), d.join, leave); err != nil {
		return err
	}
	return d.keep(ctx, u)
}
