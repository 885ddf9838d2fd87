package policy

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// Facts are what is known of a sign-in when it is decided. Unknown facts stay zero, and meet no condition; what an
// unknown address does, Decide says.
type Facts struct {
	User     string
	UserType string
	Role     storage.Role
	// Ticked: an admin ticked "require 2FA" for this one user.
	Ticked bool
	// Address is the client's; the zero Addr is unknown.
	Address netip.Addr
	Client  string
	Tags    []string
	Plan    string
	// Integrations are the kinds of integrations connected to the tenant.
	Integrations []string
	Now          time.Time
}

// TwoFactor says whether a second step is asked. The zero value is the strictest.
type TwoFactor int

const (
	// Required: of everybody.
	Required TwoFactor = iota
	// Optional: of those who have set it up.
	Optional
	// Off: of nobody, unless an application asks.
	Off
	// Unavailable: it can't be set up, and is not asked.
	Unavailable
)

// Decision is what is asked of the user. The zero Decision is the strictest: nobody gets in.
type Decision struct {
	// Rule is the name of the rule that decided and RuleID its ID; empty if none did.
	Rule   string
	RuleID string
	// Allow: the user may sign in at all.
	Allow     bool
	TwoFactor TwoFactor
	// AnyStrength: the second step need not resist phishing.
	AnyStrength bool
	// Factors are the factors allowed; none means all, unless NoFactor: then nothing that a user can set up will do,
	// because the rules that may hold have none in common.
	Factors  []string
	NoFactor bool
	// Remember is for how long a device may be remembered; 0 is never.
	Remember time.Duration
	// EnrolAtLogin: a user without a factor sets one up at the sign-in, instead of needing a recovery code.
	EnrolAtLogin bool
	// Grace: users without a factor get in without one for the time being; GraceUntil says till when.
	Grace      bool
	GraceUntil time.Time
	// Reports are the IDs of report-only rules that would have had a say, had they been enforced, in the rules' order; of
	// a rule that has no ID it is the name.
	Reports []string
}

// Allows tells whether a factor of this ID and strength may be the second step.
func (d Decision) Allows(factor string, phishingResistant bool) bool {
	return !d.NoFactor && (d.AnyStrength || phishingResistant) && (len(d.Factors) == 0 || slices.Contains(d.Factors, factor))
}

// longestRemember bounds what a rule can say of remembered devices.
const longestRemember = maxRememberDays * 24 * time.Hour

// Decide takes the first rule whose conditions all hold. A rule that can't be read (an unknown word, a network that
// does not parse) counts as one that holds and denies: a slip of the pen must not open the door.
// Without a rule that holds, nobody gets in.
//
// Of a rule that asks for a network nobody can say whether it holds where the address is unknown. Then the stricter of
// both is taken, field by field, as Strictest says: hiding the address neither lets in, nor gets past a rule that keeps
// out or that asks for more.
func Decide(rules []storage.Rule, f Facts) Decision {
	d, _ := decide(rules, &f)
	return d
}

// decide is Decide, and says which rule gives the decision its name; -1 is none.
func decide(rules []storage.Rule, f *Facts) (Decision, int) {
	var reports []string
	// so is the strictest of what the rules say that may hold, of which by names the decision.
	var so Decision
	by, open := -1, false
	say := func(d Decision, i int) {
		switch {
		case !open:
			so, by, open = d, i, true
		case outweighs(&so, &d):
			so = Strictest(so, d)
		default:
			so, by = Strictest(so, d), i
		}
	}
	done := func() (Decision, int) {
		so.Reports = reports
		return so, by
	}
	for i := range rules {
		r := &rules[i]
		h := holds(&r.When, f)
		if h == No {
			continue
		}
		if r.ReportOnly {
			reports = append(reports, ident(r))
			continue
		}
		d, ok := decision(r, f.Now)
		if h == unreadable || !ok {
			d = Decision{Rule: r.Name, RuleID: r.ID}
		}
		say(d, i)
		if h != Unknown {
			return done()
		}
	}
	say(Decision{}, -1)
	return done()
}

// ident is what a rule is called in records.
func ident(r *storage.Rule) string { return cmp.Or(r.ID, r.Name) }

// decision reads what a rule says; ok is false where it says something unknown.
func decision(r *storage.Rule, now time.Time) (_ Decision, ok bool) {
	d := Decision{Rule: r.Name, RuleID: r.ID, Factors: r.Then.Factors}
	switch r.Then.Access {
	case "":
	case "allow":
		d.Allow = true
	default:
		return d, false
	}
	switch r.Then.TwoFactor {
	case "":
		d.TwoFactor = Required
	case "optional":
		d.TwoFactor = Optional
	case "off":
		d.TwoFactor = Off
	case "unavailable":
		d.TwoFactor = Unavailable
	default:
		return d, false
	}
	switch r.Then.Strength {
	case "":
	case "any":
		d.AnyStrength = true
	default:
		return d, false
	}
	switch r.Then.Unenrolled {
	case "":
	case "enrol_at_login":
		d.EnrolAtLogin = true
	default:
		return d, false
	}
	if days := r.Then.RememberDays; days > 0 {
		d.Remember = min(time.Duration(days)*24*time.Hour, longestRemember)
	}
	if now.Before(r.Then.GraceUntil) {
		d.Grace, d.GraceUntil = true, r.Then.GraceUntil
	}
	return d, true
}
