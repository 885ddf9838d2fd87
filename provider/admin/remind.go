package admin

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

const (
	// mostUnprotected bounds how many owners and admins are named who have no second step. Who has more of them needs a rule.
	mostUnprotected = 100
	// remindEvery is how often one user can be asked to set up a second step.
	remindEvery = 24 * time.Hour
)

// Unprotected are owners and admins who have no second step (004-8), a hundred of each at most; not those who are kept out
// or have not taken up an invitation.
func (s *Service) Unprotected(ctx context.Context, by *web.Actor, tenant string) ([]User, error) {
	t, err := s.admit(ctx, by, tenant, helping)
	if err != nil {
		return nil, err
	}
	var all []storage.User
	for _, role := range []storage.Role{storage.Owner, storage.Admin} {
		found, _, err := s.choose(ctx, &t, Filter{Role: role, TwoFactor: "off"}, "", mostUnprotected)
		if err != nil {
			return nil, web.Unavailable("users", err)
		}
		all = append(all, found...)
	}
	all = slices.DeleteFunc(all, func(u storage.User) bool { return u.Out() || !u.Invited.IsZero() })
	return views(all, viewUser), nil
}

// Remind asks a user by mail to set up a second step, at most once a day. *web.Invalid, *web.TooMany.
func (s *Service) Remind(ctx context.Context, by *web.Actor, tenant, user string) (User, error) {
	p, err := s.person(ctx, by, tenant, user)
	if err == nil && himself(by, p) {
		err = web.ErrForbidden
	}
	if err != nil {
		return User{}, err
	}
	return viewUser(p.User), s.remind(ctx, by, p)
}

// Reminded is what came of asking all owners and admins who have no second step.
type Reminded struct {
	// Sent are those who were sent a mail.
	Sent []User `json:"sent"`
	// Skipped are those who were not: they were asked within the last day, or have no address that is known to be theirs.
	Skipped []User `json:"skipped"`
}

// RemindUnprotected is Remind for all who Unprotected names, but the actor.
func (s *Service) RemindUnprotected(ctx context.Context, by *web.Actor, tenant string) (Reminded, error) {
	all, err := s.Unprotected(ctx, by, tenant)
	if err != nil {
		return Reminded{}, err
	}
	r := Reminded{Sent: []User{}, Skipped: []User{}}
	for _, u := range all {
		if by.User != nil && by.User.ID == u.ID {
			continue
		}
		_, err := s.Remind(ctx, by, tenant, u.ID)
		var many *web.TooMany
		var refused *web.Invalid
		switch {
		case errors.As(err, &many), errors.As(err, &refused):
			r.Skipped = append(r.Skipped, u)
		case err != nil:
			return r, err
		default:
			r.Sent = append(r.Sent, u)
		}
	}
	return r, nil
}

func (s *Service) remind(ctx context.Context, by *web.Actor, p credential.Person) error {
	held, err := s.Credentials.List(ctx, p)
	if err != nil {
		return web.Unavailable("factors", err)
	}
	switch u := p.User; {
	case u.Out():
		return invalidAs("user", "out", "the user is kept out", "give the access back first")
	case !u.Invited.IsZero():
		return invalidAs("user", "invited", "the user has not taken up the invitation", "send that again instead")
	case len(s.Credentials.Primary(held)) > 0:
		return invalidAs("user", "two_factor", "the user has set up two-factor authentication", "there is nothing to ask for")
	case u.Email == "" || !u.EmailVerified:
		return invalidAs("user", "email", "the user has no confirmed e-mail address", "ask in another way")
	}
	quota := credential.Quota{Counters: s.Store.Counters, Now: s.Now}
	err = quota.Take(ctx, p.User.Tenant, mfa.Limit{Name: "mail/reminder/" + p.User.ID, Most: 1, Per: remindEvery})
	var often *mfa.Refused
	if errors.As(err, &often) {
		return &web.TooMany{Retry: often.Until.Sub(s.Now())}
	}
	if err != nil {
		return web.Unavailable("quota", err)
	}
	if err := s.Audit.Record(ctx, aboutUser(by, p.User, "user.remind")); err != nil {
		return web.Unavailable("audit log", err)
	}
	n := notice(by, p, ui.MailReminder)
	n.Link = s.SecurityPage
	s.Notices.Tell(ctx, n)
	return nil
}
