package rescue

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Config is what a Service works with. All fields but Local are needed.
type Config struct {
	// Issuer is the public URL. Links are built from it, and never from a request.
	Issuer      *url.URL
	Store       storage.Store
	Keys        *keys.Keys
	Directory   directory.Directory
	Credentials *credential.Keeper
	Quota       mfa.Quota
	Audit       *audit.Log
	Notices     *mail.Notifier
	Hooks       *hook.Runner
	// Person reads a user who is not kept out, with the tenant. storage.ErrNotFound.
	Person func(ctx context.Context, tenant, user string) (credential.Person, error)
	// Decision says what the tenant's policy asks of a user who comes from an actor's address.
	Decision func(ctx context.Context, by *web.Actor, p credential.Person) (policy.Decision, error)
	// CheckPassword checks a password of a user, slowed down as at sign-in: credential.ErrPassword, *web.TooMany.
	CheckPassword func(ctx context.Context, by *web.Actor, p credential.Person, password string) error
	// MayReset tells whether a user may take all factors off by mail and password.
	MayReset func(p credential.Person) bool
	// SignIn is the path of the sign-in page that goes on with a sealed request.
	SignIn func(request string) string
	// SignInAs is that of a person who has just chosen a password, the first one where welcome is set; request is that of the
	// sign-in that it was forgotten at, if any.
	SignInAs func(by *web.Actor, p credential.Person, request string, welcome bool) (string, error)
	// Sealed tells whether a sealed request can be gone on with in the actor's browser.
	Sealed func(by *web.Actor, request string) bool
	// Beside has pages speak the language that a sealed request asks for, and returns the tenant whose look they have, if any.
	Beside func(ctx context.Context, by *web.Actor, request string) (*storage.Tenant, error)
	// EndAll ends everything that is signed in as a user: sessions, remembered devices, mailed links, and what applications
	// got, offline access included; all but what goes by the session keep, where there is one.
	EndAll func(ctx context.Context, tenant, user, keep string) error
	// Local keeps the users, where that is us; nil where their addresses are not ours to change.
	Local  *directory.Local
	Logger *slog.Logger
	Now    func() time.Time
}

// Service is the pages behind mailed links, and those that have a link mailed.
type Service struct {
	Config
	// mailing are the requests for a mail that are still looked at.
	mailing sync.WaitGroup
	busy    chan struct{}
}

// mostMailing bounds how many requests for a mail are looked at in one moment; those beyond wait.
const mostMailing = 8

// mailTime bounds how long it may take to find out whom a mail is for, and to hand it over.
const mailTime = 20 * time.Second

// later has a mail sent once the answer is on its way: whoever asked for it must not learn from the answer, nor from how
// long that took, whether there was somebody to send it to. web.ErrBusy.
func (s *Service) later(ctx context.Context, by *web.Actor, what string, do func(ctx context.Context, by *web.Actor) error) error {
	select {
	case s.busy <- struct{}{}:
	case <-ctx.Done():
		return web.ErrBusy
	}
	who := *by
	s.mailing.Go(func() {
		defer func() { <-s.busy }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mailTime)
		defer cancel()
		err := do(ctx, &who)
		var often *mfa.Refused
		var many *web.TooMany
		switch {
		case errors.As(err, &often), errors.As(err, &many):
			s.Logger.InfoContext(ctx, what+" not sent: too many were asked for", "request", who.Request)
		case err != nil:
			s.Logger.ErrorContext(ctx, what+" not sent", "error", err, "request", who.Request)
		}
	})
	return nil
}

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Issuer == nil || c.Keys == nil || c.Directory == nil || c.Credentials == nil || c.Quota == nil || c.Audit == nil ||
		c.Notices == nil || c.Hooks == nil || c.Person == nil || c.Decision == nil || c.CheckPassword == nil || c.MayReset == nil ||
		c.SignIn == nil || c.SignInAs == nil || c.Sealed == nil || c.Beside == nil || c.EndAll == nil || c.Logger == nil || c.Now == nil {
		return nil, errors.New("rescue: Config lacks a part")
	}
	return &Service{Config: c, busy: make(chan struct{}, mostMailing)}, nil
}

// Routes are the pages. All are open: a link is what proves something here.
func (s *Service) Routes() []web.Route {
	return []web.Route{
		web.Get(ui.PathForgot, web.Open, s.askForgot),
		web.Post(ui.PathForgot, web.Open, s.forgot),
		web.Get(pathPassword+":link", web.Open, s.askPassword),
		web.Post(pathPassword+":link", web.Open, s.setPassword),
		web.Get(pathInvitation+":link", web.Open, s.askInvited),
		web.Post(pathInvitation+":link", web.Open, s.acceptInvitation),
		web.Get(pathLost+":link", web.Open, s.askReset),
		web.Post(pathLost+":link", web.Open, s.reset),
		web.Get(pathVerify+":link", web.Open, s.askVerify),
		web.Post(pathVerify+":link", web.Open, s.verify),
		web.Get(pathEmailNew+":link", web.Open, s.askEmailNew),
		web.Post(pathEmailNew+":link", web.Open, s.confirmEmailNew),
		web.Get(pathEmailOld+":link", web.Open, s.askEmailOld),
		web.Post(pathEmailOld+":link", web.Open, s.confirmEmailOld),
		web.Get(pathNotMe+":link", web.Open, s.askNotMe),
		web.Post(pathNotMe+":link", web.Open, s.notMe),
	}
}

// The paths of links, before what the link holds.
const (
	pathPassword   = "/password/"
	pathLost       = "/lost/"
	pathVerify     = "/verify/"
	pathNotMe      = "/not-me/"
	pathInvitation = "/invitation/"
	// pathEmailNew and pathEmailOld confirm a change of the address, at the new one and at the present one.
	pathEmailNew = "/email/new/"
	pathEmailOld = "/email/old/"
)

// Wait waits for the mails that were asked for.
func (s *Service) Wait() { s.mailing.Wait() }

// record writes to the audit log. What can't be written must not happen.
func (s *Service) record(ctx context.Context, by *web.Actor, p credential.Person, action, outcome, reason string) error {
	e := by.Event(action, outcome)
	e.Tenant, e.User, e.Actor, e.Reason = p.User.Tenant, p.User.ID, p.User.ID, reason
	return web.Unavailable("audit log", s.Audit.Record(ctx, e))
}

// hook asks the deployment's own hooks.
func (s *Service) hook(ctx context.Context, by *web.Actor, p credential.Person, at hook.Point, factor string) error {
	e := hook.About(at, by, p.User, s.Now())
	e.Factor = factor
	return s.Hooks.Run(ctx, e)
}

// draw shows a page to somebody who holds a link of the person's.
func draw(p credential.Person, page ui.Page, refused bool) web.Result {
	return web.Result{Page: page, Refused: refused, Tenant: p.Tenant, Reader: p.User}
}
