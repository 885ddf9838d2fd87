package account

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

type nothing struct{}

// intro says what a second step means, before it is set up.
func (s *Service) intro(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	d, all, err := s.mayAdd(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	page := ui.SetUpIntro{Account: web.Account(by.User), Factors: s.addable(d, all), Cancel: ui.PathAccount}
	return web.Draw(page), nil
}

// mayAdd reads what adding a factor depends on, and refuses where a second step can't be had.
func (s *Service) mayAdd(ctx context.Context, by *web.Actor) (policy.Decision, []storage.Credential, error) {
	d, err := s.Decision(ctx, by)
	if err != nil {
		return d, nil, err
	}
	if d.TwoFactor == policy.Unavailable {
		return d, nil, &web.Denied{Rule: d.Rule}
	}
	all, err := s.Credentials.List(ctx, credential.Who(by))
	return d, all, web.Unavailable("factors", err)
}

type beginIn struct {
	Factor string `path:"factor"`
	Input  string `form:"input"`
}

// begin begins to set up a factor. Its secret waits in the session until it is confirmed.
func (s *Service) begin(ctx context.Context, by *web.Actor, in beginIn) (web.Result, error) {
	d, all, err := s.mayAdd(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	if !slices.ContainsFunc(s.addable(d, all), func(w ui.Way) bool { return w.Factor.ID == in.Factor }) {
		return web.Result{}, web.ErrNotFound
	}
	e, err := s.Credentials.BeginEnrolment(ctx, credential.Who(by), in.Factor, in.Input)
	if err != nil {
		return web.Result{}, web.Unavailable("set-up", err)
	}
	if err := s.keep(ctx, by, func(o *storage.Session) { o.Enrolling = e }); err != nil {
		return web.Result{}, err
	}
	return web.Go(pathSetUp), nil
}

// keep changes the session.
func (s *Service) keep(ctx context.Context, by *web.Actor, change func(*storage.Session)) error {
	o, err := storage.Change(ctx, s.Sessions, by.Session.Tenant, by.Session.ID, func(o *storage.Session) error {
		change(o)
		return nil
	})
	if err != nil {
		return web.Unavailable("session", err)
	}
	by.Session = &o
	return nil
}

// setUp shows what the factor needs to be set up.
func (s *Service) setUp(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	up, err := s.Credentials.Enrolment(ctx, credential.Who(by), by.Session.Enrolling)
	if errors.Is(err, credential.ErrNothingPending) {
		return web.Go(ui.PathAccount), nil
	}
	if err != nil {
		return web.Result{}, web.Unavailable("set-up", err)
	}
	return web.Draw(setUpPage(by, up)), nil
}

func setUpPage(by *web.Actor, up credential.SettingUp) ui.SetUp {
	page := up.Page()
	page.Account, page.Action, page.Cancel = web.Account(by.User), pathSetUp, ui.PathAccount
	if page.URI != "" {
		page.QR = pathSetUp + "/qr.png"
	}
	return page
}

// qr draws the QR code of a set-up under way. Once that is confirmed there is nothing to draw.
func (s *Service) qr(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	up, err := s.Credentials.Enrolment(ctx, credential.Who(by), by.Session.Enrolling)
	if errors.Is(err, credential.ErrNothingPending) {
		return web.Result{}, web.ErrNotFound
	}
	if err != nil {
		return web.Result{}, web.Unavailable("set-up", err)
	}
	return up.QR()
}

type confirmIn struct {
	Code string `form:"code"`
}

// confirm ends a set-up with the first code.
func (s *Service) confirm(ctx context.Context, by *web.Actor, in confirmIn) (web.Result, error) {
	p := credential.Who(by)
	e := by.Session.Enrolling
	up, err := s.Credentials.Enrolment(ctx, p, e)
	if errors.Is(err, credential.ErrNothingPending) {
		return web.Go(ui.PathAccount), nil
	}
	if err != nil {
		return web.Result{}, web.Unavailable("set-up", err)
	}
	if _, _, err := s.mayAdd(ctx, by); err != nil {
		return web.Result{}, err
	}
	if again := s.Credentials.Again(ctx, p, e.Refused, e.Factor, in.Code); again != nil {
		return s.setUpAgain(by, up, again)
	}
	done, err := s.Credentials.ConfirmEnrolment(ctx, p, e, in.Code, func([]storage.Credential) error {
		return s.record(ctx, by, "factor.added", "ok", e.Factor, "")
	})
	if errors.Is(err, storage.ErrExists) {
		// The same code was sent twice, and the first was right.
		return web.Go(ui.PathAccount), nil
	}
	if err != nil {
		return s.wrong(ctx, by, up, in.Code, err)
	}
	codes, err := s.Credentials.SealCodes(ctx, p, done.Codes)
	if err != nil {
		return web.Result{}, web.Unavailable("codes", err)
	}
	// The session can do more from here on, so it gets a new secret: a cookie copied before stays behind.
	cookie, err := s.Renew(ctx, by, func(o *storage.Session) {
		o.Enrolling = nil
		o.Proofs = append(o.Proofs, done.Proof)
		if codes != nil {
			o.Codes = codes
		}
	})
	if err != nil {
		return web.Result{}, err
	}
	if err := s.changed(ctx, by); err != nil {
		return web.Result{}, err
	}
	n := p.Notice(by, ui.MailFactorAdded)
	n.Name = done.Credential.Name
	s.Notices.Tell(ctx, n)
	res := web.Go(pathCodes)
	if codes == nil {
		if res, err = s.done(ui.Say(ui.NoticeFactorAdded, "name", done.Credential.Name)); err != nil {
			return web.Result{}, err
		}
	}
	res.Session = &cookie
	return res, nil
}

// wrong notes a wrong code, so that the page loaded again is not counted again.
func (s *Service) wrong(ctx context.Context, by *web.Actor, up credential.SettingUp, code string, why error) (web.Result, error) {
	w := s.Credentials.Explain(up.Factor, why)
	if w.Problem.Key == "" {
		return web.Result{}, web.Unavailable("set-up", why)
	}
	if err := s.record(ctx, by, "factor.added", "refused", up.Factor.Info().ID, w.Problem.Key); err != nil {
		return web.Result{}, err
	}
	if w.Wait > 0 {
		return web.Result{}, &web.TooMany{Retry: w.Wait}
	}
	refused, err := s.Credentials.Refuse(ctx, credential.Who(by), up.Factor.Info().ID, code, why)
	if err != nil {
		return web.Result{}, web.Unavailable("refused answer", err)
	}
	if begun := by.Session.Enrolling.At; refused != nil {
		err = s.keep(ctx, by, func(o *storage.Session) {
			// Confirmed or begun anew by another request, there is nothing to note.
			if o.Enrolling != nil && o.Enrolling.At.Equal(begun) {
				o.Enrolling.Refused = refused
			}
		})
	}
	if err != nil {
		return web.Result{}, err
	}
	return s.setUpAgain(by, up, why)
}

// setUpAgain shows the set-up again, with what was wrong.
func (s *Service) setUpAgain(by *web.Actor, up credential.SettingUp, why error) (web.Result, error) {
	w := s.Credentials.Explain(up.Factor, why)
	if w.Problem.Key == "" {
		return web.Result{}, web.Unavailable("set-up", why)
	}
	page := setUpPage(by, up)
	page.Problem, page.Hint = w.Problem, w.Hint
	return web.Result{Page: page, Refused: true}, nil
}

// codes shows the backup codes that were just made, until they are saved.
func (s *Service) codes(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	return s.showCodes(ctx, by, ui.Text{})
}

func (s *Service) showCodes(ctx context.Context, by *web.Actor, problem ui.Text) (web.Result, error) {
	codes, err := s.Credentials.OpenCodes(ctx, credential.Who(by), by.Session.Codes)
	if errors.Is(err, credential.ErrNothingPending) {
		return web.Go(ui.PathAccount), nil
	}
	if err != nil {
		return web.Result{}, web.Unavailable("codes", err)
	}
	return web.Result{Refused: problem.Key != "", Page: ui.BackupCodes{
		Account: web.Account(by.User), Codes: codes, Date: s.Now().UTC().Format(time.DateOnly),
		Action: pathCodes, Download: pathCodes + ".txt", Problem: problem,
	}}, nil
}

func (s *Service) codesFile(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	codes, err := s.Credentials.OpenCodes(ctx, credential.Who(by), by.Session.Codes)
	if errors.Is(err, credential.ErrNothingPending) {
		return web.Result{}, web.ErrNotFound
	}
	if err != nil {
		return web.Result{}, web.Unavailable("codes", err)
	}
	return credential.CodesFile(codes), nil
}

type savedIn struct {
	Saved bool `form:"saved"`
}

// saved takes the word that the codes are saved, and forgets them.
func (s *Service) saved(ctx context.Context, by *web.Actor, in savedIn) (web.Result, error) {
	if len(by.Session.Codes) == 0 {
		return web.Go(ui.PathAccount), nil
	}
	if !in.Saved {
		return s.showCodes(ctx, by, ui.Say(ui.ProblemTick))
	}
	if err := s.keep(ctx, by, func(o *storage.Session) { o.Codes = nil }); err != nil {
		return web.Result{}, err
	}
	return s.done(ui.Say(ui.NoticeTwoFactorOn))
}

// askNewCodes asks first, because the old codes stop at once.
func (s *Service) askNewCodes(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	if err := s.needFactor(ctx, by); err != nil {
		return web.Result{}, err
	}
	return web.Draw(ui.AskCodesNew.Page(ui.PathCodesNew, ui.PathAccount)), nil
}

// passOn keeps refusals as they are, and makes everything else a refusal to try again.
func passOn(what string, err error) error {
	var required *web.Required
	if errors.As(err, &required) || errors.Is(err, web.ErrNotFound) || errors.Is(err, web.ErrBusy) {
		return err
	}
	return web.Unavailable(what, err)
}

// needFactor refuses where there is no second step that codes could stand in for.
func (s *Service) needFactor(ctx context.Context, by *web.Actor) error {
	all, err := s.Credentials.List(ctx, credential.Who(by))
	if err != nil {
		return web.Unavailable("factors", err)
	}
	if len(s.Credentials.Primary(all)) == 0 {
		return web.ErrNotFound
	}
	return nil
}

func (s *Service) newCodes(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	p := credential.Who(by)
	codes, err := s.Credentials.NewCodes(ctx, p, func(held []storage.Credential) error {
		if len(s.Credentials.Primary(held)) == 0 {
			return web.ErrNotFound
		}
		return s.record(ctx, by, "codes.new", "ok", "", "")
	})
	if err != nil {
		return web.Result{}, passOn("codes", err)
	}
	sealed, err := s.Credentials.SealCodes(ctx, p, codes)
	if err != nil {
		return web.Result{}, web.Unavailable("codes", err)
	}
	if err := s.keep(ctx, by, func(o *storage.Session) { o.Codes = sealed }); err != nil {
		return web.Result{}, err
	}
	if err := s.changed(ctx, by); err != nil {
		return web.Result{}, err
	}
	s.Notices.Tell(ctx, p.Notice(by, ui.MailCodesNew))
	return web.Go(pathCodes), nil
}
