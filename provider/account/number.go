package account

import (
	"context"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

type numberIn struct {
	ID    string  `path:"id"`
	Input *string `form:"input"`
}

// askNumber asks for the number that is to take the place of one.
func (s *Service) askNumber(ctx context.Context, by *web.Actor, in numberIn) (web.Result, error) {
	return s.replacing(ctx, by, in.ID, func(d *credential.Desk) (web.Result, error) { return d.Ask(ctx, d.Replaces.Factor) })
}

// beginNumber sends a code to the new number. The old one stays as good as it is until that is confirmed.
func (s *Service) beginNumber(ctx context.Context, by *web.Actor, in numberIn) (web.Result, error) {
	return s.replacing(ctx, by, in.ID, func(d *credential.Desk) (web.Result, error) {
		return d.Begin(ctx, d.Replaces.Factor, in.Input)
	})
}

// replacing does something at a desk where the number of a credential of the actor's is to be replaced.
func (s *Service) replacing(ctx context.Context, by *web.Actor, id string, do func(*credential.Desk) (web.Result, error)) (web.Result, error) {
	c, _, err := s.own(ctx, by, id)
	if err != nil {
		return web.Result{}, err
	}
	f, err := s.Credentials.Factor(c.Factor)
	if err != nil {
		return web.Result{}, err
	}
	d, err := s.Decision(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	if f.Info().Asks != mfa.AsksPhone || !wanted(d, f) {
		return web.Result{}, web.ErrNotFound
	}
	return s.atDesk(ctx, by, func(d *credential.Desk) (web.Result, error) {
		d.Replaces, d.Settable, d.Away = &c, []string{c.Factor}, ui.PathDetails
		return do(d)
	})
}

// inPlace fills in what a desk needs to put a factor in the place of another.
func (s *Service) inPlace(ctx context.Context, by *web.Actor, d *credential.Desk) {
	d.InPlace = func(id string) string { return pathPhones + id }
	d.AcceptInPlace = func(ctx context.Context, factor string, held []storage.Credential) error {
		now, err := s.Decision(ctx, by)
		if err != nil {
			return err
		}
		f, err := s.Credentials.Factor(factor)
		if err != nil || !s.shown(by, held) || !wanted(now, f) {
			return credential.MovedOn()
		}
		return s.record(ctx, by, "factor.changed", "ok", factor, "")
	}
	if up, err := s.Credentials.Enrolment(ctx, d.Person, d.Enrolling); err == nil && up.Replaces != "" {
		d.Away = ui.PathDetails
	}
}

// numberChanged tells of a new number, on the old phone as well: whoever changed it need not hold that.
func (s *Service) numberChanged(ctx context.Context, by *web.Actor, done credential.Enrolled) (web.Result, error) {
	p := credential.Who(by)
	n := p.Notice(by, ui.MailNumberChanged)
	n.Name = done.Credential.Note
	s.Notices.Tell(ctx, n)
	if err := s.Credentials.Tell(ctx, p, []storage.Credential{*done.Replaced}, s.Notices.SMS(p.Tenant, p.Lang, ui.SMSNumberChanged)); err != nil {
		s.Notices.Logger.WarnContext(ctx, "the user's old phone was not told", "tenant", p.User.Tenant, "user", p.User.ID, "error", err)
	}
	return s.to(ui.PathDetails, ui.Say(ui.NoticeNumberChanged, "name", done.Credential.Note))
}
