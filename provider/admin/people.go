package admin

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Routes are the pages of a tenant's owners and admins.
func (s *Service) Routes() []web.Route {
	const person = ui.PathPeople + "/:id"
	return []web.Route{
		web.Get(ui.PathPeople, web.Self, s.people),
		web.Get(person, web.Self, s.showPerson),
		web.Post(person, web.Fresh, s.savePerson),
		web.Get(person+"/reset", web.Fresh, s.askReset),
		web.Post(person+"/reset", web.Fresh, s.reset),
		web.Post(person+"/end", web.Fresh, s.end),
		web.Post(person+"/forget", web.Fresh, s.forget),
		web.Get(person+"/disable", web.Fresh, s.askDisable),
		web.Post(person+"/disable", web.Fresh, s.disable),
		web.Post(person+"/enable", web.Fresh, s.enable),
		web.Post(person+"/recovery-code", web.Fresh, s.handOut),
		web.Post(person+"/recovery-code/revoke", web.Fresh, s.takeBack),
		web.Post(person+"/unlock", web.Fresh, s.unlock),
	}
}

// mayHelp admits a tenant's owners and admins whom its own rules let in.
func (s *Service) mayHelp(ctx context.Context, by *web.Actor) error {
	if by.User.Role != storage.Owner && by.User.Role != storage.Admin {
		return web.ErrForbidden
	}
	d, err := s.Decision(ctx, by)
	if err != nil {
		return err
	}
	if !d.Allow {
		return &web.Denied{Rule: d.Rule}
	}
	return nil
}

type peopleIn struct {
	Find   string `form:"find"`
	After  string `form:"after"`
	Notice string `form:"notice"`
}

// peoplePage is how many users stand on a page.
const peoplePage = 50

// people lists the tenant's users, or those who answer to a name.
func (s *Service) people(ctx context.Context, by *web.Actor, in peopleIn) (web.Result, error) {
	if err := s.mayHelp(ctx, by); err != nil {
		return web.Result{}, err
	}
	found, more, err := s.look(ctx, by, in)
	if err != nil {
		return web.Result{}, err
	}
	page := ui.People{Find: in.Find, Action: ui.PathPeople, People: []ui.PersonRow{}, Notice: s.said().Read(in.Notice)}
	for i := range found {
		p := credential.Person{Tenant: by.Tenant, User: &found[i]}
		held, err := s.Credentials.List(ctx, p)
		if err != nil {
			return web.Result{}, web.Unavailable("factors", err)
		}
		page.People = append(page.People, s.personRow(by, p, held))
	}
	if more {
		page.Next = ui.PathPeople + "?" + url.Values{"after": {found[len(found)-1].ID}}.Encode()
	}
	if in.After != "" {
		page.First = ui.PathPeople
	}
	return web.Draw(page), nil
}

// look finds the users of one page, and tells whether there are more.
func (s *Service) look(ctx context.Context, by *web.Actor, in peopleIn) (found []storage.User, more bool, err error) {
	if name := strings.TrimSpace(in.Find); name != "" {
		found, err = s.Directory.Lookup(ctx, by.Tenant.ID, name)
		return found, false, web.Unavailable("directory", err)
	}
	found, err = s.Store.Users.List(ctx, storage.Query{Tenant: by.Tenant.ID, After: in.After, Limit: peoplePage + 1})
	if err != nil {
		return nil, false, web.Unavailable("users", err)
	}
	if len(found) > peoplePage {
		return found[:peoplePage], true, nil
	}
	return found, false, nil
}

func (s *Service) personRow(by *web.Actor, p credential.Person, held []storage.Credential) ui.PersonRow {
	at := personPath(p.User)
	row := ui.PersonRow{
		ID: p.User.ID, Account: web.Account(p.User), Name: p.User.Name, Role: string(p.User.Role), Type: p.User.Type,
		TwoFactor: len(s.Credentials.Primary(held)) > 0, Out: p.User.Out(), You: p.User.ID == by.User.ID,
		Required: p.User.Require2FA, Path: at,
	}
	if mayHandOut(by, p) == nil {
		row.HandOut = at + "/recovery-code"
		if c, err := s.Credentials.HandedOut(held); err == nil {
			row.Revoke, row.Until = at+"/recovery-code/revoke", c.Expires.UTC().Format(time.RFC3339)
		}
	}
	if !p.User.Locked.IsZero() && mayManage(by, p) == nil {
		row.Unlock = at + "/unlock"
	}
	return row
}

// mayHandOut: owners hand recovery codes to others who are let in. Nobody makes one for oneself: it would be a second
// step out of one's own hands.
func mayHandOut(by *web.Actor, p credential.Person) error {
	if by.User.Role != storage.Owner || p.User.ID == by.User.ID || p.User.Out() {
		return web.ErrForbidden
	}
	return nil
}

type personIn struct {
	ID     string `path:"id"`
	Notice string `form:"notice"`
}

func (s *Service) said() web.Said { return web.Said{Keys: s.Keys} }

// done leads to the page of a person, which says what was done.
func (s *Service) done(p credential.Person, notice string) (web.Result, error) {
	return s.said().Go(personPath(p.User), ui.Say(notice, "account", web.Account(p.User)))
}

// person reads a user of the actor's own tenant.
func (s *Service) person(ctx context.Context, by *web.Actor, id string) (credential.Person, error) {
	if err := s.mayHelp(ctx, by); err != nil {
		return credential.Person{}, err
	}
	u, err := s.Store.Users.Get(ctx, by.Tenant.ID, id)
	return credential.Person{Tenant: by.Tenant, User: &u}, web.Unavailable("user", err)
}

// event begins an audit event about what an actor does to a person.
func event(by *web.Actor, p credential.Person, action string) storage.Event {
	e := by.Event(action, "ok")
	e.User = p.User.ID
	return e
}

// handOut makes a recovery code and shows it, this once.
func (s *Service) handOut(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	p, err := s.person(ctx, by, in.ID)
	if err == nil {
		err = mayHandOut(by, p)
	}
	if err != nil {
		return web.Result{}, err
	}
	code, until, err := s.Credentials.HandOut(ctx, p, func([]storage.Credential) error {
		return s.Audit.Record(ctx, event(by, p, "recovery.made"))
	})
	if errors.Is(err, credential.ErrUnknownFactor) {
		return web.Result{}, web.ErrNotFound
	}
	if err != nil {
		return web.Result{}, credential.PassOn("recovery code", err)
	}
	n := p.Notice(by, ui.MailRecoveryMade)
	n.Name = cmp.Or(by.User.Name, web.Account(by.User))
	s.Notices.Tell(ctx, n)
	at := personPath(p.User)
	return web.Draw(ui.RecoveryCode{
		Account: web.Account(p.User), Name: p.User.Name, Code: code, Until: until.UTC().Format(time.RFC3339),
		Revoke: at + "/recovery-code/revoke", Back: at,
	}), nil
}

// takeBack revokes the code that waits to be used.
func (s *Service) takeBack(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	p, err := s.person(ctx, by, in.ID)
	if err == nil {
		err = mayHandOut(by, p)
	}
	if err != nil {
		return web.Result{}, err
	}
	err = s.Credentials.TakeBack(ctx, p, func(held []storage.Credential) error {
		if _, err := s.Credentials.HandedOut(held); err != nil {
			return err
		}
		return s.Audit.Record(ctx, event(by, p, "recovery.revoked"))
	})
	// Used, expired or revoked by somebody else, it is gone all the same.
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return web.Result{}, credential.PassOn("recovery code", err)
	}
	return s.done(p, ui.NoticeRecoveryRevoked)
}

// unlock lets a user in again who was locked by "this was not me".
func (s *Service) unlock(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	p, err := s.person(ctx, by, in.ID)
	if err == nil {
		err = mayManage(by, p)
	}
	if err != nil {
		return web.Result{}, err
	}
	// Nothing is noted of who is not locked: "this was not me" may still be said of what was done before.
	if p.User.Locked.IsZero() {
		return s.done(p, ui.NoticeUnlocked)
	}
	if err := s.Audit.Record(ctx, event(by, p, "user.unlock")); err != nil {
		return web.Result{}, web.Unavailable("audit log", err)
	}
	if _, err := storage.Change(ctx, s.Store.Users, p.User.Tenant, p.User.ID, s.unlocked); err != nil {
		return web.Result{}, web.Unavailable("user", err)
	}
	return s.done(p, ui.NoticeUnlocked)
}

func (s *Service) unlocked(u *storage.User) error {
	if !u.Locked.IsZero() {
		u.Locked, u.Unlocked = time.Time{}, s.Now()
	}
	return nil
}

// RecoveryCode makes a recovery code for a user, for an operator to hand out where no owner can. *Error.
func (s *Service) RecoveryCode(ctx context.Context, tenant, user string) (code string, until time.Time, _ error) {
	p, err := s.find(ctx, tenant, user)
	if err != nil {
		return "", time.Time{}, err
	}
	err = s.audited(ctx, userEvent(p.User, "recovery.made"), func() (err error) {
		code, until, err = s.Credentials.HandOut(ctx, p, nil)
		return err
	})
	if err != nil {
		return "", time.Time{}, err
	}
	s.Notices.Tell(ctx, mail.Notice{Kind: ui.MailRecoveryMade, User: p.User, Name: operator})
	return code, until, nil
}

// RevokeRecoveryCode takes back the recovery code that waits to be used. *Error.
func (s *Service) RevokeRecoveryCode(ctx context.Context, tenant, user string) error {
	p, err := s.find(ctx, tenant, user)
	if err != nil {
		return err
	}
	return s.audited(ctx, userEvent(p.User, "recovery.revoked"), func() error {
		err := s.Credentials.TakeBack(ctx, p, nil)
		if errors.Is(err, storage.ErrNotFound) {
			return missing("recovery code of user", web.Account(p.User), "it was used, revoked or has expired")
		}
		return err
	})
}

// Unlock lets a user in again who was locked by "this was not me". *Error.
func (s *Service) Unlock(ctx context.Context, tenant, user string) (User, error) {
	p, err := s.find(ctx, tenant, user)
	if err != nil {
		return User{}, err
	}
	return s.change(ctx, p, "user.unlock", s.unlocked)
}
