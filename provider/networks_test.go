package provider

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// forwarded is the way of a browser's requests through a proxy of ours, which says where they come from.
type forwarded struct{ from string }

// RoundTrip implements http.RoundTripper.
func (f forwarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.from != "" {
		r = r.Clone(r.Context())
		r.Header.Set("X-Forwarded-For", f.from)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// from puts a browser somewhere.
func (b *browser) from(address string) *browser {
	b.client.Transport = forwarded{address}
	return b
}

// 002-21: from other addresses than the account's nobody signs in, whether IPv4 or IPv6; it is told by which rule. The one who
// saves can't lock himself out, and is told of which address.
func TestRestrictedNetworks(t *testing.T) {
	w := newWorld(t, trusting)
	w.user("birch", "kim@birch.example", "client")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	owner.from("203.0.113.7")
	p := owner.get(ui.PathNetworks).is(atNetworks).says("You are at 203.0.113.7", "Add 203.0.113.7")

	// With nothing listed there is nothing to restrict to.
	p.post("/networks", "restricted", "yes").is(atNetworks).says("There is no network that anybody could sign in from")
	// With others listed, she herself would be out: it says so, and there is no button to save it.
	q := p.post("/networks", "restricted", "yes", "prefix", "198.51.100.0/24").is(atPreview).
		says("You would lock yourself out: the rule “Sign-in is possible from the account’s networks only” would keep you out at 203.0.113.7")
	if q.status != http.StatusUnprocessableEntity || strings.Contains(q.body, "/policy/save") {
		t.Errorf("%d, and it can be saved", q.status)
	}
	// The draft can't be saved past its page either.
	draft := q.url.Query().Get("draft")
	r := owner.follow(owner.request(http.MethodPost, ui.PathPolicy+"/save", map[string][]string{"draft": {draft}, "do": {"save"}}))
	if r.is(atPreview).says("You would lock yourself out"); r.status != http.StatusUnprocessableEntity {
		t.Errorf("saved past its page: %d", r.status)
	}

	// By buttons alone: her own address, another row, one that is removed again.
	p = p.post("/networks", "do", "mine").is(atNetworks).says("It is in one of these networks")
	p = p.post("/networks", "do", "add").post("/networks", "+prefix", "2001:db8:1::/48", "+called", "Annex", "do", "add")
	p = p.post("/networks", "do", "remove-1") // the empty one
	if _, f := p.filled("/networks"); !slices.Equal(f["prefix"], []string{"203.0.113.7", "2001:db8:1::/48", ""}) {
		t.Fatalf("the rows are %q", f["prefix"])
	}
	p.post("/networks", "restricted", "yes", "do", "check").
		says("New network: 203.0.113.7/32", "New network: 2001:db8:1::/48", "New rule: Sign-in is possible").saved().is(atNetworks)
	if n := w.tenantOf("birch").Networks; len(n) != 2 || n[0].Prefix != "203.0.113.7/32" || n[1] != (storage.Network{Prefix: "2001:db8:1::/48", Name: "Annex"}) {
		t.Errorf("saved as %+v", n)
	}

	for from, in := range map[string]bool{
		"203.0.113.7": true, "::ffff:203.0.113.7": true, "2001:db8:1::9": true, "2001:db8:1:ffff::9": true,
		"203.0.113.8": false, "2001:db8:2::9": false, "unknown": false, "": false,
		// What the client itself wrote to the left of our proxy's word counts for nothing.
		"203.0.113.7, 198.51.100.9": false, "198.51.100.9, 203.0.113.7": true,
	} {
		p := w.browser().from(from).get("/account/security").is(atSignIn).submit("/signin", "login", "kim@birch.example", "password", rightPassword)
		if got := p.heading() == atSecurity; got != in {
			t.Errorf("from %q: in is %t, want %t:\n%s", from, got, in, p.text())
		}
		if !in {
			p.says("You can’t sign in from here", "Sign-in is possible from the account’s networks only")
		}
	}
	// A session that was begun inside ends its use outside.
	b := w.browser().from("203.0.113.7")
	b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	b.from("198.51.100.9").get("/account/security").says("You can’t sign in from here")

	// What can't be a network is told in its row, and nothing is saved.
	for typed, says := range map[string]string{
		"203.0.113.7/24": "That is an address within a range", "office": "That is no range of addresses",
		"::ffff:203.0.113.0/120": "Write ranges of IPv4 as such", "203.0.113.7": "This range is there twice",
	} {
		p := owner.get(ui.PathNetworks).post("/networks", "+prefix", typed, "+called", "New")
		if p.is(atNetworks).says(says); p.status != http.StatusUnprocessableEntity || !strings.Contains(p.body, `id="prefix-2-problem" class="problem" aria-live="polite"><`) {
			t.Errorf("%s: %d\n%s", typed, p.status, p.body)
		}
	}
	owner.fresh(ui.PathNetworks).post("/networks", "-restricted", "yes").says("Rule removed").saved()
	w.browser().from("198.51.100.9").get("/account/security").signIn("kim@birch.example").is(atSecurity)
}

// An address that only the client says is believed of nobody: without a proxy of ours the connection's own counts.
func TestRestrictedWithoutAProxy(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	owner.from("203.0.113.7").get(ui.PathNetworks).says("You are at 127.0.0.1").
		post("/networks", "restricted", "yes", "prefix", "203.0.113.0/24").says("would keep you out at 127.0.0.1")
	owner.get(ui.PathNetworks).post("/networks", "restricted", "yes", "prefix", "127.0.0.0/8").saved()
	w.browser().from("203.0.113.7").get("/account/security").signIn("kim@birch.example").is(atSecurity)
}

// 002-19: two-factor authentication is forced in some networks only, or for everyone, on one page with the IP rules.
func TestForceInSomeNetworks(t *testing.T) {
	w := newWorld(t, trusting)
	w.user("birch", "kim@birch.example", "client")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	owner.get(ui.PathNetworks).post("/networks", "prefix", "203.0.113.0/24", "called", "Café", "ask", "0", "+prefix", "198.51.100.0/24", "+called", "Office").
		says("New rule: Two-factor authentication is required in this network").saved()
	w.browser().from("203.0.113.9").get("/account/security").signIn("kim@birch.example").is(atIntro).says("Two-factor authentication is required in this network")
	w.browser().from("198.51.100.9").get("/account/security").signIn("kim@birch.example").is(atSecurity)
	w.browser().from("192.0.2.9").get("/account/security").signIn("kim@birch.example").is(atSecurity)
	// Hiding the address does not get past it.
	w.browser().from("unknown").get("/account/security").signIn("kim@birch.example").is(atIntro)

	p := owner.get(ui.PathPolicy).says("It is required in one network")
	p.b.get(p.link("/networks")).post("/networks", "everyone", "yes").says("New rule: Everyone must use two-factor authentication").saved()
	w.browser().from("192.0.2.9").get("/account/security").signIn("kim@birch.example").is(atIntro)
	if _, f := owner.get(ui.PathPolicy).filled("/policy"); !slices.Equal(f["must"], []string{"everyone"}) {
		t.Errorf("the switches are %q", f["must"])
	}
}

// 002-20: before everyone is forced, the page says which API clients of the last 30 days would be cut off and from where, and
// adds their addresses; then they go on, from these alone.
func TestClientsThatWouldBeCutOff(t *testing.T) {
	w := newWorld(t, trusting)
	r := w.robot()
	old := w.machine("old", "birch", "jobs")
	_ = old
	w.clock.forward(31 * 24 * time.Hour)
	r.gets("192.0.2.7", "192.0.2.7", "2001:db8:1::7")
	gone := w.client("gone", "machine", "", func(c *storage.Client) {
		c.Owner, c.RedirectURIs, c.GrantTypes, c.Scopes, c.Name = "birch", nil, []string{"client_credentials"}, []string{"jobs"}, "Disabled one"
	})
	w.machineToken("gone", gone)
	change(w, w.store.Clients, "gone", func(c *storage.Client) { c.Disabled = true })
	owner := w.helper("birch", "olga@birch.example", storage.Owner)

	p := owner.get(ui.PathPolicy).post("/policy", "+must", "everyone").is(atPreview).
		says("These got tokens within the last 30 days and would get none any more", "Workshop", "robot", "192.0.2.7", "2001:db8:1::7", "Add these networks")
	if text := p.text(); strings.Contains(text, "Disabled one") || strings.Contains(text, "old") {
		t.Errorf("clients are named that are not there any more:\n%s", text)
	}
	p = p.post("/policy/preview").is(atPreview).says("New network: 192.0.2.7/32", "New network: 2001:db8:1::7/128", "New rule: Everyone must")
	if strings.Contains(p.text(), "would get none any more") {
		t.Errorf("they would still be cut off:\n%s", p.text())
	}
	p.saved()
	r.gets("192.0.2.7", "2001:db8:1::7")
	r.refused("Everyone must use two-factor authentication", "192.0.2.8", "2001:db8:1::8")
	if n := w.tenantOf("birch").Networks; len(n) != 2 || n[0].Name != "Workshop" {
		t.Errorf("networks: %+v", n)
	}
	// That holds for restricting as well.
	q := owner.fresh(ui.PathNetworks)
	q.post("/networks", "prefix", "127.0.0.1", "-everyone", "yes", "restricted", "yes").
		says("Network removed: 192.0.2.7/32", "Workshop", "2001:db8:1::7", "Add these networks")
}
