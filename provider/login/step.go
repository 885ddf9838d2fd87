package login

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

type flowIn struct {
	Flow string `path:"flow"`
}

// show is the dispatcher: it draws the page of the step at which the sign-in stands.
func (s *Service) show(ctx context.Context, by *web.Actor, in flowIn) (web.Result, error) {
	end, err := s.turns.take(ctx, in.Flow)
	if err != nil {
		return web.Result{}, web.Unavailable("turn", err)
	}
	defer end()
	st, res, err := s.load(ctx, by, in.Flow)
	if st == nil || err != nil {
		return res, err
	}
	switch st.step.Kind {
	case Prompt:
		return s.prompt(ctx, st, s.first(st.step.Factors, st.person.User.LastFactor)[0])
	case Enrol:
		return s.intro(by, st), nil
	case SaveCodes:
		return s.codes(ctx, st, ui.Text{})
	case Done:
		// The policy changed while the page lay open.
		return s.advance(ctx, by, st, "", func(*storage.Flow) {})
	default:
		return s.stop(ctx, by, st)
	}
}

// stop ends a sign-in that can't go on, and says why.
func (s *Service) stop(ctx context.Context, by *web.Actor, st *state) (web.Result, error) {
	e := s.event(by, st, "sign_in", "refused")
	var why error
	switch st.step.Kind {
	case Deny:
		e.Reason, why = "denied by policy", &web.Denied{Rule: st.decision.Rule}
	case Recover:
		e.Reason, why = "no factor that would do", web.ErrRecoveryNeeded
	case Unmet:
		e.Reason, why = "essential acr can't be met", ErrUnmet
	case Password:
		return web.Go(signInPath(st.flow.Request, "")), nil
	default:
		return web.Go(st.path("")), nil
	}
	if err := s.record(ctx, e); err != nil {
		return web.Result{}, err
	}
	if err := s.drop(ctx, st); err != nil {
		return web.Result{}, err
	}
	if errors.Is(why, ErrUnmet) && st.request.Client != "" {
		return s.Refuse(ctx, by, st.request, why)
	}
	return web.Result{}, why
}

// prompt puts a factor's question. It is put once for each sign-in: a page that is loaded again shows it again.
func (s *Service) prompt(ctx context.Context, st *state, factor string) (web.Result, error) {
	var prompt mfa.Prompt
	pending, ok := st.flow.Pending[factor]
	var err error
	if ok {
		prompt, err = s.Credentials.Prompt(ctx, st.person, factor, pending)
	} else {
		prompt, err = s.put(ctx, st, factor)
	}
	if err != nil {
		return web.Result{}, web.Unavailable("challenge", err)
	}
	f, err := s.Credentials.Factor(factor)
	if err != nil {
		return web.Result{}, err
	}
	return st.draw(s.code(st, f, prompt)), nil
}

// put makes a challenge, and stores it before it is shown.
func (s *Service) put(ctx context.Context, st *state, factor string) (mfa.Prompt, error) {
	pending, prompt, err := s.Credentials.Challenge(ctx, st.person, factor)
	if err != nil || len(pending.State) == 0 {
		return prompt, err
	}
	if st.flow.Pending == nil {
		st.flow.Pending = map[string]storage.Pending{}
	}
	st.flow.Pending[factor] = pending
	err = s.Store.Flows.Replace(ctx, st.flow)
	if !errors.Is(err, storage.ErrConflict) {
		return prompt, err
	}
	// Another process was asked for the same page at the same moment: its challenge is the one that counts.
	f, err := s.Store.Flows.Get(ctx, st.flow.Tenant, st.flow.ID)
	if err != nil {
		return prompt, err
	}
	st.flow = &f
	return s.Credentials.Prompt(ctx, st.person, factor, f.Pending[factor])
}

func (s *Service) code(st *state, f mfa.Factor, prompt mfa.Prompt) ui.Code {
	factor := f.Info().ID
	info := f.Info()
	digits := info.Input.Digits
	if prompt.Input != (mfa.Input{}) {
		digits = prompt.Input.Digits
	}
	return ui.Code{
		Factor: ui.Factor{ID: info.ID, Name: info.Name}, Account: web.Account(st.person.User), Digits: digits,
		Prompt: prompt.Text, Target: prompt.Target, App: st.request.App,
		Action: st.path("/with/" + factor), Others: st.path("/ways"), Restart: signInPath(st.flow.Request, ""),
	}
}

type factorIn struct {
	Flow   string `path:"flow"`
	Factor string `path:"factor"`
	Code   string `form:"code"`
}

// with shows the prompt of a factor that the user chose.
func (s *Service) with(ctx context.Context, by *web.Actor, in factorIn) (web.Result, error) {
	end, err := s.turns.take(ctx, in.Flow)
	if err != nil {
		return web.Result{}, web.Unavailable("turn", err)
	}
	defer end()
	st, res, err := s.load(ctx, by, in.Flow)
	if st == nil || err != nil {
		return res, err
	}
	if st.step.Kind != Prompt || !slices.Contains(st.step.Factors, in.Factor) {
		return web.Go(st.path("")), nil
	}
	return s.prompt(ctx, st, in.Factor)
}

// answer takes the answer to a factor's challenge.
func (s *Service) answer(ctx context.Context, by *web.Actor, in factorIn) (web.Result, error) {
	end, err := s.turns.take(ctx, in.Flow)
	if err != nil {
		return web.Result{}, web.Unavailable("turn", err)
	}
	defer end()
	st, res, err := s.load(ctx, by, in.Flow)
	if st == nil || err != nil {
		return res, err
	}
	if st.step.Kind != Prompt || !slices.Contains(st.step.Factors, in.Factor) {
		return web.Go(st.path("")), nil
	}
	if again := s.Credentials.Again(ctx, st.person, st.flow.Refused, in.Factor, in.Code); again != nil {
		return s.again(ctx, st, in.Factor, again)
	}
	passed, err := s.Credentials.Answer(ctx, st.person, st.held, in.Factor, st.flow.Pending[in.Factor], in.Code)
	if errors.Is(err, credential.ErrNothingPending) {
		return web.Go(st.path("/with/" + in.Factor)), nil
	}
	if err != nil {
		return s.wrong(ctx, by, st, in, err)
	}
	if passed.Left >= 0 {
		n := st.person.Notice(by, ui.MailCodeUsed)
		n.Left = passed.Left
		s.Notices.Tell(ctx, n)
	}
	err = atOnce(
		func() (err error) {
			res, err = s.advance(ctx, by, st, in.Factor, func(f *storage.Flow) {
				f.Proofs = merge(f.Proofs, []storage.Proof{passed.Proof})
				delete(f.Pending, in.Factor)
			})
			return err
		},
		func() error { return web.Unavailable("counter", s.Credentials.Forgive(ctx, st.person)) },
	)
	return res, err
}

// wrong answers what was not right: it says which, and how to do better.
func (s *Service) wrong(ctx context.Context, by *web.Actor, st *state, in factorIn, why error) (web.Result, error) {
	f, err := s.Credentials.Factor(in.Factor)
	if err != nil {
		return web.Result{}, err
	}
	w := s.Credentials.Explain(f, why)
	if w.Problem.Key == "" {
		return web.Result{}, web.Unavailable("factor "+in.Factor, why)
	}
	e := s.event(by, st, "sign_in.factor", "refused")
	e.Factor, e.Reason = in.Factor, w.Problem.Key
	if err := s.record(ctx, e); err != nil {
		return web.Result{}, err
	}
	if w.Wait > 0 {
		return web.Result{}, errors.Join(&web.TooMany{Retry: w.Wait}, s.drop(ctx, st))
	}
	refused, err := s.Credentials.Refuse(ctx, st.person, in.Factor, in.Code, why)
	if err != nil {
		return web.Result{}, web.Unavailable("refused answer", err)
	}
	if refused != nil {
		st.flow.Refused = refused
		err = s.note(ctx, st)
	}
	if err != nil {
		return web.Result{}, err
	}
	return s.again(ctx, st, in.Factor, why)
}

// note stores with the sign-in which answer was refused. Where another request of the same sign-in was first there is
// nothing to note: what it wrote is newer.
func (s *Service) note(ctx context.Context, st *state) error {
	if err := s.Store.Flows.Replace(ctx, st.flow); err != nil && !errors.Is(err, storage.ErrConflict) {
		return web.Unavailable("flow", err)
	}
	return nil
}

// again asks once more, and says why the answer was refused.
func (s *Service) again(ctx context.Context, st *state, factor string, why error) (web.Result, error) {
	f, err := s.Credentials.Factor(factor)
	if err != nil {
		return web.Result{}, err
	}
	w := s.Credentials.Explain(f, why)
	if w.Problem.Key == "" {
		return web.Result{}, web.Unavailable("factor "+factor, why)
	}
	var prompt mfa.Prompt
	if pending, ok := st.flow.Pending[factor]; ok {
		prompt, err = s.Credentials.Prompt(ctx, st.person, factor, pending)
	} else {
		_, prompt, err = s.Credentials.Challenge(ctx, st.person, factor)
	}
	if err != nil {
		return web.Result{}, web.Unavailable("challenge", err)
	}
	page := s.code(st, f, prompt)
	page.Problem, page.Hint = w.Problem, w.Hint
	return st.again(page), nil
}

// ways lists the other ways to pass the second step. The page is there also where there is only one: that there is no
// other way is an answer too.
func (s *Service) ways(ctx context.Context, by *web.Actor, in flowIn) (web.Result, error) {
	st, res, err := s.load(ctx, by, in.Flow)
	if st == nil || err != nil {
		return res, err
	}
	if st.step.Kind != Prompt {
		return web.Go(st.path("")), nil
	}
	page := ui.Ways{
		Account: web.Account(st.person.User), Back: st.path(""), Restart: signInPath(st.flow.Request, ""),
		Support: st.person.Tenant.Settings.Support,
	}
	for _, id := range s.first(st.step.Factors, st.person.User.LastFactor) {
		f, err := s.Credentials.Factor(id)
		if err != nil {
			return web.Result{}, err
		}
		way := ui.Way{Factor: ui.Factor{ID: id, Name: f.Info().Name}, Left: -1, Path: st.path("/with/" + id)}
		for _, c := range st.held {
			if c.Factor == id {
				way.Name = c.Name
				if f.Info().Backup {
					way.Left, way.Name = c.Left, ""
				}
			}
		}
		page.Ways = append(page.Ways, way)
	}
	return st.draw(page), nil
}

// date is a day as pages and files show it.
func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }
