package policy

import (
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"

	"github.com/sallyport-id/sallyport/storage"
)

func TestTraceSaysWhichConditionFailed(t *testing.T) {
	words := map[string]string{"user type": "user_type", "not network": "not_network", "tag": "client_tag"}
	for _, c := range cases {
		word := c.name
		if w, ok := words[word]; ok {
			word = w
		}
		rules := allow(c.not)
		v := Trace(rules, facts())[0]
		if v.Holds != No || !slices.Equal(v.Failed, []string{word}) || v.Untold != nil || v.Decides {
			t.Errorf("%s does not hold: %+v", c.name, v)
		}
		v = Trace(allow(c.holds), facts())[0]
		if want := (Verdict{Name: "allow", Holds: Yes, Decides: true}); !reflect.DeepEqual(v, want) {
			t.Errorf("%s holds: %+v", c.name, v)
		}
	}
	f := facts()
	f.Address = netip.Addr{}
	rules := []storage.Rule{
		{ID: "networks", Name: "Networks", When: storage.When{NotNetworks: []string{"192.0.2.0/24"}}},
		{ID: "client", When: storage.When{Networks: []string{"192.0.2.0/24"}, UserTypes: []string{"client"}, Plans: []string{"free"}}},
		{ID: "slip", Then: storage.Then{Access: "Allow"}, ReportOnly: true},
		{ID: "office", When: storage.When{Networks: []string{"office"}, Roles: []storage.Role{storage.Owner}}},
		{ID: "never reached"},
	}
	want := []Verdict{
		{ID: "networks", Name: "Networks", Holds: Unknown, Untold: []string{"not_network"}},
		{ID: "client", Holds: No, Failed: []string{"user_type", "plan"}, Untold: []string{"network"}},
		{ID: "slip", Holds: Yes, ReportOnly: true, Unreadable: true},
		{ID: "office", Holds: Yes, Failed: []string{"role"}, Untold: []string{"network"}, Unreadable: true, Decides: true},
		{ID: "never reached", Holds: Yes},
	}
	if got := Trace(rules, f); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Trace tells the same story as Decide, whatever the rules and facts are.
func TestTraceAgreesWithDecide(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	seen := map[string]int{}
	for range 30_000 {
		rules := someRules(random, random.IntN(7))
		f := facts()
		f.Address = []netip.Addr{{}, netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("203.0.113.1")}[random.IntN(4)]
		f.UserType = []string{"staff", "client", ""}[random.IntN(3)]
		d := Decide(rules, f)
		var reports []string
		var enforced []string // rules that hold or may, up to the first that holds
		decides := ""
		over := false
		for i, v := range Trace(rules, f) {
			if v.ID != rules[i].ID || v.Name != rules[i].Name || v.ReportOnly != rules[i].ReportOnly {
				t.Fatalf("verdict %d is of another rule: %+v", i, v)
			}
			if v.Decides {
				seen["decides"]++
				if decides != "" {
					t.Fatalf("two rules decide: %s, %s", decides, v.ID)
				}
				decides = v.ID
			}
			if !v.Unreadable && (v.Holds == No) != (len(v.Failed) > 0) || v.Holds == Unknown && (len(v.Untold) == 0 || f.Address.IsValid()) {
				t.Fatalf("%+v contradicts itself", v)
			}
			seen[string(v.Holds)]++
			switch {
			case over || v.Holds == No:
			case v.ReportOnly:
				reports = append(reports, v.ID)
			default:
				enforced = append(enforced, v.ID)
				over = v.Holds == Yes
			}
		}
		if decides != d.RuleID || !slices.Equal(reports, d.Reports) {
			t.Fatalf("rules %+v, facts %+v: the trace says %q and reports %v, Decide %q and %v", rules, f, decides, reports, d.RuleID, d.Reports)
		}
		if d.RuleID != "" && !slices.Contains(enforced, d.RuleID) || f.Address.IsValid() && over && d.RuleID != enforced[0] {
			t.Fatalf("rules %+v: %q decides, and %v have a say", rules, d.RuleID, enforced)
		}
		if d.Allow && !over {
			t.Fatalf("rules %+v let in, though none is sure to hold", rules)
		}
	}
	for _, what := range []string{"decides", "yes", "no", "unknown"} {
		if seen[what] == 0 {
			t.Errorf("never seen: %s", what)
		}
	}
}
