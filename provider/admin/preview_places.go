package admin

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// place is where a preview looks at sign-ins: our own pages, or applications that rules and their own strength treat alike.
type place struct {
	// client is one of the applications; nil are our own pages.
	client *storage.Client
	// named are all of them, by their names.
	named   []SharedClient
	effects Effects
}

// findPlaces finds the applications that a rule of before or after is about. All of these matter, whichever rules are
// changed: a rule that names no application decides at one as well, once it stands before those that do. Programs, and
// applications that are disabled, nobody signs in to. *web.Unavailable.
func (f *foreseer) findPlaces(ctx context.Context) error {
	f.places = []place{{}}
	if !f.alike.Apps() {
		return nil
	}
	own := f.alike.App(policy.Facts{})
	kinds := map[[2]string]int{}
	// The tenant's own, and those of all tenants.
	for _, owner := range []string{f.after.ID, ""} {
		q := storage.Query{Tenant: storage.Global, Field: "owner", Value: owner, Limit: 1000}
		err := storage.Each(ctx, f.Store.Clients, q, func(c *storage.Client) error {
			app := f.alike.App(policy.FactsOf(f.after, nil, c, netip.Addr{}, f.now))
			if c.Type == Machine || c.Disabled || app == own {
				return nil
			}
			key := [2]string{app, c.Strength}
			i, ok := kinds[key]
			switch {
			case !ok && len(f.places) > mostPlaces:
				f.partial = true
				return nil
			case !ok:
				i = len(f.places)
				kinds[key] = i
				one := *c
				f.places = append(f.places, place{client: &one})
			}
			f.places[i].named = append(f.places[i].named, SharedClient{ID: c.ID, Name: c.Name})
			return nil
		})
		if err != nil {
			return web.Unavailable("clients", err)
		}
	}
	byName := func(a, b SharedClient) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) }
	for i := range f.places {
		slices.SortFunc(f.places[i].named, byName)
	}
	slices.SortFunc(f.places[1:], func(a, b place) int { return byName(a.named[0], b.named[0]) })
	return nil
}
