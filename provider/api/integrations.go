package api

import (
	"context"
	"net/http"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
)

func (s *Service) integrationRoutes() []web.Route {
	const (
		all = v1 + "/tenants/:tenant/integrations"
		one = all + "/:integration"
		tag = "Integrations"
	)
	return []web.Route{
		web.API(http.MethodGet, all, admin.ScopeIntegrationsRead, s.listIntegrations).
			About("listIntegrations", tag, "List what is connected to a tenant's account; an application of the deployment sees its own"),
		web.API(http.MethodPut, one, admin.ScopeIntegrationsWrite, s.connect).
			About("connectIntegration", tag, "Say that something is connected, for programs that act for themselves"),
		web.API(http.MethodDelete, one, admin.ScopeIntegrationsWrite, s.disconnect).
			About("disconnectIntegration", tag, "Say that something is no longer connected"),
	}
}

func (s *Service) listIntegrations(ctx context.Context, by *web.Actor, in inTenant) (List[admin.Integration], error) {
	all, err := s.Admin.Integrations(ctx, by, in.Tenant)
	return List[admin.Integration]{Items: all}, err
}

// ofIntegration is embedded by the questions about an integration.
type ofIntegration struct {
	inTenant
	// Integration is the application's own name for it, such as "xero".
	Integration string `path:"integration"`
}

type connect struct {
	ofIntegration
	admin.NewIntegration
}

func (s *Service) connect(ctx context.Context, by *web.Actor, in connect) (admin.Integration, error) {
	return s.Admin.Connect(ctx, by, in.Tenant, in.Integration, in.NewIntegration)
}

func (s *Service) disconnect(ctx context.Context, by *web.Actor, in ofIntegration) (struct{}, error) {
	return struct{}{}, s.Admin.Disconnect(ctx, by, in.Tenant, in.Integration)
}
