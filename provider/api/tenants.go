package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
)

// inTenant is embedded by the questions about a tenant.
type inTenant struct {
	// Tenant is the ID of the tenant: the token's own, unless it is an operator's.
	Tenant string `path:"tenant"`
}

// path is where something of the tenant stands, such as one of its users.
func (in inTenant) path(kind, id string) string {
	return v1 + "/tenants/" + url.PathEscape(in.Tenant) + "/" + kind + "/" + url.PathEscape(id)
}

func (s *Service) getTenant(ctx context.Context, by *web.Actor, in inTenant) (admin.Tenant, error) {
	return s.Admin.Tenant(ctx, by, in.Tenant)
}

type listTenants struct{ Paged }

func (s *Service) listTenants(ctx context.Context, by *web.Actor, in listTenants) (List[admin.Tenant], error) {
	found, err := s.Admin.Tenants(ctx, by, in.page())
	return listed(found, in.Paged, func(t *admin.Tenant) string { return t.ID }), err
}

func (s *Service) tenantRoutes() []web.Route {
	const (
		all = v1 + "/tenants"
		one = all + "/:tenant"
	)
	return []web.Route{
		web.API(http.MethodGet, all, admin.ScopeOperator, s.listTenants).About("listTenants", "Tenants", "List all tenants"),
		web.API(http.MethodPost, all, admin.ScopeOperator, s.createTenant).About("createTenant", "Tenants", "Make a tenant"),
		web.API(http.MethodGet, one, admin.ScopeTenantRead, s.getTenant).About("getTenant", "Tenants", "Show a tenant"),
		web.API(http.MethodPatch, one, admin.ScopeTenantWrite, s.changeTenant).About("changeTenant", "Tenants", "Change a tenant"),
		web.API(http.MethodPost, one+"/disable", admin.ScopeOperator, s.disableTenant).About("disableTenant", "Tenants", "Keep all users of a tenant out"),
		web.API(http.MethodPost, one+"/enable", admin.ScopeOperator, s.enableTenant).About("enableTenant", "Tenants", "Let the users of a tenant in again"),
		web.API(http.MethodPut, one+"/logo", admin.ScopeTenantWrite, s.setLogo).About("setLogo", "Tenants", "Put a picture beside the tenant's name"),
		web.API(http.MethodDelete, one+"/logo", admin.ScopeTenantWrite, s.removeLogo).About("removeLogo", "Tenants", "Take the tenant's logo away"),
	}
}

type newTenant struct {
	// ID is 3 to 40 lower-case letters, digits and hyphens.
	ID string `json:"id" required:"true"`
	admin.TenantFields
}

func (s *Service) createTenant(ctx context.Context, by *web.Actor, in newTenant) (web.Created[admin.Tenant], error) {
	t, err := s.Admin.CreateTenant(ctx, by, in.ID, in.TenantFields)
	return web.Created[admin.Tenant]{Path: v1 + "/tenants/" + t.ID, View: t}, err
}

type tenantChange struct {
	inTenant
	admin.TenantFields
}

func (s *Service) changeTenant(ctx context.Context, by *web.Actor, in tenantChange) (admin.Tenant, error) {
	return s.Admin.ChangeTenant(ctx, by, in.Tenant, in.TenantFields)
}

func (s *Service) disableTenant(ctx context.Context, by *web.Actor, in inTenant) (admin.Tenant, error) {
	return s.Admin.SetTenantDisabled(ctx, by, in.Tenant, true)
}

func (s *Service) enableTenant(ctx context.Context, by *web.Actor, in inTenant) (admin.Tenant, error) {
	return s.Admin.SetTenantDisabled(ctx, by, in.Tenant, false)
}

type setLogo struct {
	inTenant
	// File is a picture of up to 1 MiB; nothing is kept of it but its look.
	File web.Upload `accept:"image/png,image/jpeg,image/webp"`
}

func (s *Service) setLogo(ctx context.Context, by *web.Actor, in setLogo) (admin.Tenant, error) {
	file, err := io.ReadAll(io.LimitReader(in.File.Body, admin.MaxLogo+1))
	if err != nil {
		return admin.Tenant{}, fmt.Errorf("%w: %w", web.ErrBadRequest, err)
	}
	return s.Admin.SetLogo(ctx, by, in.Tenant, file)
}

func (s *Service) removeLogo(ctx context.Context, by *web.Actor, in inTenant) (admin.Tenant, error) {
	return s.Admin.RemoveLogo(ctx, by, in.Tenant)
}
