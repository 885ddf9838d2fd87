package account

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/audit"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/hook"
	"github.com/sallyport-id/sallyport/provider/keys"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Config is what a Service works with. All fields are needed.
type Config struct {
	Sessions    storage.Table[storage.Session]
	Devices     storage.Table[storage.Device]
	Credentials *credential.Keeper
	Keys        *keys.Keys
	Audit       *audit.Log
	Notices     *mail.Notifier
	// Hooks may refuse a set-up.
	Hooks *hook.Runner
	// VerifyEmail mails the actor a link that confirms the e-mail address.
	VerifyEmail func(ctx context.Context, by *web.Actor) error
	// Decision says what the tenant's policy asks of the actor.
	Decision func(ctx context.Context, by *web.Actor) (policy.Decision, error)
	// Renew changes the actor's session and gives it a new secret; it returns the cookie's new value.
	Renew func(ctx context.Context, by *web.Actor, change func(*storage.Session)) (cookie string, err error)
	// EndOthers ends a user's other sessions and remembered devices.
	EndOthers func(ctx context.Context, tenant, user, keep string) error
	Now       func() time.Time
}

// Service is the account pages.
type Service struct {
	Config
	turns credential.Turns
}

// New checks the configuration.
func New(c Config) (*Service, error) {
	if c.Sessions == nil || c.Devices == nil || c.Hooks == nil || c.VerifyEmail == nil || c.Credentials == nil || c.Keys == nil || c.Audit == nil || c.Notices == nil ||
		c.Decision == nil || c.EndOthers == nil || c.Renew == nil || c.Now == nil {
		return nil, errors.New("account: Config lacks a part")
	}
	return &Service{Config: c}, nil
}

// Routes are the account pages. Whatever changes a factor asks for a fresh second step.
func (s *Service) Routes() []web.Route {
	const credentials = ui.PathAccount + "/credentials/:id"
	return []web.Route{
		web.Get(ui.PathAccount, web.Self, s.security),
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
		web.Post(pathDevices+"/:id/forget", web.Self, s.forget),
		web.Post(pathDevices+"/forget", web.Self, s.forgetAll),
		web.Post(pathVerify, web.Self, s.verifyEmail),
	}
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
	if err := s.VerifyEmail(ctx, by); err != nil {
		return web.Result{}, err
	}
	return s.done(ui.Say(ui.NoticeMailSent, "address", by.User.Email))
}

type securityIn struct {
	Notice string `form:"notice"`
}

// security is the overview: what protects the account, and the one next step.
func (s *Service) security(ctx context.Context, by *web.Actor, in securityIn) (web.Result, error) {
	p := credential.Who(by)
	all, err := s.Credentials.List(ctx, p)
	if err != nil {
		return web.Result{}, web.Unavailable("factors", err)
	}
	off, err := s.Credentials.Off(ctx, p)
	if err != nil {
		return web.Result{}, web.Unavailable("counter", err)
	}
	d, err := s.Decision(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	page := ui.Security{
		Account: web.Account(by.User), Name: by.User.Name, On: len(s.Credentials.Primary(all)) > 0,
		Required: d.TwoFactor == policy.Required, Rule: d.Rule, CodesLeft: -1, Notice: web.Said{Keys: s.Keys}.Read(in.Notice),
		LastSignIn: moment(by.Session.Before),
	}
	if d.TwoFactor == policy.Unavailable {
		page.Unavailable = unavailable(by)
	}
	if page.Devices, err = s.devices(ctx, by); err != nil {
		return web.Result{}, err
	}
	if len(page.Devices) > 0 {
		page.ForgetAll = pathDevices + "/forget"
	}
	if by.User.Email != "" && !by.User.EmailVerified {
		page.Unverified, page.VerifyEmail = by.User.Email, pathVerify
	}
	if by.User.Role == storage.Owner || by.User.Role == storage.Admin {
		page.People = ui.PathPeople
	}
	for _, c := range all {
		f, err := s.Credentials.Factor(c.Factor)
		if err != nil {
			return web.Result{}, err
		}
		if f.Info().Enrolment == mfa.ByOwner {
			continue
		}
		if f.Info().Backup {
			page.CodesLeft, page.CodesMade = c.Left, c.Made
			continue
		}
		r := row(c, f, off[c.Factor])
		if page.Required && s.isLast(all, c) {
			r.Remove = ""
		}
		page.Factors = append(page.Factors, r)
	}
	page.Addable = s.addable(d, all)
	return web.Draw(page), nil
}

// unavailable says why: the plan where the tenant has none that a rule could name, else the user's type.
func unavailable(by *web.Actor) string {
	for _, r := range by.Tenant.Rules {
		if r.Then.TwoFactor == "unavailable" && len(r.When.Plans) > 0 && slices.Contains(r.When.Plans, by.Tenant.Plan) {
			return "plan"
		}
	}
	return "user_type"
}

func row(c storage.Credential, f mfa.Factor, off bool) ui.CredentialRow {
	i := f.Info()
	name := credential.NameOf(c, f)
	at := ui.PathAccount + "/credentials/" + c.ID
	return ui.CredentialRow{
		ID: c.ID, Factor: ui.Factor{ID: i.ID, Name: i.Name}, Name: name, Created: moment(c.Created),
		LastUsed: moment(c.LastUsed), Note: c.Note, Off: off, Rename: at + "/rename", Remove: at + "/remove",
	}
}

// addable are the factors that the user can set up now.
func (s *Service) addable(d policy.Decision, all []storage.Credential) []ui.Way {
	if d.TwoFactor == policy.Unavailable {
		return nil
	}
	var ways []ui.Way
	for _, f := range s.Credentials.Settable() {
		i := f.Info()
		if i.Single && slices.ContainsFunc(all, func(c storage.Credential) bool { return c.Factor == i.ID }) {
			continue
		}
		// What the policy does not accept may be set up all the same where no second step is required.
		if d.TwoFactor == policy.Required && !d.Allows(i.ID, i.PhishingResistant) {
			continue
		}
		ways = append(ways, ui.Way{
			Factor: ui.Factor{ID: i.ID, Name: i.Name}, Left: -1, Path: pathSetUp + "/" + i.ID,
		})
	}
	return ways
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// done leads to the security page, which says what was done.
func (s *Service) done(t ui.Text) (web.Result, error) {
	return web.Said{Keys: s.Keys}.Go(ui.PathAccount, t)
}

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
