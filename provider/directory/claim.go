package directory

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// maxPerLogin is in how many tenants a name can be somebody's: one record holds them all.
const maxPerLogin = 100

// claim is a user's right to answer to a name.
type claim struct {
	// field is "email" or "login".
	field, name string
	who         storage.LoginUser
}

func claimsOf(u storage.User) []claim {
	who := storage.LoginUser{Tenant: u.Tenant, User: u.ID}
	var claims []claim
	if u.Email != "" {
		claims = append(claims, claim{"email", u.Email, who})
	}
	if u.Login != "" {
		claims = append(claims, claim{"login", u.Login, who})
	}
	return claims
}

func holds(claims []claim, c claim) bool {
	return slices.ContainsFunc(claims, func(h claim) bool { return h.name == c.name })
}

// claimAll makes all claims or none.
func (d *Local) claimAll(ctx context.Context, claims []claim) error {
	for i, c := range claims {
		if err := d.change(ctx, c, d.join); err != nil {
			// This one too: after an error of the store it may have been made.
			return errors.Join(err, d.releaseAll(context.WithoutCancel(ctx), claims[:i+1]))
		}
	}
	return nil
}

func (d *Local) releaseAll(ctx context.Context, claims []claim) error {
	var failed []error
	for _, c := range claims {
		failed = append(failed, d.change(ctx, c, leave))
	}
	return errors.Join(failed...)
}

// free tells why a claim could not be made just now.
func (d *Local) free(ctx context.Context, c claim) error {
	l, err := d.store.Logins.Get(ctx, storage.Global, c.name)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("directory: claim %s: %w", c.field, err)
	}
	_, err = d.join(ctx, l.Users, c)
	return err
}

// join adds a claim to those who answer to its name.
func (d *Local) join(ctx context.Context, users []storage.LoginUser, c claim) ([]storage.LoginUser, error) {
	i := slices.IndexFunc(users, func(o storage.LoginUser) bool { return o.Tenant == c.who.Tenant })
	if i < 0 {
		if len(users) >= maxPerLogin {
			return nil, &FieldError{c.field, Crowded}
		}
		return append(slices.Clone(users), c.who), nil
	}
	if users[i] == c.who {
		return users, nil
	}
	switch _, err := d.store.Users.Get(ctx, users[i].Tenant, users[i].User); {
	case err == nil:
		return nil, &FieldError{c.field, Taken}
	case !errors.Is(err, storage.ErrNotFound):
		return nil, fmt.Errorf("directory: claim %s: %w", c.field, err)
	}
	// What a process left that died while it removed the user.
	users = slices.Clone(users)
	users[i] = c.who
	return users, nil
}

// leave takes a claim back, if it is there.
func leave(_ context.Context, users []storage.LoginUser, c claim) ([]storage.LoginUser, error) {
	return slices.DeleteFunc(slices.Clone(users), func(o storage.LoginUser) bool { return o == c.who }), nil
}

// claimTries bounds how often a name that others are claiming too is read again.
const claimTries = 100

// change changes who answers to a name by compare-and-swap. A record that nobody stands in any more expires, instead of
// being deleted: a delete would take along a claim that was made since it was read.
func (d *Local) change(ctx context.Context, c claim,
	to func(context.Context, []storage.LoginUser, claim) ([]storage.LoginUser, error),
) error {
	var err error
	for try := range claimTries {
		if err = d.changeOnce(ctx, c, to); !errors.Is(err, storage.ErrConflict) && !errors.Is(err, storage.ErrExists) {
			break
		}
		if err := pause(ctx, try); err != nil {
			return fmt.Errorf("directory: claim %s: %w", c.field, err)
		}
	}
	var refused *FieldError
	if err == nil || errors.As(err, &refused) {
		return err
	}
	return fmt.Errorf("directory: claim %s: %w", c.field, err)
}

func (d *Local) changeOnce(ctx context.Context, c claim,
	to func(context.Context, []storage.LoginUser, claim) ([]storage.LoginUser, error),
) error {
	l, err := d.store.Logins.Get(ctx, storage.Global, c.name)
	missing := errors.Is(err, storage.ErrNotFound)
	if err != nil && !missing {
		return err
	}
	users, err := to(ctx, l.Users, c)
	if err != nil || slices.Equal(users, l.Users) {
		return err
	}
	l.Users, l.Expires = users, time.Time{}
	if missing {
		l.Key = storage.Key{Tenant: storage.Global, ID: c.name}
		return d.store.Logins.Insert(ctx, &l)
	}
	if len(users) == 0 {
		l.Expires = d.o.Now()
	}
	return d.store.Logins.Replace(ctx, &l)
}

// pause keeps those who claim one name from meeting again and again.
func pause(ctx context.Context, try int) error {
	t := time.NewTimer(rand.N(min(time.Duration(try+1)*time.Millisecond, 20*time.Millisecond))) //nolint:gosec // G404: nothing hangs on how long it waits.
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
