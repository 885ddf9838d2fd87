package console

import (
	"context"
	"errors"
	"net/url"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

func (s *Service) peopleRoutes() []web.Route {
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

// personPath is where the page of a user is.
func personPath(id string) string { return at(ui.PathPeople, id) }

type peopleIn struct {
	Find   string `form:"find"`
	After  string `form:"after"`
	Notice string `form:"notice"`
}

// peoplePage is how many users stand on a page.
const peoplePage = 50

// people lists the tenant's users, or those who answer to a name.
func (s *Service) people(ctx context.Context, by *web.Actor, in peopleIn) (web.Result, error) {
	found, err := s.Admin.FindUsers(ctx, by, by.Tenant.ID, admin.Filter{Text: in.Find}, admin.Page{After: in.After, Limit: peoplePage})
	if err != nil {
		return web.Result{}, err
	}
	page := ui.People{Find: in.Find, Action: ui.PathPeople, People: []ui.PersonRow{}, Notice: s.said().Read(in.Notice)}
	for i := range found.Items {
		u := storage.User{Key: storage.Key{Tenant: by.Tenant.ID, ID: found.Items[i].ID}}
		held, err := s.Credentials.List(ctx, credential.Person{Tenant: by.Tenant, User: &u})
		if err != nil {
			return web.Result{}, web.Unavailable("factors", err)
		}
		page.People = append(page.People, s.personRow(by, &found.Items[i], held))
	}
	if found.Next != "" {
		page.Next = ui.PathPeople + "?" + url.Values{"after": {found.Next}}.Encode()
	}
	if in.After != "" {
		page.First = ui.PathPeople
	}
	return web.Draw(page), nil
}

func (s *Service) personRow(by *web.Actor, u *admin.User, held []storage.Credential) ui.PersonRow {
	rights := s.Admin.RightsOver(by, u)
	to := personPath(u.ID)
	row := ui.PersonRow{
		ID: u.ID, Account: u.Account(), Name: u.Name, Role: string(u.Role), Type: u.Type,
		TwoFactor: len(s.Credentials.Primary(held)) > 0, Out: u.Out(), You: rights.Own, Required: u.Require2FA, Path: to,
	}
	if rights.HandOut {
		row.HandOut = to + "/recovery-code"
		if c, err := s.Credentials.HandedOut(held); err == nil {
			row.Revoke, row.Until = to+"/recovery-code/revoke", stamp(c.Expires)
		}
	}
	if !u.Locked.IsZero() && rights.Manage && !rights.Own {
		row.Unlock = to + "/unlock"
	}
	return row
}

type personIn struct {
	ID     string `path:"id"`
	Notice string `form:"notice"`
}

// finished leads to the page of a person, which says what was done.
func (s *Service) finished(u admin.User, notice string) (web.Result, error) {
	return s.done(personPath(u.ID), notice, "account", u.Account())
}

// user reads a user of the actor's own tenant by the ID alone: what stands in a path is no name to be looked up.
func (s *Service) user(ctx context.Context, by *web.Actor, id string) (admin.User, error) {
	u, err := s.Admin.User(ctx, by, by.Tenant.ID, id)
	if err == nil && u.ID != id {
		err = web.ErrNotFound
	}
	return u, err
}

// showPerson shows one user.
func (s *Service) showPerson(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	u, err := s.user(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	key := storage.User{Key: storage.Key{Tenant: u.Tenant, ID: u.ID}}
	held, err := s.Credentials.List(ctx, credential.Person{Tenant: by.Tenant, User: &key})
	if err != nil {
		return web.Result{}, web.Unavailable("factors", err)
	}
	row := s.personRow(by, &u, held)
	page := ui.Person{
		Row: row, Roles: []string{}, Types: by.Tenant.UserTypes, Own: row.You, Factors: []ui.CredentialRow{}, CodesLeft: -1,
		Disabled: u.Disabled, Locked: !u.Locked.IsZero(), LastSignIn: stamp(u.LastSignIn), Sessions: u.Sessions, Devices: u.Devices,
		Back: ui.PathPeople, Notice: s.said().Read(in.Notice),
	}
	if err := s.factors(&u, &page); err != nil {
		return web.Result{}, err
	}
	s.offer(by, &u, &page)
	return web.Draw(page), nil
}

// factors fills in what the user has set up.
func (s *Service) factors(u *admin.User, page *ui.Person) error {
	for _, c := range u.Factors {
		f, err := s.Credentials.Factor(c.Factor)
		if err != nil {
			return err
		}
		switch i := f.Info(); {
		case i.Enrolment == mfa.ByOwner:
		case i.Backup:
			page.CodesLeft = c.Left
		default:
			page.Factors = append(page.Factors, ui.CredentialRow{
				ID: c.ID, Factor: ui.Factor{ID: i.ID, Name: i.Name}, Off: c.Off, Created: stamp(c.Created), LastUsed: stamp(c.LastUsed),
				Name: credential.NameOf(storage.Credential{Name: c.Name, Note: c.Note, Factor: c.Factor}, f),
			})
		}
	}
	return nil
}

// offer fills in what the actor can do to the user.
func (s *Service) offer(by *web.Actor, u *admin.User, page *ui.Person) {
	rights := s.Admin.RightsOver(by, u)
	if !rights.Manage {
		return
	}
	to := personPath(u.ID)
	page.Action = to
	for _, r := range rights.Roles {
		page.Roles = append(page.Roles, string(r))
	}
	if page.Own {
		return // the rest is done on one's own security page
	}
	if len(page.Factors) > 0 {
		page.Reset = to + "/reset"
	}
	if page.Sessions > 0 {
		page.End = to + "/end"
	}
	if page.Devices > 0 {
		page.Forget = to + "/forget"
	}
	if u.Disabled {
		page.Enable = to + "/enable"
	} else {
		page.Disable = to + "/disable"
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
	fields := admin.UserFields{Type: &in.Type, Require2FA: &in.Require}
	// On one's own page there is no access level to choose.
	if in.Role != "" && in.ID != by.User.ID {
		fields.Role = &in.Role
	}
	u, err := s.Admin.ChangeUser(ctx, by, by.Tenant.ID, in.ID, fields)
	if err != nil {
		return web.Result{}, err
	}
	return s.finished(u, ui.NoticePersonSaved)
}

// asks draws the page that asks once before something is done to a user.
func (s *Service) asks(ctx context.Context, by *web.Actor, id, way string, q ui.Question) (web.Result, error) {
	u, err := s.user(ctx, by, id)
	if err != nil {
		return web.Result{}, err
	}
	if r := s.Admin.RightsOver(by, &u); !r.Manage || r.Own {
		return web.Result{}, web.ErrForbidden
	}
	to := personPath(u.ID)
	return web.Draw(q.Page(to+way, to, "account", u.Account())), nil
}

func (s *Service) askReset(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	return s.asks(ctx, by, in.ID, "/reset", ui.AskResetPerson)
}

func (s *Service) askDisable(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	return s.asks(ctx, by, in.ID, "/disable", ui.AskDisablePerson)
}

// reset takes all factors of a user off, for one who has lost them.
func (s *Service) reset(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	u, err := s.Admin.ResetTwoFactor(ctx, by, by.Tenant.ID, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	return s.finished(u, ui.NoticePersonReset)
}

// then does what leaves the user as it is, and says so on the user's page.
func (s *Service) then(ctx context.Context, by *web.Actor, id, notice string, do func(context.Context, *web.Actor, string, string) error) (web.Result, error) {
	if err := do(ctx, by, by.Tenant.ID, id); err != nil {
		return web.Result{}, err
	}
	u, err := s.user(ctx, by, id)
	if err != nil {
		return web.Result{}, err
	}
	return s.finished(u, notice)
}

func (s *Service) end(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	return s.then(ctx, by, in.ID, ui.NoticePersonEnded, s.Admin.EndSessions)
}

func (s *Service) forget(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	return s.then(ctx, by, in.ID, ui.NoticePersonForgot, s.Admin.ForgetDevices)
}

func (s *Service) disable(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	u, err := s.Admin.SetUserDisabled(ctx, by, by.Tenant.ID, in.ID, true)
	if err != nil {
		return web.Result{}, err
	}
	return s.finished(u, ui.NoticePersonDisabled)
}

func (s *Service) enable(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	u, err := s.Admin.SetUserDisabled(ctx, by, by.Tenant.ID, in.ID, false)
	if err != nil {
		return web.Result{}, err
	}
	return s.finished(u, ui.NoticePersonEnabled)
}

// handOut makes a recovery code and shows it, this once.
func (s *Service) handOut(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	made, err := s.Admin.MakeRecoveryCode(ctx, by, by.Tenant.ID, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	to := personPath(made.User.ID)
	return web.Draw(ui.RecoveryCode{
		Account: made.User.Account(), Name: made.User.Name, Code: made.Code, Until: stamp(made.Expires),
		Revoke: to + "/recovery-code/revoke", Back: to,
	}), nil
}

// takeBack revokes the code that waits to be used. Used, expired or revoked by somebody else, it is gone all the same.
func (s *Service) takeBack(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	return s.then(ctx, by, in.ID, ui.NoticeRecoveryRevoked, func(ctx context.Context, by *web.Actor, tenant, id string) error {
		err := s.Admin.RevokeRecoveryCode(ctx, by, tenant, id)
		var refused *web.Invalid
		if errors.As(err, &refused) && refused.Where == admin.NoRecoveryCode {
			return nil
		}
		return err
	})
}

// unlock lets a user in again who was locked by "this was not me".
func (s *Service) unlock(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	u, err := s.Admin.Unlock(ctx, by, by.Tenant.ID, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	return s.finished(u, ui.NoticeUnlocked)
}
