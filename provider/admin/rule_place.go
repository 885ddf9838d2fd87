package admin

import (
	"slices"

	"github.com/sallyport-id/sallyport/storage"
)

// Place is where a new rule goes that nobody has given a place: before the first enforced rule that is about more than it is,
// which would decide first and leave it nothing to say. A rule that lets in stays behind those that keep somebody out; one that
// does without a second step, for now or for good, also behind those that ask for one because a user was ticked or because of
// a financial integration. Whoever wants it before these says so.
func Place(rules []storage.Rule, r storage.Rule) int {
	start := 0
	for i := range rules {
		if staysBefore(&rules[i], &r) {
			start = i + 1
		}
	}
	for i := start; i < len(rules); i++ {
		o := &rules[i]
		if !o.ReportOnly && (rank(&o.When) < rank(&r.When) || covers(&o.When, &r.When)) {
			return i
		}
	}
	return len(rules)
}

// staysBefore tells whether a rule is one that a new one does not go before unasked.
func staysBefore(o, r *storage.Rule) bool {
	lets := r.Then.Access == allow
	requires := r.Then.TwoFactor == "" && r.Then.GraceUntil.IsZero()
	switch {
	case o.ReportOnly || !lets:
		return false
	case o.Then.Access != allow:
		// One that keeps out everybody is the end of all rules, behind which nothing is ever reached.
		return rank(&o.When) > 0
	default:
		return !requires && (o.ID == RuleTicked || o.ID == RuleFinancial)
	}
}

// rank orders conditions by how few they are about: 0 everybody, 1 groups of users or of accounts, 2 single users, and what
// comes from certain networks or goes to certain applications.
func rank(w *storage.When) int {
	switch {
	case len(w.Users)+len(w.Networks)+len(w.NotNetworks)+len(w.Clients)+len(w.ClientTags) > 0:
		return 2
	case len(w.UserTypes)+len(w.Roles)+len(w.Plans)+len(w.Integrations) > 0 || w.Ticked || !w.From.IsZero() || !w.Until.IsZero():
		return 1
	default:
		return 0
	}
}

// covers tells whether conditions hold wherever others do, as far as lists tell: for each that the first have the second name
// the same or less.
func covers(o, r *storage.When) bool {
	return names(o.UserTypes, r.UserTypes) && names(o.Roles, r.Roles) && names(o.Users, r.Users) && (!o.Ticked || r.Ticked) &&
		names(o.Networks, r.Networks) && subset(o.NotNetworks, r.NotNetworks) &&
		names(o.Clients, r.Clients) && names(o.ClientTags, r.ClientTags) && names(o.Plans, r.Plans) && names(o.Integrations, r.Integrations) &&
		(o.From.IsZero() || !r.From.Before(o.From)) && (o.Until.IsZero() || !r.Until.IsZero() && !r.Until.After(o.Until))
}

// names tells whether a condition that names some holds for all that another one names; one that names none holds always.
func names[T comparable](wide, narrow []T) bool {
	return len(wide) == 0 || len(narrow) > 0 && subset(narrow, wide)
}

func subset[T comparable](some, all []T) bool {
	return !slices.ContainsFunc(some, func(v T) bool { return !slices.Contains(all, v) })
}
