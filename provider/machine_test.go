package provider

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sallyport-id/sallyport/storage"
)

// robot is a machine of the tenant birch, which gets tokens for itself from wherever the test says.
type robot struct {
	w      *world
	secret string
}

func (w *world) robot() *robot {
	w.t.Helper()
	return &robot{w: w, secret: w.client("robot", "machine", "", func(c *storage.Client) {
		c.Owner, c.RedirectURIs, c.GrantTypes, c.Scopes = "birch", nil, []string{"client_credentials"}, []string{"jobs"}
	})}
}

// asks asks for a token through a proxy that says it forwards for an address; it returns the OAuth error, or nothing
// where a token came.
func (r *robot) asks(forwardedFor string) (problem string) {
	r.w.t.Helper()
	req, err := http.NewRequestWithContext(r.w.t.Context(), http.MethodPost, r.w.address+"/token",
		strings.NewReader(url.Values{"grant_type": {"client_credentials"}, "scope": {"jobs"}}.Encode()))
	if err != nil {
		r.w.t.Fatal(err)
	}
	req.SetBasicAuth("robot", r.secret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if forwardedFor != "" {
		req.Header.Set("X-Forwarded-For", forwardedFor)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.w.t.Fatal(err)
	}
	var answer struct {
		Token string `json:"access_token"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		r.w.t.Fatalf("%d %s: %v", res.StatusCode, body, err)
	}
	if (answer.Token == "") == (answer.Error == "") || (res.StatusCode == http.StatusOK) != (answer.Token != "") {
		r.w.t.Fatalf("neither a token nor an error: %d %s", res.StatusCode, body)
	}
	return answer.Error
}

// gets wants a token from everywhere, and refused an error from everywhere, which the audit log puts down to a rule.
func (r *robot) gets(from ...string) {
	r.w.t.Helper()
	for _, a := range from {
		if problem := r.asks(a); problem != "" {
			r.w.t.Errorf("from %q: %s, want a token", a, problem)
		}
	}
}

func (r *robot) refused(rule string, from ...string) {
	r.w.t.Helper()
	for _, a := range from {
		before := len(r.w.events("birch"))
		if problem := r.asks(a); problem != "unauthorized_client" {
			r.w.t.Errorf("from %q: %q, want unauthorized_client", a, problem)
		}
		noted := r.w.events("birch")[before:]
		if len(noted) != 1 || noted[0].Action != "token.client_credentials" || noted[0].Outcome != "refused" ||
			noted[0].Rule != rule || noted[0].Client != "robot" || noted[0].Actor != "robot" {
			r.w.t.Errorf("from %q: audit log %+v, want one refusal by rule %q", a, noted, rule)
		}
	}
}

// ours lists networks as the account's own, beside its rules.
func (w *world) ours(tenant string, rules []storage.Rule, networks ...string) {
	w.t.Helper()
	_, err := storage.Change(w.t.Context(), w.store.Tenants, storage.Global, tenant, func(t *storage.Tenant) error {
		t.Networks = nil
		for _, n := range networks {
			t.Networks = append(t.Networks, storage.Network{Prefix: n})
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.rules(tenant, rules...)
}

// 002-20: while two-factor authentication is forced, machines get tokens only from networks that the account lists.
func TestMachinesWhileTwoFactorIsForced(t *testing.T) {
	w := newWorld(t, trusting)
	r := w.robot()
	required := storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login"}
	may := storage.Rule{ID: "default", Name: "Everyone may sign in", Then: storage.Then{Access: "allow", TwoFactor: "optional", Strength: "any"}}
	must := storage.Rule{ID: "everyone", Name: "Everyone must use two-factor authentication", Then: required}
	staff := storage.Rule{ID: "type-staff", Name: "Staff must", When: storage.When{UserTypes: []string{"staff"}}, Then: required}

	// Not forced, or forced for people of one type only: from anywhere.
	r.gets("198.51.100.7", "2001:db8::7", "")
	w.ours("birch", []storage.Rule{staff, may}, "192.0.2.0/24")
	r.gets("192.0.2.7", "198.51.100.7")

	// Forced for everyone, with no network listed, and then with two.
	w.ours("birch", []storage.Rule{must, may})
	r.refused(must.Name, "192.0.2.7", "198.51.100.7", "2001:db8::7")
	w.ours("birch", []storage.Rule{must, may}, "192.0.2.0/24", "2001:db8:1::/48")
	r.gets("192.0.2.7", "::ffff:192.0.2.8", "2001:db8:1::9", "[2001:db8:1::9]:4711", "192.0.2.7:4711")
	r.refused(must.Name, "192.0.3.7", "::ffff:192.0.3.8", "2001:db8:2::9")
	// Where the address can't be told it is in no network; and what the client itself wrote to the left counts for nothing.
	r.refused(must.Name, "unknown", "192.0.2.7, unknown", "192.0.2.7, 198.51.100.7")
	r.gets("198.51.100.7, 192.0.2.7", "192.0.2.7, 127.0.0.9")

	// Only tried out.
	trial := must
	trial.ReportOnly = true
	w.ours("birch", []storage.Rule{trial, may})
	r.gets("198.51.100.7")
}

// 002-21 holds for machines too.
func TestMachinesOfARestrictedAccount(t *testing.T) {
	w := newWorld(t, trusting)
	r := w.robot()
	networks := []string{"192.0.2.0/24", "2001:db8:1::/48"}
	w.ours("birch", []storage.Rule{
		{ID: "networks", Name: "Only from our networks", When: storage.When{NotNetworks: networks}},
		{ID: "default", Name: "Everyone may sign in", Then: storage.Then{Access: "allow", TwoFactor: "optional", Strength: "any"}},
	}, networks...)
	r.gets("192.0.2.7", "2001:db8:1::7")
	r.refused("Only from our networks", "198.51.100.7", "2001:db8:2::7", "unknown")
}

// What a client says of its address is believed of our own proxies alone.
func TestMachinesThroughAProxyThatIsNotOurs(t *testing.T) {
	w := newWorld(t)
	r := w.robot()
	must := storage.Rule{ID: "everyone", Name: "Everyone must", Then: storage.Then{Access: "allow", Strength: "any"}}
	w.ours("birch", []storage.Rule{must}, "192.0.2.0/24")
	r.refused(must.Name, "192.0.2.7", "")
	w.ours("birch", []storage.Rule{must}, "127.0.0.0/8")
	r.gets("192.0.2.7", "")
}
