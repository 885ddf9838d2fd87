package rescue

import (
	"context"
	"errors"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Moved does what follows when somebody else, called name, has changed a user's e-mail address: what was mailed to the old
// mailbox ends, which may be a stranger's, and a change that the user had asked for. An open invitation stays one, and is sent
// anew by whoever changed the address. was is the user of before.
func (s *Service) Moved(ctx context.Context, by *web.Actor, p credential.Person, was *storage.User, name string) error {
	for _, purpose := range storage.Purposes() {
		// The invitations of a tenant are listed from these records. The link itself holds the address of before, and is dead.
		if purpose == storage.LinkInvitation && !p.User.Invited.IsZero() {
			continue
		}
		if err := s.spend(ctx, p, purpose); err != nil && !errors.Is(err, web.ErrLink) {
			return err
		}
	}
	if was.Email != "" {
		n := p.Notice(by, ui.MailEmailReplaced)
		n.User, n.Name, n.Other = was, name, p.User.Email
		s.Notices.Tell(ctx, n)
	}
	if !p.User.Invited.IsZero() {
		return nil
	}
	// It may be a stranger's mailbox.
	err := s.Quota.Take(ctx, storage.Global, s.toStranger(p.User.Email))
	var often *mfa.Refused
	if errors.As(err, &often) {
		s.Logger.InfoContext(ctx, "the new address was not told: too many mails went there", "tenant", p.User.Tenant, "user", p.User.ID, "request", by.Request)
		return nil
	}
	if err != nil {
		return web.Unavailable("quota", err)
	}
	n := p.Notice(by, ui.MailEmailGiven)
	n.Name = name
	s.Notices.Tell(ctx, n)
	return nil
}

// toStranger bounds the mails to an address that nobody has confirmed, by however many users of however many tenants.
func (s *Service) toStranger(address string) mfa.Limit {
	return mfa.Limit{Name: "mail/address/" + s.Keys.Hash("address", address), Most: mailsPerUser, Per: mailsIn, Everywhere: true}
}
