package login

import (
	"context"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// MayReset tells whether the tenant lets a user who has lost all factors take them off by a mailed link and the password.
// By default not the owners and admins, whose accounts are worth a call to a colleague. A password that itself came by mail
// is no second thing beside a mail: whoever has the mailbox would have both.
func MayReset(p credential.Person) bool {
	if p.User.Email == "" || !p.User.EmailVerified || p.User.PasswordMailed {
		return false
	}
	switch p.Tenant.Settings.EmailReset {
	case "on":
		return true
	case "":
		return p.User.Role == storage.Member
	default:
		return false
	}
}

// atLost does something for a user who stands at the second step and may ask for the mail.
func (s *Service) atLost(ctx context.Context, by *web.Actor, flow string, do func(*state) (web.Result, error)) (web.Result, error) {
	return s.inTurn(ctx, by, flow, func(st *state) (web.Result, error) {
		if st.step.Kind != Prompt {
			return web.Go(st.path("")), nil
		}
		if !MayReset(st.person) {
			return web.Result{}, web.ErrNotFound
		}
		return do(st)
	})
}

// askLost asks before the mail is sent.
func (s *Service) askLost(ctx context.Context, by *web.Actor, in flowIn) (web.Result, error) {
	return s.atLost(ctx, by, in.Flow, func(st *state) (web.Result, error) {
		return st.draw(ui.AskResetMail.Page(st.path("/lost"), st.path("/ways"))), nil
	})
}

// lost mails how to take all factors off. It says so in words that do not tell the address: whoever stands here has shown
// no more than a password.
func (s *Service) lost(ctx context.Context, by *web.Actor, in flowIn) (web.Result, error) {
	return s.atLost(ctx, by, in.Flow, func(st *state) (web.Result, error) {
		if err := s.Lost(ctx, by, st.person); err != nil {
			return web.Result{}, err
		}
		return st.draw(ui.ToldResetMail.Page(signInPath(st.flow.Request, ""))), nil
	})
}
