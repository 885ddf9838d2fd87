package policy

import (
	"net/netip"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// MachineVerdict is whether a machine may act for a tenant.
type MachineVerdict struct {
	Allow bool
	// Rule is the name of the rule that decided and RuleID its ID; empty if none did.
	Rule   string
	RuleID string
	// Forced: the rule asks for a second step, which a machine does not have. In its place the address stands, which must
	// be in one of the tenant's networks.
	Forced bool
}

// Machine decides on a client of the tenant t that acts for itself: the rules are asked as for a sign-in without a user.
// While they require two-factor authentication, and give no grace, it must come from a network that the tenant lists. An
// address that is not valid is in none.
func Machine(t *storage.Tenant, c *storage.Client, address netip.Addr, now time.Time) MachineVerdict {
	d := Decide(t.Rules, FactsOf(t, nil, c, address, now))
	v := MachineVerdict{Rule: d.Rule, RuleID: d.RuleID, Forced: d.Allow && d.TwoFactor == Required && !d.Grace}
	v.Allow = d.Allow && (!v.Forced || listed(t.Networks, address))
	return v
}

// listed tells whether an address is in one of the networks. What does not parse holds nobody.
func listed(networks []storage.Network, address netip.Addr) bool {
	a := canonical(address)
	for _, n := range networks {
		if p, err := netip.ParsePrefix(n.Prefix); err == nil && contains(p, a) {
			return true
		}
	}
	return false
}
