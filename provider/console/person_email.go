package console

import (
	"context"
	"errors"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/ui"
)

type personEmailIn struct {
	ID    string `path:"id"`
	Email string `form:"email"`
	// Invited is set where the page said that an invitation goes to the new address.
	Invited string `form:"invited"`
}

// personEmail asks for another e-mail address of a user. Only owners give one, and to others.
func (s *Service) personEmail(ctx context.Context, by *web.Actor, in personEmailIn) (ui.PersonEmail, error) {
	u, err := s.user(ctx, by, in.ID)
	if err == nil && !s.Admin.RightsOver(by, &u).Email {
		err = web.ErrForbidden
	}
	to := personPath(in.ID)
	return ui.PersonEmail{
		Account: u.Account(), Name: u.Name, Present: u.Email, Told: u.EmailVerified, Invited: !u.Invited.IsZero() && !u.Out(), Email: in.Email,
		Action: to + "/email", Cancel: to,
	}, err
}

func (s *Service) askPersonEmail(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	page, err := s.personEmail(ctx, by, personEmailIn{ID: in.ID})
	return web.Draw(page), err
}

// savePersonEmail changes the address, and says on the user's page that it did.
func (s *Service) savePersonEmail(ctx context.Context, by *web.Actor, in personEmailIn) (web.Result, error) {
	page, err := s.personEmail(ctx, by, in)
	if err != nil {
		return web.Result{}, err
	}
	// Whoever had the mail is in by now, with a password of his own, and would stay so under the new address.
	if in.Invited != "" && !page.Invited {
		return web.Result{}, &web.Changed{Next: page.Cancel}
	}
	u, err := s.Admin.ChangeUser(ctx, by, by.Tenant.ID, in.ID, admin.UserFields{Email: &in.Email})
	var many *web.TooMany
	where, says, ok := refused(err)
	switch {
	case errors.As(err, &many):
		page.Problem = ui.Say(ui.NoticeInvitedOften, "account", page.Account, "n", web.Minutes(many.Retry))
	case ok && where == "email":
		page.Problem = says
	case err != nil:
		return web.Result{}, err
	case page.Invited:
		return s.finished(u, ui.NoticePersonEmailInvited)
	default:
		return s.finished(u, ui.NoticePersonEmail)
	}
	return web.Result{Page: page, Refused: true}, nil
}
