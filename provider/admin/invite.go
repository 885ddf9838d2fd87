package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// Inviter mails invitations; rescue.Service does.
type Inviter interface {
	// MayInvite counts an invitation of a user, unless there were too many lately. *web.TooMany.
	MayInvite(ctx context.Context, p credential.Person) error
	// Invite mails a user whose User.Invited is set the link that leads to choosing a password; an older one ends. from is
	// who invites.
	Invite(ctx context.Context, by *web.Actor, p credential.Person, from string) error
}

// NewInvitation says who is to be invited.
type NewInvitation struct {
	// Email is where the invitation goes, and the address to sign in with.
	Email string `json:"email" required:"true"`
	// Name is the user's full name.
	Name string `json:"name"`
	// Role is what the user may administer: a member nothing, which is the default.
	Role storage.Role `json:"role" enum:"owner,admin,member"`
	// Type is one of the tenant's user types, its first by default.
	Type string `json:"type"`
	// Require2FA is the tick that this one user must use two-factor authentication.
	Require2FA bool `json:"require_2fa"`
}

// InviteUser makes a user without a password, and mails a link that leads to choosing one. *web.Invalid, *web.TooMany.
func (s *Service) InviteUser(ctx context.Context, by *web.Actor, tenant string, in NewInvitation) (User, error) {
	if in.Email == "" {
		if _, err := s.admit(ctx, by, tenant, helping); err != nil {
			return User{}, err
		}
		return User{}, invalidAs("email", "missing", "it is empty", "give the address that the invitation is to be mailed to")
	}
	t, u, err := s.fresh(ctx, by, tenant, NewUser{Email: in.Email, Name: in.Name, Role: in.Role, Type: in.Type, Require2FA: in.Require2FA})
	if err != nil {
		return User{}, err
	}
	u.Invited, u.ByInvitation = s.Now(), true
	p := credential.Person{Tenant: &t, User: &u}
	if err := s.Inviter.MayInvite(ctx, p); err != nil {
		return User{}, err
	}
	err = s.audited(ctx, aboutUser(by, &u, "user.invite"), func() error {
		return s.explain(&t, s.Directory.Create(ctx, &u, ""))
	})
	if err != nil {
		return User{}, err
	}
	return viewUser(&u), s.Inviter.Invite(ctx, by, p, invites(by, &t))
}

// invites is who an invitation says that it comes from.
func invites(by *web.Actor, t *storage.Tenant) string {
	if by.User == nil || by.User.Name == "" {
		return t.Name
	}
	return fmt.Sprintf("%s (%s)", by.User.Name, t.Name)
}

// SendInvitation mails an invitation to a user who is there: for the first time to one who has no password, brought in from a
// file perhaps, or again, and then the link before stops working. *web.Invalid, *web.TooMany.
func (s *Service) SendInvitation(ctx context.Context, by *web.Actor, tenant, user string) (User, error) {
	var v User
	// In turn with whoever changes the address: the link that is mailed last is the one that works.
	err := s.oneAtATime(ctx, by, tenant, func(by *web.Actor) error {
		p, err := s.helped(ctx, by, tenant, user)
		if err == nil {
			err = s.canInvite(p.User)
		}
		if err == nil {
			err = s.Inviter.MayInvite(ctx, p)
		}
		if err != nil {
			return err
		}
		e := aboutUser(by, p.User, "user.invite")
		if !p.User.Invited.IsZero() {
			e.Reason = invitedAgain
		}
		v, err = s.change(ctx, p, e, func(u *storage.User) error {
			if err := s.canInvite(u); err != nil {
				return err
			}
			u.Invited = s.Now()
			p.User = u
			return nil
		})
		if err != nil {
			return err
		}
		return s.Inviter.Invite(ctx, by, p, invites(by, p.Tenant))
	})
	return v, err
}

// invitedAgain is what the audit log says of an invitation that is not a user's first.
const invitedAgain = "again"

// canInvite tells why there is nothing that an invitation could give to a user.
func (s *Service) canInvite(u *storage.User) error {
	switch {
	case s.Foreign && u.Invited.IsZero():
		return invalidAs("user", "foreign", "another directory keeps the user's password", "have it set there")
	case u.Password != "":
		return invalidAs("user", "password", "the user has a password, and with it a way in", "if it is forgotten, “Forgot your password?” mails a link")
	case u.Email == "":
		return invalidAs("user", "no_email", "the user has no e-mail address", "give the user one first")
	case u.Out():
		return invalidAs("user", "out", "the user is kept out", "give the access back first")
	}
	return nil
}

// WantsPassword tells whether a user has no password, and is not about to choose one.
func (s *Service) WantsPassword(u *User) bool {
	return !s.Foreign && !u.HasPassword && u.Invited.IsZero()
}

// made tells whether the invitation that is open made the user, who has nothing yet: withdrawn, it leaves nobody behind.
func made(u *storage.User) bool { return u.ByInvitation && !u.Invited.IsZero() && u.Password == "" }

// WithdrawInvitation ends an open invitation. A user whom it made, and who has never signed in, is removed; one who was there
// before stays, without a password as before. *web.Invalid.
func (s *Service) WithdrawInvitation(ctx context.Context, by *web.Actor, tenant, user string) (u User, removed bool, _ error) {
	p, err := s.invited(ctx, by, tenant, user)
	if err != nil {
		return User{}, false, err
	}
	// Not while the user takes it up: what is removed here must have had nothing.
	end, err := storage.Lease{Counters: s.Store.Counters, Now: s.Now}.Take(ctx, tenant, storage.LinkID(storage.LinkInvitation, p.User.ID))
	if errors.Is(err, storage.ErrExists) {
		return User{}, false, web.ErrBusy
	}
	if err != nil {
		return User{}, false, web.Unavailable("turn", err)
	}
	defer end()
	if p, err = s.invited(ctx, by, tenant, p.User.ID); err != nil {
		return User{}, false, err
	}
	e := aboutUser(by, p.User, "user.invitation_withdrawn")
	if made(p.User) {
		return viewUser(p.User), true, s.audited(ctx, e, func() error { return s.remove(ctx, p) })
	}
	u, err = s.change(ctx, p, e, func(u *storage.User) error {
		u.Invited, u.ByInvitation = time.Time{}, false
		return nil
	})
	if err != nil {
		return User{}, false, err
	}
	err = s.Store.Links.Delete(ctx, tenant, storage.LinkID(storage.LinkInvitation, p.User.ID))
	if errors.Is(err, storage.ErrNotFound) {
		err = nil // it was ended before, with the access
	}
	return u, false, web.Unavailable("link", err)
}

// invited reads a user whose invitation is open and whom the actor may manage.
func (s *Service) invited(ctx context.Context, by *web.Actor, tenant, user string) (credential.Person, error) {
	p, err := s.managed(ctx, by, tenant, user)
	if err == nil && p.User.Invited.IsZero() {
		err = web.Missing(Invitation, web.Account(p.User), "the user has taken it up, or was not invited by mail")
	}
	return p, err
}

// Invitation is where it is said that a user has no open invitation.
const Invitation = "invitation of user"

// InvitationExpired tells whether the link of the user's invitation has stopped working.
func (u User) InvitationExpired(now time.Time) bool {
	return !u.Invited.IsZero() && !now.Before(u.InvitationExpires)
}
