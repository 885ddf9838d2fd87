package policy

import (
	"net/netip"

	"github.com/sallyport-id/sallyport/storage"
)

// Everywhere tells whether a second step is required of a user from wherever the sign-in comes, and by which rule: the first
// that holds for every address. Where a rule before it lets some networks in without, or nobody is let in at all, it is not;
// nor while there is grace. The address among the facts does not matter.
func Everywhere(rules []storage.Rule, f Facts) (rule string, required bool) {
	f.Address = netip.Addr{}
	for i := range rules {
		r := &rules[i]
		h := holds(&r.When, &f)
		if r.ReportOnly || h == No {
			continue
		}
		d, ok := decision(r, f.Now)
		switch {
		case !ok || h == unreadable:
			return "", false
		case h == Unknown && !d.Allow: // whom it keeps out is asked for nothing
			continue
		case !d.Allow || d.TwoFactor != Required || d.Grace:
			return "", false
		case h == Yes:
			return r.Name, true
		}
	}
	return "", false
}
