package login

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// intro says that a second step has to be set up, and why: a rule asks, or a recovery code led here.
func (s *Service) intro(st *state) web.Result {
	page := ui.SetUpIntro{
		Account: web.Account(st.person.User), Forced: true, Rule: st.decision.Rule, App: st.request.App,
		Recovered: recovered(st.flow.Proofs), Cancel: signInPath(st.flow.Request, ""),
	}
	if page.Recovered {
		later := *st.flow
		later.Later = true
		if Next(later, st.decision, st.have, st.want).Kind == Done {
			page.Later = st.path("/later")
		}
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

// later goes on without the set-up that a recovery code leads to.
func (s *Service) later(ctx context.Context, by *web.Actor, in flowIn) (web.Result, error) {
	return s.inTurn(ctx, by, in.Flow, func(st *state) (web.Result, error) {
		if st.step.Kind != Enrol || !recovered(st.flow.Proofs) {
			return web.Go(st.path("")), nil
		}
		return s.advance(ctx, by, st, "", func(f *storage.Flow) { f.Later = true })
	})
}

// desk is where the sign-in sets a factor up; the result leads on where it does not stand at a set-up.
func (s *Service) desk(by *web.Actor, st *state) *credential.Desk {
	return &credential.Desk{
		Keeper: s.Credentials, By: by, Person: st.person, Settable: s.settable(st.decision), Enrolling: st.flow.Enrolling,
		Keep: func(ctx context.Context, e *storage.Enrolling) error {
			st.flow.Enrolling = e
			return s.note(ctx, st)
		},
		Accept: func(ctx context.Context, factor string, held []storage.Credential) error {
			return s.acceptFactor(ctx, by, st, factor, held)
		},
		Before: func(ctx context.Context, factor string) error { return s.hook(ctx, by, st, hook.BeforeSetUp, factor) },
		Record: func(ctx context.Context, action, outcome, factor, reason string) error {
			e := s.event(by, st, action, outcome)
			e.Factor, e.Reason = factor, reason
			return s.record(ctx, e)
		},
		Done: func(ctx context.Context, f mfa.Factor, done credential.Enrolled) (web.Result, error) {
			return s.setUpDone(ctx, by, st, f, done)
		},
		TooMany: func(ctx context.Context, wait time.Duration) error {
			return errors.Join(&web.TooMany{Retry: wait}, s.drop(ctx, st.flow))
		},
		At: st.path("/set-up"), Away: st.path(""), Forced: true, Draw: st.draw,
	}
}

// atDesk does something at the set-up of a sign-in that stands there.
func (s *Service) atDesk(ctx context.Context, by *web.Actor, flow string, do func(*credential.Desk) (web.Result, error)) (web.Result, error) {
	return s.inTurn(ctx, by, flow, func(st *state) (web.Result, error) {
		if st.step.Kind != Enrol {
			return web.Go(st.path("")), nil
		}
		return do(s.desk(by, st))
	})
}

type beginIn struct {
	Flow   string  `path:"flow"`
	Factor string  `path:"factor"`
	Input  *string `form:"input"`
}

// beginSetUp begins to set up a factor. Its secret waits in the flow until it is confirmed.
func (s *Service) beginSetUp(ctx context.Context, by *web.Actor, in beginIn) (web.Result, error) {
	return s.atDesk(ctx, by, in.Flow, func(d *credential.Desk) (web.Result, error) { return d.Begin(ctx, in.Factor, in.Input) })
}

// askSetUp asks what a factor has to know before its set-up begins.
func (s *Service) askSetUp(ctx context.Context, by *web.Actor, in beginIn) (web.Result, error) {
	return s.atDesk(ctx, by, in.Flow, func(d *credential.Desk) (web.Result, error) { return d.Ask(ctx, in.Factor) })
}

// setUp shows what the factor needs to be set up.
func (s *Service) setUp(ctx context.Context, by *web.Actor, in flowIn) (web.Result, error) {
	return s.atDesk(ctx, by, in.Flow, func(d *credential.Desk) (web.Result, error) { return d.Show(ctx) })
}

// qr draws the QR code of a set-up under way.
func (s *Service) qr(ctx context.Context, by *web.Actor, in flowIn) (web.Result, error) {
	res, err := s.atDesk(ctx, by, in.Flow, func(d *credential.Desk) (web.Result, error) { return d.QR(ctx) })
	if err == nil && res.File == nil {
		return web.Result{}, web.ErrNotFound
	}
	return res, err
}

// sendSetUpAgain sends the code of a set-up again.
func (s *Service) sendSetUpAgain(ctx context.Context, by *web.Actor, in flowIn) (web.Result, error) {
	return s.atDesk(ctx, by, in.Flow, func(d *credential.Desk) (web.Result, error) { return d.SendAgain(ctx) })
}

type confirmIn struct {
	Flow string `path:"flow"`
	Code string `form:"code"`
}

// confirm ends a set-up with the first code. That code proves the factor, so it is the sign-in's second step too.
func (s *Service) confirm(ctx context.Context, by *web.Actor, in confirmIn) (web.Result, error) {
	return s.atDesk(ctx, by, in.Flow, func(d *credential.Desk) (web.Result, error) { return d.Confirm(ctx, in.Code) })
}

// acceptFactor looks once more whether a factor may be added, now that nobody else is adding one: of two sign-ins with
// the same password, each of which found no factor, the second must not enrol past the first.
func (s *Service) acceptFactor(ctx context.Context, by *web.Actor, st *state, factor string, held []storage.Credential) error {
	have, err := s.have(ctx, st.person, held)
	if err != nil {
		return err
	}
	now := *st
	now.have, now.held = have, held
	if s.next(&now).Kind != Enrol {
		return credential.MovedOn()
	}
	e := s.event(by, st, "factor.added", "ok")
	e.Factor = factor
	return s.record(ctx, e)
}

// setUpDone goes on with the sign-in, now that the factor is set up.
func (s *Service) setUpDone(ctx context.Context, by *web.Actor, st *state, f mfa.Factor, done credential.Enrolled) (web.Result, error) {
	if done.Codes == nil && recovered(st.flow.Proofs) {
		var err error
		if done.Codes, err = s.replaceCodes(ctx, by, st); err != nil {
			return web.Result{}, err
		}
	}
	codes, err := s.Credentials.SealCodes(ctx, st.person, done.Codes)
	if err != nil {
		return web.Result{}, web.Unavailable("codes", err)
	}
	// Who was in with the password alone, before the second step stood in the way, is out.
	if err := s.endOthers(ctx, st.flow.Tenant, st.flow.User, st.flow.Session, st.flow.Browser); err != nil {
		return web.Result{}, err
	}
	n := st.person.Notice(by, ui.MailFactorAdded)
	n.Name = credential.NameOf(done.Credential, f)
	s.Notices.Tell(ctx, n)
	if err := s.hook(ctx, by, st, hook.AfterSetUp, f.Info().ID); err != nil {
		return web.Result{}, err
	}
	if st.have, st.held, err = s.enrolled(ctx, st.person); err != nil {
		return web.Result{}, err
	}
	return s.advance(ctx, by, st, f.Info().ID, func(o *storage.Flow) {
		o.Proofs = merge(o.Proofs, []storage.Proof{done.Proof})
		o.Enrolling, o.Codes = nil, codes
	})
}

// replaceCodes makes new backup codes for somebody who came in by an owner's code: the old ones were lost with the device,
// and whoever finds them must not get in.
func (s *Service) replaceCodes(ctx context.Context, by *web.Actor, st *state) ([]string, error) {
	codes, err := s.Credentials.NewCodes(ctx, st.person, func([]storage.Credential) error {
		return s.record(ctx, s.event(by, st, "codes.new", "ok"))
	})
	if err != nil {
		return nil, credential.PassOn("codes", err)
	}
	s.Notices.Tell(ctx, st.person.Notice(by, ui.MailCodesNew))
	return codes, nil
}

// codes shows the backup codes that were just made.
func (s *Service) codes(ctx context.Context, by *web.Actor, st *state, problem ui.Text) (web.Result, error) {
	return s.desk(by, st).CodesPage(ctx, st.flow.Codes, ui.BackupCodes{
		First: true, Action: st.path("/codes"), Download: st.path("/codes.txt"), App: st.request.App, Problem: problem,
	})
}

// codesFile is the same codes as a text file.
func (s *Service) codesFile(ctx context.Context, by *web.Actor, in flowIn) (web.Result, error) {
	st, _, err := s.load(ctx, by, in.Flow)
	if err != nil {
		return web.Result{}, err
	}
	if st == nil || st.step.Kind != SaveCodes {
		return web.Result{}, web.ErrNotFound
	}
	return s.desk(by, st).CodesText(ctx, st.flow.Codes)
}

type savedIn struct {
	Flow  string `path:"flow"`
	Saved bool   `form:"saved"`
}

// saved takes the word that the codes are saved, and forgets them.
func (s *Service) saved(ctx context.Context, by *web.Actor, in savedIn) (web.Result, error) {
	return s.inTurn(ctx, by, in.Flow, func(st *state) (web.Result, error) {
		if st.step.Kind != SaveCodes {
			return web.Go(st.path("")), nil
		}
		if !in.Saved {
			return s.codes(ctx, by, st, ui.Say(ui.ProblemTick))
		}
		return s.advance(ctx, by, st, "", func(f *storage.Flow) { f.Codes = nil })
	})
}
