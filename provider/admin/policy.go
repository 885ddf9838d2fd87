package admin

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sallyport-id/sallyport/provider/mail"
	"github.com/sallyport-id/sallyport/provider/policy"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// Policy is who of a tenant must use two-factor authentication, and who may sign in at all.
type Policy struct {
	// Require2FA are the user types that must use two-factor authentication, and Everyone: the switches.
	Require2FA []string `json:"require_2fa"`
	// RecoveryCodeOnly: of those, users who have not set it up get in by a recovery code only; else they set it up.
	RecoveryCodeOnly bool `json:"recovery_code_only"`
	// Networks are the account's own, Restricted tells that users sign in from these only.
	Networks   []storage.Network `json:"networks"`
	Restricted bool              `json:"restricted"`
	// Rules are all there are, those beneath the switches among them; the first that holds decides.
	Rules []storage.Rule `json:"rules"`
	// Version grows with each change of the tenant.
	Version int64 `json:"version"`
}

func viewPolicy(t *storage.Tenant) Policy {
	return Policy{
		Require2FA: mustUse(t), RecoveryCodeOnly: recoveryOnly(t), Networks: append([]storage.Network{}, t.Networks...),
		Restricted: hasRule(t.Rules, RuleNetworks), Rules: append([]storage.Rule{}, t.Rules...), Version: t.Version,
	}
}

// PolicyChange is what is to be changed of a policy; what is nil stays. Rules are taken first, then the networks, and then
// the switches.
type PolicyChange struct {
	Require2FA       *[]string          `json:"require_2fa,omitempty"`
	RecoveryCodeOnly *bool              `json:"recovery_code_only,omitempty"`
	Networks         *[]storage.Network `json:"networks,omitempty"`
	Restricted       *bool              `json:"restricted,omitempty"`
	// Rules are all there are to be, in their order; one without an ID is new.
	Rules *[]storage.Rule `json:"rules,omitempty"`
	// Version, if set, is that of the policy which was looked at: if it was changed since, nothing is.
	Version int64 `json:"version,omitempty"`
}

// The bounds of a policy.
const (
	maxRules    = 100
	maxNetworks = 500
	maxNamed    = 500
)

// Policy shows a tenant's policy.
func (s *Service) Policy(ctx context.Context, by *web.Actor, tenant string) (Policy, error) {
	t, err := s.admit(ctx, by, tenant, helping)
	if err != nil {
		return Policy{}, err
	}
	return viewPolicy(&t), nil
}

// ChangePolicy changes a tenant's policy, all of it or nothing, and tells the other owners. It refuses what would lock out
// whoever asks for it, or, where an admin asks, an owner.
func (s *Service) ChangePolicy(ctx context.Context, by *web.Actor, tenant string, c PolicyChange) (Policy, error) {
	t, err := s.admit(ctx, by, tenant, helping)
	if err != nil {
		return Policy{}, err
	}
	before := t
	// Once on a copy, so that what is refused leaves no event.
	if err := s.changePolicy(ctx, by, &t, c); err != nil {
		return Policy{}, err
	}
	e := about(by, tenant, "policy.change")
	if e.Reason = policyChanges(&before, &t); e.Reason == "" {
		return viewPolicy(&before), nil
	}
	err = s.audited(ctx, e, func() error {
		t, err = storage.Change(ctx, s.Store.Tenants, storage.Global, tenant, func(t *storage.Tenant) error {
			return s.changePolicy(ctx, by, t, c)
		})
		return web.Unavailable("tenant", err)
	})
	if err != nil {
		return Policy{}, err
	}
	return viewPolicy(&t), s.tellOwners(ctx, by, tenant)
}

// changePolicy applies a change to a tenant and checks what came out of it.
func (s *Service) changePolicy(ctx context.Context, by *web.Actor, t *storage.Tenant, c PolicyChange) error {
	if c.Version != 0 && c.Version != t.Version {
		return &web.Invalid{
			Where: "version", Code: "changed", What: "somebody else changed the account meanwhile",
			Do: "look at the policy again, and then change it", Err: storage.ErrExists,
		}
	}
	before := *t
	if err := s.applyPolicy(ctx, t, c); err != nil {
		return err
	}
	return s.keepsNobodyOut(ctx, by, &before, t)
}

// applyPolicy changes the policy of a tenant without asking what that means to anybody.
func (s *Service) applyPolicy(ctx context.Context, t *storage.Tenant, c PolicyChange) error {
	if c.Rules != nil {
		rules, err := s.checkRules(ctx, t, *c.Rules)
		if err != nil {
			return err
		}
		t.Rules = rules
	}
	if c.Networks != nil {
		networks, err := checkNetworks(*c.Networks)
		if err != nil {
			return err
		}
		t.Networks = networks
	}
	restricted := hasRule(t.Rules, RuleNetworks)
	if c.Restricted != nil {
		restricted = *c.Restricted
	}
	if restricted && len(t.Networks) == 0 {
		return invalidAs("networks", "none", "there is no network that anybody could sign in from", "list one, or let users sign in from anywhere")
	}
	setNetworks(t, restricted)
	if c.Require2FA != nil {
		if err := setSwitches(t, *c.Require2FA); err != nil {
			return err
		}
	}
	if c.RecoveryCodeOnly != nil {
		setRecoveryOnly(t, *c.RecoveryCodeOnly)
	}
	return nil
}

// forcing tells whether a rule is one of those beneath the switches that force two-factor authentication.
func forcing(r *storage.Rule) bool {
	return r.ID == RuleTicked || r.ID == RuleEveryone || r.ID == RuleNetwork2FA || strings.HasPrefix(r.ID, RuleType)
}

// recoveryOnly tells whether users who have not set up what they must use get in by a recovery code only (002-18).
func recoveryOnly(t *storage.Tenant) bool {
	forced := slices.DeleteFunc(slices.Clone(t.Rules), func(r storage.Rule) bool { return !forcing(&r) })
	return len(forced) > 0 && !slices.ContainsFunc(forced, func(r storage.Rule) bool { return r.Then.Unenrolled != "" })
}

func setRecoveryOnly(t *storage.Tenant, only bool) {
	t.Rules = slices.Clone(t.Rules)
	for i := range t.Rules {
		switch r := &t.Rules[i]; {
		case !forcing(r):
		case only:
			r.Then.Unenrolled = ""
		default:
			r.Then.Unenrolled = enrolAtLogin
		}
	}
}

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
			return nil, invalidAs("networks", code, fmt.Sprintf("%q can't be a network", n.Prefix),
				"write it as 203.0.113.0/24 or 2001:db8::/48, with no bits set behind the prefix")
		}
		n.Prefix = netip.MustParsePrefix(n.Prefix).String()
		if utf8.RuneCountInString(n.Name) > maxTenantName || strings.ContainsFunc(n.Name, storage.Unprintable) {
			return nil, invalidAs("networks", "name", fmt.Sprintf("the name of %s is too long or no line of text", n.Prefix), "shorten it")
		}
		if seen[n.Prefix] {
			return nil, invalidAs("networks", policy.FaultTwice, n.Prefix+" is there twice", "leave one out")
		}
		seen[n.Prefix] = true
		checked = append(checked, n)
	}
	return checked, nil
}

// checkRules holds rules to what can be read, and to what there is.
func (s *Service) checkRules(ctx context.Context, t *storage.Tenant, rules []storage.Rule) ([]storage.Rule, error) {
	if len(rules) > maxRules {
		return nil, invalidAs("rules", "many", fmt.Sprintf("there are %d", len(rules)), fmt.Sprintf("give %d at most", maxRules))
	}
	checked := slices.Clone(rules)
	for i := range checked {
		r := &checked[i]
		r.Name = strings.TrimSpace(r.Name)
		var fault *policy.Fault
		if err := policy.Check(*r); errors.As(err, &fault) {
			return nil, badRule(r, fault.Field, fault.Code, fmt.Sprintf("%q: %s", fault.Value, fault.Code))
		} else if err != nil {
			return nil, err
		}
		if r.ID == "" {
			r.ID = storage.NewID()
		}
		if at(checked, r.ID) != i {
			return nil, badRule(r, "id", policy.FaultTwice, fmt.Sprintf("%q is there twice", r.ID))
		}
		if err := s.checkNamed(ctx, t, r); err != nil {
			return nil, err
		}
	}
	return checked, nil
}

func badRule(r *storage.Rule, field, code, what string) error {
	return invalidAs("rules."+field, code, fmt.Sprintf("rule %q: %s", r.Name, what), "change it")
}

// checkNamed refuses a rule about what is not there: it would never hold, and nobody would notice.
func (s *Service) checkNamed(ctx context.Context, t *storage.Tenant, r *storage.Rule) error {
	w := &r.When
	if len(w.Users)+len(w.Clients) > maxNamed {
		return badRule(r, "when.users", "many", fmt.Sprintf("it names %d users and clients", len(w.Users)+len(w.Clients)))
	}
	for _, userType := range w.UserTypes {
		if !slices.Contains(t.UserTypes, userType) {
			return badRule(r, "when.user_types", policy.FaultUnknown, fmt.Sprintf("there is no user type %q", userType))
		}
	}
	for _, id := range r.Then.Factors {
		if _, err := s.Credentials.Factor(id); err != nil {
			return badRule(r, "then.factors", policy.FaultUnknown, fmt.Sprintf("there is no factor %q", id))
		}
	}
	for _, id := range w.Users {
		if _, err := s.Store.Users.Get(ctx, t.ID, id); errors.Is(err, storage.ErrNotFound) {
			return badRule(r, "when.users", policy.FaultUnknown, fmt.Sprintf("there is no user %q", id))
		} else if err != nil {
			return web.Unavailable("user", err)
		}
	}
	for _, id := range w.Clients {
		c, err := s.Store.Clients.Get(ctx, storage.Global, id)
		if errors.Is(err, storage.ErrNotFound) || err == nil && c.Owner != "" && c.Owner != t.ID {
			return badRule(r, "when.clients", policy.FaultUnknown, fmt.Sprintf("there is no application %q", id))
		} else if err != nil {
			return web.Unavailable("client", err)
		}
	}
	return nil
}

// keepsNobodyOut refuses a policy that would lock out whoever asks for it (002-21); and one of an admin's by which an
// owner, who could take it back, would get in no more.
func (s *Service) keepsNobodyOut(ctx context.Context, by *web.Actor, before, after *storage.Tenant) error {
	switch {
	case runs(by) || reflect.DeepEqual(before.Rules, after.Rules) && reflect.DeepEqual(before.Networks, after.Networks):
		return nil
	case by.User == nil:
		if v := policy.Machine(after, by.Client, by.Address, s.Now()); !v.Allow {
			return locksOut("you", fmt.Sprintf("the rule %q would refuse you from %s", v.Rule, by.Address))
		}
		return nil
	}
	u, err := s.Store.Users.Get(ctx, after.ID, by.User.ID)
	if err != nil {
		return web.Unavailable("user", err)
	}
	if d, out, err := s.keepsOut(after, &u, by.Address); err != nil || out {
		return errors.Join(err, locksOut("you", fmt.Sprintf("the rule %q would keep you out at %s", d.Rule, by.Address)))
	}
	if u.Role == storage.Owner {
		return nil
	}
	owners, err := s.owners(ctx, after.ID)
	if err != nil {
		return err
	}
	for i := range owners {
		from := lastAddress(&owners[i])
		_, was, errWas := s.keepsOut(before, &owners[i], from)
		d, is, err := s.keepsOut(after, &owners[i], from)
		if err := errors.Join(errWas, err); err != nil {
			return err
		}
		if is && !was {
			return locksOut("owner", fmt.Sprintf("the rule %q would keep out %s, an owner", d.Rule, web.Account(&owners[i])))
		}
	}
	return nil
}

func locksOut(whom, what string) error {
	return invalidAs("policy", "locks_out_"+whom, what, "let them in by a rule before it, add the network, or ask an owner")
}

// keepsOut tells whether a tenant's policy does not let a user in from an address with what the user has.
func (s *Service) keepsOut(t *storage.Tenant, u *storage.User, from netip.Addr) (policy.Decision, bool, error) {
	d := policy.Decide(t.Rules, policy.FactsOf(t, u, nil, from, s.Now()))
	asked, err := s.Foresee(u, d, nil)
	return d, !asked.In(), err
}

// lastAddress is where a user last signed in from; unknown before the first time.
func lastAddress(u *storage.User) netip.Addr {
	a, err := netip.ParseAddr(u.LastAddress)
	if err != nil {
		return netip.Addr{}
	}
	return a
}

// maxOwners bounds how many owners are looked at and told.
const maxOwners = 100

// owners lists a tenant's owners.
func (s *Service) owners(ctx context.Context, tenant string) ([]storage.User, error) {
	all, err := s.Store.Users.List(ctx, storage.Query{Tenant: tenant, Field: "role", Value: string(storage.Owner), Limit: maxOwners})
	return all, web.Unavailable("users", err)
}

// tellOwners mails the owners that the policy was changed, all but the one who did it.
func (s *Service) tellOwners(ctx context.Context, by *web.Actor, tenant string) error {
	owners, err := s.owners(ctx, tenant)
	if err != nil {
		return err
	}
	e := by.Event("", "")
	for i := range owners {
		if u := &owners[i]; !u.Out() && (by.User == nil || by.User.ID != u.ID) {
			s.Notices.Tell(ctx, mail.Notice{Kind: ui.MailPolicyChanged, User: u, Name: nameOf(by), Address: e.Address, Agent: e.Agent})
		}
	}
	return nil
}

// policyChanges says in the audit log what was changed.
func policyChanges(before, after *storage.Tenant) string {
	var said []string
	for _, r := range before.Rules {
		if !hasRule(after.Rules, r.ID) {
			said = append(said, fmt.Sprintf("rule %q removed", r.Name))
		}
	}
	var order []string
	for _, r := range after.Rules {
		i := at(before.Rules, r.ID)
		switch {
		case i < 0:
			said = append(said, fmt.Sprintf("rule %q added", r.Name))
		case !reflect.DeepEqual(before.Rules[i], r):
			said = append(said, fmt.Sprintf("rule %q changed", r.Name))
			fallthrough
		default:
			order = append(order, r.ID)
		}
	}
	kept := []string{}
	for _, r := range before.Rules {
		if hasRule(after.Rules, r.ID) {
			kept = append(kept, r.ID)
		}
	}
	if !slices.Equal(kept, order) {
		said = append(said, "order of the rules changed")
	}
	if !reflect.DeepEqual(before.Networks, after.Networks) {
		said = append(said, fmt.Sprintf("networks: %d before, %d now", len(before.Networks), len(after.Networks)))
	}
	return strings.Join(said, "; ")
}
