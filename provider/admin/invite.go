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
	u.Invited = s.Now()
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

// InviteAgain mails a new link to a user whose invitation is open; the one before stops working. *web.Invalid,
// *web.TooMany.
func (s *Service) InviteAgain(ctx context.Context, by *web.Actor, tenant, user string) (User, error) {
	p, err := s.invited(ctx, by, tenant, user)
	if err != nil {
		return User{}, err
	}
	if p.User.Out() {
		return User{}, invalidAs("user", "out", "the user is kept out", "give the access back first")
	}
	if err := s.Inviter.MayInvite(ctx, p); err != nil {
		return User{}, err
	}
	e := aboutUser(by, p.User, "user.invite")
	e.Reason = "again"
	err = s.audited(ctx, e, func() error {
		u, err := storage.Change(ctx, s.Store.Users, tenant, p.User.ID, func(u *storage.User) error {
			if u.Invited.IsZero() {
				return notInvited(u)
			}
			u.Invited = s.Now()
			return nil
		})
		p.User = &u
		return web.Unavailable("user", err)
	})
	if err != nil {
		return User{}, err
	}
	return viewUser(p.User), s.Inviter.Invite(ctx, by, p, invites(by, p.Tenant))
}

// WithdrawInvitation ends an open invitation and removes the user, who has never signed in. *web.Invalid.
func (s *Service) WithdrawInvitation(ctx context.Context, by *web.Actor, tenant, user string) (User, error) {
	p, err := s.invited(ctx, by, tenant, user)
	if err != nil {
		return User{}, err
	}
	// Not while the user takes it up: what is removed here must have had nothing.
	end, err := storage.Lease{Counters: s.Store.Counters, Now: s.Now}.Take(ctx, tenant, storage.LinkID(storage.LinkInvitation, p.User.ID))
	if errors.Is(err, storage.ErrExists) {
		return User{}, web.ErrBusy
	}
	if err != nil {
		return User{}, web.Unavailable("turn", err)
	}
	defer end()
	if p, err = s.invited(ctx, by, tenant, p.User.ID); err != nil {
		return User{}, err
	}
	err = s.audited(ctx, aboutUser(by, p.User, "user.invitation_withdrawn"), func() error { return s.remove(ctx, p) })
	return viewUser(p.User), err
}

// invited reads a user whose invitation is open and whom the actor may manage.
func (s *Service) invited(ctx context.Context, by *web.Actor, tenant, user string) (credential.Person, error) {
	p, err := s.managed(ctx, by, tenant, user)
	if err == nil && p.User.Invited.IsZero() {
		err = notInvited(p.User)
	}
	return p, err
}

// Invitation is where it is said that a user has no open invitation.
const Invitation = "invitation of user"

func notInvited(u *storage.User) error {
	return web.Missing(Invitation, web.Account(u), "the user has taken it up, or was not invited by mail")
}

// InvitationExpired tells whether the link of the user's invitation has stopped working.
func (u User) InvitationExpired(now time.Time) bool {
	return !u.Invited.IsZero() && !now.Before(u.InvitationExpires)
}
