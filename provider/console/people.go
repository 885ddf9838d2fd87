package console

import (
	"context"
	"net/url"
	"slices"
	"strings"

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
		web.Get(person+"/email", web.Fresh, s.askPersonEmail),
		web.Post(person+"/email", web.Fresh, s.savePersonEmail),
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
		if page.SoleOwner, err = s.Admin.SoleOwner(ctx, by, by.Tenant.ID); err != nil {
			return web.Result{}, err
		}
		if page.SoleOwner {
			page.InviteOwner = inviteAs(storage.Owner)
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
			row.Revoke, row.Until = to+"/recovery-code/revoke", ui.Stamp(c.Expires)
		}
	}
	if rights.Remind {
		row.Remind = to + "/remind"
	}
	if rights.Manage && !rights.Own {
		manage(u, to, &row.PersonActions)
	}
	if rights.Invite {
		row.Invite = to + "/invite"
	}
	if rights.Email {
		row.Email = to + "/email"
	}
	// Withdrawn, an invitation that made the user takes the user along.
	if rights.Delete && !u.ByInvitation {
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
