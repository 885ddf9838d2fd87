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
	field, name  string
	tenant, user string
}

// is tells whether the claim is what stands in a record of the name.
func (c claim) is(o storage.LoginUser) bool { return o.Tenant == c.tenant && o.User == c.user }

// entry is what stands in the record of the name: since a time for a user who does not have the name yet.
func (c claim) entry(since time.Time) storage.LoginUser {
	return storage.LoginUser{Tenant: c.tenant, User: c.user, Since: since}
}

func claimsOf(u storage.User) []claim {
	var claims []claim
	if u.Email != "" {
		claims = append(claims, claim{"email", u.Email, u.Tenant, u.ID})
	}
	if u.Login != "" {
		claims = append(claims, claim{"login", u.Login, u.Tenant, u.ID})
	}
	return claims
}

func holds(claims []claim, c claim) bool {
	return slices.ContainsFunc(claims, func(h claim) bool { return h.name == c.name })
}

// claimAll makes all claims or none: to is join or intend, and undo takes back what it made.
func (d *Local) claimAll(ctx context.Context, claims []claim, to, undo step) error {
	for i, c := range claims {
		if err := d.change(ctx, c, to); err != nil {
			// This one too: after an error of the store it may have been made.
			return errors.Join(err, d.changeAll(context.WithoutCancel(ctx), claims[:i+1], undo))
		}
	}
	return nil
}

// changeAll takes a step with each of the claims, whatever becomes of the others.
func (d *Local) changeAll(ctx context.Context, claims []claim, to step) error {
	var failed []error
	for _, c := range claims {
		failed = append(failed, d.change(ctx, c, to))
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

// step is one change of who answers to a name.
type step func(ctx context.Context, users []storage.LoginUser, c claim) ([]storage.LoginUser, error)

// join adds the claim of a user who has the name already to those who answer to it.
func (d *Local) join(ctx context.Context, users []storage.LoginUser, c claim) ([]storage.LoginUser, error) {
	return d.put(ctx, users, c, c.entry(time.Time{}))
}

// intend adds the claim of a user who is about to have the name. While it is young nobody takes it over. It is written
// anew where one is left of an earlier change, so that whoever is about to take that over finds the record changed.
func (d *Local) intend(ctx context.Context, users []storage.LoginUser, c claim) ([]storage.LoginUser, error) {
	return d.put(ctx, users, c, c.entry(d.o.Now()))
}

func (d *Local) put(ctx context.Context, users []storage.LoginUser, c claim, entry storage.LoginUser) ([]storage.LoginUser, error) {
	i := slices.IndexFunc(users, func(o storage.LoginUser) bool { return o.Tenant == c.tenant })
	if i < 0 {
		if len(users) >= maxPerLogin {
			return nil, &FieldError{c.field, Crowded}
		}
		return append(slices.Clone(users), entry), nil
	}
	if !c.is(users[i]) {
		if left, err := d.leftover(ctx, users[i], c.name); err != nil {
			return nil, fmt.Errorf("directory: claim %s: %w", c.field, err)
		} else if !left {
			return nil, &FieldError{c.field, Taken}
		}
	}
	users = slices.Clone(users)
	users[i] = entry
	return users, nil
}

// intention is how long a change of name may take. A process that has not ended one by then has died.
const intention = time.Minute

// leftover tells whether an entry was left by a process that died: while it removed the user, before it gave the user
// the name, or after it gave the user another.
func (d *Local) leftover(ctx context.Context, o storage.LoginUser, name string) (bool, error) {
	u, err := d.store.Users.Get(ctx, o.Tenant, o.User)
	if errors.Is(err, storage.ErrNotFound) {
		return true, nil
	}
	if err != nil || u.Email == name || u.Login == name {
		return false, err
	}
	return d.o.Now().Sub(o.Since) > intention, nil
}

// leave takes a claim back, if it is there.
func leave(_ context.Context, users []storage.LoginUser, c claim) ([]storage.LoginUser, error) {
	return slices.DeleteFunc(slices.Clone(users), c.is), nil
}

// quit takes back the claim of a name that the user had or was about to have, unless the user has it by now: by another
// change, which was first or came after.
func (d *Local) quit(ctx context.Context, users []storage.LoginUser, c claim) ([]storage.LoginUser, error) {
	u, err := d.store.Users.Get(ctx, c.tenant, c.user)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	if err == nil && (u.Email == c.name || u.Login == c.name) {
		return users, nil
	}
	return leave(ctx, users, c)
}

// claimTries bounds how often a name that others are claiming too is read again.
const claimTries = 100

// change changes who answers to a name by compare-and-swap. A record that nobody stands in any more expires, instead of
// being deleted: a delete would take along a claim that was made since it was read.
func (d *Local) change(ctx context.Context, c claim, to step) error {
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

func (d *Local) changeOnce(ctx context.Context, c claim, to step) error {
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
