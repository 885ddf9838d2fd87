package policy

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
)

// full is a rule with all that a rule can have.
func full() storage.Rule {
	return storage.Rule{
		ID: "type-staff", Name: strings.Repeat("ä", 100), ReportOnly: true,
		When: storage.When{
			UserTypes: []string{"staff"}, Roles: []storage.Role{storage.Owner, storage.Admin, storage.Member}, Users: []string{"u1"}, Ticked: true,
			Networks: []string{"192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0", "::/0", "192.0.2.7/32"}, NotNetworks: []string{"198.51.100.0/24"},
			Clients: []string{"shop"}, ClientTags: []string{"internal"}, Plans: []string{"paid"}, Integrations: []string{"financial"},
			From: noon, Until: noon.Add(time.Second),
		},
		Then: storage.Then{
			Access: "allow", TwoFactor: "optional", Strength: "any", Factors: []string{"totp", "webauthn"}, RememberDays: 30,
			Unenrolled: "enrol_at_login", GraceUntil: noon,
		},
	}
}

func TestCheck(t *testing.T) {
	for name, r := range map[string]storage.Rule{"full": full(), "of a name alone": {Name: "x"}, "deny": {Name: "x", When: storage.When{Until: noon}}} {
		if err := Check(r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []struct {
		field, code, value string
		slip               func(*storage.Rule)
	}{
		{"name", FaultMissing, "", func(r *storage.Rule) { r.Name = " \t" }},
		{"name", FaultTooLong, strings.Repeat("ä", 101), func(r *storage.Rule) { r.Name += "ä" }},
		{"name", FaultCharset, "a\nb", func(r *storage.Rule) { r.Name = "a\nb" }},
		{"name", FaultCharset, "a\u202eb", func(r *storage.Rule) { r.Name = "a\u202eb" }},
		{"name", FaultCharset, "\xff", func(r *storage.Rule) { r.Name = "\xff" }},
		{"id", FaultSyntax, "two words", func(r *storage.Rule) { r.ID = "two words" }},
		{"id", FaultTooLong, strings.Repeat("a", 101), func(r *storage.Rule) { r.ID = strings.Repeat("a", 101) }},
		{"when.user_types", FaultMissing, "", func(r *storage.Rule) { r.When.UserTypes = []string{""} }},
		{"when.roles", FaultUnknown, "boss", func(r *storage.Rule) { r.When.Roles = []storage.Role{"boss"} }},
		{"when.users", FaultTwice, "u1", func(r *storage.Rule) { r.When.Users = []string{"u1", "u2", "u1"} }},
		{"when.networks", FaultSyntax, "192.0.2.7", func(r *storage.Rule) { r.When.Networks = []string{"192.0.2.7"} }},
		{"when.networks", FaultSyntax, "192.0.2.0/33", func(r *storage.Rule) { r.When.Networks = []string{"192.0.2.0/33"} }},
		{"when.networks", FaultHostBits, "192.0.2.7/24", func(r *storage.Rule) { r.When.Networks = []string{"192.0.2.7/24"} }},
		{"when.not_networks", FaultHostBits, "2001:db8::1/32", func(r *storage.Rule) { r.When.NotNetworks = []string{"2001:db8::1/32"} }},
		{"when.not_networks", FaultMapped, "::ffff:192.0.2.0/120", func(r *storage.Rule) { r.When.NotNetworks = []string{"::ffff:192.0.2.0/120"} }},
		{"when.not_networks", FaultSyntax, "fe80::%eth0/64", func(r *storage.Rule) { r.When.NotNetworks = []string{"fe80::%eth0/64"} }},
		{"when.clients", FaultCharset, "a\x00", func(r *storage.Rule) { r.When.Clients = []string{"a\x00"} }},
		{"when.client_tags", FaultMissing, "", func(r *storage.Rule) { r.When.ClientTags = []string{"a", ""} }},
		{"when.plans", FaultMissing, "", func(r *storage.Rule) { r.When.Plans = []string{""} }},
		{"when.integrations", FaultTwice, "chat", func(r *storage.Rule) { r.When.Integrations = []string{"chat", "chat"} }},
		{"when.until", FaultOrder, "", func(r *storage.Rule) { r.When.Until = r.When.From }},
		{"then.access", FaultUnknown, "Allow", func(r *storage.Rule) { r.Then.Access = "Allow" }},
		{"then.two_factor", FaultUnknown, "required", func(r *storage.Rule) { r.Then.TwoFactor = "required" }},
		{"then.strength", FaultUnknown, "weak", func(r *storage.Rule) { r.Then.Strength = "weak" }},
		{"then.factors", FaultSyntax, "TOTP", func(r *storage.Rule) { r.Then.Factors = []string{"TOTP"} }},
		{"then.remember_days", FaultRange, "", func(r *storage.Rule) { r.Then.RememberDays = 31 }},
		{"then.remember_days", FaultRange, "", func(r *storage.Rule) { r.Then.RememberDays = -1 }},
		{"then.unenrolled", FaultUnknown, "recovery_code_only", func(r *storage.Rule) { r.Then.Unenrolled = "recovery_code_only" }},
	} {
		r := full()
		c.slip(&r)
		var f *Fault
		if err := Check(r); !errors.As(err, &f) || *f != (Fault{Field: c.field, Code: c.code, Value: c.value}) {
			t.Errorf("%s %s: got %v", c.field, c.code, err)
		}
	}
}

// What passes is read by Decide: it does not deny because nobody could make sense of it.
func FuzzCheck(f *testing.F) {
	f.Add("Staff", "type-staff", "staff", "owner", "192.0.2.0/24", "2001:db8::/32", "allow", "optional", "any", "enrol_at_login", "totp", 14, int64(0), int64(60))
	f.Add("x", "", "", "boss", "192.0.2.7/24", "::ffff:192.0.2.0/120", "Allow", "required", "weak", "ignore", "TOTP", 31, int64(60), int64(0))
	f.Add("x", "a b", "\x00", "", "10.0.0.0/08", "fe80::%1/64", "", "", "", "", "", -1, int64(1), int64(1))
	f.Fuzz(func(t *testing.T, name, id, userType, role, network, not, access, two, strength, unenrolled, factor string, days int, from, until int64) {
		r := storage.Rule{
			Name: name, ID: id,
			When: storage.When{
				UserTypes: []string{userType}, Roles: []storage.Role{storage.Role(role)}, Networks: []string{network}, NotNetworks: []string{not},
				From: time.Unix(from, 0), Until: time.Unix(until, 0),
			},
			Then: storage.Then{
				Access: access, TwoFactor: two, Strength: strength, Unenrolled: unenrolled, Factors: []string{factor}, RememberDays: days,
			},
		}
		if userType == "" {
			r.When.UserTypes = nil
		}
		if factor == "" {
			r.Then.Factors = nil
		}
		if network == "" {
			r.When.Networks = nil
		}
		if not == "" {
			r.When.NotNetworks = nil
		}
		if role == "" {
			r.When.Roles = nil
		}
		if Check(r) != nil {
			return
		}
		facts := Facts{UserType: userType, Role: storage.Role(role), Now: r.When.From}
		for _, n := range []string{"", network} {
			if n != "" {
				facts.Address = netip.MustParsePrefix(n).Addr()
			}
			if v := Trace([]storage.Rule{r}, facts)[0]; v.Unreadable || v.Name != name || v.ID != id {
				t.Errorf("%+v passed, and can't be read: %+v", r, v)
			}
		}
		// A rule that names the network of an address, and not another that it is in, holds there.
		if v := Trace([]storage.Rule{r}, facts)[0]; network != "" && not == "" && v.Holds != Yes {
			t.Errorf("%+v does not hold for what it names: %+v", r, v)
		}
		if d := Decide([]storage.Rule{r}, facts); d.Allow && access != "allow" || d.Remember > longestRemember {
			t.Errorf("%+v: %+v", r, d)
		}
	})
}
