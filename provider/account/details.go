package account

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

const (
	pathName        = ui.PathDetails + "/name"
	pathEmail       = ui.PathDetails + "/email"
	pathEmailCancel = pathEmail + "/cancel"
	pathPhones      = ui.PathDetails + "/phones/"
	pathLanguage    = ui.PathDetails + "/language"
	// pathWellKnown is where programs that keep passwords look for the page that changes one (W3C, A Well-Known URL for
	// Changing Passwords).
	pathWellKnown = "/.well-known/change-password"
)

// detailsRoutes are the pages of what an account says of its user. What changes how the user signs in asks for a fresh
// second step; what only ends something does not.
func (s *Service) detailsRoutes() []web.Route {
	return []web.Route{
		web.Get(ui.PathDetails, web.Self, s.details),
		web.Get(pathName, web.Self, s.askUserName),
		web.Post(pathName, web.Self, s.setUserName),
		web.Post(pathLanguage, web.Self, s.setLanguage),
		web.Get(pathEmail, web.Fresh, s.askEmail),
		web.Post(pathEmail, web.Fresh, s.beginEmail),
		web.Post(pathEmailCancel, web.Self, s.cancelEmail),
		web.Get(ui.PathPassword, web.Fresh, s.askPassword),
		web.Post(ui.PathPassword, web.Fresh, s.setPassword),
		web.Get(pathWellKnown, web.Open, s.wellKnown),
		web.Get(pathPhones+":id", web.Fresh, s.askNumber),
		web.Post(pathPhones+":id", web.Fresh, s.beginNumber),
	}
}

func (s *Service) details(ctx context.Context, by *web.Actor, in noticed) (web.Result, error) {
	u := by.User
	page := ui.Details{
		Account: web.Account(u), Name: u.Name, Login: u.Login, Email: u.Email, Verified: u.EmailVerified,
		Password: s.hasPassword(u), PasswordSet: ui.Stamp(u.PasswordSet), ChangePassword: ui.PathPassword,
		SetLanguage: pathLanguage, Notice: s.notice(in),
	}
	if u.Email != "" && !u.EmailVerified {
		page.VerifyEmail = pathVerify
	}
	if s.Local != nil {
		page.ChangeName, page.ChangeEmail = pathName, pathEmail
	}
	var err error
	if page.Pending, err = s.pendingEmail(ctx, by); err != nil {
		return web.Result{}, err
	}
	if err := s.phones(ctx, by, &page); err != nil {
		return web.Result{}, err
	}
	if u.Locale != "" {
		page.Language = s.Notices.UI.Language(u.Locale)
	}
	for _, tag := range s.Notices.UI.Languages() {
		page.Languages = append(page.Languages, ui.Choice{ID: tag, Name: cmp.Or(display.Self.Name(language.Make(tag)), tag)})
	}
	return web.Draw(page), nil
}

// hasPassword tells whether the user has a password, as far as we know: another directory does not say.
func (s *Service) hasPassword(u *storage.User) bool { return s.Local == nil || u.Password != "" }

func (s *Service) pendingEmail(ctx context.Context, by *web.Actor) (*ui.PendingEmail, error) {
	if s.Local == nil {
		return nil, nil //nolint:nilnil // No change is an answer, and no error.
	}
	l, err := s.Emails.PendingEmail(ctx, by)
	if err != nil || l == nil {
		return nil, err
	}
	return &ui.PendingEmail{
		To: l.Email.To, NewWaits: !l.Email.NewConfirmed, OldWaits: l.Email.OldWaits(), Both: l.Email.Old != "",
		Again: pathEmail, Cancel: pathEmailCancel,
	}, nil
}

// phones fills in the numbers that codes go to, and whether one can be added.
func (s *Service) phones(ctx context.Context, by *web.Actor, page *ui.Details) error {
	all, err := s.Credentials.List(ctx, credential.Who(by))
	if err != nil {
		return web.Unavailable("factors", err)
	}
	d, err := s.Decision(ctx, by)
	if err != nil {
		return err
	}
	for _, c := range all {
		f, err := s.Credentials.Factor(c.Factor)
		if err != nil || f.Info().Asks != mfa.AsksPhone {
			continue
		}
		row := ui.PhoneRow{Factor: ui.Factor{ID: c.Factor, Name: f.Info().Name}, Name: credential.NameOf(c, f), Number: c.Note}
		if wanted(d, f) {
			row.Change = pathPhones + c.ID
		}
		page.Phones = append(page.Phones, row)
	}
	for _, w := range s.addable(d, all) {
		if f, err := s.Credentials.Factor(w.Factor.ID); err == nil && f.Info().Asks == mfa.AsksPhone && len(page.Phones) == 0 {
			page.AddPhone = w.Path
		}
	}
	return nil
}

// wanted tells whether the policy has anything against a factor of the user's.
func wanted(d policy.Decision, f mfa.Factor) bool {
	i := f.Info()
	return d.TwoFactor != policy.Unavailable && (d.TwoFactor != policy.Required || d.Allows(i.ID, i.PhishingResistant))
}

type nameIn struct {
	Name string `form:"name"`
}

func (s *Service) askUserName(_ context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	if s.Local == nil {
		return web.Result{}, web.ErrNotFound
	}
	return web.Draw(namePage(by.User.Name)), nil
}

func namePage(typed string) ui.ChangeName {
	return ui.ChangeName{Name: typed, Action: pathName, Cancel: ui.PathDetails}
}

// setUserName changes the user's name. It is on pages and in mails, and lets nobody in.
func (s *Service) setUserName(ctx context.Context, by *web.Actor, in nameIn) (web.Result, error) {
	if s.Local == nil {
		return web.Result{}, web.ErrNotFound
	}
	page := namePage(in.Name)
	name, err := directory.NormalizeName(in.Name)
	if err == nil && name == "" {
		err = &directory.FieldError{Field: "name", Reason: directory.Missing}
	}
	var bad *directory.FieldError
	if errors.As(err, &bad) {
		page.Problem = ui.Invalid("name", bad.Reason)
		return web.Result{Page: page, Refused: true}, nil
	}
	if err := s.record(ctx, by, "user.change", "ok", "", "name"); err != nil {
		return web.Result{}, err
	}
	if err := s.onFresh(ctx, by, func(u *storage.User) error { return s.Local.Rename(ctx, u, name) }); err != nil {
		return web.Result{}, web.Unavailable("name", err)
	}
	return s.to(ui.PathDetails, ui.Say(ui.NoticeNameChanged))
}

// onFresh changes the actor's user as it is now, and once more where somebody else was first.
func (s *Service) onFresh(ctx context.Context, by *web.Actor, change func(u *storage.User) error) error {
	return storage.Retry(func() error {
		u, err := s.Users.Get(ctx, by.User.Tenant, by.User.ID)
		if err == nil {
			err = change(&u)
		}
		if err == nil {
			by.User = &u
		}
		return err
	})
}

type languageIn struct {
	Language string `form:"language"`
}

// setLanguage keeps the language that pages and messages are in; none leaves it to the browser.
func (s *Service) setLanguage(ctx context.Context, by *web.Actor, in languageIn) (web.Result, error) {
	if in.Language != "" && !slices.Contains(s.Notices.UI.Languages(), in.Language) {
		return web.Result{}, web.ErrBadRequest
	}
	if err := s.record(ctx, by, "user.change", "ok", "", "language"); err != nil {
		return web.Result{}, err
	}
	_, err := storage.Change(ctx, s.Users, by.User.Tenant, by.User.ID, func(u *storage.User) error {
		u.Locale = in.Language
		return nil
	})
	if err != nil {
		return web.Result{}, web.Unavailable("user", err)
	}
	res, err := s.to(ui.PathDetails, ui.Say(ui.NoticeLanguageChanged))
	// The page that asks for the password next time does not know yet who it is that comes.
	res.Language = &in.Language
	return res, err
}

type emailIn struct {
	Email string `form:"email"`
}

func (s *Service) askEmail(_ context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	if s.Local == nil {
		return web.Result{}, web.ErrNotFound
	}
	return web.Draw(emailPage(by, "")), nil
}

func emailPage(by *web.Actor, typed string) ui.ChangeEmail {
	return ui.ChangeEmail{
		Present: by.User.Email, Both: by.User.Email != "" && by.User.EmailVerified, Email: typed, Action: pathEmail, Cancel: ui.PathDetails,
	}
}

// beginEmail begins a change of the address. The answer is the same whether or not the new one is somebody else's.
func (s *Service) beginEmail(ctx context.Context, by *web.Actor, in emailIn) (web.Result, error) {
	if s.Local == nil {
		return web.Result{}, web.ErrNotFound
	}
	held, err := s.Credentials.List(ctx, credential.Who(by))
	if err != nil {
		return web.Result{}, web.Unavailable("factors", err)
	}
	if !s.shown(by, held) {
		return web.Go(ui.PathDetails), nil
	}
	err = s.Emails.BeginEmail(ctx, by, in.Email)
	page := emailPage(by, in.Email)
	var bad *directory.FieldError
	var many *web.TooMany
	switch {
	case errors.As(err, &bad):
		page.Problem = ui.Invalid("email", bad.Reason)
	case errors.As(err, &many):
		page.Problem = ui.Say(ui.ProblemMailsOften, "n", web.Minutes(many.Retry))
	case err != nil:
		return web.Result{}, err
	default:
		return s.to(ui.PathDetails, ui.Say(ui.NoticeEmailChange))
	}
	return web.Result{Page: page, Refused: true}, nil
}

func (s *Service) cancelEmail(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	if s.Local == nil {
		return web.Result{}, web.ErrNotFound
	}
	if err := s.Emails.CancelEmail(ctx, by); err != nil {
		return web.Result{}, err
	}
	return s.to(ui.PathDetails, ui.Say(ui.NoticeEmailCancelled))
}
