package policy

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"

	"github.com/sallyport-id/sallyport/storage"
)

// Whatever the rules: users of one key are decided on alike everywhere, and applications of one key for everybody.
func TestLikeness(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	some := func(of ...string) []string {
		if random.IntN(3) > 0 {
			return nil
		}
		return of[random.IntN(len(of)):]
	}
	users, apps := likely()
	for round := range 2000 {
		var rules []storage.Rule
		for i := range 6 {
			w := storage.When{
				UserTypes: some("staff", "client"), Users: some("u1", "u2"), Networks: some("2001:db8::/48", "203.0.113.0/24"),
				NotNetworks: some("203.0.113.0/28", "::ffff:203.0.113.0/124", "no network"), Clients: some("a", "b"), ClientTags: some("x", "y"),
				Ticked: random.IntN(5) == 0,
			}
			if random.IntN(5) == 0 {
				w.Roles = []storage.Role{storage.Owner}
			}
			rules = append(rules, storage.Rule{Name: fmt.Sprint(i), When: w, Then: storage.Then{Access: "allow"}, ReportOnly: random.IntN(5) == 0})
		}
		l := NewLikeness(rules)
		byUser, byApp := map[string]Decision{}, map[string]Decision{}
		for u, user := range users {
			for a, app := range apps {
				f := user
				f.Client, f.Tags = app.Client, app.Tags
				d := Decide(rules, f)
				for key, known := range map[string]map[string]Decision{fmt.Sprint(l.User(user), "at", a): byUser, fmt.Sprint(l.App(app), "for", u): byApp} {
					if o, ok := known[key]; ok && !reflect.DeepEqual(o, d) {
						t.Fatalf("round %d: two of the key %q are decided on as %+v and %+v by %+v", round, key, o, d, rules)
					}
					known[key] = d
				}
			}
		}
	}
}

// likely are users and applications that rules of the test are about.
func likely() (users, apps []Facts) {
	addresses := []netip.Addr{{}}
	for _, a := range []string{"203.0.113.7", "::ffff:203.0.113.7", "203.0.113.77", "2001:db8::1", "198.51.100.1"} {
		addresses = append(addresses, netip.MustParseAddr(a))
	}
	for i, a := range addresses {
		for _, userType := range []string{"", "staff", "client"} {
			for _, id := range []string{"u1", "u2", "u3"} {
				role := storage.Member
				if i%2 == 0 {
					role = storage.Owner
				}
				users = append(users, Facts{User: id, UserType: userType, Role: role, Ticked: i%3 == 0, Address: a})
			}
		}
	}
	return users, []Facts{{}, {Client: "a"}, {Client: "b", Tags: []string{"x"}}, {Client: "c", Tags: []string{"x", "y"}}, {Client: "d"}}
}

// A million users of a few kinds are of a few keys, wherever they come from.
func TestLikenessIsCoarse(t *testing.T) {
	l := NewLikeness([]storage.Rule{
		{When: storage.When{Networks: []string{"203.0.113.0/24"}}},
		{When: storage.When{Users: []string{"u1", "u2"}}},
		{When: storage.When{Users: []string{"u2"}, ClientTags: []string{"x"}}},
	})
	keys := map[string]bool{}
	for i := range 256 {
		for _, id := range []string{"u1", "u2", "u3", "u4"} {
			keys[l.User(Facts{User: id, UserType: "staff", Address: netip.AddrFrom4([4]byte{203, 0, byte(112 + i%2), byte(i)})})] = true
		}
	}
	if len(keys) != 6 {
		t.Errorf("%d keys, want one for each of two places and of unnamed users and the two that are named differently: %v", len(keys), keys)
	}
	if !l.Apps() || NewLikeness([]storage.Rule{{When: storage.When{Plans: []string{"team"}}}}).Apps() {
		t.Error("which rules are about applications is not told")
	}
	if l.App(Facts{Client: "c"}) != l.App(Facts{}) || l.App(Facts{Client: "c", Tags: []string{"x"}}) == l.App(Facts{}) {
		t.Error("applications that a rule is about are not told apart from others")
	}
}

func TestTurn(t *testing.T) {
	rules := []storage.Rule{
		{Name: "only reported", ReportOnly: true},
		{Name: "from elsewhere", When: storage.When{NotNetworks: []string{"203.0.113.0/24"}}},
		{Name: "staff", When: storage.When{UserTypes: []string{"staff"}}},
		{Name: "ledger", When: storage.When{Clients: []string{"ledger"}}},
		{Name: "broken", When: storage.When{Networks: []string{"nowhere"}}},
		{Name: "all"},
	}
	office, home := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("198.51.100.1")
	for name, c := range map[string]struct {
		place   int
		f       Facts
		holding bool
		first   int
	}{
		"its turn comes":                    {3, Facts{UserType: "client", Client: "ledger", Address: office}, true, -1},
		"another comes first":               {3, Facts{UserType: "staff", Client: "ledger", Address: office}, true, 2},
		"the first of several comes first":  {3, Facts{UserType: "staff", Client: "ledger", Address: home}, true, 1},
		"it does not hold":                  {3, Facts{UserType: "staff", Address: home}, false, -1},
		"who may come from anywhere":        {3, Facts{UserType: "client", Client: "ledger"}, true, -1},
		"what may hold has its turn":        {1, Facts{}, true, -1},
		"what can't be read lets none pass": {5, Facts{Address: office}, true, 4},
	} {
		if holding, first := Turn(rules, c.place, c.f); holding != c.holding || first != c.first {
			t.Errorf("%s: %t, %d, want %t, %d", name, holding, first, c.holding, c.first)
		}
	}
}
