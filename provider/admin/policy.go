package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/provider/mail"
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
	// Require2FA are all user types that must use two-factor authentication from now on, and "everyone".
	Require2FA *[]string `json:"require_2fa,omitempty"`
	// RecoveryCodeOnly: of those, users who have not set it up get in by a recovery code only.
	RecoveryCodeOnly *bool `json:"recovery_code_only,omitempty"`
	// Networks are all that belong to the account from now on.
	Networks *[]storage.Network `json:"networks,omitempty"`
	// Restricted: users sign in from these networks only, and API clients get tokens from these only.
	Restricted *bool `json:"restricted,omitempty"`
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
	// maxConditions is how many users, networks and other things all rules together name.
	maxConditions = 25_000
	// maxLooked is maxConditions for a policy of before and one of after together, each counted as often as the new one says
	// something else at a later time: whom it locks out is asked then too, which so takes some 15 ms for each owner.
	maxLooked = 100_000
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
// whoever asks for it, or, where an admin asks, an owner; and to all but operators what would let somebody off the second
// step that a financial integration makes mandatory.
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
	changes := compare(&before, &t)
	if !changes.Any() {
		return viewPolicy(&before), nil
	}
	e.Reason = changes.String()
	err = s.audited(ctx, e, func() error {
		t, err = storage.Change(ctx, s.Store.Tenants, storage.Global, tenant, func(t *storage.Tenant) error {
			return s.changePolicy(ctx, by, t, c)
		})
		return web.Unavailable("tenant", err)
	})
	if err != nil {
		return Policy{}, err
	}
	return viewPolicy(&t), s.tellOwners(ctx, by, &t)
}

// changePolicy applies a change to a tenant and checks what came out of it.
func (s *Service) changePolicy(ctx context.Context, by *web.Actor, t *storage.Tenant, c PolicyChange) error {
	if err := stale(t, c); err != nil {
		return err
	}
	identify(t)
	before := *t
	if err := s.applyPolicy(ctx, t, c); err != nil {
		return err
	}
	return s.keepsNobodyOut(ctx, by, &before, t)
}

// CheckPolicy says what a change would change, without asking what that means to anybody. It refuses what ChangePolicy does,
// but for whom it locks out or lets off.
func (s *Service) CheckPolicy(ctx context.Context, by *web.Actor, tenant string, c PolicyChange) (Changes, error) {
	before, err := s.admit(ctx, by, tenant, helping)
	if err != nil {
		return Changes{}, err
	}
	if err := stale(&before, c); err != nil {
		return Changes{}, err
	}
	after := before
	if err := s.applyPolicy(ctx, &after, c); err != nil {
		return Changes{}, err
	}
	return compare(&before, &after), nil
}

// Stale is where a refusal stands that is about a policy which was changed since it was looked at.
const Stale = "version"

func stale(t *storage.Tenant, c PolicyChange) error {
	if c.Version == 0 || c.Version == t.Version {
		return nil
	}
	return &web.Invalid{
		Where: Stale, Code: "changed", What: "somebody else changed the account meanwhile",
		Do: "look at the policy again, and then change it", Err: storage.ErrExists,
	}
}

// applyPolicy changes the policy of a tenant without asking what that means to anybody.
func (s *Service) applyPolicy(ctx context.Context, t *storage.Tenant, c PolicyChange) error {
	before := t.Rules
	if c.Rules != nil {
		rules, err := s.checkRules(ctx, t, *c.Rules)
		if err != nil {
			return err
		}
		t.Rules = rules
	}
	// A rule that a switch adds does as those of the other switches do.
	only := recoveryOnly(t)
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
		only = *c.RecoveryCodeOnly
	}
	if only || c.RecoveryCodeOnly != nil {
		setRecoveryOnly(t, only)
	}
	if n := len(moments(t, s.Now())); (conditions(before)+conditions(t.Rules))*n > maxLooked {
		return invalidAs("rules", "many", fmt.Sprintf("they begin, end or stop giving grace at %d times, and name much", n-1),
			"give fewer times, or name fewer users and networks")
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

// maxOwners bounds how many owners are looked at and told.
const maxOwners = 100

// owners lists a tenant's owners.
func (s *Service) owners(ctx context.Context, tenant string) ([]storage.User, error) {
	all, err := s.Store.Users.List(ctx, storage.Query{Tenant: tenant, Field: "role", Value: string(storage.Owner), Limit: maxOwners})
	return all, web.Unavailable("users", err)
}

// tellOwners mails the owners that the policy was changed, all but the one who did it.
func (s *Service) tellOwners(ctx context.Context, by *web.Actor, t *storage.Tenant) error {
	owners, err := s.owners(ctx, t.ID)
	if err != nil {
		return err
	}
	e := by.Event("", "")
	for i := range owners {
		if u := &owners[i]; !u.Out() && (by.User == nil || by.User.ID != u.ID) {
			s.Notices.Tell(ctx, mail.Notice{Kind: ui.MailPolicyChanged, Tenant: t, User: u, Name: nameOf(by), Address: e.Address, Agent: e.Agent})
		}
	}
	return nil
}
