package admin

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// UserFields are what can be changed of a user; what is nil stays as it is.
type UserFields struct {
	// Email is the address to sign in with. A new one counts as not confirmed; links that were mailed before stop working, an
	// open invitation is sent there anew, and both addresses are told. Owners change it, and nobody his own.
	Email *string `json:"email"`
	// Name is the user's full name.
	Name *string `json:"name"`
	// Role is what the user may administer. Nobody changes his own.
	Role *storage.Role `json:"role" enum:"owner,admin,member"`
	// Type is one of the tenant's user types.
	Type *string `json:"type"`
	// Require2FA is the tick that this one user must use two-factor authentication.
	Require2FA *bool `json:"require_2fa"`
}

// ChangeUser changes what in names, all of it or nothing (000-2, 000-3). *web.Invalid, *web.TooMany.
func (s *Service) ChangeUser(ctx context.Context, by *web.Actor, tenant, user string, in UserFields) (User, error) {
	if in.Name != nil {
		name, err := line("name", *in.Name, maxUserName)
		if err != nil {
			return User{}, err
		}
		in.Name = &name
	}
	var v User
	err := s.oneAtATime(ctx, by, tenant, func(by *web.Actor) error {
		p, err := s.managed(ctx, by, tenant, user)
		if err != nil {
			return err
		}
		if in.Role != nil {
			if err := mayGive(by, p, *in.Role); err != nil {
				return err
			}
			if *in.Role != storage.Owner {
				if err := s.notTheLast(ctx, by, p); err != nil {
					return err
				}
			}
		}
		email := ""
		if in.Email != nil {
			if email, err = s.newEmail(ctx, by, p, *in.Email); err != nil {
				return err
			}
		}
		v, err = s.changeUser(ctx, by, p, in, email)
		return err
	})
	return v, err
}

// mayGive tells whether an actor can give a user a role.
func mayGive(by *web.Actor, p credential.Person, role storage.Role) error {
	if err := checkRole(role); err != nil {
		return err
	}
	if role == p.User.Role {
		return nil
	}
	if !slices.Contains(rolesOf(by, p), role) {
		return web.ErrForbidden
	}
	return mayEmpower(by, role)
}

// changeUser changes a user, and the address unless email is empty.
func (s *Service) changeUser(ctx context.Context, by *web.Actor, p credential.Person, in UserFields, email string) (User, error) {
	was := *p.User
	apply := func(u *storage.User) error {
		if u.Role != was.Role {
			return web.ErrBusy // somebody who takes no turns was faster
		}
		// Whether an invitation goes to the new address was decided, and told, by whether one was open.
		if email != "" && u.Invited.IsZero() != was.Invited.IsZero() {
			return web.ErrBusy
		}
		set(&u.Name, in.Name)
		set(&u.Role, in.Role)
		set(&u.Type, in.Type)
		set(&u.Require2FA, in.Require2FA)
		return checkType(p.Tenant, u.Type)
	}
	trial := was
	if err := apply(&trial); err != nil {
		return User{}, err
	}
	if himself(by, p) && (trial.Type != was.Type || trial.Require2FA != was.Require2FA) {
		if d, out, err := s.keepsOut(p.Tenant, &trial, by.Address, s.Now()); err != nil || out {
			return User{}, cmp.Or(err, locksOut(LocksYouOut, d.Rule, by.Address, web.Account(&trial)).refuse())
		}
	}
	e := aboutUser(by, p.User, "user.change")
	trial.Email = cmp.Or(email, was.Email)
	if e.Reason = changed(&was, &trial); e.Reason == "" {
		return viewUser(p.User), nil
	}
	if email == "" {
		return s.change(ctx, p, e, apply)
	}
	// The link of an invitation goes along, and is a mail more.
	if follows(p.User) {
		if err := s.Inviter.MayInvite(ctx, p); err != nil {
			return User{}, err
		}
	}
	err := s.audited(ctx, e, func() (err error) {
		was, trial, err = s.move(ctx, p, email, apply)
		return err
	})
	if err != nil {
		return User{}, err
	}
	return viewUser(&trial), s.moved(ctx, by, credential.Person{Tenant: p.Tenant, User: &trial}, &was)
}

// changed says in the audit log what was changed.
func changed(was, now *storage.User) string {
	var said []string
	add := func(what, from, to string) {
		if from != to {
			said = append(said, what+" "+from+" to "+to)
		}
	}
	add("role", string(was.Role), string(now.Role))
	add("type", was.Type, now.Type)
	add("require_2fa", onOrOff(was.Require2FA), onOrOff(now.Require2FA))
	if was.Name != now.Name {
		said = append(said, "name")
	}
	if was.Email != now.Email {
		said = append(said, "email")
	}
	return strings.Join(said, "; ")
}

func onOrOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func (s *Service) change(ctx context.Context, p credential.Person, e storage.Event, apply func(*storage.User) error) (User, error) {
	var u storage.User
	err := s.audited(ctx, e, func() (err error) {
		u, err = storage.Change(ctx, s.Store.Users, p.User.Tenant, p.User.ID, apply)
		return web.Unavailable("user", err)
	})
	if err != nil {
		return User{}, err
	}
	return viewUser(&u), nil
}
