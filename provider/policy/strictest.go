package policy

import (
	"slices"
	"time"
)

// Strictest is the stricter of two decisions, field by field: it lets in, and does without, only what both of them do.
// It has the name of the one that denies or else asks for more, or where they are alike of the second, and both's Reports.
func Strictest(a, b Decision) Decision {
	d := Decision{
		Rule: b.Rule, RuleID: b.RuleID,
		Allow: a.Allow && b.Allow,
		// What can't be set up is not asked, what is off is asked by applications only, and what is optional of those who
		// have it: each asks no less than the one after it.
		TwoFactor:    min(a.TwoFactor, b.TwoFactor),
		AnyStrength:  a.AnyStrength && b.AnyStrength,
		Remember:     min(a.Remember, b.Remember),
		EnrolAtLogin: a.EnrolAtLogin && b.EnrolAtLogin,
		Grace:        a.Grace && b.Grace,
	}
	if outweighs(&a, &b) {
		d.Rule, d.RuleID = a.Rule, a.RuleID
	}
	d.Factors, d.NoFactor = common(&a, &b)
	if d.Grace {
		d.GraceUntil = earlier(a.GraceUntil, b.GraceUntil)
	}
	d.Reports = slices.Clone(a.Reports)
	for _, r := range b.Reports {
		if !slices.Contains(d.Reports, r) {
			d.Reports = append(d.Reports, r)
		}
	}
	return d
}

// outweighs tells whether the first of two decisions names what is strictest of both.
func outweighs(a, b *Decision) bool { return weight(a) > weight(b) }

// weight orders decisions by what a user feels of them. That no rule lets in is said only where no rule keeps out.
func weight(d *Decision) int {
	switch {
	case !d.Allow && (d.Rule != "" || d.RuleID != ""):
		return 2
	case !d.Allow:
		return 1
	default:
		return -int(d.TwoFactor)
	}
}

// common are the factors that two decisions both allow; none tells that there are none.
func common(a, b *Decision) (factors []string, none bool) {
	switch {
	case a.NoFactor || b.NoFactor:
		return nil, true
	case len(a.Factors) == 0:
		return b.Factors, false
	case len(b.Factors) == 0:
		return a.Factors, false
	}
	for _, f := range a.Factors {
		if slices.Contains(b.Factors, f) {
			factors = append(factors, f)
		}
	}
	return factors, len(factors) == 0
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
