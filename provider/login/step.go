package login

import (
	"context"
	"errors"
	"slices"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

type flowIn struct {
	Flow string `path:"flow"`
}

// show is the dispatcher: it draws the page of the step at which the sign-in stands.
func (s *Service) show(ctx context.Context, by *web.Actor, in flowIn) (web.Result, error) {
	return s.inTurn(ctx, by, in.Flow, func(st *state) (web.Result, error) {
		switch st.step.Kind {
		case Prompt:
			return s.prompt(ctx, by, st, s.first(st.step.Factors, st.person.User.LastFactor)[0], ui.Text{})
		case Recover:
			// Nothing that the user has will do: what is left is a code from an owner.
			if id, ok := s.recovery(); ok {
				return s.prompt(ctx, by, st, id, ui.Text{})
			}
			return s.stop(ctx, by, st)
		case Enrol:
			return s.intro(st), nil
		case SaveCodes:
			return s.codes(ctx, by, st, ui.Text{})
		case Done:
			// The policy changed while the page lay open.
			return s.advance(ctx, by, st, "", func(*storage.Flow) {})
		default:
			return s.stop(ctx, by, st)
		}
	})
}

// recovery is the ID of the factor that owners hand out.
func (s *Service) recovery() (string, bool) {
	for _, f := range s.Credentials.Factors {
		if i := f.Info(); i.Enrolment == mfa.ByOwner {
			return i.ID, true
		}
	}
	return "", false
}

// mayAnswer tells whether a factor can be answered where the sign-in stands. The code from an owner always can, and that
// is no sign that there is one.
func (s *Service) mayAnswer(st *state, factor string) bool {
	id, ok := s.recovery()
	return st.step.Kind == Prompt && slices.Contains(st.step.Factors, factor) ||
		ok && factor == id && (st.step.Kind == Prompt || st.step.Kind == Recover)
}

// stop ends a sign-in that can't go on, and says why.
func (s *Service) stop(ctx context.Context, by *web.Actor, st *state) (web.Result, error) {
	e := s.entry(by, st, "sign_in", "refused")
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
	if err := s.drop(ctx, st.flow); err != nil {
		return web.Result{}, err
	}
	if errors.Is(why, ErrUnmet) && st.request.Client != "" {
		return s.Refuse(ctx, by, st.request, why)
	}
	return web.Result{}, why
}

type factorIn struct {
	Flow     string `path:"flow"`
	Factor   string `path:"factor"`
	Code     string `form:"code"`
	Remember bool   `form:"remember"`
	Sent     string `form:"sent"`
}

// with shows the prompt of a factor that the user chose.
func (s *Service) with(ctx context.Context, by *web.Actor, in factorIn) (web.Result, error) {
	return s.inTurn(ctx, by, in.Flow, func(st *state) (web.Result, error) {
		if !s.mayAnswer(st, in.Factor) {
			return web.Go(st.path("")), nil
		}
		notice := ui.Text{}
		if in.Sent != "" {
			notice = ui.Say(ui.NoticeSentAgain)
		}
		return s.prompt(ctx, by, st, in.Factor, notice)
	})
}

// answer takes the answer to a factor's challenge.
func (s *Service) answer(ctx context.Context, by *web.Actor, in factorIn) (web.Result, error) {
	return s.inTurn(ctx, by, in.Flow, func(st *state) (web.Result, error) {
		if !s.mayAnswer(st, in.Factor) {
			return web.Go(st.path("")), nil
		}
		f, err := s.Credentials.Factor(in.Factor)
		if err != nil {
			return web.Result{}, err
		}
		if again := s.Credentials.Again(ctx, st.person, st.flow.Refused, in.Factor, in.Code); again != nil {
			return s.again(ctx, st, in.Factor, again)
		}
		recovery := f.Info().Enrolment == mfa.ByOwner
		if recovery {
			if err := s.hook(ctx, by, st, hook.BeforeRecovery, in.Factor); err != nil {
				return web.Result{}, err
			}
		}
		st.flow.Remember = in.Remember && s.rememberDays(st, f.Info()) > 0
		passed, err := s.Credentials.Answer(ctx, st.person, st.held, in.Factor, st.flow.Pending[in.Factor], in.Code)
		if errors.Is(err, credential.ErrNothingPending) {
			return web.Go(st.path("/with/" + in.Factor)), nil
		}
		if err != nil {
			return s.wrong(ctx, by, st, in, err)
		}
		s.tellUsed(ctx, by, st, f, passed)
		return s.passed(ctx, by, st, f, passed)
	})
}

// tellUsed tells the user that something was used that is kept for bad days.
func (s *Service) tellUsed(ctx context.Context, by *web.Actor, st *state, f mfa.Factor, passed credential.Passed) {
	switch {
	case f.Info().Enrolment == mfa.ByOwner:
		s.Notices.Tell(ctx, st.person.Notice(by, ui.MailRecoveryUsed))
	case passed.Left >= 0:
		n := st.person.Notice(by, ui.MailCodeUsed)
		n.Left = passed.Left
		s.Notices.Tell(ctx, n)
	}
}

// passed goes on from a right answer.
func (s *Service) passed(ctx context.Context, by *web.Actor, st *state, f mfa.Factor, passed credential.Passed) (res web.Result, err error) {
	factor := f.Info().ID
	remember := st.flow.Remember
	err = atOnce(
		func() (err error) {
			res, err = s.advance(ctx, by, st, factor, func(o *storage.Flow) {
				o.Proofs = merge(o.Proofs, []storage.Proof{passed.Proof})
				o.Remember = remember
				delete(o.Pending, factor)
			})
			return err
		},
		func() error { return web.Unavailable("counter", s.Credentials.Forgive(ctx, st.person)) },
	)
	if err != nil || !passed.Proof.Recovery {
		return res, err
	}
	return res, s.hook(ctx, by, st, hook.AfterRecovery, factor)
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
	if err := s.warn(ctx, by, st, f, why); err != nil {
		return web.Result{}, err
	}
	e := s.event(by, st, "sign_in.factor", "refused")
	e.Factor, e.Reason = in.Factor, w.Problem.Key
	if err := s.record(ctx, e); err != nil {
		return web.Result{}, err
	}
	if w.Wait > 0 {
		return web.Result{}, errors.Join(&web.TooMany{Retry: w.Wait}, s.drop(ctx, st.flow))
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

// warn tells the user of an answer that was wrong in a way that says something about the credential.
func (s *Service) warn(ctx context.Context, by *web.Actor, st *state, f mfa.Factor, why error) error {
	var warning *credential.Warning
	if !errors.As(why, &warning) {
		return nil
	}
	e := s.event(by, st, "factor.copied", "refused")
	e.Factor, e.Reason = f.Info().ID, warning.Credential.Note
	if err := s.record(ctx, e); err != nil {
		return err
	}
	n := st.person.Notice(by, ui.MailPasskeyCopied)
	n.Name = credential.NameOf(warning.Credential, f)
	s.Notices.Tell(ctx, n)
	return nil
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
	if errors.Is(err, credential.ErrNothingPending) {
		// It has grown too old to be answered: the page puts it anew.
		return web.Go(st.path("/with/" + factor)), nil
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
		Support: st.person.Tenant.Settings.Support, Cancel: st.back, Owner: st.person.User.Role == storage.Owner,
	}
	if id, ok := s.recovery(); ok {
		page.Recovery = st.path("/with/" + id)
	}
	if MayReset(st.person) {
		page.Reset = st.path("/lost")
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
				if way.Name == "" && !f.Info().PhishingResistant {
					way.Name = c.Note
				}
				if f.Info().Backup {
					way.Name = ""
				}
				if f.Info().Backup && st.seconded {
					way.Left = c.Left
				}
			}
		}
		page.Ways = append(page.Ways, way)
	}
	return st.draw(page), nil
}
