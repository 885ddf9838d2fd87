package console

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

func (s *Service) inviteRoutes() []web.Route {
	const person = ui.PathPeople + "/:id"
	return []web.Route{
		// Asked for before it is filled in: what is typed would be lost on the way.
		web.Get(ui.PathInvite, web.Fresh, s.askInvite),
		web.Post(ui.PathInvite, web.Fresh, s.invite),
		web.Post(person+"/invite", web.Fresh, s.sendInvitation),
		web.Get(person+"/withdraw", web.Fresh, s.askWithdraw),
		web.Post(person+"/withdraw", web.Fresh, s.withdraw),
	}
}

type inviteIn struct {
	Email   string       `form:"email"`
	Name    string       `form:"name"`
	Role    storage.Role `form:"role"`
	Type    string       `form:"type"`
	Require bool         `form:"require"`
}

// invitePage asks whom to invite. What an actor may give to somebody new is what it may give to a member.
func (s *Service) invitePage(ctx context.Context, by *web.Actor, in inviteIn) (ui.Invite, error) {
	rights := s.Admin.RightsOver(by, &admin.User{Tenant: by.Tenant.ID, Role: storage.Member})
	if !rights.Manage {
		return ui.Invite{}, web.ErrForbidden
	}
	k, err := s.kinds(ctx, by)
	if err != nil {
		return ui.Invite{}, err
	}
	page := ui.Invite{
		Email: in.Email, Name: in.Name, Role: string(in.Role), Type: in.Type, Required: in.Require, Roles: []string{}, Types: k,
		Days: int(storage.InvitationLife / (24 * time.Hour)), Action: ui.PathInvite, Cancel: ui.PathPeople,
	}
	for _, r := range rights.Roles {
		page.Roles = append(page.Roles, string(r))
	}
	if page.Role == "" {
		page.Role = string(storage.Member)
	}
	return page, nil
}

// inviteAs leads to the form with an access level chosen.
func inviteAs(r storage.Role) string {
	return ui.PathInvite + "?" + url.Values{"role": {string(r)}}.Encode()
}

type askInviteIn struct {
	Role string `form:"role"`
}

func (s *Service) askInvite(ctx context.Context, by *web.Actor, in askInviteIn) (web.Result, error) {
	page, err := s.invitePage(ctx, by, inviteIn{})
	if slices.Contains(page.Roles, in.Role) {
		page.Role = in.Role
	}
	return web.Draw(page), err
}

// invite mails an invitation.
func (s *Service) invite(ctx context.Context, by *web.Actor, in inviteIn) (web.Result, error) {
	u, err := s.Admin.InviteUser(ctx, by, by.Tenant.ID, admin.NewInvitation{
		Email: in.Email, Name: in.Name, Role: in.Role, Type: in.Type, Require2FA: in.Require,
	})
	var many *web.TooMany
	where, says, ok := refused(err)
	if errors.As(err, &many) {
		where, says, ok = "", ui.Say(ui.NoticeInvitedOften, "account", in.Email, "n", web.Minutes(many.Retry)), true
	}
	if ok {
		page, err := s.invitePage(ctx, by, in)
		page.Where, page.Problem = where, says
		return web.Result{Page: page, Refused: true}, err
	}
	if err != nil {
		return web.Result{}, err
	}
	return s.finished(u, ui.NoticeInvited)
}

// sendInvitation invites a user who has no password, or mails a new link; the one before stops working.
func (s *Service) sendInvitation(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	u, err := s.Admin.SendInvitation(ctx, by, by.Tenant.ID, in.ID)
	var many *web.TooMany
	if errors.As(err, &many) {
		if u, err = s.user(ctx, by, in.ID); err != nil {
			return web.Result{}, err
		}
		return s.done(personPath(u.ID), ui.NoticeInvitedOften, "account", u.Account(), "n", web.Minutes(many.Retry))
	}
	if err != nil {
		return web.Result{}, err
	}
	return s.finished(u, ui.NoticeInvited)
}

func (s *Service) askWithdraw(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	u, err := s.user(ctx, by, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	if u.ByInvitation {
		return s.asks(ctx, by, in.ID, "/withdraw", ui.AskWithdraw)
	}
	return s.asks(ctx, by, in.ID, "/withdraw", ui.AskWithdrawKept)
}

// withdraw takes an invitation back.
func (s *Service) withdraw(ctx context.Context, by *web.Actor, in personIn) (web.Result, error) {
	u, removed, err := s.Admin.WithdrawInvitation(ctx, by, by.Tenant.ID, in.ID)
	if err != nil {
		return web.Result{}, err
	}
	if !removed {
		return s.finished(u, ui.NoticeWithdrawn)
	}
	return s.done(ui.PathPeople, ui.NoticeWithdrawn, "account", u.Account())
}
