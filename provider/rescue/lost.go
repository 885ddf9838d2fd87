package rescue

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Lost mails a user who has lost all factors a link that takes them off, together with the password.
func (s *Service) Lost(ctx context.Context, by *web.Actor, p credential.Person) error {
	if err := s.hook(ctx, by, p, hook.BeforeRecovery, ""); err != nil {
		return err
	}
	if err := s.often(ctx, p, storage.LinkTwoFactor); err != nil {
		return err
	}
	if err := s.record(ctx, by, p, "two_factor.lost", "sent", ""); err != nil {
		return err
	}
	return s.send(ctx, by, p, mailing{purpose: storage.LinkTwoFactor, path: pathLost, mail: ui.MailTwoFactorLost})
}

// resetting reads a link that takes all factors off.
func (s *Service) resetting(ctx context.Context, by *web.Actor, link string) (credential.Person, ui.ResetTwoFactor, error) {
	p, err := s.read(ctx, storage.LinkTwoFactor, link)
	if err != nil {
		return p, ui.ResetTwoFactor{}, err
	}
	// The tenant may have changed its mind since.
	if !s.MayReset(p) {
		return p, ui.ResetTwoFactor{}, web.ErrLink
	}
	d, err := s.Decision(ctx, by, p)
	if err == nil && !d.Allow {
		return p, ui.ResetTwoFactor{}, &web.Denied{Rule: d.Rule}
	}
	return p, ui.ResetTwoFactor{Account: web.Account(p.User), Required: d.TwoFactor == policy.Required, Action: pathLost + link}, err
}

// askReset asks for the password. The link alone does nothing: whoever reads the mail may be somebody else, and some
// programs open every link in a mail.
func (s *Service) askReset(ctx context.Context, by *web.Actor, in linkIn) (web.Result, error) {
	p, page, err := s.resetting(ctx, by, in.Link)
	if err != nil {
		return web.Result{}, err
	}
	return draw(p, page, false), nil
}

// reset takes all factors off, ends everything that is signed in, and tells the user on every way there is.
func (s *Service) reset(ctx context.Context, by *web.Actor, in linkIn) (web.Result, error) {
	p, page, err := s.resetting(ctx, by, in.Link)
	if err != nil {
		return web.Result{}, err
	}
	var many *web.TooMany
	switch err := s.CheckPassword(ctx, by, p, in.Password); {
	case errors.As(err, &many):
		page.Problem = ui.Say(ui.ProblemPasswordTries, "n", web.Minutes(many.Retry))
		return draw(p, page, true), nil
	case errors.Is(err, credential.ErrPassword):
		page.Problem = ui.Say(ui.ProblemPasswordWrong)
		return draw(p, page, true), s.record(ctx, by, p, "two_factor.reset", "refused", "password")
	case err != nil:
		return web.Result{}, err
	}
	// Asked again: the mail was another moment, and perhaps another place.
	if err := s.hook(ctx, by, p, hook.BeforeRecovery, ""); err != nil {
		return web.Result{}, err
	}
	if err := s.spend(ctx, p, storage.LinkTwoFactor); err != nil {
		return web.Result{}, err
	}
	var lost []storage.Credential
	err = s.Credentials.RemoveAll(ctx, p, func(held []storage.Credential) error {
		lost = held
		return s.record(ctx, by, p, "two_factor.reset", "ok", "mailed link")
	})
	if err != nil {
		return web.Result{}, credential.PassOn("factors", err)
	}
	if err := s.Credentials.Forgive(ctx, p); err != nil {
		return web.Result{}, web.Unavailable("counter", err)
	}
	if err := s.EndAll(ctx, p.User.Tenant, p.User.ID, ""); err != nil {
		return web.Result{}, err
	}
	s.Notices.Tell(ctx, p.Notice(by, ui.MailTwoFactorOff))
	if err := s.Credentials.Tell(ctx, p, lost, s.Notices.SMS(p.Tenant, by.MessageLang(p.Tenant, p.User), ui.SMSTwoFactorReset)); err != nil {
		s.Logger.WarnContext(ctx, "the user's phone was not told", "tenant", p.User.Tenant, "user", p.User.ID, "error", err)
	}
	if err := s.hook(ctx, by, p, hook.AfterRecovery, ""); err != nil {
		return web.Result{}, err
	}
	return draw(p, ui.ToldTwoFactorReset.Page(ui.PathAccount), false), nil
}

// accused is what the link of a notice holds: whose account, and when the notice was written.
type accused struct {
	Tenant string    `json:"t"`
	User   string    `json:"u"`
	At     time.Time `json:"at"`
}

const (
	sealNotMe = "this was not me"
	// notMeLife is how long "this was not me" can be said of a notice: mails are read late.
	notMeLife = 7 * 24 * time.Hour
)

// NotMe is the link for "this was not me". It is sealed and not stored: whatever a thief does next must not end it, and
// to lock an account twice does no harm.
func (s *Service) NotMe(u *storage.User) (string, error) {
	plain, err := json.Marshal(accused{Tenant: u.Tenant, User: u.ID, At: s.Now()})
	if err != nil {
		return "", err
	}
	sealed, err := s.Keys.Seal(sealNotMe, notMeLife, plain)
	return s.url(pathNotMe + sealed), err
}

// accuse reads the link of a notice. It finds users who are locked, too: who says so twice is not turned away.
func (s *Service) accuse(ctx context.Context, link string) (credential.Person, accused, error) {
	var a accused
	plain, err := s.Keys.Open(sealNotMe, link)
	if errors.Is(err, keys.ErrExpired) || errors.Is(err, keys.ErrSealed) {
		return credential.Person{}, a, web.ErrLink
	}
	if err != nil {
		return credential.Person{}, a, web.Unavailable("link", err)
	}
	if err := json.Unmarshal(plain, &a); err != nil {
		return credential.Person{}, a, web.ErrLink
	}
	t, err := s.Store.Tenants.Get(ctx, storage.Global, a.Tenant)
	if err == nil {
		var u storage.User
		if u, err = s.Store.Users.Get(ctx, a.Tenant, a.User); err == nil {
			p := credential.Person{Tenant: &t, User: &u}
			// An administrator looked into it since, and let the user in again.
			if u.Unlocked.After(a.At) {
				return p, a, web.ErrLink
			}
			return p, a, nil
		}
	}
	if errors.Is(err, storage.ErrNotFound) {
		return credential.Person{}, a, web.ErrLink
	}
	return credential.Person{}, a, web.Unavailable("user", err)
}

func (s *Service) askNotMe(ctx context.Context, _ *web.Actor, in linkIn) (web.Result, error) {
	p, _, err := s.accuse(ctx, in.Link)
	if err != nil {
		return web.Result{}, err
	}
	return draw(p, ui.AskNotMe.Page(pathNotMe+in.Link, "", "account", web.Account(p.User)), false), nil
}

// notMe locks the account and ends everything that is signed in.
func (s *Service) notMe(ctx context.Context, by *web.Actor, in linkIn) (web.Result, error) {
	p, a, err := s.accuse(ctx, in.Link)
	if err != nil {
		return web.Result{}, err
	}
	// Said again, it ends what is signed in by now, and is nothing new for the log.
	if p.User.Locked.IsZero() {
		if err := s.record(ctx, by, p, "user.lock", "ok", "this was not me"); err != nil {
			return web.Result{}, err
		}
	}
	first := false
	_, err = storage.Change(ctx, s.Store.Users, a.Tenant, a.User, func(u *storage.User) error {
		if u.Unlocked.After(a.At) {
			return web.ErrLink
		}
		if first = u.Locked.IsZero(); first {
			u.Locked = s.Now()
		}
		return nil
	})
	if err != nil {
		return web.Result{}, web.Unavailable("user", err)
	}
	if err := s.EndAll(ctx, a.Tenant, a.User, ""); err != nil {
		return web.Result{}, err
	}
	if first {
		s.Notices.Tell(ctx, p.Notice(by, ui.MailLocked))
	}
	return draw(p, ui.ToldLocked.Page(""), false), nil
}
