package admin

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// SetUserDisabled keeps a user out and ends all sessions, or lets the user in again.
func (s *Service) SetUserDisabled(ctx context.Context, by *web.Actor, tenant, user string, disabled bool) (User, error) {
	var v User
	err := s.oneAtATime(ctx, by, tenant, func(by *web.Actor) error {
		p, err := s.helped(ctx, by, tenant, user)
		if err == nil && disabled {
			err = s.notTheLast(ctx, by, p)
		}
		if err != nil {
			return err
		}
		v, err = s.change(ctx, p, aboutUser(by, p.User, onOff("user", disabled)), func(u *storage.User) error {
			u.Disabled = disabled
			return nil
		})
		return err
	})
	if err != nil || !disabled {
		return v, err
	}
	return v, s.EndAll(ctx, tenant, v.ID, "")
}

// SetPassword gives a user a new password, or makes one up and returns it; all sessions end. Only operators do it: whoever
// knows somebody else's password is that person to the audit log.
func (s *Service) SetPassword(ctx context.Context, by *web.Actor, tenant, user, password string) (made string, _ error) {
	if !runs(by) {
		return "", web.ErrForbidden
	}
	p, err := s.person(ctx, by, tenant, user)
	if err != nil {
		return "", err
	}
	if password == "" {
		made = newPassword()
		password = made
	}
	u := *p.User
	u.PasswordMailed, u.Invited, u.ByInvitation = false, time.Time{}, false
	if err := s.explain(p.Tenant, directory.CheckNew(password, u.Email, u.Login, u.Name)); err != nil {
		return "", err
	}
	err = s.audited(ctx, aboutUser(by, &u, "user.password"), func() error {
		err := s.Directory.SetPassword(ctx, &u, password)
		if errors.Is(err, storage.ErrConflict) {
			return invalid("user", "somebody else changed the user at the same moment", "try again")
		}
		return s.explain(p.Tenant, err)
	})
	if err != nil {
		return "", err
	}
	return made, s.EndAll(ctx, u.Tenant, u.ID, "")
}

// ResetTwoFactor takes all factors and backup codes away, and ends all sessions. Where two-factor authentication is
// required the next sign-in sets it up anew.
func (s *Service) ResetTwoFactor(ctx context.Context, by *web.Actor, tenant, user string) (User, error) {
	p, err := s.helped(ctx, by, tenant, user)
	if err != nil {
		return User{}, err
	}
	err = s.Credentials.RemoveAll(ctx, p, func([]storage.Credential) error {
		return web.Unavailable("audit log", s.Audit.Record(ctx, aboutUser(by, p.User, "two_factor.reset")))
	})
	if err != nil {
		return User{}, credential.PassOn("factors", err)
	}
	if err := errors.Join(s.Credentials.Forgive(ctx, p), s.EndAll(ctx, tenant, p.User.ID, "")); err != nil {
		return User{}, web.Unavailable("sessions", err)
	}
	s.Notices.Tell(ctx, notice(by, p, ui.MailTwoFactorOff))
	return s.User(ctx, by, tenant, p.User.ID)
}

// EndSessions signs a user out everywhere. Remembered devices end with it: whoever is to be out must not come back by one.
func (s *Service) EndSessions(ctx context.Context, by *web.Actor, tenant, user string) error {
	p, err := s.helped(ctx, by, tenant, user)
	if err != nil {
		return err
	}
	return s.audited(ctx, aboutUser(by, p.User, "user.end_sessions"), func() error {
		return web.Unavailable("sessions", s.EndAll(ctx, tenant, p.User.ID, ""))
	})
}

// ForgetDevices forgets a user's remembered devices.
func (s *Service) ForgetDevices(ctx context.Context, by *web.Actor, tenant, user string) error {
	p, err := s.helped(ctx, by, tenant, user)
	if err != nil {
		return err
	}
	return s.audited(ctx, aboutUser(by, p.User, "device.forgotten"), func() error {
		return web.Unavailable("devices", deleteOf(ctx, s.Store.Devices, tenant, p.User.ID))
	})
}

// RecoveryCode is a code that was made to be handed to a user.
type RecoveryCode struct {
	// Code can't be seen again. It works once.
	Code string `json:"code"`
	// Expires is when it stops working.
	Expires time.Time `json:"expires"`
	// User is who can use it, after the password.
	User User `json:"user"`
}

// MakeRecoveryCode makes a recovery code for a user (002-12); one made before stops working.
func (s *Service) MakeRecoveryCode(ctx context.Context, by *web.Actor, tenant, user string) (RecoveryCode, error) {
	p, err := s.person(ctx, by, tenant, user)
	if err == nil {
		err = mayHandOut(by, p)
	}
	if err != nil {
		return RecoveryCode{}, err
	}
	code, until, err := s.Credentials.HandOut(ctx, p, func([]storage.Credential) error {
		return web.Unavailable("audit log", s.Audit.Record(ctx, aboutUser(by, p.User, "recovery.made")))
	})
	if errors.Is(err, credential.ErrUnknownFactor) {
		return RecoveryCode{}, web.Missing("recovery code", "", "this deployment has none")
	}
	if err != nil {
		return RecoveryCode{}, credential.PassOn("recovery code", err)
	}
	s.Notices.Tell(ctx, notice(by, p, ui.MailRecoveryMade))
	return RecoveryCode{Code: code, Expires: until, User: viewUser(p.User)}, nil
}

// NoRecoveryCode is where it is said that no recovery code waits to be used.
const NoRecoveryCode = "recovery code of user"

// RevokeRecoveryCode takes back the recovery code that waits to be used.
func (s *Service) RevokeRecoveryCode(ctx context.Context, by *web.Actor, tenant, user string) error {
	p, err := s.person(ctx, by, tenant, user)
	if err == nil {
		err = mayHandOut(by, p)
	}
	if err != nil {
		return err
	}
	err = s.Credentials.TakeBack(ctx, p, func(held []storage.Credential) error {
		if _, err := s.Credentials.HandedOut(held); err != nil {
			return err
		}
		return web.Unavailable("audit log", s.Audit.Record(ctx, aboutUser(by, p.User, "recovery.revoked")))
	})
	if errors.Is(err, storage.ErrNotFound) {
		return web.Missing(NoRecoveryCode, web.Account(p.User), "it was used, revoked or has expired")
	}
	return credential.PassOn("recovery code", err)
}

// Unlock lets a user in again who was locked by "this was not me".
func (s *Service) Unlock(ctx context.Context, by *web.Actor, tenant, user string) (User, error) {
	p, err := s.helped(ctx, by, tenant, user)
	if err != nil {
		return User{}, err
	}
	// Nothing is noted of who is not locked: "this was not me" may still be said of what was done before.
	if p.User.Locked.IsZero() {
		return viewUser(p.User), nil
	}
	return s.change(ctx, p, aboutUser(by, p.User, "user.unlock"), func(u *storage.User) error {
		if !u.Locked.IsZero() {
			u.Locked, u.Unlocked = time.Time{}, s.Now()
		}
		return nil
	})
}

// DeleteUser removes a user and all that is the user's but the audit log. Broken off, it can be called again. Owners and
// operators do it.
func (s *Service) DeleteUser(ctx context.Context, by *web.Actor, tenant, user string) error {
	return s.oneAtATime(ctx, by, tenant, func(by *web.Actor) error {
		p, err := s.helped(ctx, by, tenant, user)
		if err == nil && roleOf(by) != storage.Owner {
			err = web.ErrForbidden
		}
		if err == nil {
			err = s.notTheLast(ctx, by, p)
		}
		if err != nil {
			return err
		}
		return s.audited(ctx, aboutUser(by, p.User, "user.delete"), func() error { return s.remove(ctx, p) })
	})
}

func (s *Service) remove(ctx context.Context, p credential.Person) error {
	tenant, id := p.User.Tenant, p.User.ID
	// The user goes last, so that what failed before can be asked for again by name.
	err := errors.Join(
		s.EndAll(ctx, tenant, id, ""),
		deleteOf(ctx, s.Store.Flows, tenant, id), deleteOf(ctx, s.Store.Grants, tenant, id),
		deleteOf(ctx, s.Store.Credentials, tenant, id), s.Credentials.Forgive(ctx, p),
	)
	if err != nil {
		return err
	}
	return s.Directory.Delete(ctx, tenant, id)
}

// deleteOf deletes the records of one user.
func deleteOf[T any, P storage.Row[T]](ctx context.Context, table storage.Table[T], tenant, user string) error {
	q := storage.Query{Tenant: tenant, Field: "user", Value: user, Limit: 1000}
	return storage.Each(ctx, table, q, func(r P) error {
		err := table.Delete(ctx, tenant, r.Record().ID)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		return err
	})
}
