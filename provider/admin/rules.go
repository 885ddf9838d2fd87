package admin

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/storage"
)

// Everyone stands for all user types where it is said who must use two-factor authentication.
const Everyone = "everyone"

// The IDs of the rules beneath the switches.
const (
	// RuleNetworks keeps out whoever does not come from one of the account's networks.
	RuleNetworks = "networks"
	// RuleTicked is about the users whom an admin ticked one by one.
	RuleTicked = "ticked"
	// RuleFinancial is about accounts with an integration of the kind "financial".
	RuleFinancial = "financial"
	// RuleNetwork2FA is about who comes from networks that two-factor authentication is asked in.
	RuleNetwork2FA = "network-2fa"
	// RuleType and a user type is about that type.
	RuleType     = "type-"
	RuleEveryone = "everyone"
	// RuleDefault is for everybody whom no other rule is about.
	RuleDefault = "default"
)

// The words of storage.Then that the built-in rules use.
const (
	allow        = "allow"
	optional     = "optional"
	off          = "off"
	unavailable  = "unavailable"
	anyStrength  = "any"
	enrolAtLogin = "enrol_at_login"
	financial    = "financial"
	// rememberDays is how long a device may be remembered.
	rememberDays = 14
)

func required() storage.Then {
	return storage.Then{Access: allow, Strength: anyStrength, Unenrolled: enrolAtLogin, RememberDays: rememberDays}
}

// defaultRules let everyone in: with a second step where an admin ticked it for the user, or where money hangs on the
// account, and else where the user has set one up.
func defaultRules() []storage.Rule {
	last := required()
	last.TwoFactor = optional
	return []storage.Rule{
		{ID: RuleTicked, Name: "This user must use two-factor authentication", When: storage.When{Ticked: true}, Then: required()},
		{
			ID: RuleFinancial, Name: "A connected financial integration makes two-factor authentication mandatory",
			When: storage.When{Integrations: []string{financial}}, Then: required(),
		},
		{ID: RuleDefault, Name: "Everyone may use two-factor authentication", Then: last},
	}
}

// switchID is the ID of the rule beneath the switch "must use 2FA" of one user type, or of Everyone.
func switchID(userType string) string {
	if userType == Everyone {
		return RuleEveryone
	}
	return RuleType + userType
}

// switchRule is the rule beneath a switch.
func switchRule(t *storage.Tenant, userType string) storage.Rule {
	if userType == Everyone {
		return storage.Rule{ID: RuleEveryone, Name: "Everyone must use two-factor authentication", Then: required()}
	}
	// Package ui knows these names again, and says them in the reader's language.
	who := map[string]string{"staff": "Staff", "client": "Clients", "contractor": "Contractors"}[userType]
	if name := t.TypeNames[userType]; name != "" || who == "" {
		who = fmt.Sprintf("Users of type %q", cmp.Or(name, userType))
	}
	return storage.Rule{
		ID: switchID(userType), Name: who + " must use two-factor authentication",
		When: storage.When{UserTypes: []string{userType}}, Then: required(),
	}
}

func hasRule(rules []storage.Rule, id string) bool { return at(rules, id) >= 0 }

func at(rules []storage.Rule, id string) int {
	return slices.IndexFunc(rules, func(r storage.Rule) bool { return r.ID == id })
}

// mustUse lists the user types whose switch is on, and Everyone.
func mustUse(t *storage.Tenant) []string {
	on := []string{}
	for _, userType := range append(slices.Clone(t.UserTypes), Everyone) {
		if hasRule(t.Rules, switchID(userType)) {
			on = append(on, userType)
		}
	}
	return on
}

// setSwitches sets the switches to be exactly those in on. A switch that is turned on goes behind every rule that has
// conditions of its own, so that one which keeps somebody out, or lets an office network off, still comes first. Who has
// not set up what it asks for gets in as those do of whom the other switches ask it.
func setSwitches(t *storage.Tenant, on []string) error {
	for _, userType := range on {
		if userType != Everyone && !slices.Contains(t.UserTypes, userType) {
			return invalid("require_2fa", fmt.Sprintf("the tenant has no user type %q", userType),
				fmt.Sprintf("choose from %s", listed(append(slices.Clone(t.UserTypes), Everyone))))
		}
	}
	only := recoveryOnly(t)
	// Types that are gone, and those that stay.
	t.Rules = slices.DeleteFunc(slices.Clone(t.Rules), func(r storage.Rule) bool {
		userType, isType := strings.CutPrefix(r.ID, RuleType)
		return isType && !slices.Contains(on, userType) || r.ID == RuleEveryone && !slices.Contains(on, Everyone)
	})
	for _, userType := range append(slices.Clone(t.UserTypes), Everyone) {
		if slices.Contains(on, userType) && !hasRule(t.Rules, switchID(userType)) {
			t.Rules = slices.Insert(t.Rules, firstForAll(t.Rules), switchRule(t, userType))
		}
	}
	if only {
		setRecoveryOnly(t, true)
	}
	return nil
}

// firstForAll is the place of the first enforced rule without conditions: none behind it is ever reached.
func firstForAll(rules []storage.Rule) int {
	i := slices.IndexFunc(rules, func(r storage.Rule) bool {
		return !r.ReportOnly && reflect.DeepEqual(r.When, storage.When{})
	})
	if i < 0 {
		return len(rules)
	}
	return i
}

// setNetworks makes the rules about the account's networks say what the networks say: who may sign in from where, and
// where two-factor authentication is asked.
func setNetworks(t *storage.Tenant, restricted bool) {
	var all, asked []string
	for _, n := range t.Networks {
		all = append(all, n.Prefix)
		if n.Require2FA {
			asked = append(asked, n.Prefix)
		}
	}
	t.Rules = slices.Clone(t.Rules)
	set := func(on bool, place int, r storage.Rule) {
		switch i := at(t.Rules, r.ID); {
		case i >= 0 && !on:
			t.Rules = slices.Delete(t.Rules, i, i+1)
		case i >= 0: // what it has been set to besides stays
			t.Rules[i].When.Networks, t.Rules[i].When.NotNetworks = r.When.Networks, r.When.NotNetworks
		case on:
			t.Rules = slices.Insert(t.Rules, place, r)
		}
	}
	// Whoever is to be kept out is kept out first.
	set(restricted, 0, storage.Rule{
		ID: RuleNetworks, Name: "Sign-in is possible from the account’s networks only", When: storage.When{NotNetworks: all},
	})
	set(len(asked) > 0, firstForAll(t.Rules), storage.Rule{
		ID: RuleNetwork2FA, Name: "Two-factor authentication is required in this network", When: storage.When{Networks: asked}, Then: required(),
	})
}

// BuiltIn tells whether a rule is one of those beneath the switches, or the last of all. Whom these are about, and whether
// they force, keep out or let in, can't be changed: the switches would not be true any more.
func BuiltIn(id string) bool {
	userType, isType := strings.CutPrefix(id, RuleType)
	return isType && userType != "" || slices.Contains([]string{RuleNetworks, RuleTicked, RuleFinancial, RuleNetwork2FA, RuleEveryone, RuleDefault}, id)
}

// builtIn is a built-in rule as it is made, but for the networks, which setNetworks sees to.
func builtIn(t *storage.Tenant, id string) storage.Rule {
	switch id {
	case RuleNetworks:
		return storage.Rule{ID: id}
	case RuleNetwork2FA:
		return storage.Rule{ID: id, Then: required()}
	case RuleEveryone:
		return switchRule(t, Everyone)
	}
	if userType, isType := strings.CutPrefix(id, RuleType); isType {
		return switchRule(t, userType)
	}
	all := defaultRules()
	return all[at(all, id)]
}

// checkBuiltIn refuses to make a built-in rule say something else than its ID does.
func checkBuiltIn(t *storage.Tenant, r *storage.Rule) error {
	if !BuiltIn(r.ID) {
		return nil
	}
	made, is := builtIn(t, r.ID), *r
	if r.ID == RuleNetworks || r.ID == RuleNetwork2FA {
		is.When.Networks, is.When.NotNetworks = nil, nil
	}
	switch {
	case !sameRule(storage.Rule{When: made.When}, storage.Rule{When: is.When}):
		return badRule(r, "when", "built_in", "it has its conditions from a switch")
	case r.ID == RuleDefault:
		return nil
	case is.ReportOnly:
		return badRule(r, "report_only", "built_in", "it comes from a switch, which is on or off")
	case is.Then.Access != made.Then.Access:
		return badRule(r, "then.access", "built_in", "it comes from a switch")
	case is.Then.TwoFactor != made.Then.TwoFactor:
		return badRule(r, "then.two_factor", "built_in", "it comes from a switch")
	}
	return nil
}

// identify gives IDs to rules that were saved before rules had any: those of the switches where they say what these do, and
// else one that is the same at each look.
func identify(t *storage.Tenant) {
	if !slices.ContainsFunc(t.Rules, func(r storage.Rule) bool { return r.ID == "" }) {
		return
	}
	t.Rules = slices.Clone(t.Rules)
	for i := range t.Rules {
		r := &t.Rules[i]
		if r.ID != "" {
			continue
		}
		id := meant(t, r)
		if id == "" || hasRule(t.Rules, id) {
			sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", i, r.Name))
			id = "r-" + hex.EncodeToString(sum[:8])
		}
		r.ID = id
	}
}

// meant is the built-in rule that a rule without an ID is by what it says, or nothing.
func meant(t *storage.Tenant, r *storage.Rule) string {
	forces := !r.ReportOnly && r.Then.Access == allow && r.Then.TwoFactor == ""
	is := func(w storage.When) bool { return sameRule(storage.Rule{When: w}, storage.Rule{When: r.When}) }
	for _, userType := range t.UserTypes {
		if forces && is(storage.When{UserTypes: []string{userType}}) {
			return switchID(userType)
		}
	}
	switch {
	case forces && is(storage.When{Ticked: true}):
		return RuleTicked
	case forces && is(storage.When{}):
		return RuleEveryone
	case !r.ReportOnly && is(storage.When{}):
		return RuleDefault
	}
	return ""
}
