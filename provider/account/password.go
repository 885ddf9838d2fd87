package account

import (
	"context"
	"errors"
	"slices"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// proofPassword is the name that a password has among the proofs of a session.
const proofPassword = "password"

// wellKnown leads to the page that changes the password.
func (s *Service) wellKnown(context.Context, *web.Actor, nothing) (web.Result, error) {
	return web.Go(ui.PathPassword), nil
}

func (s *Service) askPassword(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	page, err := s.passwordPage(ctx, by)
	return web.Draw(page), err
}

func (s *Service) passwordPage(ctx context.Context, by *web.Actor) (ui.ChangePassword, error) {
	page := ui.ChangePassword{
		Account: web.Account(by.User), Current: s.hasPassword(by.User), Action: ui.PathPassword, Cancel: ui.PathDetails,
	}
	d, err := s.Decision(ctx, by)
	if err != nil {
		return page, err
	}
	page.Least, err = s.Credentials.LeastPassword(ctx, credential.Who(by), d)
	return page, err
}

type passwordIn struct {
	Current  string `form:"current"`
	Password string `form:"password"`
}

// setPassword sets a new password, and ends everything that was signed in with the old one but this session. The old one
// is asked for, too: whoever finds a browser signed in does not know it.
func (s *Service) setPassword(ctx context.Context, by *web.Actor, in passwordIn) (web.Result, error) {
	end, err := s.turns.Take(ctx, by.Session.ID)
	if err != nil {
		return web.Result{}, web.Unavailable("turn", err)
	}
	defer end()
	now, err := s.Users.Get(ctx, by.User.Tenant, by.User.ID)
	if err != nil {
		return web.Result{}, web.Unavailable("user", err)
	}
	if !now.PasswordSet.Equal(by.User.PasswordSet) {
		// The first of two clicks has set it. To hold the old one against it would count as a wrong password.
		return web.Go(ui.PathDetails), nil
	}
	page, err := s.passwordPage(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	if err := s.checkPasswords(ctx, by, &page, in); err != nil {
		return web.Result{}, err
	}
	if page.Wrong.Key != "" || page.Problem.Key != "" {
		return web.Result{Page: page, Refused: true}, nil
	}
	held, err := s.Credentials.List(ctx, credential.Who(by))
	if err != nil {
		return web.Result{}, web.Unavailable("factors", err)
	}
	if !s.shown(by, held) {
		return web.Go(ui.PathDetails), nil
	}
	err = s.newPassword(ctx, by, in.Password, len(s.Credentials.Primary(held)) > 0)
	if page.Problem = credential.PasswordProblem(err, page.Least); page.Problem.Key != "" {
		return web.Result{Page: page, Refused: true}, nil
	}
	switch {
	case errors.Is(err, errMeanwhile):
		return web.Go(ui.PathDetails), nil
	case errors.Is(err, directory.ErrBusy):
		return web.Result{}, web.ErrBusy
	case err != nil:
		return web.Result{}, web.Unavailable("password", err)
	}
	return s.passwordSet(ctx, by, page.Current)
}

// errMeanwhile: the password was changed by somebody else, or the session was ended, since the request came in.
var errMeanwhile = errors.New("account: somebody was first")

// newPassword notes and sets a new password. To check the one there is took a while, and of two who know it the one who
// ends the other's sessions, or changes it first, must not find that undone. errMeanwhile.
func (s *Service) newPassword(ctx context.Context, by *web.Actor, password string, beside bool) error {
	was := by.User.PasswordSet
	still := func(u *storage.User) error {
		_, err := s.Sessions.Get(ctx, by.Session.Tenant, by.Session.ID)
		if errors.Is(err, storage.ErrNotFound) || err == nil && !u.PasswordSet.Equal(was) {
			return errMeanwhile
		}
		return err
	}
	if err := s.onFresh(ctx, by, still); err != nil {
		return err
	}
	if err := s.record(ctx, by, "password.changed", "ok", "", "account page"); err != nil {
		return err
	}
	return s.onFresh(ctx, by, func(u *storage.User) error {
		if err := still(u); err != nil {
			return err
		}
		// Beside a second step it is more than what came by mail.
		u.PasswordMailed = u.PasswordMailed && !beside
		return s.Directory.SetPassword(ctx, u, password)
	})
}

// checkPasswords finds what is wrong with what was typed in, and says so on the page. The current password counts as a
// try to sign in, and comes first: what there is to say of the new one in the light of it is for its owner.
func (s *Service) checkPasswords(ctx context.Context, by *web.Actor, page *ui.ChangePassword, in passwordIn) error {
	p := credential.Who(by)
	if page.Current {
		if in.Current == "" {
			page.Wrong = ui.Say(ui.ProblemPasswordNone)
			return nil
		}
		var many *web.TooMany
		switch err := s.CheckPassword(ctx, by, p, in.Current); {
		case errors.As(err, &many):
			page.Wrong = ui.Say(ui.ProblemPasswordTries, "n", web.Minutes(many.Retry))
			return nil
		case errors.Is(err, credential.ErrPassword):
			page.Wrong = ui.Say(ui.ProblemPasswordWrong)
			return s.record(ctx, by, "password.changed", "refused", "", proofPassword)
		case err != nil:
			return err
		}
	}
	err := p.CheckNewPassword(in.Password, page.Least, s.Notices.Product)
	if page.Problem = credential.PasswordProblem(err, page.Least); page.Problem.Key != "" || !page.Current {
		return nil
	}
	// Not compared as text: one password can be typed in several ways.
	same, err := s.Directory.Check(ctx, []storage.User{*by.User}, in.Password)
	if errors.Is(err, directory.ErrBusy) {
		return web.ErrBusy
	}
	if len(same) > 0 {
		page.Problem = ui.Say(ui.ProblemPasswordSame)
	}
	return web.Unavailable("directory", err)
}

// passwordSet is what follows a new password: this session goes on with a new secret, and all others end.
func (s *Service) passwordSet(ctx context.Context, by *web.Actor, proven bool) (web.Result, error) {
	// A proof from before the change is good for nothing any more; see login. The one that took its place is of now.
	cookie, err := s.Renew(ctx, by, func(o *storage.Session) {
		o.Proofs = slices.DeleteFunc(o.Proofs, func(p storage.Proof) bool { return p.Factor == proofPassword })
		if proven {
			o.Proofs = append(o.Proofs, storage.Proof{Factor: proofPassword, AMR: []string{"pwd"}, At: s.Now()})
		}
	})
	if err != nil {
		return web.Result{}, err
	}
	// Unlike with a change of factors, offline access ends too: whoever knew the password may have it.
	if err := s.endElsewhere(ctx, by); err != nil {
		return web.Result{}, err
	}
	s.Notices.Tell(ctx, credential.Who(by).Notice(by, ui.MailPasswordChanged))
	res, err := s.to(ui.PathDetails, ui.Say(ui.NoticePasswordChanged))
	res.Session = &cookie
	return res, err
}
