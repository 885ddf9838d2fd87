package console

import (
	"context"
	"net/url"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/ui"
)

func (s *Service) adoptionRoutes() []web.Route {
	return []web.Route{web.Get(ui.PathAdoption, web.Self, s.adoption)}
}

// adoption shows how far two-factor authentication has come.
func (s *Service) adoption(ctx context.Context, by *web.Actor, _ struct{}) (web.Result, error) {
	a, err := s.Admin.Adoption(ctx, by, by.Tenant.ID)
	if err != nil {
		return web.Result{}, err
	}
	page := ui.Adoption{Types: []ui.Choice{}, Month: a.SMS.Month, Messages: a.SMS.Offered}
	for _, id := range a.Types {
		page.Types = append(page.Types, ui.Choice{ID: id, Name: a.TypeNames[id]})
	}
	if a.SMS.Offered {
		page.Budget = a.SMS.Budget
	}
	for _, d := range append(a.Days, a.Today) {
		page.Messages = page.Messages || d.SMS > 0
		page.Days = append(page.Days, adoptionDay(d, page.Types))
	}
	if a.Today.TwoFactor < a.Today.Users {
		page.People = ui.PathPeople + "?" + url.Values{"two_factor": {"off"}}.Encode()
	}
	return web.Draw(page), nil
}

func adoptionDay(d admin.Day, types []ui.Choice) ui.AdoptionDay {
	v := ui.AdoptionDay{Date: d.Date, Messages: d.SMS, Types: []ui.Share{}}
	if !d.Counted {
		return v
	}
	v.All = ui.Share{Some: d.TwoFactor, Of: d.Users}
	for _, t := range types {
		n := d.Types[t.ID]
		v.Types = append(v.Types, ui.Share{Some: n.TwoFactor, Of: n.Users})
	}
	return v
}
