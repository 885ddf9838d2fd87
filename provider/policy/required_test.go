package policy

import (
	"net/netip"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// A second step counts as required only by a rule that nobody gets past from some network or other.
func TestEverywhere(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 4, 12, 0, 0, 0, time.UTC)
	office := []string{"203.0.113.0/24"}
	staff := storage.Rule{Name: "staff", When: storage.When{UserTypes: []string{"staff"}}, Then: storage.Then{Access: "allow"}}
	everybody := storage.Rule{Name: "everybody", Then: storage.Then{Access: "allow", TwoFactor: "optional"}}
	with := func(change func(r *storage.Rule)) storage.Rule {
		r := staff
		change(&r)
		return r
	}
	off := with(func(r *storage.Rule) { r.Name, r.When.Networks, r.Then.TwoFactor = "office", office, "off" })
	asked := with(func(r *storage.Rule) { r.Name, r.When.NotNetworks = "outside", office })
	out := with(func(r *storage.Rule) { r.Name, r.When.NotNetworks, r.Then.Access = "only office", office, "" })
	for _, c := range []struct {
		name  string
		rules []storage.Rule
		want  string
	}{
		{"the rule for the user's type", []storage.Rule{staff, everybody}, "staff"},
		{"none for the user's type", []storage.Rule{with(func(r *storage.Rule) { r.When.UserTypes = []string{"client"} }), everybody}, ""},
		{"no rules", nil, ""},
		{"only reported", []storage.Rule{with(func(r *storage.Rule) { r.ReportOnly = true }), everybody}, ""},
		{"behind one that lets in without", []storage.Rule{everybody, staff}, ""},
		{"behind one that lets a network in without", []storage.Rule{off, staff}, ""},
		{"behind one that requires it of some networks", []storage.Rule{asked, staff}, "staff"},
		{"of some networks alone", []storage.Rule{asked, everybody}, ""},
		{"behind one that keeps some networks out", []storage.Rule{out, staff}, "staff"},
		{"nobody gets in", []storage.Rule{with(func(r *storage.Rule) { r.Then.Access = "" })}, ""},
		{"with grace", []storage.Rule{with(func(r *storage.Rule) { r.Then.GraceUntil = now.Add(time.Hour) })}, ""},
		{"after the grace", []storage.Rule{with(func(r *storage.Rule) { r.Then.GraceUntil = now.Add(-time.Hour) })}, "staff"},
		{"behind one that can't be read", []storage.Rule{with(func(r *storage.Rule) { r.Then.TwoFactor = "sometimes" }), staff}, ""},
		{"behind a network that can't be read", []storage.Rule{with(func(r *storage.Rule) { r.When.Networks = []string{"here"} }), staff}, ""},
		{"for those who are ticked", []storage.Rule{with(func(r *storage.Rule) { r.When.Ticked = true }), everybody}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, from := range []netip.Addr{{}, netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("198.51.100.7")} {
				f := Facts{UserType: "staff", Address: from, Now: now}
				rule, required := Everywhere(c.rules, f)
				if rule != c.want || required != (c.want != "") {
					t.Errorf("from %v: %q, %v", from, rule, required)
				}
				if d := Decide(c.rules, f); required && d.Allow && d.TwoFactor != Required {
					t.Errorf("from %v it is not required", from)
				}
			}
		})
	}
}
