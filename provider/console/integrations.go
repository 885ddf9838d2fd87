package console

import (
	"context"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/ui"
)

func (s *Service) integrationRoutes() []web.Route {
	return []web.Route{web.Get(ui.PathIntegrations, web.Self, s.integrations)}
}

// integrations shows what applications have connected, and what follows from it (001-2).
func (s *Service) integrations(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	all, err := s.Admin.Integrations(ctx, by, by.Tenant.ID)
	if err != nil {
		return web.Result{}, err
	}
	page := ui.Integrations{Integrations: []ui.IntegrationRow{}}
	for _, i := range all {
		row := ui.IntegrationRow{
			ID: i.ID, Name: i.Name, Kind: i.Kind, Application: i.Application, Connected: ui.Stamp(i.Connected), Rule: i.Rule,
		}
		if row.Application == "" {
			row.Application = i.Client // that was deleted since
		}
		page.Integrations = append(page.Integrations, row)
	}
	if len(all) > 0 {
		return web.Draw(page), nil
	}
	owns, err := s.owns(ctx, by)
	if owns {
		page.New = newApplicationPath
	}
	return web.Draw(page), err
}
