package admin

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/sallyport-id/sallyport/storage"
)

// Everyone stands for all user types where it is said who must use two-factor authentication.
const Everyone = "everyone"

// The words of storage.Then that the built-in rules use.
const (
	allow        = "allow"
	optional     = "optional"
	anyStrength  = "any"
	enrolAtLogin = "enrol_at_login"
	// rememberDays is how long a device may be remembered.
	rememberDays = 14
)

func required() storage.Then {
	return storage.Then{Access: allow, Strength: anyStrength, Unenrolled: enrolAtLogin, RememberDays: rememberDays}
}

// defaultRules let everyone in: with a second step where an admin ticked it for the user, and else where the user has
// set one up.
func defaultRules() []storage.Rule {
	last := required()
	last.TwoFactor = optional
	return []storage.Rule{
		{Name: "This user must use two-factor authentication", When: storage.When{Ticked: true}, Then: required()},
		{Name: "Everyone may use two-factor authentication", Then: last},
	}
}

// switchRule is the rule beneath the switch "must use 2FA" of one user type, or of Everyone.
func switchRule(userType string) storage.Rule {
	if userType == Everyone {
		return storage.Rule{Name: "Everyone must use two-factor authentication", Then: required()}
	}
	who := map[string]string{"staff": "Staff", "client": "Clients", "contractor": "Contractors"}[userType]
	if who == "" {
		who = fmt.Sprintf("Users of type %q", userType)
	}
	return storage.Rule{
		Name: who + " must use two-factor authentication",
		When: storage.When{UserTypes: []string{userType}}, Then: required(),
	}
}

// isSwitch tells whether a rule is the one beneath a switch, whatever it has been named or set to remember meanwhile.
func isSwitch(r storage.Rule, userType string) bool {
	return r.Then.Access == allow && r.Then.TwoFactor == "" && !r.ReportOnly && reflect.DeepEqual(r.When, switchRule(userType).When)
}

// mustUse lists the user types whose switch is on, and Everyone.
func mustUse(t *storage.Tenant) []string {
	on := []string{}
	for _, userType := range append(slices.Clone(t.UserTypes), Everyone) {
		if slices.ContainsFunc(t.Rules, func(r storage.Rule) bool { return isSwitch(r, userType) }) {
			on = append(on, userType)
		}
	}
	return on
}

// setSwitches sets the switches to be exactly those in on. A switch that is turned on goes behind every rule that has
// conditions of its own, so that one which keeps somebody out, or lets an office network off, still comes first.
func setSwitches(t *storage.Tenant, on []string) error {
	for _, userType := range on {
		if userType != Everyone && !slices.Contains(t.UserTypes, userType) {
			return invalid("require_2fa", fmt.Sprintf("the tenant has no user type %q", userType),
				fmt.Sprintf("choose from %s", listed(append(slices.Clone(t.UserTypes), Everyone))))
		}
	}
	rules := slices.Clone(t.Rules)
	for _, userType := range append(slices.Clone(t.UserTypes), Everyone) {
		is := func(r storage.Rule) bool { return isSwitch(r, userType) }
		has := slices.ContainsFunc(rules, is)
		switch want := slices.Contains(on, userType); {
		case has && !want:
			rules = slices.DeleteFunc(rules, is)
		case want && !has:
			rules = slices.Insert(rules, firstForAll(rules), switchRule(userType))
		}
	}
	t.Rules = rules
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
