package provider

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

const (
	xero = "/api/v1/tenants/cedar/integrations/xero"
	// financialRule is the one that every new tenant has.
	financialRule = "A connected financial integration makes two-factor authentication mandatory"
)

// cedar is a tenant as operators make them, with the rules that every new one has.
func (w *world) cedar() {
	w.t.Helper()
	name := "Cedar Ltd"
	if _, err := w.p.admin.CreateTenant(w.t.Context(), web.Operator(), "cedar", admin.TenantFields{Name: &name}); err != nil {
		w.t.Fatal(err)
	}
}

// 001-2: an application that all tenants share connects Xero by the API, and from then on everybody in the account has to
// use a second step, and reads why; disconnecting lifts it. Both are in the audit log.
func TestFinancialIntegration(t *testing.T) {
	w := newWorld(t)
	w.cedar()
	for _, email := range []string{"kim@cedar.example", "lee@cedar.example"} {
		w.user("cedar", email, "client")
	}
	owner := w.helper("cedar", "olga@cedar.example", storage.Owner)
	owner.get(ui.PathIntegrations).is("Integrations").says("Nothing is connected")
	w.browser().get("/account/security").signIn("kim@cedar.example").is(atSecurity)
	signedIn := w.browser()
	signedIn.get("/account/security").signIn("lee@cedar.example").is(atSecurity)

	ledger := w.machine("ledger", "", "integrations:read", "integrations:write")
	got := ledger.call(http.MethodPut, xero, `{"name":"Xero","kind":"financial"}`)
	if v := got.json(t); got.status != http.StatusOK || v["client"] != "ledger" || v["rule"] != financialRule {
		t.Fatalf("connected: %d %s", got.status, got.body)
	}
	w.clock.forward(caches)
	for _, email := range []string{"kim@cedar.example", "lee@cedar.example"} {
		w.browser().get("/account/security").signIn(email).is(atIntro).says("Your organisation asks for this: " + financialRule)
	}
	if p := signedIn.get("/account/security"); p.heading() == atSecurity {
		t.Error("who is signed in by password alone goes on")
	}
	owner.get(ui.PathIntegrations).says("Xero", "Connected by Workshop", "Financial", "2FA mandatory", "Because of it: "+financialRule)

	// Said again it changes nothing; said otherwise it changes.
	before := len(w.events("cedar"))
	if again := ledger.call(http.MethodPut, xero, `{"name":"Xero","kind":"financial"}`); again.body != got.body || len(w.events("cedar")) != before {
		t.Errorf("said again: %s", again.body)
	}
	if v := ledger.call(http.MethodPut, xero, `{"name":"Xero","kind":"crm"}`).json(t); v["rule"] != nil || v["kind"] != "crm" {
		t.Errorf("of another kind: %v", v)
	}
	w.clock.forward(caches)
	w.browser().get("/account/security").signIn("kim@cedar.example").is(atSecurity)
	ledger.call(http.MethodPut, xero, `{"name":"Xero","kind":"financial"}`)
	w.clock.forward(caches)
	w.browser().get("/account/security").signIn("kim@cedar.example").is(atIntro)

	if got := ledger.call(http.MethodDelete, xero, ""); got.status != http.StatusNoContent {
		t.Fatalf("disconnected: %d %s", got.status, got.body)
	}
	w.clock.forward(caches)
	w.browser().get("/account/security").signIn("kim@cedar.example").is(atSecurity)
	owner.get(ui.PathIntegrations).says("Nothing is connected")
	ledger.call(http.MethodDelete, xero, "").problem(t, "twice", http.StatusNotFound, "error.not_found")

	var done []string
	for _, e := range w.events("cedar") {
		if strings.HasPrefix(e.Action, "integration.") && e.Actor == "ledger" && e.Client == "ledger" && e.User == "" {
			done = append(done, e.Action+" "+e.Reason)
		}
	}
	want := []string{
		"integration.connect xero (financial)", "integration.connect xero (crm)", "integration.connect xero (financial)",
		"integration.disconnect xero (financial)",
	}
	if !slices.Equal(done, want) {
		t.Errorf("audit log: %q, want %q", done, want)
	}
}

// What one application connected no other changes, lifts or sees, not even one of the tenant's own: a rule hangs on it.
// Operators do. People have no part in it.
func TestIntegrationsBelongToWhoConnectedThem(t *testing.T) {
	w := newWorld(t)
	w.cedar()
	ledger := w.machine("ledger", "", "integrations:read", "integrations:write")
	other := w.machine("till", "", "integrations:read", "integrations:write")
	own := w.machine("script", "cedar", "integrations:read", "integrations:write")
	operator := w.machine("operations", "", "operator", "integrations:read", "integrations:write")
	w.user("cedar", "olga@cedar.example", "client", func(u *storage.User) { u.Role = storage.Owner })
	ofOwner, _ := w.signedIn("olga@cedar.example", "integrations:read", "integrations:write")
	// The tenant's own program gets in while two-factor authentication is required, for its network is listed.
	changeIn(w, w.store.Tenants, storage.Global, "cedar", func(t *storage.Tenant) {
		t.Networks = []storage.Network{{Prefix: "127.0.0.0/8"}, {Prefix: "::1/128"}}
	})
	w.clock.forward(caches)
	const body = `{"name":"Xero","kind":"financial"}`
	if got := ledger.call(http.MethodPut, xero, body); got.status != http.StatusOK {
		t.Fatalf("connected: %d %s", got.status, got.body)
	}
	sees := func(p *caller) int {
		items, _ := p.call(http.MethodGet, "/api/v1/tenants/cedar/integrations", "").json(t)["items"].([]any)
		return len(items)
	}
	for name, c := range map[string]struct {
		p    *caller
		sees int
	}{"another": {other, 0}, "the tenant's own": {own, 1}} {
		c.p.call(http.MethodPut, xero, `{"name":"Mine","kind":"crm"}`).problem(t, name+" changes it", http.StatusConflict, "error.exists")
		c.p.call(http.MethodDelete, xero, "").problem(t, name+" lifts it", http.StatusNotFound, "error.not_found")
		if n := sees(c.p); n != c.sees {
			t.Errorf("%s sees %d", name, n)
		}
	}
	if n := sees(ledger); n != 1 {
		t.Errorf("who connected it sees %d", n)
	}
	w.machine("reader", "", "integrations:read").call(http.MethodPut, xero, body).problem(t, "without the scope", http.StatusForbidden, "error.insufficient_scope")
	w.machine("of-acme", "acme", "integrations:write").call(http.MethodPut, xero, body).problem(t, "another tenant's", http.StatusNotFound, "error.not_found")
	ofOwner.call(http.MethodPut, xero, body).problem(t, "an owner's", http.StatusForbidden, "error.denied") // has no second step yet
	ledger.call(http.MethodPut, "/api/v1/tenants/nowhere/integrations/xero", body).problem(t, "no such tenant", http.StatusNotFound, "error.not_found")

	if got := operator.call(http.MethodDelete, xero, ""); got.status != http.StatusNoContent {
		t.Fatalf("an operator disconnects: %d %s", got.status, got.body)
	}
	w.clock.forward(caches)
	ofOwner.call(http.MethodPut, xero, body).problem(t, "an owner's, let in", http.StatusForbidden, "error.forbidden")
	for where, c := range map[string]struct{ id, body string }{
		"id":   {"Xero!", body},
		"kind": {"xero", `{"name":"Xero","kind":"Financial Things"}`},
		"name": {"xero", `{"name":" ","kind":"crm"}`},
	} {
		v := ledger.call(http.MethodPut, "/api/v1/tenants/cedar/integrations/"+c.id, c.body).problem(t, where, http.StatusUnprocessableEntity, "error.invalid")
		errs, _ := v["errors"].([]any)
		if first, _ := errs[0].(map[string]any); first["where"] != where {
			t.Errorf("%s: %v", where, v)
		}
	}
	if n := len(w.events("cedar")); n == 0 || w.events("cedar")[n-1].Action != "integration.disconnect" {
		t.Errorf("what was refused is in the audit log: %+v", w.events("cedar")[n-1])
	}
}

// What a deleted application connected stays, and operators can lift it.
func TestIntegrationOfADeletedApplication(t *testing.T) {
	w := newWorld(t)
	w.cedar()
	owner := w.helper("cedar", "olga@cedar.example", storage.Owner)
	ledger := w.machine("ledger", "", "integrations:write")
	if got := ledger.call(http.MethodPut, xero, `{"name":"Xero","kind":"financial"}`); got.status != http.StatusOK {
		t.Fatalf("connected: %d %s", got.status, got.body)
	}
	if err := w.p.admin.DeleteClient(t.Context(), web.Operator(), "ledger"); err != nil {
		t.Fatal(err)
	}
	w.clock.forward(caches)
	owner.get(ui.PathIntegrations).says("Xero", "Connected by ledger", "2FA mandatory")
	if err := w.p.admin.Disconnect(t.Context(), web.Operator(), "cedar", "xero"); err != nil {
		t.Fatal(err)
	}
	owner.get(ui.PathIntegrations).says("Nothing is connected")
}

// 001-2: what a financial integration makes mandatory is not the account's to lift, by whom and however it is tried: owners,
// admins and the account's own programs neither take the rule away nor get before it or past it. What is stricter may stand
// before it, what only reports too, and operators do as they like.
func TestFinancialRuleHolds(t *testing.T) {
	w := newWorld(t)
	w.cedar()
	owner := w.helper("cedar", "olga@cedar.example", storage.Owner)
	ada := w.user("cedar", "ada@cedar.example", "client")
	person, _ := w.signedIn(ada.Email, "policy:read", "policy:write")
	program := w.machine("script", "cedar", "policy:read", "policy:write")
	// each has them all try the same, one after the other.
	each := func(try func(name string, c *caller)) {
		for _, role := range []storage.Role{storage.Owner, storage.Admin} {
			changeIn(w, w.store.Users, "cedar", ada.ID, func(u *storage.User) { u.Role = role })
			w.clock.forward(caches)
			try(string(role), person)
		}
		try("program", program)
	}
	const path = "/api/v1/tenants/cedar/policy"
	send := func(c *caller, rules ...storage.Rule) said {
		body, err := json.Marshal(admin.PolicyChange{Rules: &rules})
		if err != nil {
			t.Fatal(err)
		}
		return c.call(http.MethodPatch, path, string(body))
	}
	had := w.tenantOf("cedar").Rules
	ticked, money, last := had[0], had[1], had[2]
	if ticked.ID != admin.RuleTicked || money.ID != admin.RuleFinancial || last.ID != admin.RuleDefault {
		t.Fatalf("new tenants have %+v", had)
	}
	rule := func(id string, then storage.Then) storage.Rule {
		return storage.Rule{ID: id, Name: "Rule " + id, When: storage.When{UserTypes: []string{"staff"}}, Then: then}
	}
	must := storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login"}
	with := func(r storage.Rule, change func(r *storage.Rule)) storage.Rule {
		change(&r)
		return r
	}
	grace := func(r *storage.Rule) { r.Then.GraceUntil = w.clock.Now().Add(time.Hour) }
	over := func(r *storage.Rule) { r.Then.GraceUntil = w.clock.Now().Add(-time.Hour) }
	word := func(said string) storage.Rule {
		return with(rule(said, must), func(r *storage.Rule) { r.Then.TwoFactor = said })
	}
	lax := map[string][]storage.Rule{
		"removed":              {ticked, last},
		"optional before it":   {ticked, word("optional"), money, last},
		"off before it":        {word("off"), ticked, money, last},
		"unavailable":          {ticked, word("unavailable"), money, last},
		"moved behind all":     {ticked, last, money},
		"grace of its own":     {ticked, with(money, grace), last},
		"grace before it":      {ticked, with(rule("grace", must), grace), money, last},
		"grace for the ticked": {with(ticked, grace), money, last},
	}
	each(func(name string, c *caller) {
		for how, rules := range lax {
			t.Log(name, how)
			send(c, rules...).refuses(t, http.StatusUnprocessableEntity, "policy", "lifts_financial")
		}
	})
	if now := w.tenantOf("cedar").Rules; !reflect.DeepEqual(now, had) {
		t.Fatalf("changed all the same: %+v", now)
	}

	// On the pages the rule has nothing that removes it; asked for by hand, the preview and the save say no.
	p := owner.get(ui.PathPolicy)
	if strings.Contains(p.body, "/rules/financial/delete") || !strings.Contains(p.body, "/rules/financial/down") {
		t.Error("the page offers to remove the rule, or does not show it")
	}
	p = p.post("/rules/financial/down").is(atPreview).says("By the rule “" + last.Name + "” users would get in without the second step")
	byHand := url.Values{
		"version": {strconv.FormatInt(w.tenantOf("cedar").Version, 10)}, "draft": {p.url.Query().Get("draft")}, "do": {"save"},
	}
	for at, says := range map[string]string{
		ui.PathRules + "/financial/delete": "The rule about financial integrations has to stay", ui.PathPolicy + "/save": last.Name,
	} {
		if q := owner.follow(owner.request(http.MethodPost, at, byHand)).says(says); q.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", at, q.status)
		}
	}

	each(func(name string, c *caller) {
		for how, rules := range map[string][]storage.Rule{
			"stricter ones before it": {with(rule("deny", storage.Then{}), func(r *storage.Rule) { r.When.Roles = []storage.Role{storage.Member} }), rule("must", must), money, ticked, last},
			"grace that is over":      {with(rule("over", must), over), ticked, with(money, over), last},
			"only reported":           {with(word("off"), func(r *storage.Rule) { r.ReportOnly = true }), ticked, money, last},
			"behind it":               {money, with(ticked, grace), word("optional"), last},
			"as it was":               had,
		} {
			if s := send(c, rules...); s.status != http.StatusOK {
				t.Errorf("%s, %s: %d %s", name, how, s.status, s.body)
			}
		}
	})

	// What an operator has put before it stays as it is; nobody else makes more of it.
	free := word("optional")
	if s := send(w.operator(), ticked, free, money, last); s.status != http.StatusOK {
		t.Fatalf("an operator's: %d %s", s.status, s.body)
	}
	each(func(name string, c *caller) {
		wider := with(free, func(r *storage.Rule) { r.When.UserTypes = []string{"staff", "client"} })
		send(c, ticked, wider, money, last).refuses(t, http.StatusUnprocessableEntity, "policy", "lifts_financial")
		if s := send(c, rule("must", must), ticked, with(free, func(r *storage.Rule) { r.Name = "Of " + name }), money, last); s.status != http.StatusOK {
			t.Errorf("%s, beside an operator's: %d %s", name, s.status, s.body)
		}
	})
	if s := send(w.operator(), ticked, last); s.status != http.StatusOK {
		t.Errorf("an operator removes it: %d %s", s.status, s.body)
	}
}
