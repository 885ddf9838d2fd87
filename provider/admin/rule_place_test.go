package admin

import (
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

func TestPlaceOfANewRule(t *testing.T) {
	late := time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC)
	tenant := &storage.Tenant{UserTypes: []string{"staff", "client"}}
	must, freely := required(), required()
	freely.TwoFactor = off
	staff := switchRule(tenant, "staff")
	base := defaultRules()
	ticked, financial, last := base[0], base[1], base[2]
	networks := storage.Rule{ID: RuleNetworks, When: storage.When{NotNetworks: []string{"203.0.113.0/24"}}}
	ledger := storage.Rule{ID: "ledger", When: storage.When{Clients: []string{"ledger"}}, Then: must}
	trial, noClients := ledger, storage.Rule{ID: "no-clients", When: storage.When{UserTypes: []string{"client"}}}
	trial.ReportOnly = true
	nobody := storage.Rule{ID: "nobody"}
	usual := []storage.Rule{networks, ticked, financial, staff, last}
	grace := must
	grace.GraceUntil = late

	for name, c := range map[string]struct {
		rules  []storage.Rule
		when   storage.When
		then   storage.Then
		before string
	}{
		"an application goes before groups":                    {usual, storage.When{Clients: []string{"workbench"}}, must, RuleTicked},
		"a tag as well":                                        {usual, storage.When{ClientTags: []string{"finance"}}, must, RuleTicked},
		"a network":                                            {usual, storage.When{Networks: []string{"203.0.113.0/28"}}, must, RuleTicked},
		"a single user":                                        {usual, storage.When{Users: []string{"u1"}}, must, RuleTicked},
		"a group goes behind others":                           {usual, storage.When{Roles: []storage.Role{storage.Owner}}, must, RuleDefault},
		"part of a group before the group":                     {usual, storage.When{UserTypes: []string{"staff"}, Roles: []storage.Role{storage.Owner}}, must, "type-staff"},
		"everybody before everybody":                           {usual, storage.When{}, must, RuleDefault},
		"what asks for nothing goes behind what must stay":     {usual, storage.When{Clients: []string{"workbench"}}, freely, "type-staff"},
		"nor does what asks later":                             {usual, storage.When{Clients: []string{"workbench"}}, grace, "type-staff"},
		"what keeps out goes first of all":                     {usual, storage.When{Clients: []string{"workbench"}}, storage.Then{}, RuleTicked},
		"nobody is let in whom a rule keeps out":               {[]storage.Rule{ticked, noClients, last}, storage.When{Users: []string{"u1"}}, must, RuleDefault},
		"but where it keeps out all that is needed":            {[]storage.Rule{nobody}, storage.When{Users: []string{"u1"}}, must, "nobody"},
		"what is as narrow is left before it":                  {[]storage.Rule{ledger, last}, storage.When{Clients: []string{"workbench"}}, must, RuleDefault},
		"what is about the same would leave it nothing":        {[]storage.Rule{ledger, last}, storage.When{Clients: []string{"ledger"}, Roles: []storage.Role{storage.Owner}}, must, "ledger"},
		"what is about more than the same":                     {[]storage.Rule{ledger, last}, storage.When{Clients: []string{"ledger", "workbench"}}, must, RuleDefault},
		"what is only reported decides nothing":                {[]storage.Rule{trial, last}, storage.When{Clients: []string{"ledger"}}, must, RuleDefault},
		"from more places":                                     {[]storage.Rule{networks, last}, storage.When{NotNetworks: []string{"203.0.113.0/24", "2001:db8::/48"}}, storage.Then{}, RuleNetworks},
		"from fewer places":                                    {[]storage.Rule{networks, last}, storage.When{NotNetworks: []string{"2001:db8::/48"}}, storage.Then{}, RuleDefault},
		"a time within another":                                {[]storage.Rule{{ID: "from", When: storage.When{From: late}, Then: must}}, storage.When{From: late.AddDate(0, 1, 0)}, must, "from"},
		"a time that begins before":                            {[]storage.Rule{{ID: "from", When: storage.When{From: late}, Then: must}}, storage.When{From: late.AddDate(0, -1, 0)}, must, ""},
		"a time without end behind one with an end":            {[]storage.Rule{{ID: "until", When: storage.When{Until: late}, Then: must}}, storage.When{From: late}, must, ""},
		"a time that ends before, in front of one with an end": {[]storage.Rule{{ID: "until", When: storage.When{Until: late}, Then: must}}, storage.When{Until: late}, must, "until"},
		"no rules at all":                                      {nil, storage.When{}, must, ""},
	} {
		i := Place(c.rules, storage.Rule{When: c.when, Then: c.then})
		got := ""
		if i < len(c.rules) {
			got = c.rules[i].ID
		}
		if got != c.before {
			t.Errorf("%s: before %q, want before %q", name, got, c.before)
		}
	}
}
