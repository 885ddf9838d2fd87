package api

import (
	"context"
	"net/http"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
)

func (s *Service) typeRoutes() []web.Route {
	const (
		types = v1 + "/tenants/:tenant/user-types"
		one   = types + "/:type"
		tag   = "User types"
	)
	return []web.Route{
		web.API(http.MethodGet, types, admin.ScopeTenantRead, s.listUserTypes).About("listUserTypes", tag, "List user types, with how many users each has"),
		web.API(http.MethodPost, types, admin.ScopeTenantWrite, s.addUserType).About("addUserType", tag, "Add a user type"),
		web.API(http.MethodPatch, one, admin.ScopeTenantWrite, s.changeUserType).About("changeUserType", tag, "Rename a user type, or put it elsewhere"),
		web.API(http.MethodDelete, one, admin.ScopeTenantWrite, s.removeUserType).About("removeUserType", tag, "Remove a user type that no user and no rule has"),
	}
}

func (s *Service) listUserTypes(ctx context.Context, by *web.Actor, in inTenant) (List[admin.UserType], error) {
	all, err := s.Admin.UserTypes(ctx, by, in.Tenant)
	return List[admin.UserType]{Items: all}, err
}

type addUserType struct {
	inTenant
	admin.NewUserType
}

func (s *Service) addUserType(ctx context.Context, by *web.Actor, in addUserType) (web.Created[admin.UserType], error) {
	t, err := s.Admin.AddUserType(ctx, by, in.Tenant, in.NewUserType)
	return web.Created[admin.UserType]{Path: in.path("user-types", t.ID), View: t}, err
}

// ofType is embedded by the questions about a user type.
type ofType struct {
	inTenant
	// Type is the ID of the user type.
	Type string `path:"type"`
}

type changeUserType struct {
	ofType
	admin.UserTypeFields
}

func (s *Service) changeUserType(ctx context.Context, by *web.Actor, in changeUserType) (admin.UserType, error) {
	return s.Admin.ChangeUserType(ctx, by, in.Tenant, in.Type, in.UserTypeFields)
}

func (s *Service) removeUserType(ctx context.Context, by *web.Actor, in ofType) (struct{}, error) {
	_, err := s.Admin.RemoveUserType(ctx, by, in.Tenant, in.Type)
	return struct{}{}, err
}
