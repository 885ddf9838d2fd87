package admin

import (
	"context"
	"errors"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Addresses does what hangs on users' e-mail addresses; rescue.Service does.
type Addresses interface {
	// Moved ends what was mailed to a user whose address somebody else, called name, has changed, but for an invitation that
	// is open; and tells the address of before, if it was known to be the user's, and the new one. was is the user of before.
	Moved(ctx context.Context, by *web.Actor, p credential.Person, was *storage.User, name string) error
}

// newEmail is the address that an actor wants a user to have, in the directory's form; empty if that is the present one.
// Owners change the addresses of others: it is what they sign in with, and where a way back in is mailed to. One's own is
// changed where both mailboxes are asked. *web.Invalid.
func (s *Service) newEmail(ctx context.Context, by *web.Actor, p credential.Person, address string) (string, error) {
	switch {
	case roleOf(by) != storage.Owner:
		return "", web.ErrForbidden
	case himself(by, p):
		return "", invalidAs("email", "own", "it is your own", "change it on your own “Details” page, which asks both addresses")
	case s.Foreign:
		return "", invalidAs("email", "foreign", "another directory keeps the user's address", "change it there")
	}
	// Whoever gets an owner's invitation at an address of his own is that owner.
	if err := mayEmpower(by, p.User.Role); err != nil {
		return "", err
	}
	to, err := directory.NormalizeEmail(address)
	if err != nil {
		return "", s.explain(p.Tenant, err)
	}
	if to == p.User.Email {
		return "", nil
	}
	found, err := s.Directory.Lookup(ctx, p.User.Tenant, to)
	if err != nil {
		return "", web.Unavailable("directory", err)
	}
	for i := range found {
		if found[i].ID != p.User.ID {
			return "", taken("email", p.Tenant)
		}
	}
	return to, nil
}

// follows tells whether a user's invitation goes to the user's new address.
func follows(u *storage.User) bool { return !u.Invited.IsZero() && !u.Out() }

// move changes a user and, in the same write, the e-mail address, which nobody has confirmed then. It returns the user of
// before, too.
func (s *Service) move(ctx context.Context, p credential.Person, email string, apply func(*storage.User) error) (was, now storage.User, _ error) {
	err := storage.Retry(func() (err error) {
		// Somebody may sign in at the same moment.
		if was, err = s.Store.Users.Get(ctx, p.User.Tenant, p.User.ID); err != nil {
			return web.Unavailable("user", err)
		}
		now = was
		if err := apply(&now); err != nil {
			return err
		}
		if follows(&now) {
			now.Invited = s.Now()
		}
		err = s.Directory.ChangeLogin(ctx, &now, email, now.Login)
		var refused *directory.FieldError
		if errors.As(err, &refused) {
			return s.explain(p.Tenant, err)
		}
		return web.Unavailable("address", err)
	})
	return was, now, err
}

// moved does what follows a change of address.
func (s *Service) moved(ctx context.Context, by *web.Actor, p credential.Person, was *storage.User) error {
	if err := s.Addresses.Moved(ctx, by, p, was, nameOf(by)); err != nil || !follows(p.User) {
		return err
	}
	e := aboutUser(by, p.User, "user.invite")
	e.Reason = invitedAgain
	return s.audited(ctx, e, func() error { return s.Inviter.Invite(ctx, by, p, invites(by, p.Tenant)) })
}
