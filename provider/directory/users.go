package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sallyport-id/sallyport/storage"
)

// Create adds a user to the tenant u.Tenant, with a password unless it is "". It normalises u's e-mail address, user
// name and name, fills ID and Created where they are empty, and claims the names; u is as in storage after it. A hash
// that an import put into u.Password stays if password is "".
// *FieldError (with ErrTaken or ErrCrowded within), *PasswordError, ErrBusy; storage.ErrNotFound if there is no such
// tenant. After an error there is no such user.
func (d *Local) Create(ctx context.Context, u *storage.User, password string) error {
	fresh := *u
	if err := d.validate(ctx, &fresh); err != nil {
		return err
	}
	if fresh.ID == "" {
		fresh.ID = storage.NewID()
	}
	if fresh.Created.IsZero() {
		fresh.Created = d.o.Now()
	}
	// Asked before the hash is computed, to save it, and settled only by the claim.
	for _, c := range claimsOf(fresh) {
		if err := d.free(ctx, c); err != nil {
			return err
		}
	}
	if password != "" {
		if err := d.hashNew(ctx, &fresh, password); err != nil {
			return err
		}
	}
	// The user goes first: a claim whose user is not there is then known to be a leftover, and can be taken over.
	if err := d.store.Users.Insert(ctx, &fresh); err != nil {
		return fmt.Errorf("directory: create user: %w", err)
	}
	if err := d.claimAll(ctx, claimsOf(fresh), d.join, leave); err != nil {
		undo := context.WithoutCancel(ctx)
		return errors.Join(err, d.store.Users.Delete(undo, fresh.Tenant, fresh.ID))
	}
	*u = fresh
	return nil
}

// Rename changes a user's display name. *FieldError, storage.ErrConflict.
func (d *Local) Rename(ctx context.Context, u *storage.User, name string) error {
	fresh := *u
	var err error
	if fresh.Name, err = NormalizeName(name); err != nil {
		return err
	}
	if err := d.store.Users.Replace(ctx, &fresh); err != nil {
		return fmt.Errorf("directory: rename: %w", err)
	}
	*u = fresh
	return nil
}

// ChangeLogin changes what a user, as last read, answers to; a new e-mail address is not verified yet.
// *FieldError (with ErrTaken or ErrCrowded within), storage.ErrConflict: the user answers to what it did. After any
// other error it may answer to either, and is to be read again.
func (d *Local) ChangeLogin(ctx context.Context, u *storage.User, email, login string) error {
	fresh := *u
	fresh.Email, fresh.Login = email, login
	if err := normalizeUser(&fresh); err != nil {
		return err
	}
	if fresh.Email != u.Email {
		fresh.EmailVerified = false
	}
	return d.move(ctx, u, fresh)
}

// ChangeEmail gives a user, as last read, another e-mail address, which is known to be the user's. Its errors are those of
// ChangeLogin.
func (d *Local) ChangeEmail(ctx context.Context, u *storage.User, email string) error {
	fresh := *u
	var err error
	if fresh.Email, err = NormalizeEmail(email); err != nil {
		return err
	}
	fresh.EmailVerified = true
	return d.move(ctx, u, fresh)
}

// move writes fresh over u, and moves the claims along. The user has the names of before or the new ones in one write, and
// answers to them at every moment: the new claims come before that write, and the old ones go after it. Broken off at any
// point it leaves claims that let nobody in, and that the next who wants the name takes over.
func (d *Local) move(ctx context.Context, u *storage.User, fresh storage.User) error {
	was := *u
	old, now := claimsOf(was), claimsOf(fresh)
	added := slices.DeleteFunc(slices.Clone(now), func(c claim) bool { return holds(old, c) })
	gone := slices.DeleteFunc(old, func(c claim) bool { return holds(now, c) })
	undo := context.WithoutCancel(ctx)
	// An intention that is too old can be taken over: it must be carried out before.
	ctx, cancel := context.WithTimeout(ctx, intention/2)
	defer cancel()
	if err := d.claimAll(ctx, added, d.intend, d.quit); err != nil {
		return err
	}
	if err := d.store.Users.Replace(ctx, &fresh); err != nil {
		return errors.Join(fmt.Errorf("directory: change login: %w", err), d.changeAll(undo, added, d.quit))
	}
	// It may have been taken over all the same, by somebody whose clock is ahead.
	if err := d.changeAll(undo, added, d.join); err != nil {
		var taken *FieldError
		if !errors.As(err, &taken) {
			return err
		}
		back := fresh
		back.Email, back.Login, back.EmailVerified = was.Email, was.Login, was.EmailVerified
		return errors.Join(err, d.store.Users.Replace(undo, &back), d.changeAll(undo, added, d.quit))
	}
	*u = fresh
	return d.changeAll(undo, gone, d.quit)
}

// Delete removes a user and frees its names. storage.ErrNotFound. After any other error it is to be called again.
func (d *Local) Delete(ctx context.Context, tenant, id string) error {
	u, err := d.store.Users.Get(ctx, tenant, id)
	if err != nil {
		return fmt.Errorf("directory: delete user: %w", err)
	}
	// The names go first, so that none is left of a user whose deletion was broken off and can't be asked for again.
	if err := d.changeAll(ctx, claimsOf(u), leave); err != nil {
		return err
	}
	if err := d.store.Users.Delete(ctx, tenant, id); err != nil {
		return fmt.Errorf("directory: delete user: %w", err)
	}
	return nil
}

// validate normalises a new user and holds it against its tenant.
func (d *Local) validate(ctx context.Context, u *storage.User) error {
	if err := normalizeUser(u); err != nil {
		return err
	}
	t, err := d.store.Tenants.Get(ctx, storage.Global, u.Tenant)
	if err != nil {
		return fmt.Errorf("directory: create user: tenant: %w", err)
	}
	return fits(&t, u)
}

// fits holds a user's role and type against the tenant.
func fits(t *storage.Tenant, u *storage.User) error {
	if !slices.Contains([]storage.Role{storage.Owner, storage.Admin, storage.Member}, u.Role) {
		return &FieldError{"role", Unknown}
	}
	if !slices.Contains(t.UserTypes, u.Type) && (u.Type != "" || len(t.UserTypes) > 0) {
		return &FieldError{"type", Unknown}
	}
	return nil
}

func normalizeUser(u *storage.User) (err error) {
	if u.Email == "" && u.Login == "" {
		return &FieldError{"email", Missing}
	}
	if u.Email != "" {
		if u.Email, err = NormalizeEmail(u.Email); err != nil {
			return err
		}
	}
	if u.Login != "" {
		if u.Login, err = normalizeLogin(u.Login); err != nil {
			return err
		}
	}
	u.Name, err = NormalizeName(u.Name)
	return err
}
