package admin

import (
	"reflect"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// What the audit log says of a change of policy, and that what only looks otherwise is none.
func TestChanges(t *testing.T) {
	at := time.Date(2026, 3, 4, 14, 3, 0, 0, time.UTC)
	a, b := storage.Rule{ID: "a", Name: "A", Then: storage.Then{Access: "allow", GraceUntil: at}}, storage.Rule{ID: "b", Name: "B", When: storage.When{Plans: []string{"x"}}}
	with := func(r storage.Rule, change func(*storage.Rule)) storage.Rule {
		change(&r)
		return r
	}
	office := storage.Network{Prefix: "203.0.113.0/24", Name: "Office"}
	tenant := func(networks []storage.Network, rules ...storage.Rule) *storage.Tenant {
		return &storage.Tenant{Rules: rules, Networks: networks}
	}
	for want, c := range map[string][2]*storage.Tenant{
		"":                                 {tenant(nil, a, b), tenant(nil, a, b)},
		`rule "B" added`:                   {tenant(nil, a), tenant(nil, a, b)},
		`rule "A" removed`:                 {tenant(nil, a, b), tenant(nil, b)},
		`rule "A" removed; rule "B" added`: {tenant(nil, a), tenant(nil, b)},
		"order of the rules changed":       {tenant(nil, a, b), tenant(nil, b, a)},
		`rule "C" changed`:                 {tenant(nil, a, b), tenant(nil, a, with(b, func(r *storage.Rule) { r.Name = "C" }))},
		`rule "B" changed`:                 {tenant(nil, a, b), tenant(nil, a, with(b, func(r *storage.Rule) { r.ReportOnly = true }))},
		`rule "A" changed`:                 {tenant(nil, a), tenant(nil, with(a, func(r *storage.Rule) { r.Then.GraceUntil = at.Add(time.Minute) }))},
		`network 203.0.113.0/24 added`:     {tenant(nil, a), tenant([]storage.Network{office}, a)},
		`network 203.0.113.0/24 removed`:   {tenant([]storage.Network{office}, a), tenant(nil, a)},
		`network 203.0.113.0/24 changed`:   {tenant([]storage.Network{office}, a), tenant([]storage.Network{{Prefix: office.Prefix, Name: "Shop"}}, a)},
		`rule "A" removed; order of the rules changed`: {
			tenant(nil, a, b, with(b, func(r *storage.Rule) { r.ID = "c" })), tenant(nil, with(b, func(r *storage.Rule) { r.ID = "c" }), b),
		},
	} {
		got := compare(c[0], c[1])
		if got.String() != want || got.Any() != (want != "") {
			t.Errorf("%q (%t), want %q", got, got.Any(), want)
		}
	}
	same := with(a, func(r *storage.Rule) {
		r.When.Users, r.Then.Factors, r.When.Roles = []string{}, []string{}, []storage.Role{}
		r.Then.GraceUntil = at.In(time.FixedZone("", 3600))
	})
	if c := compare(tenant(nil, a), tenant([]storage.Network{}, same)); c.Any() {
		t.Errorf("written otherwise is changed: %v", c)
	}
}

// Rules of before rules had IDs get those of the switches where they say the same, and else one that stays.
func TestIdentify(t *testing.T) {
	must := storage.Then{Access: "allow", Strength: "any"}
	rules := []storage.Rule{
		{Name: "Ours", When: storage.When{Plans: []string{"x"}}},
		{Name: "Staff must", When: storage.When{UserTypes: []string{"staff"}}, Then: must},
		{Name: "Staff must, again", When: storage.When{UserTypes: []string{"staff"}}, Then: must},
		{Name: "Clients must, tried", When: storage.When{UserTypes: []string{"client"}}, Then: must, ReportOnly: true},
		{Name: "This user must", When: storage.When{Ticked: true}, Then: must},
		{Name: "Both must", When: storage.When{UserTypes: []string{"staff", "client"}}, Then: must},
		{ID: "kept", Name: "Kept", When: storage.When{UserTypes: []string{"client"}}, Then: must},
		{Name: "Everyone must", Then: must},
		{Name: "The rest", Then: storage.Then{Access: "allow", TwoFactor: "optional"}},
	}
	before := append([]storage.Rule{}, rules...)
	identified := func() []string {
		tenant := storage.Tenant{UserTypes: []string{"staff", "client"}, Rules: rules}
		identify(&tenant)
		var ids []string
		for _, r := range tenant.Rules {
			ids = append(ids, r.ID)
		}
		return ids
	}
	got := identified()
	for i, want := range map[int]string{1: "type-staff", 4: "ticked", 6: "kept", 7: "everyone", 8: "default"} {
		if got[i] != want {
			t.Errorf("%q is %q, want %q", rules[i].Name, got[i], want)
		}
	}
	seen := map[string]bool{}
	for i, id := range got {
		if id == "" || seen[id] || BuiltIn(id) != (i == 1 || i == 4 || i > 6) {
			t.Errorf("%q is %q", rules[i].Name, id)
		}
		seen[id] = true
	}
	if !reflect.DeepEqual(identified(), got) || !reflect.DeepEqual(rules, before) {
		t.Error("it is not the same at each look")
	}
}

// Every built-in rule is what it is made as, and none can be bent.
func TestBuiltInRulesAreFixed(t *testing.T) {
	tenant := storage.Tenant{UserTypes: []string{"staff"}, Networks: []storage.Network{{Prefix: "203.0.113.0/24", Require2FA: true}}, Rules: defaultRules()}
	setNetworks(&tenant, true)
	if err := setSwitches(&tenant, []string{"staff", Everyone}); err != nil {
		t.Fatal(err)
	}
	if len(tenant.Rules) != 7 {
		t.Fatalf("%d rules", len(tenant.Rules))
	}
	for _, r := range tenant.Rules {
		if !BuiltIn(r.ID) {
			t.Errorf("%q is not built in", r.ID)
		}
		if err := checkBuiltIn(&tenant, &r); err != nil {
			t.Errorf("%s as it is: %v", r.ID, err)
		}
		for what, bend := range map[string]func(*storage.Rule){
			"narrower":      func(r *storage.Rule) { r.When.Roles = []storage.Role{storage.Member} },
			"for a time":    func(r *storage.Rule) { r.When.Until = time.Unix(1, 0) },
			"only reported": func(r *storage.Rule) { r.ReportOnly = true },
			"otherwise":     func(r *storage.Rule) { r.Then.TwoFactor = "off" },
			"letting in":    func(r *storage.Rule) { r.Then.Access = map[string]string{"": "allow", "allow": ""}[r.Then.Access] },
		} {
			o := r
			bend(&o)
			// What everybody else gets is for the tenant to say.
			free := r.ID == RuleDefault && what != "narrower" && what != "for a time"
			if err := checkBuiltIn(&tenant, &o); (err == nil) != free {
				t.Errorf("%s %s: %v", r.ID, what, err)
			}
		}
		named := r
		named.Name, named.Then.RememberDays, named.Then.Unenrolled, named.Then.Factors = "Other", 3, "", []string{"totp"}
		if err := checkBuiltIn(&tenant, &named); err != nil {
			t.Errorf("%s called otherwise: %v", r.ID, err)
		}
	}
	if BuiltIn("type-") || BuiltIn("network") || BuiltIn("") {
		t.Error("an ID of nobody is built in")
	}
}
