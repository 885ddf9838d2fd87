package api

import (
	"context"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
)

// inTenant is embedded by the questions about a tenant.
type inTenant struct {
	// Tenant is the ID of the tenant: the token's own, unless it is an operator's.
	Tenant string `path:"tenant"`
}

func (s *Service) getTenant(ctx context.Context, by *web.Actor, in inTenant) (admin.Tenant, error) {
	return s.Admin.Tenant(ctx, by, in.Tenant)
}

type listTenants struct{ Paged }

func (s *Service) listTenants(ctx context.Context, by *web.Actor, in listTenants) (List[admin.Tenant], error) {
	found, err := s.Admin.Tenants(ctx, by, in.page())
	return listed(found, in.Paged, func(t *admin.Tenant) string { return t.ID }), err
}
