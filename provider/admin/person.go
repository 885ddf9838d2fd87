package admin

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// personPath is where the page of a user is.
func personPath(u *storage.User) string { return ui.PathPeople + "/" + url.PathEscape(u.ID) }

// mayManage: owners manage everybody, admins the members. Nobody manages those above, or another like himself.
func mayManage(by *web.Actor, p credential.Person) error {
	if by.User.Role == storage.Owner || by.User.Role == storage.Admin && p.User.Role == storage.Member {
		return nil
	}
	return web.ErrForbidden
}

// managed reads a user whom the actor may manage.
func (s *Service) managed(ctx context.Context, by *web.Actor, id string) (credential.Person, error) {
	p, err := s.person(ctx, by, id)
	if err == nil {
		err = mayManage(by, p)
	}
	return p, err
}

// showPerson shows one user.
func (s *Service) showPerson(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	p, err := s.person(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	return s.drawPerson(ctx, by, p, s.said().Read(in.Notice))
}

func (s *Service) drawPerson(ctx context.Context, by *web.Actor, p credential.Person, notice ui.Text) (web.Result, error) {
	held, err := s.Credentials.List(ctx, p)
	if err != nil {
		return web.Result{}, web.Unavailable("factors", err)
	}
	row := s.personRow(by, p, held)
	page := ui.Person{
		Row: row, Roles: []string{}, Types: p.Tenant.UserTypes, Own: row.You, Factors: []ui.CredentialRow{}, CodesLeft: -1,
		Disabled: p.User.Disabled, Locked: !p.User.Locked.IsZero(), Back: ui.PathPeople, Notice: notice,
	}
	if !p.User.LastSignIn.IsZero() {
		page.LastSignIn = p.User.LastSignIn.UTC().Format(time.RFC3339)
	}
	if err := s.holds(ctx, p, held, &page); err != nil {
		return web.Result{}, err
	}
	if mayManage(by, p) == nil {
		s.offer(by, p, &page)
	}
	return web.Draw(page), nil
}

// holds fills in what the user has set up, and where the user is signed in.
func (s *Service) holds(ctx context.Context, p credential.Person, held []storage.Credential, page *ui.Person) error {
	off, err := s.Credentials.Off(ctx, p)
	if err != nil {
		return web.Unavailable("counter", err)
	}
	for _, c := range held {
		f, err := s.Credentials.Factor(c.Factor)
		if err != nil {
			return err
		}
		switch i := f.Info(); {
		case i.Enrolment == mfa.ByOwner:
		case i.Backup:
			page.CodesLeft = c.Left
		default:
			row := ui.CredentialRow{
				ID: c.ID, Factor: ui.Factor{ID: i.ID, Name: i.Name}, Name: credential.NameOf(c, f), Off: off[c.Factor],
				Created: c.Created.UTC().Format(time.RFC3339),
			}
			if !c.LastUsed.IsZero() {
				row.LastUsed = c.LastUsed.UTC().Format(time.RFC3339)
			}
			page.Factors = append(page.Factors, row)
		}
	}
	own := storage.Query{Tenant: p.User.Tenant, Field: "user", Value: p.User.ID, Limit: 1000}
	sessions, err := s.Store.Sessions.List(ctx, own)
	if err != nil {
		return web.Unavailable("sessions", err)
	}
	devices, err := s.Store.Devices.List(ctx, own)
	page.Sessions, page.Devices = len(sessions), len(devices)
	return web.Unavailable("devices", err)
}

// offer fills in what the actor can do to the user.
func (s *Service) offer(by *web.Actor, p credential.Person, page *ui.Person) {
	at := personPath(p.User)
	page.Action = at
	for _, r := range rolesOf(by, p) {
		page.Roles = append(page.Roles, string(r))
	}
	if page.Own {
		return // the rest is done on one's own security page
	}
	if len(page.Factors) > 0 {
		page.Reset = at + "/reset"
	}
	if page.Sessions > 0 {
		page.End = at + "/end"
	}
	if page.Devices > 0 {
		page.Forget = at + "/forget"
	}
	if p.User.Disabled {
		page.Enable = at + "/enable"
	} else {
		page.Disable = at + "/disable"
	}
}

// rolesOf are those that the actor can give a user. Nobody changes his own role: so a tenant never loses its last owner.
func rolesOf(by *web.Actor, p credential.Person) []storage.Role {
	switch {
	case p.User.ID == by.User.ID:
		return nil
	case by.User.Role == storage.Owner:
		return []storage.Role{storage.Owner, storage.Admin, storage.Member}
	default:
		return []storage.Role{storage.Member}
	}
}

type savePersonIn struct {
	ID      string       `path:"id"`
	Role    storage.Role `form:"role"`
	Type    string       `form:"type"`
	Require bool         `form:"require"`
}

// savePerson sets access level, user type and the tick together (000-2, 000-3).
func (s *Service) savePerson(ctx context.Context, by *web.Actor, in savePersonIn) (web.Result, error) {
	var p credential.Person
	err := s.oneAtATime(ctx, by, func(by *web.Actor) (err error) {
		if p, err = s.managed(ctx, by, in.ID); err != nil {
			return err
		}
		return s.save(ctx, by, &p, in)
	})
	if err != nil {
		return web.Result{}, err
	}
	return s.done(p, ui.NoticePersonSaved)
}

func (s *Service) save(ctx context.Context, by *web.Actor, p *credential.Person, in savePersonIn) error {
	roles := rolesOf(by, *p)
	if in.Role == "" || len(roles) == 0 {
		in.Role = p.User.Role
	} else if !slices.Contains(roles, in.Role) {
		return web.ErrForbidden
	}
	if in.Type != p.User.Type && !slices.Contains(p.Tenant.UserTypes, in.Type) {
		return web.ErrBadRequest
	}
	if in.Role == p.User.Role && in.Type == p.User.Type && in.Require == p.User.Require2FA {
		return nil
	}
	e := event(by, *p, "user.change")
	e.Reason = changed(p.User, in)
	if err := s.Audit.Record(ctx, e); err != nil {
		return web.Unavailable("audit log", err)
	}
	u, err := storage.Change(ctx, s.Store.Users, p.User.Tenant, p.User.ID, func(u *storage.User) error {
		if u.Role != p.User.Role {
			return web.ErrBusy // somebody who takes no turns (an operator) was faster
		}
		u.Role, u.Type, u.Require2FA = in.Role, in.Type, in.Require
		return nil
	})
	p.User = &u
	return web.Unavailable("user", err)
}

// changed says in the audit log what was changed.
func changed(u *storage.User, in savePersonIn) string {
	var said string
	add := func(what, from, to string) {
		if from != to {
			said += what + " " + from + " to " + to + "; "
		}
	}
	add("role", string(u.Role), string(in.Role))
	add("type", u.Type, in.Type)
	add("require_2fa", onOrOff(u.Require2FA), onOrOff(in.Require))
	return said[:len(said)-len("; ")]
}

func onOrOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// oneAtATime lets the changes of who may do what in a tenant in one after the other, over all processes. The actor is read
// within the turn: of two owners who put each other out at once, the second is one no longer.
func (s *Service) oneAtATime(ctx context.Context, by *web.Actor, do func(by *web.Actor) error) error {
	end, err := storage.Lease{Counters: s.Store.Counters, Now: s.Now}.Take(ctx, by.Tenant.ID, "roles")
	if errors.Is(err, storage.ErrExists) {
		return web.ErrBusy
	}
	if err != nil {
		return web.Unavailable("turn", err)
	}
	defer end()
	u, err := s.Store.Users.Get(ctx, by.Tenant.ID, by.User.ID)
	if err != nil {
		return web.Unavailable("user", err)
	}
	if u.Out() {
		return web.ErrForbidden
	}
	now := *by
	now.User = &u
	return do(&now)
}

// helped reads a user to whom something is done, and puts that into the audit log. Nobody does it to himself here.
func (s *Service) helped(ctx context.Context, by *web.Actor, id, action string) (credential.Person, error) {
	p, err := s.managed(ctx, by, id)
	if err == nil && p.User.ID == by.User.ID {
		err = web.ErrForbidden
	}
	if err == nil && action != "" {
		err = web.Unavailable("audit log", s.Audit.Record(ctx, event(by, p, action)))
	}
	return p, err
}

func (s *Service) askReset(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	p, err := s.helped(ctx, by, in.ID, "")
	if err != nil {
		return web.Result{}, err
	}
	at := personPath(p.User)
	return web.Draw(ui.AskResetPerson.Page(at+"/reset", at, "account", web.Account(p.User))), nil
}

// reset takes all factors of a user off, for one who has lost them.
func (s *Service) reset(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	p, err := s.helped(ctx, by, in.ID, "")
	if err != nil {
		return web.Result{}, err
	}
	err = s.Credentials.RemoveAll(ctx, p, func([]storage.Credential) error {
		return s.Audit.Record(ctx, event(by, p, "two_factor.reset"))
	})
	if err != nil {
		return web.Result{}, credential.PassOn("factors", err)
	}
	if err := errors.Join(s.Credentials.Forgive(ctx, p), s.EndOthers(ctx, p.User.Tenant, p.User.ID, "")); err != nil {
		return web.Result{}, web.Unavailable("sessions", err)
	}
	s.Notices.Tell(ctx, p.Notice(by, ui.MailTwoFactorOff))
	return s.done(p, ui.NoticePersonReset)
}

// end signs a user out everywhere. Remembered devices end with it: whoever is to be out must not come back by one.
func (s *Service) end(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	p, err := s.helped(ctx, by, in.ID, "user.end_sessions")
	if err != nil {
		return web.Result{}, err
	}
	if err := s.EndOthers(ctx, p.User.Tenant, p.User.ID, ""); err != nil {
		return web.Result{}, err
	}
	return s.done(p, ui.NoticePersonEnded)
}

// forget forgets a user's remembered devices.
func (s *Service) forget(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	p, err := s.helped(ctx, by, in.ID, "device.forgotten")
	if err != nil {
		return web.Result{}, err
	}
	if err := deleteOf(ctx, s.Store.Devices, p.User.Tenant, p.User.ID); err != nil {
		return web.Result{}, web.Unavailable("devices", err)
	}
	return s.done(p, ui.NoticePersonForgot)
}

func (s *Service) askDisable(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	p, err := s.helped(ctx, by, in.ID, "")
	if err != nil {
		return web.Result{}, err
	}
	at := personPath(p.User)
	return web.Draw(ui.AskDisablePerson.Page(at+"/disable", at, "account", web.Account(p.User))), nil
}

// disable keeps a user out.
func (s *Service) disable(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	return s.setDisabled(ctx, by, in.ID, true)
}

// enable lets a user in again.
func (s *Service) enable(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	return s.setDisabled(ctx, by, in.ID, false)
}

func (s *Service) setDisabled(ctx context.Context, by *web.Actor, id string, disabled bool) (web.Result, error) {
	var p credential.Person
	err := s.oneAtATime(ctx, by, func(by *web.Actor) (err error) {
		if p, err = s.helped(ctx, by, id, onOff("user", disabled)); err != nil {
			return err
		}
		u, err := storage.Change(ctx, s.Store.Users, p.User.Tenant, p.User.ID, func(u *storage.User) error {
			u.Disabled = disabled
			return nil
		})
		p.User = &u
		return web.Unavailable("user", err)
	})
	if err != nil {
		return web.Result{}, err
	}
	u := p.User
	notice := ui.NoticePersonEnabled
	if disabled {
		notice = ui.NoticePersonDisabled
		if err := s.EndOthers(ctx, u.Tenant, u.ID, ""); err != nil {
			return web.Result{}, err
		}
	}
	return s.done(p, notice)
}
