package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// every lists decisions over all that they can differ in.
func every() []Decision {
	var all []Decision
	for bits := range 1 << 5 {
		on := func(i int) bool { return bits>>i&1 == 1 }
		for _, two := range []TwoFactor{Required, Optional, Off, Unavailable} {
			for _, factors := range [][]string{nil, {"totp"}, {"webauthn"}, {"totp", "webauthn"}} {
				d := Decision{Allow: on(0), TwoFactor: two, AnyStrength: on(1), Factors: factors, EnrolAtLogin: on(2), Grace: on(3)}
				if on(4) {
					d.Remember = time.Hour
				}
				all = append(all, d)
			}
		}
	}
	return all
}

// what is a decision without the name that it goes by, and with its factors as a set.
func what(d Decision) Decision {
	d.Rule, d.RuleID, d.Reports = "", "", nil
	d.Factors = slices.Sorted(slices.Values(d.Factors))
	if len(d.Factors) == 0 {
		d.Factors = nil
	}
	return d
}

func TestStrictestOverAllPairs(t *testing.T) {
	all := every()
	for _, a := range all {
		if got := Strictest(a, a); !reflect.DeepEqual(got, a) {
			t.Fatalf("of %+v with itself: %+v", a, got)
		}
		for _, b := range all {
			got := Strictest(a, b)
			if !reflect.DeepEqual(what(got), what(Strictest(b, a))) {
				t.Fatalf("%+v and %+v: it matters which comes first", a, b)
			}
			if got.Allow && !(a.Allow && b.Allow) || got.TwoFactor > a.TwoFactor || got.TwoFactor > b.TwoFactor ||
				got.Remember > min(a.Remember, b.Remember) || got.EnrolAtLogin && !(a.EnrolAtLogin && b.EnrolAtLogin) || got.Grace && !(a.Grace && b.Grace) {
				t.Fatalf("%+v and %+v: %+v is laxer than one of them", a, b, got)
			}
			for _, factor := range []string{"totp", "webauthn", "sms"} {
				for _, resistant := range []bool{false, true} {
					if got.Allows(factor, resistant) != (a.Allows(factor, resistant) && b.Allows(factor, resistant)) {
						t.Fatalf("%+v and %+v: allows %s (%t): %t", a, b, factor, resistant, got.Allows(factor, resistant))
					}
				}
			}
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		a, b, c := all[random.IntN(len(all))], all[random.IntN(len(all))], all[random.IntN(len(all))]
		if x, y := Strictest(Strictest(a, b), c), Strictest(a, Strictest(b, c)); !reflect.DeepEqual(what(x), what(y)) {
			t.Fatalf("%+v, %+v, %+v: it matters which are taken together: %+v, %+v", a, b, c, x, y)
		}
	}
}

func TestStrictestNamesTheStricter(t *testing.T) {
	deny, required := Decision{Rule: "deny"}, Decision{Rule: "required", Allow: true}
	optional := Decision{Rule: "optional", RuleID: "o", Allow: true, TwoFactor: Optional}
	other := Decision{Rule: "other", Allow: true, TwoFactor: Optional}
	for _, c := range []struct {
		a, b Decision
		want string
	}{
		{deny, required, "deny"},
		{required, deny, "deny"},
		{required, optional, "required"},
		{optional, required, "required"},
		{optional, other, "other"},
		{optional, Decision{}, ""},
		{deny, Decision{}, "deny"},
		{Decision{}, deny, "deny"},
	} {
		if got := Strictest(c.a, c.b); got.Rule != c.want {
			t.Errorf("%q and %q: %q, want %q", c.a.Rule, c.b.Rule, got.Rule, c.want)
		}
	}
	if got := Strictest(optional, optional); got.RuleID != "o" {
		t.Errorf("ID %q", got.RuleID)
	}
	early, late := Decision{Allow: true, Grace: true, GraceUntil: noon}, Decision{Allow: true, Grace: true, GraceUntil: noon.Add(time.Hour)}
	if got := Strictest(late, early); !got.GraceUntil.Equal(noon) {
		t.Errorf("grace until %v, want the earlier end", got.GraceUntil)
	}
	if got := Strictest(Decision{Reports: []string{"a", "b"}}, Decision{Reports: []string{"b", "c"}}); !slices.Equal(got.Reports, []string{"a", "b", "c"}) {
		t.Errorf("reports %v", got.Reports)
	}
}

// What nobody can place is let in nowhere, kept out everywhere, and asked for what any network asks.
func TestDecideUnknownAddress(t *testing.T) {
	office := []string{"192.0.2.0/24", "2001:db8::/32"}
	open := storage.Rule{ID: "default", Then: storage.Then{Access: "allow", TwoFactor: "optional", Strength: "any", RememberDays: 14, Unenrolled: "enrol_at_login"}}
	off := open.Then
	off.TwoFactor = "off"
	for name, c := range map[string]struct {
		rules []storage.Rule
		want  Decision
	}{
		"kept out of the account's networks": {
			[]storage.Rule{{ID: "networks", When: storage.When{NotNetworks: office}}, open}, Decision{RuleID: "networks"},
		},
		"kept out of one network": {
			[]storage.Rule{{ID: "bad", When: storage.When{Networks: office}}, open}, Decision{RuleID: "bad"},
		},
		"let in nowhere": {
			[]storage.Rule{{ID: "office", When: storage.When{Networks: office}, Then: off}}, Decision{},
		},
		"let off nowhere": {
			[]storage.Rule{{ID: "office", When: storage.When{Networks: office}, Then: off}, open},
			Decision{RuleID: "default", Allow: true, TwoFactor: Optional, AnyStrength: true, EnrolAtLogin: true, Remember: 14 * 24 * time.Hour},
		},
		"forced in a network, and so for whom nobody can place": {
			[]storage.Rule{{ID: "network-2fa", When: storage.When{Networks: office}, Then: storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login"}}, open},
			Decision{RuleID: "network-2fa", Allow: true, AnyStrength: true, EnrolAtLogin: true},
		},
		"other conditions fail, and the network does not matter": {
			[]storage.Rule{{ID: "networks", When: storage.When{NotNetworks: office, UserTypes: []string{"client"}}}, open}, Decide([]storage.Rule{open}, facts()),
		},
		"two networks that allow different factors": {
			[]storage.Rule{
				{ID: "a", When: storage.When{Networks: office}, Then: storage.Then{Access: "allow", Strength: "any", Factors: []string{"totp"}}},
				{ID: "b", Then: storage.Then{Access: "allow", Strength: "any", Factors: []string{"webauthn"}}},
			},
			Decision{RuleID: "b", Allow: true, AnyStrength: true, NoFactor: true},
		},
		"report only": {
			[]storage.Rule{{ID: "try", ReportOnly: true, When: storage.When{NotNetworks: office}}, open},
			Decision{RuleID: "default", Allow: true, TwoFactor: Optional, AnyStrength: true, EnrolAtLogin: true, Remember: 14 * 24 * time.Hour, Reports: []string{"try"}},
		},
	} {
		f := facts()
		f.Address = netip.Addr{}
		if got := Decide(c.rules, f); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// someRules makes rules at random, of which about half ask for a network, and a quarter are behind a fact that fails.
func someRules(random *rand.Rand, n int) []storage.Rule {
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	rules := make([]storage.Rule, n)
	for i := range rules {
		r := storage.Rule{ID: fmt.Sprintf("rule-%d", i), Name: fmt.Sprintf("Rule %d", i), ReportOnly: random.IntN(6) == 0}
		switch random.IntN(5) {
		case 0:
			r.When.Networks = []string{pick("192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32")}
		case 1:
			r.When.NotNetworks = []string{pick("192.0.2.0/24", "198.51.100.0/24"), "2001:db8::/32"}
		case 2:
			r.When.Networks, r.When.NotNetworks = []string{"192.0.0.0/8"}, []string{pick("192.0.2.0/24", "192.0.3.0/24")}
		}
		if random.IntN(2) == 0 {
			r.When.UserTypes = []string{pick("staff", "client")}
		}
		if random.IntN(4) == 0 {
			r.When.ClientTags = []string{pick("internal", "public")}
		}
		r.Then = storage.Then{
			Access: pick("allow", "allow", ""), TwoFactor: pick("", "optional", "off", "unavailable"), Strength: pick("", "any"),
			Unenrolled: pick("", "enrol_at_login"), RememberDays: random.IntN(3), Factors: [][]string{nil, {"totp"}, {"totp", "webauthn"}, {"webauthn"}}[random.IntN(4)],
		}
		if random.IntN(3) == 0 {
			r.Then.GraceUntil = noon.Add(time.Duration(random.IntN(3)-1) * time.Hour)
		}
		switch random.IntN(20) {
		case 0:
			r.Then.Access = "Allow"
		case 1:
			r.When.NotNetworks = []string{"office"}
		case 2:
			r.When.Until = noon.Add(time.Duration(random.IntN(3)-1) * time.Hour)
		}
		rules[i] = r
	}
	return rules
}

// An unknown address is decided on as the strictest of what all addresses could be decided on: of each of the rules that
// ask for a network it may be that it holds and that it does not.
func TestDecideUnknownAddressIsTheStrictestOfAllCases(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		rules := someRules(random, 1+random.IntN(7))
		f := facts()
		f.Address = netip.Addr{}
		var unknown []int
		for i := range rules {
			if holds(&rules[i].When, &f) == Unknown {
				unknown = append(unknown, i)
			}
		}
		var want Decision
		for world := range 1 << len(unknown) {
			settled := slices.Clone(rules)
			for bit, i := range unknown {
				settled[i].When = storage.When{Users: []string{"nobody"}}
				if world>>bit&1 == 1 {
					settled[i].When = storage.When{}
				}
			}
			if d := Decide(settled, f); world == 0 {
				want = d
			} else {
				want = Strictest(want, d)
			}
		}
		if got := Decide(rules, f); !reflect.DeepEqual(what(got), what(want)) {
			t.Fatalf("rules %+v:\n%+v, want\n%+v", rules, got, want)
		}
		// Whatever the address is, it is decided on no more strictly than if it is unknown.
		hidden := Decide(rules, f)
		for _, a := range []string{"192.0.2.7", "192.0.3.7", "198.51.100.7", "2001:db8::7", "203.0.113.7"} {
			f.Address = netip.MustParseAddr(a)
			if d := Decide(rules, f); !reflect.DeepEqual(what(Strictest(hidden, d)), what(hidden)) {
				t.Fatalf("hiding %s pays under %+v:\n%+v, in place of\n%+v", a, rules, hidden, d)
			}
		}
	}
}

// unknowns are rules that ask for a network each.
func unknowns(n int) []storage.Rule {
	rules := make([]storage.Rule, n)
	for i := range rules {
		rules[i] = storage.Rule{
			ID: fmt.Sprint(i), When: storage.When{NotNetworks: []string{fmt.Sprintf("10.%d.%d.0/24", i/256%256, i%256)}},
			Then: storage.Then{Access: "allow", TwoFactor: "optional", Strength: "any", RememberDays: 1},
		}
	}
	rules[n-1].When = storage.When{}
	return rules
}

// The work grows with the rules, and not with the cases that there are for whom nobody can place: of thousands of rules
// no machine would ever see the end.
func TestDecideUnknownAddressAmongManyRules(t *testing.T) {
	f := facts()
	f.Address = netip.Addr{}
	for _, n := range []int{30, 5000} {
		want := Decision{RuleID: fmt.Sprint(n - 1), Allow: true, TwoFactor: Optional, AnyStrength: true, Remember: 24 * time.Hour}
		if got := Decide(unknowns(n), f); !reflect.DeepEqual(got, want) {
			t.Errorf("%d rules: %+v, want %+v", n, got, want)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	rules := unknowns(30)
	for name, address := range map[string]netip.Addr{"known": netip.MustParseAddr("192.0.2.7"), "unknown": {}} {
		b.Run("rules=30/address="+name, func(b *testing.B) {
			f := facts()
			f.Address = address
			if name == "known" {
				// The last rule decides: those before it are of other users.
				for i := range rules[:29] {
					rules[i].When.Users = []string{"u2"}
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				Decide(rules, f)
			}
		})
	}
}
