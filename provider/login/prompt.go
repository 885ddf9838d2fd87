package login

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// prompt puts a factor's question. It is put once for each sign-in: a page that is loaded again shows it again.
func (s *Service) prompt(ctx context.Context, by *web.Actor, st *state, factor string, notice ui.Text) (web.Result, error) {
	// Seen through to its end although the browser goes away: an SMS that went out must be remembered.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), putTime)
	defer cancel()
	prompt, err := s.asked(ctx, by, st, factor)
	var refused *mfa.Refused
	if err != nil && !errors.As(err, &refused) {
		return web.Result{}, web.Unavailable("challenge", err)
	}
	f, err := s.Credentials.Factor(factor)
	if err != nil {
		return web.Result{}, err
	}
	page := s.code(st, f, prompt)
	page.Notice = notice
	if refused != nil {
		// Nothing was typed in that could be wrong.
		page.Notice = s.Credentials.Refusal(by.Lang, refused)
		if refused.Reason == mfa.Often {
			// What was sent is good in the sign-in that it was sent for.
			page.Notice.Key = ui.NoticeSentNone
			page.AgainAt = ui.Stamp(refused.Until)
		}
		page.Again = st.path("/with/" + factor + "/send-again")
	}
	return st.draw(page), nil
}

// putTime bounds how long a question may take to be put.
const putTime = 30 * time.Second

// asked is the question of a factor, put now unless it was before.
func (s *Service) asked(ctx context.Context, by *web.Actor, st *state, factor string) (mfa.Prompt, error) {
	if pending, ok := st.flow.Pending[factor]; ok {
		prompt, err := s.Credentials.Prompt(ctx, st.person, factor, pending)
		if !errors.Is(err, credential.ErrNothingPending) {
			return prompt, err
		}
	}
	f, err := s.Credentials.Factor(factor)
	if err != nil {
		return mfa.Prompt{}, err
	}
	if _, sends := f.(mfa.Repeater); sends && sharing(by, st.flow, st.request) {
		// A second click comes while the message for the first is on its way.
		end, err := s.turns.Take(ctx, "session "+st.flow.Session)
		if err != nil {
			return mfa.Prompt{}, err
		}
		defer end()
		if prompt, ok, err := s.sent(ctx, by, st, factor); ok || err != nil {
			return prompt, err
		}
	}
	prompt, err := s.put(ctx, st, factor)
	return prompt, errors.Join(err, s.noteSent(ctx, by, st, factor, err))
}

// noteSent puts into the audit log that a message went out to the user's device, or why it did not.
func (s *Service) noteSent(ctx context.Context, by *web.Actor, st *state, factor string, why error) error {
	f, err := s.Credentials.Factor(factor)
	if err != nil {
		return err
	}
	if _, ok := f.(mfa.Repeater); !ok {
		return nil
	}
	e := s.event(by, st, "factor.sent", "ok")
	e.Factor = factor
	var refused *mfa.Refused
	switch {
	case errors.As(why, &refused):
		e.Outcome, e.Reason = "refused", string(refused.Reason)
	case why != nil:
		e.Outcome = "failed"
	}
	return s.record(ctx, e)
}

// sendAgain sends the code once more; the one sent first stays good.
func (s *Service) sendAgain(ctx context.Context, by *web.Actor, in factorIn) (web.Result, error) {
	return s.inTurn(ctx, by, in.Flow, func(st *state) (web.Result, error) {
		if !s.mayAnswer(st, in.Factor) {
			return web.Go(st.path("")), nil
		}
		pending, ok := st.flow.Pending[in.Factor]
		if !ok {
			// The first one was refused.
			return s.prompt(ctx, by, st, in.Factor, ui.Text{})
		}
		again, err := s.Credentials.Repeat(ctx, st.person, in.Factor, pending)
		switch {
		case errors.Is(err, credential.ErrUnknownFactor):
			return web.Result{}, web.ErrNotFound
		case errors.Is(err, credential.ErrNothingPending):
			return s.prompt(ctx, by, st, in.Factor, ui.Text{})
		}
		if err := s.noteSent(ctx, by, st, in.Factor, err); err != nil {
			return web.Result{}, err
		}
		var refused *mfa.Refused
		if errors.As(err, &refused) {
			return s.refusedAgain(ctx, by, st, in.Factor, refused)
		}
		if err != nil {
			return web.Result{}, web.Unavailable("challenge", err)
		}
		st.flow.Pending[in.Factor] = again
		if err := s.Store.Flows.Replace(ctx, st.flow); err != nil {
			return web.Result{}, web.Unavailable("flow", err)
		}
		return web.Go(st.path("/with/" + in.Factor + "?sent=again")), nil
	})
}

// refusedAgain shows the question that is pending, and why it was not sent once more.
func (s *Service) refusedAgain(ctx context.Context, by *web.Actor, st *state, factor string, refused *mfa.Refused) (web.Result, error) {
	f, err := s.Credentials.Factor(factor)
	if err != nil {
		return web.Result{}, err
	}
	prompt, err := s.Credentials.Prompt(ctx, st.person, factor, st.flow.Pending[factor])
	if err != nil {
		return web.Result{}, web.Unavailable("challenge", err)
	}
	page := s.code(st, f, prompt)
	page.Notice = s.Credentials.Refusal(by.Lang, refused)
	return st.again(page), nil
}

// put makes a challenge, and stores it before it is shown.
func (s *Service) put(ctx context.Context, st *state, factor string) (mfa.Prompt, error) {
	pending, prompt, err := s.Credentials.Challenge(ctx, st.person, factor)
	if err != nil || len(pending.State) == 0 {
		return prompt, err
	}
	return s.keep(ctx, st, factor, pending, prompt)
}

// keep stores a challenge with the sign-in, and returns the prompt to show.
func (s *Service) keep(ctx context.Context, st *state, factor string, pending storage.Pending, prompt mfa.Prompt) (mfa.Prompt, error) {
	if st.flow.Pending == nil {
		st.flow.Pending = map[string]storage.Pending{}
	}
	st.flow.Pending[factor] = pending
	err := s.Store.Flows.Replace(ctx, st.flow)
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
	info := f.Info()
	digits := info.Input.Digits
	if prompt.Input != (mfa.Input{}) {
		digits = prompt.Input.Digits
	}
	page := ui.Code{
		Factor: ui.Factor{ID: info.ID, Name: info.Name}, Account: web.Account(st.person.User), Digits: digits,
		Prompt: prompt.Text, Target: prompt.Target, Options: prompt.Options, App: st.request.App,
		Remember: s.rememberDays(st, info), Kept: st.flow.Remember,
		Action: st.path("/with/" + info.ID), Others: st.path("/ways"), Restart: signInPath(st.flow.Request, ""), Cancel: st.back,
	}
	if st.back != "" {
		page.Reason = ui.Say(ui.NoticeStepUp, "n", web.Minutes(freshness))
	}
	if !prompt.Again.IsZero() {
		page.Again, page.AgainAt = page.Action+"/send-again", ui.Stamp(prompt.Again)
	}
	if info.Enrolment == mfa.Automatic && st.seconded {
		for _, c := range st.held {
			if c.Factor == info.ID {
				page.Left = max(page.Left, c.Left)
			}
		}
	}
	if id, ok := s.recovery(); ok && info.Enrolment == mfa.Automatic {
		page.Recovery = st.path("/with/" + id)
	}
	if st.step.Kind == Recover {
		page.Others, page.Support = "", st.person.Tenant.Settings.Support
	}
	return page
}
