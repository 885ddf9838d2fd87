package console

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

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
		web.Get(person+"/delete", web.Fresh, s.askDelete),
		web.Post(person+"/delete", web.Fresh, s.deletePerson),
		web.Post(person+"/remind", web.Fresh, s.remind),
		web.Post(ui.PathPeople+"/remind", web.Fresh, s.remindAll),
	}
}

// personPath is where the page of a user is.
func personPath(id string) string { return at(ui.PathPeople, id) }

type peopleIn struct {
	Find      string `form:"find"`
	TwoFactor string `form:"two_factor"`
	Type      string `form:"type"`
	Role      string `form:"role"`
	State     string `form:"state"`
	After     string `form:"after"`
	Notice    string `form:"notice"`
}

// filter is what is asked for. What nobody can choose on the page is taken for nothing: an old link still shows people.
func (in peopleIn) filter(k kinds) ui.Filter {
	f := ui.Filter{Find: strings.TrimSpace(in.Find)}
	if in.TwoFactor == "on" || in.TwoFactor == "off" {
		f.TwoFactor = in.TwoFactor
	}
	if slices.ContainsFunc(k, func(c ui.Choice) bool { return c.ID == in.Type }) {
		f.Type = in.Type
	}
	if slices.Contains([]storage.Role{storage.Owner, storage.Admin, storage.Member}, storage.Role(in.Role)) {
		f.Role = in.Role
	}
	if in.State == admin.StateInvited {
		f.State = in.State
	}
	return f
}

// peopleAt is the address of a list of users.
func peopleAt(f ui.Filter, after string) string {
	v := url.Values{}
	for name, value := range map[string]string{
		"find": f.Find, "two_factor": f.TwoFactor, "type": f.Type, "role": f.Role, "state": f.State, "after": after,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if len(v) == 0 {
		return ui.PathPeople
	}
	return ui.PathPeople + "?" + v.Encode()
}

// peoplePage is how many users stand on a page.
const peoplePage = 50

// people lists the tenant's users, or those whom a filter describes.
func (s *Service) people(ctx context.Context, by *web.Actor, in peopleIn) (web.Result, error) {
	k, err := s.kinds(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	f := in.filter(k)
	if f.Find != "" {
		in.After = ""
	}
	found, err := s.Admin.FindUsers(ctx, by, by.Tenant.ID, admin.Filter{
		Text: f.Find, Type: f.Type, Role: storage.Role(f.Role), TwoFactor: f.TwoFactor, State: f.State,
	}, admin.Page{After: in.After, Limit: peoplePage})
	if err != nil {
		return web.Result{}, err
	}
	page := ui.People{
		Filter: f, Action: ui.PathPeople, Types: k, People: []ui.PersonRow{}, More: found.More,
		Invite: ui.PathInvite, EditTypes: ui.PathUserTypes, Notice: s.said().Read(in.Notice),
	}
	if owns, err := s.owns(ctx, by); err != nil {
		return web.Result{}, err
	} else if owns {
		page.Import = ui.PathImport
	}
	for i := range found.Items {
		row, err := s.listed(ctx, by, k, &found.Items[i])
		if err != nil {
			return web.Result{}, err
		}
		page.People = append(page.People, row)
	}
	if found.Next != "" {
		page.Next = peopleAt(f, found.Next)
	}
	if in.After != "" {
		page.First = peopleAt(f, "")
	}
	if err := s.countPeople(ctx, by, &page); err != nil {
		return web.Result{}, err
	}
	if !f.Set() && in.After == "" {
		if err := s.nudge(ctx, by, k, &page); err != nil {
			return web.Result{}, err
		}
	}
	return web.Draw(page), nil
}

// countPeople fills in what an index counts.
func (s *Service) countPeople(ctx context.Context, by *web.Actor, page *ui.People) error {
	all, err := s.Admin.UserTypes(ctx, by, by.Tenant.ID)
	if err != nil {
		return err
	}
	f := page.Filter
	page.Count = 0
	for _, t := range all {
		page.All += t.Users
		page.TwoFactor += t.TwoFactor
		switch {
		case f.Type != "" && f.Type != t.ID:
		case f.TwoFactor == "on":
			page.Count += t.TwoFactor
		case f.TwoFactor == "off":
			page.Count += t.Users - t.TwoFactor
		default:
			page.Count += t.Users
		}
	}
	if f.Find != "" || f.Role != "" || f.State != "" {
		page.Count = -1
	}
	return nil
}

// nudge fills in which owners and admins have no second step (004-8).
func (s *Service) nudge(ctx context.Context, by *web.Actor, k kinds, page *ui.People) error {
	bare, err := s.Admin.Unprotected(ctx, by, by.Tenant.ID)
	if err != nil {
		return err
	}
	for i := range bare {
		row := s.personRow(by, k, &bare[i], nil)
		if page.Unprotected = append(page.Unprotected, row); row.Remind != "" {
			page.RemindAll = ui.PathPeople + "/remind"
		}
	}
	return nil
}

// listed is a row of a list. Whether a recovery code is alive only those are told who can make one.
func (s *Service) listed(ctx context.Context, by *web.Actor, k kinds, u *admin.User) (ui.PersonRow, error) {
	var held []storage.Credential
	if s.Admin.RightsOver(by, u).HandOut {
		key := storage.User{Key: storage.Key{Tenant: by.Tenant.ID, ID: u.ID}}
		var err error
		if held, err = s.Credentials.List(ctx, credential.Person{Tenant: by.Tenant, User: &key}); err != nil {
			return ui.PersonRow{}, web.Unavailable("factors", err)
		}
	}
	return s.personRow(by, k, u, held), nil
}

// kinds are a tenant's user types, with the tenant's own names. They are read anew and not taken from the actor, whose
// tenant may be some seconds old: who has just named a type must read the name.
type kinds []ui.Choice

func (s *Service) kinds(ctx context.Context, by *web.Actor) (kinds, error) {
	t, err := s.Admin.Tenant(ctx, by, by.Tenant.ID)
	all := make(kinds, 0, len(t.UserTypes))
	for _, id := range t.UserTypes {
		all = append(all, ui.Choice{ID: id, Name: t.TypeNames[id]})
	}
	return all, err
}

func (k kinds) of(id string) ui.Choice {
	if i := slices.IndexFunc(k, func(c ui.Choice) bool { return c.ID == id }); i >= 0 {
		return k[i]
	}
	return ui.Choice{ID: id}
}

// personRow is a user as lists show one. held are the credentials, as far as they matter.
func (s *Service) personRow(by *web.Actor, k kinds, u *admin.User, held []storage.Credential) ui.PersonRow {
	to := personPath(u.ID)
	rights := s.Admin.RightsOver(by, u)
	row := ui.PersonRow{
		ID: u.ID, Account: u.Account(), Name: u.Name, Role: string(u.Role), Type: k.of(u.Type), TwoFactor: u.TwoFactor,
		Out: u.Out(), Invited: !u.Invited.IsZero(), Expired: u.InvitationExpired(s.Now()), You: rights.Own, Required: u.Require2FA,
		Unreachable: u.Email == "" || !u.EmailVerified, Path: to,
	}
	if rights.HandOut {
		row.HandOut = to + "/recovery-code"
		if c, err := s.Credentials.HandedOut(held); err == nil {
			row.Revoke, row.Until = to+"/recovery-code/revoke", stamp(c.Expires)
		}
	}
	if rights.Remind {
		row.Remind = to + "/remind"
	}
	if rights.Manage && !rights.Own {
		manage(u, to, &row.PersonActions)
	}
	if rights.Delete && !row.Invited {
		row.Delete = to + "/delete"
	}
	return row
}

// manage fills in what those can do who manage a user.
func manage(u *admin.User, to string, can *ui.PersonActions) {
	if !u.Locked.IsZero() {
		can.Unlock = to + "/unlock"
	}
	if u.Disabled {
		can.Enable = to + "/enable"
	} else {
		can.Disable = to + "/disable"
	}
	if !u.Invited.IsZero() {
		can.Withdraw = to + "/withdraw"
		if !u.Out() {
			can.Again = to + "/invite"
		}
		return
	}
	// Who has never signed in has nothing to be ended.
	if !u.LastSignIn.IsZero() {
		can.End, can.Forget = to+"/end", to+"/forget"
	}
	if u.TwoFactor {
		can.Reset = to + "/reset"
	}
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
	page, err := s.person(ctx, by, in.ID)
	page.Notice = s.said().Read(in.Notice)
	return web.Draw(page), err
}

func (s *Service) person(ctx context.Context, by *web.Actor, id string) (ui.Person, error) {
	u, err := s.user(ctx, by, id)
	if err != nil {
		return ui.Person{}, err
	}
	key := storage.User{Key: storage.Key{Tenant: u.Tenant, ID: u.ID}}
	held, err := s.Credentials.List(ctx, credential.Person{Tenant: by.Tenant, User: &key})
	if err != nil {
		return ui.Person{}, web.Unavailable("factors", err)
	}
	k, err := s.kinds(ctx, by)
	if err != nil {
		return ui.Person{}, err
	}
	row := s.personRow(by, k, &u, held)
	page := ui.Person{
		Row: row, Roles: []string{}, Types: k, Own: row.You, Factors: []ui.CredentialRow{}, CodesLeft: -1,
		Disabled: u.Disabled, Locked: !u.Locked.IsZero(), LastSignIn: stamp(u.LastSignIn), Sessions: u.Sessions, Devices: u.Devices,
		Invited: stamp(u.Invited), Expires: stamp(u.InvitationExpires), Activity: auditOf("user", u.ID), Why: explainPath(u.ID), Back: ui.PathPeople,
	}
	if err := s.factors(&u, &page); err != nil {
		return page, err
	}
	s.offer(by, &u, &page)
	return page, nil
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

// offer fills in what the actor can change of the user, and takes away what there is nothing of.
func (s *Service) offer(by *web.Actor, u *admin.User, page *ui.Person) {
	if page.Sessions == 0 {
		page.Row.End = ""
	}
	if page.Devices == 0 {
		page.Row.Forget = ""
	}
	rights := s.Admin.RightsOver(by, u)
	if !rights.Manage {
		return
	}
	page.Action = page.Row.Path
	for _, r := range rights.Roles {
		page.Roles = append(page.Roles, string(r))
	}
}

type savePersonIn struct {
	ID      string       `path:"id"`
	Name    *string      `form:"name"`
	Role    storage.Role `form:"role"`
	Type    string       `form:"type"`
	Require bool         `form:"require"`
}

// savePerson sets name, access level, user type and the tick together (000-2, 000-3).
func (s *Service) savePerson(ctx context.Context, by *web.Actor, in savePersonIn) (web.Result, error) {
	fields := admin.UserFields{Name: in.Name, Type: &in.Type, Require2FA: &in.Require}
	// On one's own page there is no access level to choose.
	if in.Role != "" && in.ID != by.User.ID {
		fields.Role = &in.Role
	}
	// Who never had a name need not be given one for the rest to be saved.
	if in.Name != nil && strings.TrimSpace(*in.Name) == "" {
		u, err := s.user(ctx, by, in.ID)
		if err != nil {
			return web.Result{}, err
		}
		if u.Name == "" {
			fields.Name = nil
		}
	}
	u, err := s.Admin.ChangeUser(ctx, by, by.Tenant.ID, in.ID, fields)
	if where, says, ok := refused(err); ok && where == "name" {
		page, err := s.person(ctx, by, in.ID)
		page.Row.Name, page.Row.Required, page.Where, page.Problem = *in.Name, in.Require, where, says
		page.Row.Type = kinds(page.Types).of(in.Type)
		if fields.Role != nil {
			page.Row.Role = string(in.Role)
		}
		return web.Result{Page: page, Refused: true}, err
	}
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

// askDelete asks before a user is removed for good. Only owners do that.
func (s *Service) askDelete(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	if by.User.Role != storage.Owner {
		return web.Result{}, web.ErrForbidden
	}
	return s.asks(ctx, by, in.ID, "/delete", ui.AskDeletePerson)
}

func (s *Service) deletePerson(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	u, err := s.user(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	if err := s.Admin.DeleteUser(ctx, by, by.Tenant.ID, u.ID); err != nil {
		return web.Result{}, err
	}
	return s.done(ui.PathPeople, ui.NoticePersonDeleted, "account", u.Account())
}

// remind asks a user by mail to set up a second step.
func (s *Service) remind(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	u, err := s.Admin.Remind(ctx, by, by.Tenant.ID, in.ID)
	var many *web.TooMany
	if errors.As(err, &many) {
		return s.finished(u, ui.NoticeRemindedLately)
	}
	if err != nil {
		return web.Result{}, err
	}
	return s.finished(u, ui.NoticeReminded)
}

type nothing struct{}

// remindAll asks all owners and admins without a second step to set one up.
func (s *Service) remindAll(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	r, err := s.Admin.RemindUnprotected(ctx, by, by.Tenant.ID)
	if err != nil {
		return web.Result{}, err
	}
	if len(r.Sent) == 0 {
		return s.done(ui.PathPeople, ui.NoticeRemindedNone)
	}
	return s.done(ui.PathPeople, ui.NoticeRemindedAll, "n", len(r.Sent))
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
