package rescue

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// invitationsPerDay bounds what a tenant sends to addresses that nobody has confirmed: it is a customer's text that goes
// out under the deployment's name.
const invitationsPerDay = 1000

// MayInvite counts an invitation, unless the user or the tenant had too many lately. *web.TooMany.
func (s *Service) MayInvite(ctx context.Context, p credential.Person) error {
	if err := s.often(ctx, p, storage.LinkInvitation); err != nil {
		return err
	}
	err := s.Quota.Take(ctx, p.User.Tenant, mfa.Limit{Name: "mail/" + storage.LinkInvitation, Most: invitationsPerDay, Per: 24 * time.Hour})
	var refused *mfa.Refused
	if errors.As(err, &refused) {
		return &web.TooMany{Retry: refused.Until.Sub(s.Now())}
	}
	return web.Unavailable("quota", err)
}

// Invite mails a user whose User.Invited is set the link that leads to choosing a password. from is who invites.
func (s *Service) Invite(ctx context.Context, by *web.Actor, p credential.Person, from string) error {
	link, err := s.link(ctx, p, mailing{purpose: storage.LinkInvitation, path: pathInvitation}, time.Time{})
	if err != nil {
		return err
	}
	n := p.Notice(by, ui.MailInvitation)
	n.Link, n.Left, n.Name = link, int(storage.InvitationLife/(24*time.Hour)), from
	s.Notices.Tell(ctx, n)
	return nil
}

// invited reads the link of an invitation that is open.
func (s *Service) invited(ctx context.Context, link string) (credential.Person, error) {
	p, err := s.read(ctx, storage.LinkInvitation, link)
	if err != nil {
		return p, err
	}
	// The record of the link does not expire by itself, and what it is for is asked of the user, who may have got a password
	// in another way by now.
	since := p.User.Invited
	if since.IsZero() || p.User.Password != "" || !s.Now().Before(since.Add(storage.InvitationLife)) {
		return credential.Person{}, web.ErrLink
	}
	return p, nil
}

func (s *Service) invitedPage(ctx context.Context, by *web.Actor, p credential.Person, link string) (ui.NewPassword, error) {
	page, err := s.newPassword(ctx, by, p, link)
	page.Action, page.Invited = pathInvitation+link, p.Tenant.Name
	return page, err
}

// askInvited asks for the first password. The link alone does nothing: some programs open every link in a mail.
func (s *Service) askInvited(ctx context.Context, by *web.Actor, in linkIn) (web.Result, error) {
	p, err := s.invited(ctx, in.Link)
	if err != nil {
		return web.Result{}, err
	}
	page, err := s.invitedPage(ctx, by, p, in.Link)
	return draw(p, page, false), err
}

// acceptInvitation sets the first password. It signs nobody in: what the policy asks for is asked at the sign-in, as ever.
func (s *Service) acceptInvitation(ctx context.Context, by *web.Actor, in linkIn) (web.Result, error) {
	p, err := s.invited(ctx, in.Link)
	if err != nil {
		return web.Result{}, err
	}
	page, err := s.invitedPage(ctx, by, p, in.Link)
	if err != nil {
		return web.Result{}, err
	}
	if err := s.checkPassword(p, page, in.Password); err != nil {
		return s.badPassword(p, page, err)
	}
	// One after the other, so that the log tells of one who took it up.
	end, err := storage.Lease{Counters: s.Store.Counters, Now: s.Now}.Take(ctx, p.User.Tenant, storage.LinkID(storage.LinkInvitation, p.User.ID))
	if errors.Is(err, storage.ErrExists) {
		return web.Result{}, web.ErrBusy
	}
	if err != nil {
		return web.Result{}, web.Unavailable("turn", err)
	}
	defer end()
	err = s.takeUp(ctx, by, in)
	var refused *directory.PasswordError
	if errors.As(err, &refused) {
		return s.badPassword(p, page, err)
	}
	if err != nil {
		return web.Result{}, err
	}
	return s.signIn(by, p, "", true)
}

// takeUp spends an invitation: that the user is an invited one no longer, and has a password, is one write. Only then the
// link is deleted, so that whoever comes at a busy moment can try again.
func (s *Service) takeUp(ctx context.Context, by *web.Actor, in linkIn) error {
	p, err := s.invited(ctx, in.Link)
	if err != nil {
		return err
	}
	if err := s.record(ctx, by, p, "user.invitation_accepted", "ok", ""); err != nil {
		return err
	}
	u := *p.User
	// Whoever had the mail has the address. The password proves no more than that yet.
	mailed(&u)
	u.EmailVerified = true
	if err = s.Directory.SetPassword(ctx, &u, in.Password); err == nil {
		// As with every new password, what was mailed or signed in before ends; this link too.
		return s.EndAll(ctx, u.Tenant, u.ID, "")
	}
	if failed := s.record(ctx, by, p, "user.invitation_accepted", "failed", "password not set"); failed != nil {
		return failed
	}
	var refused *directory.PasswordError
	switch {
	case errors.As(err, &refused):
		return err
	case errors.Is(err, directory.ErrBusy), errors.Is(err, storage.ErrConflict):
		// Somebody changed the user at the same moment: perhaps the invitation is not open any more.
		return web.ErrBusy
	default:
		return web.Unavailable("password", err)
	}
}
