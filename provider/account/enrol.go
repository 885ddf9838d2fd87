package account

import (
	"context"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/hook"
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
	page := ui.SetUpIntro{Account: web.Account(by.User), Factors: s.addable(d, all), Cancel: ui.PathSecurity}
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

// desk is where the actor sets a factor up.
func (s *Service) desk(ctx context.Context, by *web.Actor) (*credential.Desk, error) {
	d, all, err := s.mayAdd(ctx, by)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, w := range s.addable(d, all) {
		ids = append(ids, w.Factor.ID)
	}
	at := &credential.Desk{
		Keeper: s.Credentials, By: by, Person: credential.Who(by), Settable: ids, Enrolling: by.Session.Enrolling,
		Keep: func(ctx context.Context, e *storage.Enrolling) error {
			under := by.Session.Enrolling
			return s.keep(ctx, by, func(o *storage.Session) {
				// A refused answer is noted with the set-up it was for. Ended or begun anew by another request, there is
				// nothing to note.
				if e.Refused != nil && (o.Enrolling == nil || under == nil || !o.Enrolling.At.Equal(under.At)) {
					return
				}
				o.Enrolling = e
			})
		},
		Accept: func(ctx context.Context, factor string, held []storage.Credential) error {
			if !s.shown(by, held) || d.TwoFactor == policy.Unavailable || !slices.ContainsFunc(s.addable(d, held), func(w ui.Way) bool { return w.Factor.ID == factor }) {
				return credential.MovedOn()
			}
			return s.record(ctx, by, "factor.added", "ok", factor, "")
		},
		Before: func(ctx context.Context, factor string) error { return s.hook(ctx, by, hook.BeforeSetUp, factor) },
		Record: func(ctx context.Context, action, outcome, factor, reason string) error {
			return s.record(ctx, by, action, outcome, factor, reason)
		},
		Done: func(ctx context.Context, f mfa.Factor, done credential.Enrolled) (web.Result, error) {
			return s.added(ctx, by, f, done)
		},
		TooMany: func(_ context.Context, wait time.Duration) error { return &web.TooMany{Retry: wait} },
		At:      pathSetUp, Away: ui.PathSecurity, Draw: web.Draw,
	}
	s.inPlace(ctx, by, at)
	return at, nil
}

// atDesk does something where the actor sets a factor up, one request of the session after the other: the second of two
// clicks finds what the first has begun.
func (s *Service) atDesk(ctx context.Context, by *web.Actor, do func(*credential.Desk) (web.Result, error)) (web.Result, error) {
	end, err := s.turns.Take(ctx, by.Session.ID)
	if err != nil {
		return web.Result{}, web.Unavailable("turn", err)
	}
	defer end()
	o, err := s.Sessions.Get(ctx, by.Session.Tenant, by.Session.ID)
	if err != nil {
		return web.Result{}, web.Unavailable("session", err)
	}
	by.Session = &o
	d, err := s.desk(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	return do(d)
}

type beginIn struct {
	Factor string  `path:"factor"`
	Input  *string `form:"input"`
}

// begin begins to set up a factor. Its secret waits in the session until it is confirmed.
func (s *Service) begin(ctx context.Context, by *web.Actor, in beginIn) (web.Result, error) {
	return s.atDesk(ctx, by, func(d *credential.Desk) (web.Result, error) { return d.Begin(ctx, in.Factor, in.Input) })
}

// askSetUp asks what a factor has to know before its set-up begins.
func (s *Service) askSetUp(ctx context.Context, by *web.Actor, in beginIn) (web.Result, error) {
	return s.atDesk(ctx, by, func(d *credential.Desk) (web.Result, error) { return d.Ask(ctx, in.Factor) })
}

// setUp shows what the factor needs to be set up.
func (s *Service) setUp(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	return s.atDesk(ctx, by, func(d *credential.Desk) (web.Result, error) { return d.Show(ctx) })
}

// qr draws the QR code of a set-up under way.
func (s *Service) qr(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	return s.atDesk(ctx, by, func(d *credential.Desk) (web.Result, error) { return d.QR(ctx) })
}

// sendSetUpAgain sends the code of a set-up again.
func (s *Service) sendSetUpAgain(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	return s.atDesk(ctx, by, func(d *credential.Desk) (web.Result, error) { return d.SendAgain(ctx) })
}

type confirmIn struct {
	Code string `form:"code"`
}

// confirm ends a set-up with the first code.
func (s *Service) confirm(ctx context.Context, by *web.Actor, in confirmIn) (web.Result, error) {
	return s.atDesk(ctx, by, func(d *credential.Desk) (web.Result, error) { return d.Confirm(ctx, in.Code) })
}

// added goes on from a set-up that succeeded.
func (s *Service) added(ctx context.Context, by *web.Actor, f mfa.Factor, done credential.Enrolled) (web.Result, error) {
	p := credential.Who(by)
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
	if done.Replaced == nil {
		n := p.Notice(by, ui.MailFactorAdded)
		n.Name = credential.NameOf(done.Credential, f)
		s.Notices.Tell(ctx, n)
	}
	if err := s.hook(ctx, by, hook.AfterSetUp, f.Info().ID); err != nil {
		return web.Result{}, err
	}
	res := web.Go(pathCodes)
	switch {
	case done.Replaced != nil:
		res, err = s.numberChanged(ctx, by, done)
	case codes == nil:
		res, err = s.done(ui.Say(ui.NoticeFactorAdded, "name", credential.NameOf(done.Credential, f)))
	}
	res.Session = &cookie
	return res, err
}

// hook asks the deployment's own hooks, which may refuse.
func (s *Service) hook(ctx context.Context, by *web.Actor, at hook.Point, factor string) error {
	e := hook.About(at, by, by.User, s.Now())
	e.Factor = factor
	return s.Hooks.Run(ctx, e)
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
