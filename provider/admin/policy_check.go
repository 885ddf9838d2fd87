package admin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// checkNetworks brings networks into one form: without blanks and host bits that are not there, each once.
func checkNetworks(networks []storage.Network) ([]storage.Network, error) {
	if len(networks) > maxNetworks {
		return nil, invalidAs("networks", "many", fmt.Sprintf("there are %d", len(networks)), fmt.Sprintf("give %d at most", maxNetworks))
	}
	seen := map[string]bool{}
	checked := make([]storage.Network, 0, len(networks))
	for _, n := range networks {
		n.Prefix, n.Name = strings.TrimSpace(n.Prefix), strings.TrimSpace(n.Name)
		// A single address is the network that has no other.
		if a, err := netip.ParseAddr(n.Prefix); err == nil && a.Zone() == "" {
			n.Prefix = netip.PrefixFrom(a, a.BitLen()).String()
		}
		if code := policy.CheckNetwork(n.Prefix); code != "" {
			return nil, badNetwork(n, code, fmt.Sprintf("%q can't be a network", n.Prefix),
				"write it as 203.0.113.0/24 or 2001:db8::/48, with no bits set behind the prefix")
		}
		n.Prefix = netip.MustParsePrefix(n.Prefix).String()
		if utf8.RuneCountInString(n.Name) > maxTenantName || strings.ContainsFunc(n.Name, storage.Unprintable) {
			return nil, badNetwork(n, "name", fmt.Sprintf("the name of %s is too long or no line of text", n.Prefix), "shorten it")
		}
		if seen[n.Prefix] {
			return nil, badNetwork(n, policy.FaultTwice, n.Prefix+" is there twice", "leave one out")
		}
		seen[n.Prefix] = true
		checked = append(checked, n)
	}
	return checked, nil
}

func badNetwork(n storage.Network, code, what, do string) error {
	return &web.Invalid{Where: "networks", Code: code, Value: n.Prefix, What: what, Do: do, Err: web.ErrInvalid}
}

// checkRules holds rules to what can be read, and to what there is.
func (s *Service) checkRules(ctx context.Context, t *storage.Tenant, rules []storage.Rule) ([]storage.Rule, error) {
	if len(rules) > maxRules {
		return nil, invalidAs("rules", "many", fmt.Sprintf("there are %d", len(rules)), fmt.Sprintf("give %d at most", maxRules))
	}
	if n := conditions(rules); n > maxConditions {
		return nil, invalidAs("rules", "many", fmt.Sprintf("they name %d users, networks and other things", n), fmt.Sprintf("name %d at most", maxConditions))
	}
	checked := slices.Clone(rules)
	for i := range checked {
		r := &checked[i]
		r.Name = strings.TrimSpace(r.Name)
		var fault *policy.Fault
		if err := policy.Check(*r); errors.As(err, &fault) {
			return nil, badValue(r, fault.Field, fault.Code, fault.Value, fmt.Sprintf("%q: %s", fault.Value, fault.Code))
		} else if err != nil {
			return nil, err
		}
		if r.ID == "" {
			r.ID = storage.NewID()
		}
		if at(checked, r.ID) != i {
			return nil, badRule(r, "id", policy.FaultTwice, fmt.Sprintf("%q is there twice", r.ID))
		}
		if err := checkBuiltIn(t, r); err != nil {
			return nil, err
		}
		if err := s.checkNamed(ctx, t, r); err != nil {
			return nil, err
		}
	}
	return checked, nil
}

// conditions counts what rules name. Each sign-in reads all of it, and each look at the policy asks whether it is there.
func conditions(rules []storage.Rule) (n int) {
	for i := range rules {
		w := &rules[i].When
		n += len(w.UserTypes) + len(w.Roles) + len(w.Users) + len(w.Networks) + len(w.NotNetworks) + len(w.Clients) +
			len(w.ClientTags) + len(w.Plans) + len(w.Integrations)
	}
	return n
}

func badRule(r *storage.Rule, field, code, what string) error {
	return badValue(r, field, code, "", what)
}

func badValue(r *storage.Rule, field, code, value, what string) error {
	return &web.Invalid{
		Where: "rules." + field, Code: code, Value: value, What: fmt.Sprintf("rule %q: %s", r.Name, what), Do: "change it", Err: web.ErrInvalid,
	}
}

// checkNamed refuses a rule about what is not there: it would never hold, and nobody would notice.
func (s *Service) checkNamed(ctx context.Context, t *storage.Tenant, r *storage.Rule) error {
	w := &r.When
	if len(w.Users)+len(w.Clients) > maxNamed {
		return badRule(r, "when.users", "many", fmt.Sprintf("it names %d users and clients", len(w.Users)+len(w.Clients)))
	}
	for _, userType := range w.UserTypes {
		if !slices.Contains(t.UserTypes, userType) {
			return badValue(r, "when.user_types", policy.FaultUnknown, userType, fmt.Sprintf("there is no user type %q", userType))
		}
	}
	for _, id := range r.Then.Factors {
		if _, err := s.Credentials.Factor(id); err != nil {
			return badValue(r, "then.factors", policy.FaultUnknown, id, fmt.Sprintf("there is no factor %q", id))
		}
	}
	for _, id := range w.Users {
		if _, err := s.Store.Users.Get(ctx, t.ID, id); errors.Is(err, storage.ErrNotFound) {
			return badValue(r, "when.users", policy.FaultUnknown, id, fmt.Sprintf("there is no user %q", id))
		} else if err != nil {
			return web.Unavailable("user", err)
		}
	}
	for _, id := range w.Clients {
		c, err := s.Store.Clients.Get(ctx, storage.Global, id)
		if errors.Is(err, storage.ErrNotFound) || err == nil && c.Owner != "" && c.Owner != t.ID {
			return badValue(r, "when.clients", policy.FaultUnknown, id, fmt.Sprintf("there is no application %q", id))
		} else if err != nil {
			return web.Unavailable("client", err)
		}
	}
	return nil
}
