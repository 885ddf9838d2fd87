package login

import (
	"context"
	"errors"
	"slices"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// intro says that a second step has to be set up, and by which rule.
func (s *Service) intro(_ *web.Actor, st *state) web.Result {
	page := ui.SetUpIntro{
		Account: web.Account(st.person.User), Forced: true, Rule: st.decision.Rule, App: st.request.App,
		Cancel: signInPath(st.flow.Request, ""),
	}
	for _, f := range s.Credentials.Settable() {
		if i := f.Info(); st.decision.Allows(i.ID, i.PhishingResistant) {
			page.Factors = append(page.Factors, ui.Way{
				Factor: ui.Factor{ID: i.ID, Name: i.Name}, Left: -1, Path: st.path("/set-up/" + i.ID),
			})
		}
	}
	return st.draw(page)
}

type beginIn struct {
	Flow   string `path:"flow"`
	Factor string `path:"factor"`
	Input  string `form:"input"`
}

// beginSetUp begins to set up a factor. Its secret waits in the flow until it is confirmed.
func (s *Service) beginSetUp(ctx context.Context, by *web.Actor, in beginIn) (web.Result, error) {
	st, res, err := s.load(ctx, by, in.Flow)
	if st == nil || err != nil {
		return res, err
	}
	if st.step.Kind != Enrol {
		return web.Go(st.path("")), nil
	}
	if !slices.Contains(s.settable(st.decision), in.Factor) {
		return web.Result{}, web.ErrNotFound
	}
	e := st.flow.Enrolling
	// Sent twice, it shows the same secret twice: the one scanned from the first page must not be thrown away.
	if _, err := s.Credentials.Enrolment(ctx, st.person, e); err == nil && e.Factor == in.Factor && in.Input == "" {
		return web.Go(st.path("/set-up")), nil
	}
	e, err = s.Credentials.BeginEnrolment(ctx, st.person, in.Factor, in.Input)
	if err != nil {
		return web.Result{}, web.Unavailable("set-up", err)
	}
	st.flow.Enrolling = e
	if err := s.Store.Flows.Replace(ctx, st.flow); err != nil && !errors.Is(err, storage.ErrConflict) {
		return web.Result{}, web.Unavailable("flow", err)
	}
	return web.Go(st.path("/set-up")), nil
}

// settingUp loads a sign-in that stands at a set-up under way; else the result leads to where it stands.
func (s *Service) settingUp(ctx context.Context, by *web.Actor, flow string) (*state, credential.SettingUp, web.Result, error) {
	st, res, err := s.load(ctx, by, flow)
	if st == nil || err != nil {
		return nil, credential.SettingUp{}, res, err
	}
	if st.step.Kind != Enrol {
		return nil, credential.SettingUp{}, web.Go(st.path("")), nil
	}
	up, err := s.Credentials.Enrolment(ctx, st.person, st.flow.Enrolling)
	if errors.Is(err, credential.ErrNothingPending) {
		return nil, up, web.Go(st.path("")), nil
	}
	return st, up, web.Result{}, err
}

// setUp shows what the factor needs to be set up.
func (s *Service) setUp(ctx context.Context, by *web.Actor, in flowIn) (web.Result, error) {
	st, up, res, err := s.settingUp(ctx, by, in.Flow)
	if st == nil || err != nil {
		return res, err
	}
	return st.draw(s.setUpPage(st, up)), nil
}

func (s *Service) setUpPage(st *state, up credential.SettingUp) ui.SetUp {
	page := up.Page()
	page.Account, page.Forced = web.Account(st.person.User), true
	page.Action, page.Cancel = st.path("/set-up"), st.path("")
	if page.URI != "" {
		page.QR = st.path("/set-up/qr.png")
	}
	return page
}

// qr draws the QR code of a set-up under way. Once that is confirmed there is nothing to draw.
func (s *Service) qr(ctx context.Context, by *web.Actor, in flowIn) (web.Result, error) {
	st, up, _, err := s.settingUp(ctx, by, in.Flow)
	if err != nil {
		return web.Result{}, err
	}
	if st == nil {
		return web.Result{}, web.ErrNotFound
	}
	return up.QR()
}

type confirmIn struct {
	Flow string `path:"flow"`
	Code string `form:"code"`
}

// confirm ends a set-up with the first code. That code proves the factor, so it is the sign-in's second step too.
func (s *Service) confirm(ctx context.Context, by *web.Actor, in confirmIn) (web.Result, error) {
	end, err := s.turns.take(ctx, in.Flow)
	if err != nil {
		return web.Result{}, web.Unavailable("turn", err)
	}
	defer end()
	st, up, res, err := s.settingUp(ctx, by, in.Flow)
	if st == nil || err != nil {
		return res, err
	}
	if again := s.Credentials.Again(ctx, st.person, st.flow.Enrolling.Refused, st.flow.Enrolling.Factor, in.Code); again != nil {
		return s.setUpAgain(st, up, again)
	}
	done, err := s.Credentials.ConfirmEnrolment(ctx, st.person, st.flow.Enrolling, in.Code, func(held []storage.Credential) error {
		return s.acceptFactor(ctx, by, st, up, held)
	})
	if errors.Is(err, errMovedOn) {
		return web.Go(st.path("")), nil
	}
	if errors.Is(err, storage.ErrExists) {
		// The same code was sent twice, and the first was right.
		return web.Go(st.path("")), nil
	}
	if err != nil {
		return s.wrongSetUp(ctx, by, st, up, in.Code, err)
	}
	codes, err := s.Credentials.SealCodes(ctx, st.person, done.Codes)
	if err != nil {
		return web.Result{}, web.Unavailable("codes", err)
	}
	// Who was in with the password alone, before the second step stood in the way, is out.
	if err := s.EndOthers(ctx, st.flow.Tenant, st.flow.User, st.flow.Session); err != nil {
		return web.Result{}, err
	}
	n := st.person.Notice(by, ui.MailFactorAdded)
	n.Name = done.Credential.Name
	s.Notices.Tell(ctx, n)
	if st.have, st.held, err = s.enrolled(ctx, st.person); err != nil {
		return web.Result{}, err
	}
	return s.advance(ctx, by, st, up.Factor.Info().ID, func(f *storage.Flow) {
		f.Proofs = merge(f.Proofs, []storage.Proof{done.Proof})
		f.Enrolling, f.Codes = nil, codes
	})
}

// errMovedOn: another request changed what the step depends on.
var errMovedOn = errors.New("login: the sign-in stands at another step by now")

// acceptFactor looks once more whether a factor may be added, now that nobody else is adding one: of two sign-ins with
// the same password, each of which found no factor, the second must not enrol past the first.
func (s *Service) acceptFactor(ctx context.Context, by *web.Actor, st *state, up credential.SettingUp, held []storage.Credential) error {
	have, err := s.have(ctx, st.person, held)
	if err != nil {
		return err
	}
	now := *st
	now.have, now.held = have, held
	if s.next(&now).Kind != Enrol {
		return errMovedOn
	}
	e := s.event(by, st, "factor.added", "ok")
	e.Factor = up.Factor.Info().ID
	return s.record(ctx, e)
}

func (s *Service) wrongSetUp(ctx context.Context, by *web.Actor, st *state, up credential.SettingUp, code string, why error) (web.Result, error) {
	w := s.Credentials.Explain(up.Factor, why)
	if w.Problem.Key == "" {
		return web.Result{}, web.Unavailable("set-up", why)
	}
	e := s.event(by, st, "factor.added", "refused")
	e.Factor, e.Reason = up.Factor.Info().ID, w.Problem.Key
	if err := s.record(ctx, e); err != nil {
		return web.Result{}, err
	}
	if w.Wait > 0 {
		return web.Result{}, errors.Join(&web.TooMany{Retry: w.Wait}, s.drop(ctx, st))
	}
	refused, err := s.Credentials.Refuse(ctx, st.person, up.Factor.Info().ID, code, why)
	if err != nil {
		return web.Result{}, web.Unavailable("refused answer", err)
	}
	if refused != nil {
		st.flow.Enrolling.Refused = refused
		err = s.note(ctx, st)
	}
	if err != nil {
		return web.Result{}, err
	}
	return s.setUpAgain(st, up, why)
}

// setUpAgain shows the set-up once more, and says why the code was refused.
func (s *Service) setUpAgain(st *state, up credential.SettingUp, why error) (web.Result, error) {
	w := s.Credentials.Explain(up.Factor, why)
	if w.Problem.Key == "" {
		return web.Result{}, web.Unavailable("set-up", why)
	}
	page := s.setUpPage(st, up)
	page.Problem, page.Hint = w.Problem, w.Hint
	return st.again(page), nil
}

// codes shows the backup codes that were just made.
func (s *Service) codes(ctx context.Context, st *state, problem ui.Text) (web.Result, error) {
	codes, err := s.Credentials.OpenCodes(ctx, st.person, st.flow.Codes)
	if err != nil {
		return web.Result{}, web.Unavailable("codes", err)
	}
	res := st.draw(ui.BackupCodes{
		Account: web.Account(st.person.User), Codes: codes, First: true, Date: date(s.Now()),
		Action: st.path("/codes"), Download: st.path("/codes.txt"), App: st.request.App, Problem: problem,
	})
	res.Refused = problem.Key != ""
	return res, nil
}

// codesFile is the same codes as a text file, one a line.
func (s *Service) codesFile(ctx context.Context, by *web.Actor, in flowIn) (web.Result, error) {
	st, _, err := s.load(ctx, by, in.Flow)
	if err != nil {
		return web.Result{}, err
	}
	if st == nil || st.step.Kind != SaveCodes {
		return web.Result{}, web.ErrNotFound
	}
	codes, err := s.Credentials.OpenCodes(ctx, st.person, st.flow.Codes)
	if err != nil {
		return web.Result{}, web.Unavailable("codes", err)
	}
	return credential.CodesFile(codes), nil
}

type savedIn struct {
	Flow  string `path:"flow"`
	Saved bool   `form:"saved"`
}

// saved takes the word that the codes are saved, and forgets them.
func (s *Service) saved(ctx context.Context, by *web.Actor, in savedIn) (web.Result, error) {
	end, err := s.turns.take(ctx, in.Flow)
	if err != nil {
		return web.Result{}, web.Unavailable("turn", err)
	}
	defer end()
	st, res, err := s.load(ctx, by, in.Flow)
	if st == nil || err != nil {
		return res, err
	}
	if st.step.Kind != SaveCodes {
		return web.Go(st.path("")), nil
	}
	if !in.Saved {
		return s.codes(ctx, st, ui.Say(ui.ProblemTick))
	}
	return s.advance(ctx, by, st, "", func(f *storage.Flow) { f.Codes = nil })
}
