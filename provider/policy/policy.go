package policy

import (
	"net/netip"
	"slices"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// Facts are what is known of a sign-in when it is decided. Unknown facts stay zero, and meet no condition.
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
	// Rule is the name of the rule that decided; empty if none did.
	Rule string
	// Allow: the user may sign in at all.
	Allow     bool
	TwoFactor TwoFactor
	// AnyStrength: the second step need not resist phishing.
	AnyStrength bool
	// Factors are the factors allowed; none means all.
	Factors []string
	// Remember is for how long a device may be remembered; 0 is never.
	Remember time.Duration
	// EnrolAtLogin: a user without a factor sets one up at the sign-in, instead of needing a recovery code.
	EnrolAtLogin bool
	// Grace: users without a factor get in without one for the time being; GraceUntil says till when.
	Grace      bool
	GraceUntil time.Time
	// Reports are the names of report-only rules that would have decided, had they been enforced.
	Reports []string
}

// Allows tells whether a factor of this ID and strength may be the second step.
func (d Decision) Allows(factor string, phishingResistant bool) bool {
	return (d.AnyStrength || phishingResistant) && (len(d.Factors) == 0 || slices.Contains(d.Factors, factor))
}

// longestRemember bounds what a rule can say of remembered devices.
const longestRemember = 30 * 24 * time.Hour

// Decide takes the first rule whose conditions all hold. A rule that can't be read (an unknown word, a network that
// does not parse) counts as one that holds and denies: a slip of the pen must not open the door.
// Without a rule that holds, nobody gets in.
func Decide(rules []storage.Rule, f Facts) Decision {
	var reports []string
	for _, r := range rules {
		holds, err := matches(r.When, f)
		if err == nil && !holds {
			continue
		}
		d, ok := decision(r, f)
		if err != nil || !ok {
			d = Decision{Rule: r.Name}
		}
		if r.ReportOnly {
			reports = append(reports, r.Name)
			continue
		}
		d.Reports = reports
		return d
	}
	return Decision{Reports: reports}
}

func matches(w storage.When, f Facts) (bool, error) {
	in, err := anyPrefix(w.Networks, f.Address)
	if err != nil {
		return false, err
	}
	notIn, err := anyPrefix(w.NotNetworks, f.Address)
	if err != nil {
		return false, err
	}
	return oneOf(w.UserTypes, f.UserType) &&
		oneOf(w.Roles, f.Role) &&
		oneOf(w.Users, f.User) &&
		(!w.Ticked || f.Ticked) &&
		(len(w.Networks) == 0 || in) &&
		(len(w.NotNetworks) == 0 || f.Address.IsValid() && !notIn) &&
		oneOf(w.Clients, f.Client) &&
		overlap(w.ClientTags, f.Tags) &&
		oneOf(w.Plans, f.Plan) &&
		overlap(w.Integrations, f.Integrations) &&
		(w.From.IsZero() || !f.Now.Before(w.From)) &&
		(w.Until.IsZero() || f.Now.Before(w.Until)), nil
}

// oneOf holds where the condition names nothing, or names the fact. An unknown fact is never named.
func oneOf[T ~string](named []T, fact T) bool {
	return len(named) == 0 || fact != "" && slices.Contains(named, fact)
}

func overlap(named, facts []string) bool {
	return len(named) == 0 || slices.ContainsFunc(facts, func(f string) bool { return oneOf(named, f) && f != "" })
}

func anyPrefix(prefixes []string, a netip.Addr) (bool, error) {
	found := false
	for _, p := range prefixes {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			return false, err
		}
		// ::ffff:192.0.2.1 is 192.0.2.1 that came through a socket of both families.
		found = found || a.IsValid() && prefix.Contains(a.Unmap())
	}
	return found, nil
}

// decision reads what a rule says; ok is false where it says something unknown.
func decision(r storage.Rule, f Facts) (_ Decision, ok bool) {
	d := Decision{Rule: r.Name, Factors: r.Then.Factors}
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
	if f.Now.Before(r.Then.GraceUntil) {
		d.Grace, d.GraceUntil = true, r.Then.GraceUntil
	}
	return d, true
}
