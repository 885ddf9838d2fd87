package policy

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

func TestFactsOf(t *testing.T) {
	tenant := &storage.Tenant{Plan: "paid", Integrations: []storage.Integration{{Kind: "financial"}, {Kind: "chat"}}}
	user := &storage.User{Key: storage.Key{ID: "u1"}, Type: "staff", Role: storage.Admin, Require2FA: true}
	client := &storage.Client{Key: storage.Key{ID: "shop"}, Tags: []string{"internal"}}
	a := netip.MustParseAddr("::ffff:192.0.2.7")
	kinds := []string{"financial", "chat"}
	for name, c := range map[string]struct{ got, want Facts }{
		"a user at an application": {
			FactsOf(tenant, user, client, a, noon),
			Facts{
				User: "u1", UserType: "staff", Role: storage.Admin, Ticked: true, Address: netip.MustParseAddr("192.0.2.7"),
				Client: "shop", Tags: []string{"internal"}, Plan: "paid", Integrations: kinds, Now: noon,
			},
		},
		"a user at our own pages, at an unknown address": {
			FactsOf(tenant, user, nil, netip.Addr{}, noon),
			Facts{User: "u1", UserType: "staff", Role: storage.Admin, Ticked: true, Plan: "paid", Integrations: kinds, Now: noon},
		},
		"a machine, by one of our own interfaces": {
			FactsOf(tenant, nil, client, netip.MustParseAddr("fe80::1%eth0"), noon),
			Facts{Address: netip.MustParseAddr("fe80::1"), Client: "shop", Tags: []string{"internal"}, Plan: "paid", Integrations: kinds, Now: noon},
		},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, c.got, c.want)
		}
	}
}

// Addresses of all writings, in networks of all writings.
func TestDecideNetworks(t *testing.T) {
	for _, c := range []struct {
		network, address string
		in               bool
	}{
		{"192.0.2.0/24", "192.0.2.7", true},
		{"192.0.2.0/24", "::ffff:192.0.2.7", true},
		{"::ffff:192.0.2.0/120", "192.0.2.7", true},
		{"::ffff:192.0.2.0/120", "::ffff:192.0.2.7", true},
		{"::ffff:192.0.2.0/120", "192.0.3.7", false},
		{"192.0.2.0/24", "192.0.3.7", false},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "192.0.2.7", false},
		{"::/0", "2001:db8::1", true},
		{"2001:db8::/32", "2001:db8:ffff::1", true},
		{"2001:db8::/32", "2001:db9::1", false},
		{"fe80::/10", "fe80::1%eth0", true},
		{"192.0.2.7/32", "192.0.2.7", true},
		{"192.0.2.7/24", "192.0.2.99", true},
	} {
		f := facts()
		f.Address = netip.MustParseAddr(c.address)
		if got := Decide(allow(storage.When{Networks: []string{c.network}}), f).Allow; got != c.in {
			t.Errorf("%s in %s: %t", c.address, c.network, got)
		}
		if got := Decide(allow(storage.When{NotNetworks: []string{c.network}}), f).Allow; got == c.in {
			t.Errorf("%s not in %s: %t", c.address, c.network, got)
		}
	}
}

// 002-20: while two-factor authentication is forced, machines come from listed networks only.
func TestMachine(t *testing.T) {
	required := storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login"}
	everyone := storage.Rule{ID: "everyone", Name: "Everyone must", Then: required}
	staff := storage.Rule{ID: "type-staff", Name: "Staff must", When: storage.When{UserTypes: []string{"staff"}}, Then: required}
	ticked := storage.Rule{ID: "ticked", Name: "This user must", When: storage.When{Ticked: true}, Then: required}
	financial := storage.Rule{ID: "financial", Name: "Accounting must", When: storage.When{Integrations: []string{"financial"}}, Then: required}
	networks := storage.Rule{ID: "networks", Name: "Networks only", When: storage.When{NotNetworks: []string{"192.0.2.0/24", "2001:db8::/32"}}}
	fromThere := storage.Rule{ID: "network-2fa", Name: "From there all must", When: storage.When{Networks: []string{"2001:db8::/32"}}, Then: required}
	own := storage.Rule{ID: "own", Name: "The till may", When: storage.When{Clients: []string{"till"}}, Then: storage.Then{Access: "allow", TwoFactor: "off"}}
	open := storage.Rule{ID: "default", Name: "Everyone may", Then: storage.Then{Access: "allow", TwoFactor: "optional", Strength: "any"}}
	grace := everyone
	grace.Then.GraceUntil = noon.Add(time.Second)
	over := everyone
	over.Then.GraceUntil = noon
	try := everyone
	try.ReportOnly = true
	const listedAt, elsewhere = "192.0.2.7", "198.51.100.7"
	for _, c := range []struct {
		name    string
		rules   []storage.Rule
		address string
		allow   bool
		rule    string
		forced  bool
	}{
		{"not forced", []storage.Rule{open}, elsewhere, true, "default", false},
		{"not forced, at an unknown address", []storage.Rule{open}, "", true, "default", false},
		{"forced, elsewhere", []storage.Rule{everyone, open}, elsewhere, false, "everyone", true},
		{"forced, listed", []storage.Rule{everyone, open}, listedAt, true, "everyone", true},
		{"forced, listed as IPv6", []storage.Rule{everyone, open}, "2001:db8::9", true, "everyone", true},
		{"forced, listed, through a socket of both families", []storage.Rule{everyone, open}, "::ffff:" + listedAt, true, "everyone", true},
		{"forced, elsewhere, through a socket of both families", []storage.Rule{everyone, open}, "::ffff:" + elsewhere, false, "everyone", true},
		{"forced, at an unknown address", []storage.Rule{everyone, open}, "", false, "everyone", true},
		{"forced for staff", []storage.Rule{staff, open}, elsewhere, true, "default", false},
		{"forced for one user", []storage.Rule{ticked, open}, elsewhere, true, "default", false},
		{"forced by what is connected", []storage.Rule{financial, open}, elsewhere, false, "financial", true},
		{"restricted, elsewhere", []storage.Rule{networks, open}, elsewhere, false, "networks", false},
		{"restricted, listed", []storage.Rule{networks, open}, listedAt, true, "default", false},
		{"restricted, at an unknown address", []storage.Rule{networks, open}, "", false, "networks", false},
		{"forced from a network, from there", []storage.Rule{fromThere, open}, "2001:db8::9", true, "network-2fa", true},
		{"forced from a network, elsewhere", []storage.Rule{fromThere, open}, elsewhere, true, "default", false},
		{"forced from a network, at an unknown address", []storage.Rule{fromThere, open}, "", false, "network-2fa", true},
		{"let off by a rule of its own", []storage.Rule{own, everyone}, elsewhere, true, "own", false},
		{"forced from a date on", []storage.Rule{grace, open}, elsewhere, true, "everyone", false},
		{"the date is there", []storage.Rule{over, open}, elsewhere, false, "everyone", true},
		{"tried out", []storage.Rule{try, open}, elsewhere, true, "default", false},
		{"no rule", nil, listedAt, false, "", false},
		{"only rules for users", []storage.Rule{staff}, listedAt, false, "", false},
		{"a rule that can't be read", []storage.Rule{{ID: "slip", Then: storage.Then{Access: "Allow"}}, open}, listedAt, false, "slip", false},
	} {
		tenant := &storage.Tenant{
			Rules: c.rules, Integrations: []storage.Integration{{Kind: "financial"}},
			Networks: []storage.Network{{Prefix: "office"}, {Prefix: "192.0.2.0/24"}, {Prefix: "2001:db8::/32"}},
		}
		var a netip.Addr
		if c.address != "" {
			a = netip.MustParseAddr(c.address)
		}
		v := Machine(tenant, &storage.Client{Key: storage.Key{ID: "till"}}, a, noon)
		if v.Allow != c.allow || v.RuleID != c.rule || v.Forced != c.forced || (v.Rule == "") != (c.rule == "" || c.rule == "slip") {
			t.Errorf("%s: %+v, want %+v", c.name, v, c)
		}
	}
}
