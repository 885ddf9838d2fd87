package provider

import (
	"net/http"
	"slices"
	"strings"
	"testing"

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
	w.browser().get("/account").signIn("kim@cedar.example").is(atSecurity)
	signedIn := w.browser()
	signedIn.get("/account").signIn("lee@cedar.example").is(atSecurity)

	ledger := w.machine("ledger", "", "integrations:read", "integrations:write")
	got := ledger.call(http.MethodPut, xero, `{"name":"Xero","kind":"financial"}`)
	if v := got.json(t); got.status != http.StatusOK || v["client"] != "ledger" || v["rule"] != financialRule {
		t.Fatalf("connected: %d %s", got.status, got.body)
	}
	w.clock.forward(caches)
	for _, email := range []string{"kim@cedar.example", "lee@cedar.example"} {
		w.browser().get("/account").signIn(email).is(atIntro).says("Your organisation asks for this: " + financialRule)
	}
	if p := signedIn.get("/account"); p.heading() == atSecurity {
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
	w.browser().get("/account").signIn("kim@cedar.example").is(atSecurity)
	ledger.call(http.MethodPut, xero, `{"name":"Xero","kind":"financial"}`)
	w.clock.forward(caches)
	w.browser().get("/account").signIn("kim@cedar.example").is(atIntro)

	if got := ledger.call(http.MethodDelete, xero, ""); got.status != http.StatusNoContent {
		t.Fatalf("disconnected: %d %s", got.status, got.body)
	}
	w.clock.forward(caches)
	w.browser().get("/account").signIn("kim@cedar.example").is(atSecurity)
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
