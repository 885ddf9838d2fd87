package api

import (
	"context"
	"net/http"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
)

func (s *Service) invitationRoutes() []web.Route {
	const (
		invitations = v1 + "/tenants/:tenant/invitations"
		one         = invitations + "/:user"
		tag         = "Invitations"
	)
	return []web.Route{
		web.API(http.MethodGet, invitations, admin.ScopeUsersRead, s.listInvitations).About("listInvitations", tag, "List users whose invitation is open"),
		web.API(http.MethodPost, invitations, admin.ScopeUsersWrite, s.inviteUser).About("inviteUser", tag, "Add a user and mail a link that leads to choosing a password"),
		web.API(http.MethodPost, one+"/send", admin.ScopeUsersWrite, s.sendInvitation).
			About("sendInvitation", tag, "Invite a user who is there and has no password, or mail a new link; the one before stops working"),
		web.API(http.MethodDelete, one, admin.ScopeUsersWrite, s.withdrawInvitation).About("withdrawInvitation", tag, "End an invitation, and remove the user if the invitation made it"),
	}
}

type listInvitations struct {
	inTenant
	Paged
}

func (s *Service) listInvitations(ctx context.Context, by *web.Actor, in listInvitations) (List[admin.User], error) {
	found, err := s.Admin.FindUsers(ctx, by, in.Tenant, admin.Filter{State: admin.StateInvited}, in.page())
	return List[admin.User]{Items: found.Items, Next: Cursor(found.Next)}, err
}

type inviteUser struct {
	inTenant
	admin.NewInvitation
}

func (s *Service) inviteUser(ctx context.Context, by *web.Actor, in inviteUser) (web.Created[admin.User], error) {
	u, err := s.Admin.InviteUser(ctx, by, in.Tenant, in.NewInvitation)
	return web.Created[admin.User]{Path: in.path("users", u.ID), View: u}, err
}

func (s *Service) sendInvitation(ctx context.Context, by *web.Actor, in ofUser) (admin.User, error) {
	return s.Admin.SendInvitation(ctx, by, in.Tenant, in.User)
}

func (s *Service) withdrawInvitation(ctx context.Context, by *web.Actor, in ofUser) (struct{}, error) {
	_, _, err := s.Admin.WithdrawInvitation(ctx, by, in.Tenant, in.User)
	return struct{}{}, err
}
