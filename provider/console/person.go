package console

import (
	"context"
	"errors"
	"strings"

	"github.com/sallyport-id/sallyport/mfa"
	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/credential"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

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
		Disabled: u.Disabled, Locked: !u.Locked.IsZero(), LastSignIn: ui.Stamp(u.LastSignIn), Sessions: u.Sessions, Devices: u.Devices,
		NoPassword: s.Admin.WantsPassword(&u), Unconfirmed: u.Email != "" && !u.EmailVerified && (u.HasPassword || !u.LastSignIn.IsZero()),
		Invited: ui.Stamp(u.Invited), Expires: ui.Stamp(u.InvitationExpires), Activity: auditOf("user", u.ID), Why: explainPath(u.ID), Back: ui.PathPeople,
	}
	if page.RequiredBy, err = s.Admin.AlreadyRequired(ctx, by, u.Tenant, u.ID); err != nil {
		return page, err
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
				ID: c.ID, Factor: ui.Factor{ID: i.ID, Name: i.Name}, Off: c.Off, Created: ui.Stamp(c.Created), LastUsed: ui.Stamp(c.LastUsed),
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
		Account: made.User.Account(), Name: made.User.Name, Code: made.Code, Until: ui.Stamp(made.Expires),
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
