package policy

import (
	"fmt"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

var noon = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

func facts() Facts {
	return Facts{
		User: "u1", UserType: "staff", Role: storage.Admin, Address: netip.MustParseAddr("192.0.2.7"),
		Client: "shop", Tags: []string{"internal"}, Plan: "paid", Integrations: []string{"financial"}, Now: noon,
	}
}

// cases lists each condition once as it holds and once as it does not, and the fact that makes it unknown.
var cases = []struct {
	name       string
	holds, not storage.When
	forget     func(*Facts)
}{
	{"user type", storage.When{UserTypes: []string{"client", "staff"}}, storage.When{UserTypes: []string{"client"}}, func(f *Facts) { f.UserType = "" }},
	{"role", storage.When{Roles: []storage.Role{storage.Admin}}, storage.When{Roles: []storage.Role{storage.Owner}}, func(f *Facts) { f.Role = "" }},
	{"user", storage.When{Users: []string{"u1"}}, storage.When{Users: []string{"u2"}}, func(f *Facts) { f.User = "" }},
	{"network", storage.When{Networks: []string{"2001:db8::/32", "192.0.2.0/24"}}, storage.When{Networks: []string{"198.51.100.0/24"}}, func(f *Facts) { f.Address = netip.Addr{} }},
	{"not network", storage.When{NotNetworks: []string{"198.51.100.0/24"}}, storage.When{NotNetworks: []string{"192.0.2.0/24"}}, func(f *Facts) { f.Address = netip.Addr{} }},
	{"client", storage.When{Clients: []string{"shop"}}, storage.When{Clients: []string{"till"}}, func(f *Facts) { f.Client = "" }},
	{"tag", storage.When{ClientTags: []string{"internal"}}, storage.When{ClientTags: []string{"public"}}, func(f *Facts) { f.Tags = nil }},
	{"plan", storage.When{Plans: []string{"paid"}}, storage.When{Plans: []string{"free"}}, func(f *Facts) { f.Plan = "" }},
	{"integration", storage.When{Integrations: []string{"financial"}}, storage.When{Integrations: []string{"chat"}}, func(f *Facts) { f.Integrations = nil }},
	{"ticked", storage.When{}, storage.When{Ticked: true}, nil},
	{"from", storage.When{From: noon}, storage.When{From: noon.Add(time.Second)}, nil},
	{"until", storage.When{Until: noon.Add(time.Second)}, storage.When{Until: noon}, nil},
}

func allow(when storage.When) []storage.Rule {
	return []storage.Rule{{Name: "allow", When: when, Then: storage.Then{Access: "allow", TwoFactor: "optional"}}}
}

func TestDecideConditions(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if d := Decide(allow(c.holds), facts()); !d.Allow {
				t.Error("the condition holds, but the rule was not taken")
			}
			if d := Decide(allow(c.not), facts()); !reflect.DeepEqual(d, Decision{}) {
				t.Errorf("the condition does not hold, and no rule is left: got %+v, want the zero Decision", d)
			}
			if c.forget != nil {
				f := facts()
				c.forget(&f)
				if d := Decide(allow(c.holds), f); d.Allow {
					t.Error("an unknown fact met the condition")
				}
			}
		})
	}
}

// All pairs of conditions: a rule needs every one of its conditions to hold.
func TestDecideAllConditionsMustHold(t *testing.T) {
	for i, a := range cases {
		for j, b := range cases {
			if i == j {
				continue
			}
			for mask := range 4 {
				x, y := a.holds, b.holds
				if mask&1 != 0 {
					x = a.not
				}
				if mask&2 != 0 {
					y = b.not
				}
				w := both(x, y)
				if got, want := Decide(allow(w), facts()).Allow, mask == 0; got != want {
					t.Errorf("%s (not: %t) and %s (not: %t): allow = %t, want %t", a.name, mask&1 != 0, b.name, mask&2 != 0, got, want)
				}
			}
		}
	}
}

// both merges the conditions of two rules that set different fields.
func both(x, y storage.When) storage.When {
	v, w := reflect.ValueOf(&x).Elem(), reflect.ValueOf(y)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			v.Field(i).Set(w.Field(i))
		}
	}
	return x
}

func TestDecideTicked(t *testing.T) {
	rules := allow(storage.When{Ticked: true})
	f := facts()
	if Decide(rules, f).Allow {
		t.Error("a user who is not ticked met the rule")
	}
	f.Ticked = true
	if !Decide(rules, f).Allow {
		t.Error("a ticked user did not meet the rule")
	}
}

func TestDecideTheZeroDecisionIsTheStrictest(t *testing.T) {
	var d Decision
	if d.Allow || d.TwoFactor != Required || d.AnyStrength || d.Remember != 0 || d.EnrolAtLogin || d.Grace {
		t.Errorf("zero Decision is not the strictest: %+v", d)
	}
	if d.Allows("totp", false) {
		t.Error("the zero Decision accepts a factor that can be phished")
	}
	if got := Decide(nil, facts()); !reflect.DeepEqual(got, d) {
		t.Errorf("without rules: %+v, want the zero Decision", got)
	}
	if got := Decide([]storage.Rule{{Name: "empty"}}, facts()); !reflect.DeepEqual(got, Decision{Rule: "empty"}) {
		t.Errorf("a rule that says nothing: %+v, want the zero Decision under its name", got)
	}
}

func TestDecideFirstMatchWins(t *testing.T) {
	rules := []storage.Rule{
		{Name: "clients", When: storage.When{UserTypes: []string{"client"}}, Then: storage.Then{Access: "allow", TwoFactor: "off"}},
		{Name: "staff", When: storage.When{UserTypes: []string{"staff"}}, Then: storage.Then{Access: "allow"}},
		{Name: "rest", Then: storage.Then{Access: "allow", TwoFactor: "optional"}},
	}
	for typ, want := range map[string]string{"client": "clients", "staff": "staff", "contractor": "rest"} {
		f := facts()
		f.UserType = typ
		if d := Decide(rules, f); d.Rule != want {
			t.Errorf("%s: rule %q, want %q", typ, d.Rule, want)
		}
	}
}

func TestDecideReportOnlyIsNotEnforced(t *testing.T) {
	rules := append([]storage.Rule{{Name: "try out", ReportOnly: true}}, allow(storage.When{})...)
	d := Decide(rules, facts())
	if !d.Allow || d.Rule != "allow" || len(d.Reports) != 1 || d.Reports[0] != "try out" {
		t.Errorf("got %+v", d)
	}
}

// What can't be read must not open the door, nor be passed over on the way to a rule that does.
func TestDecideUnreadableRulesDeny(t *testing.T) {
	open := allow(storage.When{})[0]
	for name, r := range map[string]storage.Rule{
		"network":     {When: storage.When{Networks: []string{"192.0.2.0/33"}}, Then: open.Then},
		"not network": {When: storage.When{NotNetworks: []string{"office"}}, Then: open.Then},
		"access":      {Then: storage.Then{Access: "Allow"}},
		"two factor":  {Then: storage.Then{Access: "allow", TwoFactor: "sometimes"}},
		"strength":    {Then: storage.Then{Access: "allow", Strength: "weak"}},
		"unenrolled":  {Then: storage.Then{Access: "allow", Unenrolled: "ignore"}},
	} {
		r.Name = name
		if d := Decide([]storage.Rule{r, open}, facts()); !reflect.DeepEqual(d, Decision{Rule: name}) {
			t.Errorf("%s: got %+v, want the zero Decision", name, d)
		}
	}
}

func TestDecideWhatARuleSays(t *testing.T) {
	for _, c := range []struct {
		then storage.Then
		want Decision
	}{
		{storage.Then{Access: "allow"}, Decision{Allow: true}},
		{storage.Then{Access: "allow", TwoFactor: "optional"}, Decision{Allow: true, TwoFactor: Optional}},
		{storage.Then{Access: "allow", TwoFactor: "off"}, Decision{Allow: true, TwoFactor: Off}},
		{storage.Then{Access: "allow", TwoFactor: "unavailable"}, Decision{Allow: true, TwoFactor: Unavailable}},
		{storage.Then{Access: "allow", Strength: "any"}, Decision{Allow: true, AnyStrength: true}},
		{storage.Then{Access: "allow", Unenrolled: "enrol_at_login"}, Decision{Allow: true, EnrolAtLogin: true}},
		{storage.Then{Access: "allow", RememberDays: 14}, Decision{Allow: true, Remember: 14 * 24 * time.Hour}},
		{storage.Then{Access: "allow", RememberDays: 31}, Decision{Allow: true, Remember: 30 * 24 * time.Hour}},
		{storage.Then{Access: "allow", RememberDays: -1}, Decision{Allow: true}},
		{storage.Then{Access: "allow", GraceUntil: noon}, Decision{Allow: true}},
		{storage.Then{Access: "allow", GraceUntil: noon.Add(time.Second)}, Decision{Allow: true, Grace: true, GraceUntil: noon.Add(time.Second)}},
	} {
		if got := Decide([]storage.Rule{{Then: c.then}}, facts()); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: got %+v, want %+v", c.then, got, c.want)
		}
	}
}

func TestAllows(t *testing.T) {
	for _, anyStrength := range []bool{false, true} {
		for _, named := range [][]string{nil, {"totp"}, {"webauthn"}} {
			for factor, resistant := range map[string]bool{"totp": false, "webauthn": true} {
				want := (anyStrength || resistant) && (named == nil || named[0] == factor)
				d := Decision{AnyStrength: anyStrength, Factors: named}
				if got := d.Allows(factor, resistant); got != want {
					t.Error(fmt.Sprintf("any %t, factors %v, %s:", anyStrength, named, factor), got)
				}
			}
		}
	}
}
