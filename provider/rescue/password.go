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

type forgotIn struct {
	Request string `form:"request"`
	Login   string `form:"login"`
}

// askForgot asks for the name of the account.
func (s *Service) askForgot(ctx context.Context, by *web.Actor, in forgotIn) (web.Result, error) {
	look, err := s.Beside(ctx, by, in.Request)
	return web.Result{Page: s.forgotPage(in), Tenant: look}, err
}

func (s *Service) forgotPage(in forgotIn) ui.Forgot {
	return ui.Forgot{Login: in.Login, Request: in.Request, Action: ui.PathForgot, Back: s.SignIn(in.Request)}
}

// How many mails can be asked for.
const (
	mailsPerUser    = 3
	mailsPerAddress = 20
	mailsIn         = time.Hour
)

// forgot mails a link to whoever answers to the name, if anybody does. The answer is there before that is known, so
// neither its words nor its time tell a stranger which accounts there are.
func (s *Service) forgot(ctx context.Context, by *web.Actor, in forgotIn) (web.Result, error) {
	look, err := s.Beside(ctx, by, in.Request)
	if err != nil {
		return web.Result{}, err
	}
	if in.Login == "" {
		page := s.forgotPage(in)
		page.Problem = ui.Say(ui.ProblemLoginEmpty)
		return web.Result{Page: page, Refused: true, Tenant: look}, nil
	}
	err = s.later(ctx, by, "mail for a forgotten password", func(ctx context.Context, by *web.Actor) error {
		return s.mailForgot(ctx, by, in)
	})
	if err != nil {
		return web.Result{}, err
	}
	return web.Result{Page: ui.ToldForgot.Page(s.SignIn(in.Request)), Tenant: look}, nil
}

func (s *Service) mailForgot(ctx context.Context, by *web.Actor, in forgotIn) error {
	limit := mfa.Limit{Name: "forgot/" + s.Keys.Hash("address", web.Network(by.Address)), Most: mailsPerAddress, Per: mailsIn, Everywhere: true}
	if err := s.Quota.Take(ctx, storage.Global, limit); err != nil {
		return err
	}
	// What is not a sealed request of this browser's is nothing to keep.
	if !s.Sealed(by, in.Request) {
		in.Request = ""
	}
	users, err := s.Directory.Lookup(ctx, "", in.Login)
	if err != nil {
		return err
	}
	var failed error
	for _, u := range users {
		p, err := s.Person(ctx, u.Tenant, u.ID)
		if errors.Is(err, storage.ErrNotFound) || err == nil && !mayForget(p.User) {
			continue
		}
		if err == nil {
			err = s.often(ctx, p, storage.LinkPassword)
		}
		if err == nil {
			err = s.record(ctx, by, p, "password.forgot", "sent", "")
		}
		if err == nil {
			err = s.send(ctx, by, p, mailing{storage.LinkPassword, pathPassword, ui.MailPasswordForgot, in.Request})
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// mayForget tells whether a mail may give a user a new password. Nobody has confirmed the address of a user whom an invitation
// made that has not been taken up; and that must end when it is withdrawn or too old, and not go on by this way.
func mayForget(u *storage.User) bool {
	return u.Email != "" && u.EmailVerified && !u.ByInvitation
}

// mailed notes that a user gets a password by a mailed link. An invitation to choose one has nothing left to ask for.
func mailed(u *storage.User) {
	u.PasswordMailed, u.Invited, u.ByInvitation = true, time.Time{}, false
}

// often bounds the mails of a purpose that one user gets.
func (s *Service) often(ctx context.Context, p credential.Person, purpose string) error {
	err := s.Quota.Take(ctx, p.User.Tenant, mfa.Limit{Name: "mail/" + purpose + "/" + p.User.ID, Most: mailsPerUser, Per: mailsIn})
	var refused *mfa.Refused
	if errors.As(err, &refused) {
		return &web.TooMany{Retry: refused.Until.Sub(s.Now())}
	}
	return web.Unavailable("quota", err)
}

func (s *Service) askPassword(ctx context.Context, by *web.Actor, in linkIn) (web.Result, error) {
	p, err := s.read(ctx, storage.LinkPassword, in.Link)
	if err != nil {
		return web.Result{}, err
	}
	page, err := s.newPassword(ctx, by, p, in.Link)
	return draw(p, page, false), err
}

func (s *Service) newPassword(ctx context.Context, by *web.Actor, p credential.Person, link string) (ui.NewPassword, error) {
	page := ui.NewPassword{Account: web.Account(p.User), Action: pathPassword + link}
	d, err := s.Decision(ctx, by, p)
	if err != nil {
		return page, err
	}
	page.Least, err = s.Credentials.LeastPassword(ctx, p, d)
	return page, err
}

// setPassword sets a new password, and ends everything that was signed in with the old one. It signs nobody in: the
// second step is asked for as ever.
func (s *Service) setPassword(ctx context.Context, by *web.Actor, in linkIn) (web.Result, error) {
	p, l, err := s.open(ctx, storage.LinkPassword, in.Link)
	if err != nil {
		return web.Result{}, err
	}
	page, err := s.newPassword(ctx, by, p, in.Link)
	if err != nil {
		return web.Result{}, err
	}
	if err := s.checkPassword(p, page, in.Password); err != nil {
		return s.badPassword(p, page, err)
	}
	if err := s.spend(ctx, p, storage.LinkPassword); err != nil {
		return web.Result{}, err
	}
	if err := s.record(ctx, by, p, "password.changed", "ok", "mailed link"); err != nil {
		return web.Result{}, err
	}
	err = storage.Retry(func() error {
		// Somebody may sign in at the same moment, or an administrator keep the user out from now on.
		now, err := s.Person(ctx, p.User.Tenant, p.User.ID)
		if err != nil {
			return err
		}
		// The link was mailed to an address that is the user's no more: an owner has just given another.
		if now.User.Email != p.User.Email {
			return web.ErrLink
		}
		p = now
		mailed(p.User)
		return s.Directory.SetPassword(ctx, p.User, in.Password)
	})
	var refused *directory.PasswordError
	switch {
	case errors.As(err, &refused):
		return s.badPassword(p, page, err)
	case errors.Is(err, directory.ErrBusy):
		return web.Result{}, web.ErrBusy
	case errors.Is(err, web.ErrLink):
		return web.Result{}, err
	case err != nil:
		return web.Result{}, web.Unavailable("password", err)
	}
	if err := s.EndAll(ctx, p.User.Tenant, p.User.ID, ""); err != nil {
		return web.Result{}, err
	}
	s.Notices.Tell(ctx, p.Notice(by, ui.MailPasswordChanged))
	return s.signIn(by, p, l.Request, false)
}

// signIn leads a person who has just chosen a password to where it is asked for.
func (s *Service) signIn(by *web.Actor, p credential.Person, request string, welcome bool) (web.Result, error) {
	to, err := s.SignInAs(by, p, request, welcome)
	return web.Go(to), err
}

// checkPassword finds what can be told of a new password before the link is spent. *directory.PasswordError.
func (s *Service) checkPassword(p credential.Person, page ui.NewPassword, password string) error {
	return p.CheckNewPassword(password, page.Least, s.Notices.Product)
}

func (s *Service) badPassword(p credential.Person, page ui.NewPassword, err error) (web.Result, error) {
	page.Problem = credential.PasswordProblem(err, page.Least)
	if page.Problem.Key == "" {
		return web.Result{}, web.Unavailable("password", err)
	}
	return draw(p, page, true), nil
}
