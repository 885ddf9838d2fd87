package api

import (
	"context"
	"net/http"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

func (s *Service) userRoutes() []web.Route {
	const (
		users = v1 + "/tenants/:tenant/users"
		user  = users + "/:user"
		tag   = "Users"
	)
	post := func(name string, op web.Call[ofUser, admin.User]) web.Route {
		return web.API(http.MethodPost, user+"/"+name, admin.ScopeUsersWrite, op)
	}
	return []web.Route{
		web.API(http.MethodGet, users, admin.ScopeUsersRead, s.listUsers).About("listUsers", tag, "List or search users"),
		web.API(http.MethodPost, users, admin.ScopeUsersWrite, s.createUser).About("createUser", tag, "Add a user with a password"),
		web.API(http.MethodGet, user, admin.ScopeUsersRead, s.getUser).About("getUser", tag, "Show a user"),
		web.API(http.MethodPatch, user, admin.ScopeUsersWrite, s.changeUser).About("changeUser", tag, "Change a user"),
		web.API(http.MethodDelete, user, admin.ScopeUsersWrite, s.deleteUser).About("deleteUser", tag, "Remove a user for good"),
		post("reset-two-factor", s.resetTwoFactor).About("resetTwoFactor", tag, "Take all factors and backup codes of a user away"),
		post("end-sessions", s.endSessions).About("endSessions", tag, "Sign a user out everywhere"),
		post("forget-devices", s.forgetDevices).About("forgetDevices", tag, "Forget a user's remembered devices"),
		post("disable", s.disableUser).About("disableUser", tag, "Keep a user out"),
		post("enable", s.enableUser).About("enableUser", tag, "Let a user in again who was kept out"),
		post("unlock", s.unlockUser).About("unlockUser", tag, "Let a user in again who was locked by “this was not me”"),
		post("remind", s.remindUser).About("remindUser", tag, "Ask a user by mail to set up a second step, at most once a day"),
		web.API(http.MethodPost, user+"/recovery-code", admin.ScopeRecoveryCodesWrite, s.makeRecoveryCode).
			About("makeRecoveryCode", tag, "Make a recovery code for a user; one made before stops working"),
		web.API(http.MethodDelete, user+"/recovery-code", admin.ScopeRecoveryCodesWrite, s.revokeRecoveryCode).
			About("revokeRecoveryCode", tag, "Take a user's recovery code back"),
		web.API(http.MethodGet, v1+"/tenants/:tenant/unprotected", admin.ScopeUsersRead, s.listUnprotected).
			About("listUnprotected", tag, "List owners and administrators without a second step"),
		web.API(http.MethodPost, v1+"/tenants/:tenant/unprotected/remind", admin.ScopeUsersWrite, s.remindUnprotected).
			About("remindUnprotected", tag, "Ask all owners and administrators without a second step to set one up"),
	}
}

// ofUser is embedded by the questions about a user.
type ofUser struct {
	inTenant
	// User is the ID of the user, or what the user signs in with.
	User string `path:"user"`
}

func (s *Service) getUser(ctx context.Context, by *web.Actor, in ofUser) (admin.User, error) {
	return s.Admin.User(ctx, by, in.Tenant, in.User)
}

type listUsers struct {
	inTenant
	Paged
	// Text is an e-mail address or user name, or what one of these, the name or the surname begins with.
	Text string `query:"text"`
	// Type is one of the tenant's user types.
	Type string `query:"type"`
	// Role is what the user may administer.
	Role storage.Role `query:"role" enum:"owner,admin,member"`
	// TwoFactor is whether a second step is set up.
	TwoFactor string `query:"two_factor" enum:"on,off"`
	// State is that of users whose invitation is open.
	State string `query:"state" enum:"invited"`
}

func (s *Service) listUsers(ctx context.Context, by *web.Actor, in listUsers) (List[admin.User], error) {
	found, err := s.Admin.FindUsers(ctx, by, in.Tenant, admin.Filter{
		Text: in.Text, Type: in.Type, Role: in.Role, TwoFactor: in.TwoFactor, State: in.State,
	}, in.page())
	return List[admin.User]{Items: found.Items, Next: Cursor(found.Next), More: found.More}, err
}

type createUser struct {
	inTenant
	admin.NewUser
}

// UserCreated is a user who was just added.
type UserCreated struct {
	// User is the user.
	User admin.User `json:"user"`
	// Password is the one that was made up, where none was given. It can't be seen again.
	Password string `json:"password,omitempty"`
}

func (s *Service) createUser(ctx context.Context, by *web.Actor, in createUser) (web.Created[UserCreated], error) {
	u, password, err := s.Admin.CreateUser(ctx, by, in.Tenant, in.NewUser)
	return web.Created[UserCreated]{Path: in.path("users", u.ID), View: UserCreated{User: u, Password: password}}, err
}

type changeUser struct {
	ofUser
	admin.UserFields
}

func (s *Service) changeUser(ctx context.Context, by *web.Actor, in changeUser) (admin.User, error) {
	return s.Admin.ChangeUser(ctx, by, in.Tenant, in.User, in.UserFields)
}

func (s *Service) deleteUser(ctx context.Context, by *web.Actor, in ofUser) (struct{}, error) {
	return struct{}{}, s.Admin.DeleteUser(ctx, by, in.Tenant, in.User)
}

func (s *Service) resetTwoFactor(ctx context.Context, by *web.Actor, in ofUser) (admin.User, error) {
	return s.Admin.ResetTwoFactor(ctx, by, in.Tenant, in.User)
}

func (s *Service) endSessions(ctx context.Context, by *web.Actor, in ofUser) (admin.User, error) {
	return s.after(ctx, by, in, s.Admin.EndSessions)
}

func (s *Service) forgetDevices(ctx context.Context, by *web.Actor, in ofUser) (admin.User, error) {
	return s.after(ctx, by, in, s.Admin.ForgetDevices)
}

// after shows a user as it is after something was done.
func (s *Service) after(ctx context.Context, by *web.Actor, in ofUser, do func(ctx context.Context, by *web.Actor, tenant, user string) error) (admin.User, error) {
	if err := do(ctx, by, in.Tenant, in.User); err != nil {
		return admin.User{}, err
	}
	return s.Admin.User(ctx, by, in.Tenant, in.User)
}

func (s *Service) disableUser(ctx context.Context, by *web.Actor, in ofUser) (admin.User, error) {
	return s.Admin.SetUserDisabled(ctx, by, in.Tenant, in.User, true)
}

func (s *Service) enableUser(ctx context.Context, by *web.Actor, in ofUser) (admin.User, error) {
	return s.Admin.SetUserDisabled(ctx, by, in.Tenant, in.User, false)
}

func (s *Service) unlockUser(ctx context.Context, by *web.Actor, in ofUser) (admin.User, error) {
	return s.Admin.Unlock(ctx, by, in.Tenant, in.User)
}

func (s *Service) remindUser(ctx context.Context, by *web.Actor, in ofUser) (admin.User, error) {
	return s.Admin.Remind(ctx, by, in.Tenant, in.User)
}

func (s *Service) makeRecoveryCode(ctx context.Context, by *web.Actor, in ofUser) (web.Created[admin.RecoveryCode], error) {
	made, err := s.Admin.MakeRecoveryCode(ctx, by, in.Tenant, in.User)
	return web.Created[admin.RecoveryCode]{View: made}, err
}

func (s *Service) revokeRecoveryCode(ctx context.Context, by *web.Actor, in ofUser) (struct{}, error) {
	return struct{}{}, s.Admin.RevokeRecoveryCode(ctx, by, in.Tenant, in.User)
}

func (s *Service) listUnprotected(ctx context.Context, by *web.Actor, in inTenant) (List[admin.User], error) {
	found, err := s.Admin.Unprotected(ctx, by, in.Tenant)
	return List[admin.User]{Items: found}, err
}

func (s *Service) remindUnprotected(ctx context.Context, by *web.Actor, in inTenant) (admin.Reminded, error) {
	return s.Admin.RemindUnprotected(ctx, by, in.Tenant)
}
