package policy

import (
	"net/netip"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// FactsOf are the facts of a sign-in of u, from an address, to the application c of the tenant t. Without a u it is a
// machine's own, and without a c it is for our own pages. An address that is not valid is unknown.
func FactsOf(t *storage.Tenant, u *storage.User, c *storage.Client, address netip.Addr, now time.Time) Facts {
	f := Facts{Address: canonical(address), Plan: t.Plan, Now: now}
	if u != nil {
		f.User, f.UserType, f.Role, f.Ticked = u.ID, u.Type, u.Role, u.Require2FA
	}
	if c != nil {
		f.Client, f.Tags = c.ID, c.Tags
	}
	for _, i := range t.Integrations {
		f.Integrations = append(f.Integrations, i.Kind)
	}
	return f
}
