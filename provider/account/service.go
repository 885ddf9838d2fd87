package account

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/directory"
	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/place"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Config is what a Service works with. All fields but Local and Places are needed.
type Config struct {
	Users    storage.Table[storage.User]
	Sessions storage.Table[storage.Session]
	Devices  storage.Table[storage.Device]
	Grants   storage.Table[storage.Grant]
	Clients  storage.Table[storage.Client]

	Keys        *keys.Keys
	Audit       *audit.Log
	Notices     *mail.Notifier
	Credentials *credential.Keeper
	// Directory takes new passwords.
	Directory directory.Directory
	// Local keeps the users, where that is us; nil where their names and addresses are not ours to change.
	Local *directory.Local
	// Emails has e-mail addresses confirmed.
	Emails Emails
	// Hooks may refuse a set-up.
	Hooks *hook.Runner
	// Places knows where addresses are; nil knows nothing.
	Places place.Finder

	// Decision says what the tenant's policy asks of the actor.
	Decision func(ctx context.Context, by *web.Actor) (policy.Decision, error)
	// CheckPassword checks a password of a user, slowed down as at sign-in: credential.ErrPassword, *web.TooMany.
	CheckPassword func(ctx context.Context, by *web.Actor, p credential.Person, password string) error
	// Renew changes the actor's session and gives it a new secret; it returns the cookie's new value.
	Renew func(ctx context.Context, by *web.Actor, change func(*storage.Session)) (cookie string, err error)
	// EndSession ends a session, and EndOthers all of a user's but keep, remembered devices and mailed links. What applications
	// got through them ends too, but for offline access.
	EndSession func(ctx context.Context, tenant, id string) error
	EndOthers  func(ctx context.Context, tenant, user, keep string) error
	// EndGrants ends what applications got for the actor where which says so, offline access included.
	EndGrants func(ctx context.Context, by *web.Actor, which func(*storage.Grant) bool) error
	Now       func() time.Time
}

// Emails mails links to addresses, behind which they are confirmed.
type Emails interface {
	// VerifyEmail mails the actor a link that confirms the e-mail address.
	VerifyEmail(ctx context.Context, by *web.Actor) error
	// BeginEmail begins to change the actor's address, in place of a change that was begun before. Nothing it answers, and
	// not the time it takes, tells whether the address is another user's. *directory.FieldError, *web.TooMany.
	BeginEmail(ctx context.Context, by *web.Actor, address string) error
	// PendingEmail is the change that waits to be confirmed, or nil; CancelEmail ends it.
	PendingEmail(ctx context.Context, by *web.Actor) (*storage.Link, error)
	CancelEmail(ctx context.Context, by *web.Actor) error
}

// Service is the account pages.
type Service struct {
	Config
	turns credential.Turns
}

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Users == nil || c.Sessions == nil || c.Devices == nil || c.Grants == nil || c.Clients == nil || c.Keys == nil || c.Audit == nil ||
		c.Notices == nil || c.Credentials == nil || c.Directory == nil || c.Emails == nil || c.Hooks == nil || c.Decision == nil ||
		c.CheckPassword == nil || c.Renew == nil || c.EndSession == nil || c.EndOthers == nil || c.EndGrants == nil || c.Now == nil {
		return nil, errors.New("account: Config lacks a part")
	}
	return &Service{Config: c}, nil
}

// Routes are the account pages. Whatever changes a factor asks for a fresh second step.
func (s *Service) Routes() []web.Route {
	const credentials = ui.PathAccount + "/credentials/:id"
	return append(s.detailsRoutes(), []web.Route{
		web.Get(ui.PathAccount, web.Self, s.overview),
		web.Get(ui.PathSecurity, web.Self, s.security),
		web.Get(ui.PathTwoFactor, web.Fresh, s.intro),
		web.Get(pathSetUp+"/:factor", web.Fresh, s.askSetUp),
		web.Post(pathSetUp+"/:factor", web.Fresh, s.begin),
		web.Post(pathSetUp+"/send-again", web.Fresh, s.sendSetUpAgain),
		web.Get(pathSetUp, web.Fresh, s.setUp),
		web.Get(pathSetUp+"/qr.png", web.Fresh, s.qr),
		web.Post(pathSetUp, web.Fresh, s.confirm),
		web.Get(pathCodes, web.Fresh, s.codes),
		web.Post(pathCodes, web.Self, s.saved),
		web.Get(pathCodes+".txt", web.Fresh, s.codesFile),
		web.Get(ui.PathCodesNew, web.Fresh, s.askNewCodes),
		web.Post(ui.PathCodesNew, web.Fresh, s.newCodes),
		web.Get(ui.PathTwoFactorOff, web.Fresh, s.askOff),
		web.Post(ui.PathTwoFactorOff, web.Fresh, s.off),
		web.Get(credentials+"/rename", web.Self, s.askName),
		web.Post(credentials+"/rename", web.Self, s.rename),
		web.Get(credentials+"/remove", web.Fresh, s.askRemove),
		web.Post(credentials+"/remove", web.Fresh, s.remove),
		web.Get(ui.PathDevices, web.Self, s.devicesPage),
		web.Post(ui.PathDevices+"/:id/forget", web.Self, s.forget),
		web.Post(ui.PathDevices+"/forget", web.Self, s.forgetAll),
		web.Post(pathSessions+"/:id/end", web.Self, s.endSession),
		web.Get(pathEndOthers, web.Self, s.askEndOthers),
		web.Post(pathEndOthers, web.Self, s.endOthers),
		web.Get(ui.PathActivity, web.Self, s.activity),
		web.Get(ui.PathConnected, web.Self, s.connectedPage),
		web.Get(ui.PathConnected+"/:id/revoke", web.Self, s.askRevoke),
		web.Post(ui.PathConnected+"/:id/revoke", web.Self, s.revoke),
		web.Post(pathVerify, web.Self, s.verifyEmail),
	}...)
}

const (
	pathSetUp = ui.PathAccount + "/set-up"
	pathCodes = ui.PathAccount + "/codes"
	// pathVerify has the actor's e-mail address confirmed.
	pathVerify = ui.PathAccount + "/email/verify"
)

// verifyEmail mails a link that confirms the address.
func (s *Service) verifyEmail(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	if by.User.Email == "" || by.User.EmailVerified {
		return web.Result{}, web.ErrNotFound
	}
	if err := s.Emails.VerifyEmail(ctx, by); err != nil {
		return web.Result{}, err
	}
	return s.to(ui.PathAccount, ui.Say(ui.NoticeMailSent, "address", by.User.Email))
}

// done leads to the security page, which says what was done.
func (s *Service) done(t ui.Text) (web.Result, error) {
	return s.to(ui.PathSecurity, t)
}

// to leads to one of the account's pages, which says what was done.
func (s *Service) to(path string, t ui.Text) (web.Result, error) {
	return web.Said{Keys: s.Keys}.Go(path, t)
}

// noticed is a question of which all there is to know is what was just done.
type noticed struct {
	Notice string `form:"notice"`
}

func (s *Service) notice(in noticed) ui.Text { return web.Said{Keys: s.Keys}.Read(in.Notice) }

// record writes to the audit log. What can't be written must not happen.
func (s *Service) record(ctx context.Context, by *web.Actor, action, outcome, factor, reason string) error {
	e := by.Event(action, outcome)
	e.Factor, e.Reason = factor, reason
	return web.Unavailable("audit log", s.Audit.Record(ctx, e))
}

// shown tells whether the actor has shown a second step, where the user has one by now: of sessions with the password
// alone that change factors at once, the first leaves nothing for the others to change.
func (s *Service) shown(by *web.Actor, held []storage.Credential) bool {
	return len(s.Credentials.Primary(held)) == 0 || slices.ContainsFunc(by.Session.Proofs, func(p storage.Proof) bool {
		_, err := s.Credentials.Factor(p.Factor) // neither the password nor a remembered device is one
		return err == nil
	})
}

// changed is what follows every change of factors: other sessions and devices end, because the change may have been
// made on account of who else was in.
func (s *Service) changed(ctx context.Context, by *web.Actor) error {
	return s.EndOthers(ctx, by.Session.Tenant, by.Session.User, by.Session.ID)
}
