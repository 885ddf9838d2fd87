package policy

import (
	"net/netip"
	"slices"

	"github.com/sallyport-id/sallyport/storage"
)

// Holds says whether the conditions of a rule hold.
type Holds string

// What can be said of conditions.
const (
	Yes Holds = "yes"
	No  Holds = "no"
	// Unknown: the rule asks for a network, and the address is unknown.
	Unknown Holds = "unknown"
	// unreadable conditions count as ones that hold, and then the rule denies.
	unreadable Holds = "unreadable"
)

// conditions are those a rule can have. ask says whether one holds, and Yes where the rule does not have it.
var conditions = [...]struct {
	// name is its name in a Verdict.
	name string
	ask  func(w *storage.When, f *Facts) Holds
}{
	{"user_type", func(w *storage.When, f *Facts) Holds { return known(oneOf(w.UserTypes, f.UserType)) }},
	{"role", func(w *storage.When, f *Facts) Holds { return known(oneOf(w.Roles, f.Role)) }},
	{"user", func(w *storage.When, f *Facts) Holds { return known(oneOf(w.Users, f.User)) }},
	{"ticked", func(w *storage.When, f *Facts) Holds { return known(!w.Ticked || f.Ticked) }},
	{"network", func(w *storage.When, f *Facts) Holds { return within(w.Networks, f.Address, true) }},
	{"not_network", func(w *storage.When, f *Facts) Holds { return within(w.NotNetworks, f.Address, false) }},
	{"client", func(w *storage.When, f *Facts) Holds { return known(oneOf(w.Clients, f.Client)) }},
	{"client_tag", func(w *storage.When, f *Facts) Holds { return known(overlap(w.ClientTags, f.Tags)) }},
	{"plan", func(w *storage.When, f *Facts) Holds { return known(oneOf(w.Plans, f.Plan)) }},
	{"integration", func(w *storage.When, f *Facts) Holds { return known(overlap(w.Integrations, f.Integrations)) }},
	{"from", func(w *storage.When, f *Facts) Holds { return known(w.From.IsZero() || !f.Now.Before(w.From)) }},
	{"until", func(w *storage.When, f *Facts) Holds { return known(w.Until.IsZero() || f.Now.Before(w.Until)) }},
}

// holds asks all conditions. One that can't be read outweighs every other, and one that fails those that are unknown.
func holds(w *storage.When, f *Facts) Holds {
	all := Yes
	for i := range conditions {
		switch h := conditions[i].ask(w, f); {
		case h == unreadable:
			return unreadable
		case h == No, h == Unknown && all == Yes:
			all = h
		}
	}
	return all
}

func known(holds bool) Holds {
	if holds {
		return Yes
	}
	return No
}

// oneOf holds where the condition names nothing, or names the fact. An unknown fact is never named.
func oneOf[T ~string](named []T, fact T) bool {
	return len(named) == 0 || fact != "" && slices.Contains(named, fact)
}

func overlap(named, facts []string) bool {
	return len(named) == 0 || slices.ContainsFunc(facts, func(f string) bool { return f != "" && slices.Contains(named, f) })
}

// within asks whether an address is in one of the networks, or (where in is false) in none of them.
func within(networks []string, a netip.Addr, in bool) Holds {
	if len(networks) == 0 {
		return Yes
	}
	a = canonical(a)
	found := false
	for _, n := range networks {
		p, err := netip.ParsePrefix(n)
		if err != nil {
			return unreadable
		}
		found = found || contains(p, a)
	}
	if !a.IsValid() {
		return Unknown
	}
	return known(found == in)
}

// contains tells whether an address is in a network, which may be one of IPv4 written as IPv6 (RFC 4291, section
// 2.5.5.2): by the letter no address would be in that.
func contains(p netip.Prefix, a netip.Addr) bool {
	if at := p.Addr(); at.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(at.Unmap(), p.Bits()-96)
	}
	return p.Contains(a)
}

// canonical is how an address is compared: ::ffff:192.0.2.1 is 192.0.2.1 that came through a socket of both families,
// and a zone (RFC 4007, section 11) says by which of our own interfaces it came.
func canonical(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
