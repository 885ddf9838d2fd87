package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/provider/admin"
	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// values are what stands in a form of the page.
func (p *page) values(suffix string) url.Values {
	p.b.t.Helper()
	_, fields := p.filled(suffix)
	return fields
}

// send posts values to where the form that posts to a path ending so leads.
func (p *page) send(suffix string, values url.Values) *page {
	p.b.t.Helper()
	action, _ := p.form(suffix)
	return p.b.follow(p.b.request(http.MethodPost, action, values))
}

// data is what stands on the page to be copied.
func (p *page) data(id string) (value string) {
	p.b.t.Helper()
	p.walk(func(n *html.Node) {
		if n.Data == "data" && attr(n, "id") == id {
			value = attr(n, "value")
		}
	})
	if value == "" {
		p.b.t.Fatalf("no %s on %s (%d):\n%s", id, p.url, p.status, p.text())
	}
	return value
}

// register registers an application on the pages.
func (h *helper) register(kind string, change func(url.Values)) (id, secret string, shown *page) {
	h.t.Helper()
	choose := h.get(h.get(ui.PathApplications).link("/new")).is("Register an application")
	form := h.get(choose.link("/new/" + kind))
	values := form.values(ui.PathApplications)
	values.Set("name", "Workshop")
	if kind != admin.Machine {
		values.Set("redirect_uris", "https://app.example/callback\r\n\r\n https://app.example/other \r\n")
	}
	if change != nil {
		change(values)
	}
	shown = form.send(ui.PathApplications, values)
	id = shown.data("client-id")
	if kind == admin.Web || kind == admin.Machine {
		secret = shown.data("client-secret")
	}
	return id, secret, shown
}

// TestRegisterAnApplication: an owner registers one, its secret is shown once, and users of the tenant sign in to it.
func TestRegisterAnApplication(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	w.user("acme", "robin@acme.example", "client")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	owner.get(ui.PathApplications).says("There are none yet")

	id, secret, shown := owner.register("web", nil)
	shown.is("New secret: Workshop").says("It is shown only this once")
	page := owner.get(shown.link("/"+id)).says("All applications", "Web application", id, w.issuer, "https://app.example/callback", "https://app.example/other",
		"profile", "email", "What the policy asks for", "Current", "Works until another takes its place")
	if strings.Contains(page.body, secret) {
		t.Error("the secret is shown a second time")
	}
	owner.get(ui.PathApplications).says("Workshop", "Web application", "Enabled", id)

	a := w.connect(id, secret, "https://app.example/callback")
	at := a.attempt()
	c, _ := at.redeem(at.begin(w.browser()).signIn("kim@birch.example"))
	if c.Tenant != "birch" {
		t.Errorf("signed in to tenant %q", c.Tenant)
	}
	if p := a.attempt().begin(w.browser()).signIn("robin@acme.example"); p.status != http.StatusUnprocessableEntity {
		t.Errorf("a user of another tenant: %d", p.status)
	}

	log, err := json.Marshal(w.events("birch"))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(w.events("birch"), func(e storage.Event) bool { return e.Action == "client.create" })
	if i < 0 || w.events("birch")[i].Actor != owner.ID || w.events("birch")[i].Client != id || strings.Contains(string(log), secret) {
		t.Errorf("audit log: %s", log)
	}
	if strings.Contains(w.log.String(), secret) {
		t.Error("the secret is in the log")
	}
}

// Each kind has its own form: machines have no addresses, and what has no server has no secret.
func TestKindsOfApplications(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	for kind, says := range map[string]string{"native": "App on a device", "browser": "Browser application"} {
		_, _, shown := owner.register(kind, nil)
		shown.says("“Workshop” is saved", says)
		if strings.Contains(shown.body, "/secret") {
			t.Errorf("%s offers a secret", kind)
		}
	}
	id, secret, shown := owner.register("machine", func(v url.Values) { v["scopes"] = []string{"users:read", "audit:read"} })
	if v := w.machineToken(id, secret); v == "" {
		t.Error("no token")
	}
	page := owner.get(shown.link("/"+id)).says("Machine", "See people, their factors and their sign-ins", "Read the audit log")
	if strings.Contains(page.body, "Redirect URIs") {
		t.Error("a machine has redirect URIs")
	}
	p := &caller{t: t, w: w, token: w.machineToken(id, secret)}
	if got := p.call(http.MethodGet, "/api/v1/tenants/birch/users", ""); got.status != http.StatusOK {
		t.Errorf("what it may: %d %s", got.status, got.body)
	}
	p.call(http.MethodGet, "/api/v1/tenants/birch/clients", "").problem(t, "what it may not", http.StatusForbidden, "error.insufficient_scope")
	if got := owner.get(ui.PathApplications + "/new/telex"); got.status != http.StatusNotFound {
		t.Errorf("an unknown kind: %d", got.status)
	}
}

// What can't be registered is said beside the field, and what was typed stays.
func TestApplicationFormRefuses(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	for field, c := range map[string]struct {
		value, says string
		more        []string
	}{
		"name":                      {value: " ", says: "Type in a name"},
		"redirect_uris":             {value: "http://app.example/callback", says: "One of these can’t be used"},
		"post_logout_redirect_uris": {value: "javascript:alert(1)", says: "One of these can’t be used"},
		"tags":                      {value: "Finance!", says: "Tags are up to 20 words"},
		"other_scopes":              {value: `a"b`, says: "One of these can’t be a scope"},
		"scopes":                    {value: "operator", says: "“operator” is for those who run this service"},
	} {
		form := owner.get(ui.PathApplications + "/new/web")
		values := form.values(ui.PathApplications)
		values.Set("name", "Workshop")
		values.Set("redirect_uris", "https://app.example/callback")
		values["scopes"] = []string{"users:read"}
		values.Set(field, c.value)
		p := form.send(ui.PathApplications, values)
		if p.status != http.StatusUnprocessableEntity {
			t.Errorf("%s %q: %d", field, c.value, p.status)
			continue
		}
		p.says(c.says)
		again := p.values(ui.PathApplications)
		if field != "scopes" && again.Get(field) != values.Get(field) || field != "scopes" && !slices.Equal(again["scopes"], []string{"users:read"}) {
			t.Errorf("%s: what was typed is gone: %v", field, again)
		}
	}
	none := owner.get(ui.PathApplications + "/new/web")
	values := none.values(ui.PathApplications)
	values.Set("name", "Workshop")
	none.send(ui.PathApplications, values).says("Type in at least one address")
	if all, err := w.p.admin.Clients(t.Context(), web.Operator(), "birch", admin.Page{}); err != nil || len(all) != 0 {
		t.Errorf("registered: %v, %v", all, err)
	}
	for _, e := range w.events("birch") {
		if e.Action == "client.create" {
			t.Error("what was refused is in the audit log")
		}
	}
}

// tokenStatus is what the token endpoint answers a machine.
func (w *world) tokenStatus(id, secret string) int {
	w.t.Helper()
	res, err := http.PostForm(w.issuer+"/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode
}

// caches is longer than anything is used without being read again.
const caches = 6 * time.Second

// prove signs in anew, in a browser of its own, so that what changes something is done at once.
func (h *helper) prove(to string) {
	h.t.Helper()
	h.browser = h.w.browser()
	h.get(to).signIn(h.Email).submit("/with/totp", "code", h.phone.next())
}

// Two secrets work while one takes the other's place, for as long as was chosen, and then one.
func TestRotateSecretsOnThePage(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	id, first, _ := owner.register("machine", nil)
	at := ui.PathApplications + "/" + id
	works := func(when string, secrets map[string]bool) {
		t.Helper()
		w.clock.forward(caches)
		for secret, want := range secrets {
			if got := w.tokenStatus(id, secret); (got == http.StatusOK) != want {
				t.Errorf("%s: %d, want it to work: %t", when, got, want)
			}
		}
	}
	rotate := func(keep string) (string, *page) {
		t.Helper()
		owner.prove(at)
		p := owner.get(at).submit("/secret", "keep", keep)
		secret := p.data("client-secret")
		return secret, p
	}
	works("at first", map[string]bool{first: true})
	second, shown := rotate("hour")
	shown.says("The previous secret works until", "Change over by then")
	owner.get(at).says("Current", "Ending", "Works until")
	works("while they change", map[string]bool{first: true, second: true})
	w.clock.forward(time.Hour)
	works("after the hour", map[string]bool{first: false, second: true})

	third, _ := rotate("week")
	w.clock.forward(6 * 24 * time.Hour)
	works("within the week", map[string]bool{second: true, third: true})
	w.clock.forward(24 * time.Hour)
	works("after the week", map[string]bool{second: false, third: true})

	// Of three, the oldest stops at once.
	fourth, _ := rotate("day")
	fifth, _ := rotate("day")
	works("rotated twice", map[string]bool{third: false, fourth: true, fifth: true})
	sixth, shown := rotate("now")
	shown.says("The previous secret has stopped working")
	works("at once", map[string]bool{fourth: false, fifth: false, sixth: true})
	if p := owner.get(at).submit("/secret", "keep", "for ever"); p.status != http.StatusBadRequest {
		t.Errorf("another time: %d", p.status)
	}
}

// A disabled application gets nothing any more: no sign-in, also none that is under way, no tokens for a code, no new ones
// for a refresh token, and those that it has are good for nothing. Enabled, it goes on.
func TestDisableAnApplication(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	id, secret, _ := owner.register("web", func(v url.Values) { v["scopes"] = append(v["scopes"], "users:read") })
	a := w.connect(id, secret, "https://app.example/callback")
	at := a.attempt()
	_, token := at.redeem(at.begin(w.browser()).signIn("kim@birch.example"))
	pending := a.attempt()
	code := pending.code(pending.begin(w.browser()).signIn("kim@birch.example"))
	underWay := a.attempt().begin(w.browser()).is(atSignIn)

	page := ui.PathApplications + "/" + id
	owner.get(owner.get(page).link("/disable")).is("Disable “Workshop”?").says("within seconds").submit("/disable").
		says("“Workshop” is disabled", "Nobody can sign in to it")
	w.clock.forward(caches)

	refreshed := func() error {
		old := *token
		old.Expiry = w.clock.Now().Add(-time.Hour)
		got, err := a.config.TokenSource(context.Background(), &old).Token()
		if err == nil {
			token = got
		}
		return err
	}
	if p := a.attempt().begin(w.browser()); p.status != http.StatusBadRequest {
		t.Errorf("a new sign-in: %d", p.status)
	}
	if p := underWay.signIn("kim@birch.example"); strings.HasPrefix(p.url.String(), a.config.RedirectURL) {
		t.Errorf("a sign-in under way ends at %s", p.url)
	}
	if _, err := a.config.Exchange(context.Background(), code, oauth2.VerifierOption(pending.verifier)); err == nil {
		t.Error("a code is redeemed")
	}
	if err := refreshed(); err == nil {
		t.Error("a token is refreshed")
	}
	if _, err := a.provider.UserInfo(context.Background(), oauth2.StaticTokenSource(token)); err == nil {
		t.Error("the access token still opens userinfo")
	}
	(&caller{t: t, w: w, token: token.AccessToken}).call(http.MethodGet, "/api/v1/me", "").
		problem(t, "at the API", http.StatusUnauthorized, "error.invalid_token")

	owner.get(page).submit("/enable").says("“Workshop” is enabled")
	w.clock.forward(caches)
	if err := refreshed(); err != nil {
		t.Errorf("enabled again: %v", err)
	}
	owner.get(owner.get(page).link("/delete")).is("Delete “Workshop”?").submit("/delete").is("Applications").says("“Workshop” is deleted", "There are none yet")
	w.clock.forward(caches)
	if err := refreshed(); err == nil {
		t.Error("the application is gone, and a token is refreshed")
	}
	if p := owner.get(page); p.status != http.StatusNotFound {
		t.Errorf("the page of a deleted application: %d", p.status)
	}
	var done []string
	for _, e := range w.events("birch") {
		if e.Client == id && strings.HasPrefix(e.Action, "client.") && e.Actor == owner.ID {
			done = append(done, e.Action)
		}
	}
	if want := []string{"client.create", "client.disable", "client.enable", "client.delete"}; !slices.Equal(done, want) {
		t.Errorf("audit log: %q, want %q", done, want)
	}
}

// What is changed on the page is so from the next sign-in on: the name, the addresses, the strength.
func TestChangeAnApplication(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	id, secret, _ := owner.register("web", nil)
	at := ui.PathApplications + "/" + id
	form := owner.get(owner.get(at).link("/edit")).is("Change “Workshop”")
	values := form.values("/edit")
	if values.Get("redirect_uris") != "https://app.example/callback\nhttps://app.example/other" || !slices.Equal(values["scopes"], []string{"profile", "email"}) {
		t.Errorf("the form holds %v", values)
	}
	values.Set("name", "Smithy")
	values.Set("redirect_uris", "https://smithy.example/back")
	values.Set("strength", "mfa")
	values.Set("tags", "finance internal")
	values["scopes"] = []string{"profile", "users:read"}
	values.Set("other_scopes", "reports")
	form.send("/edit", values).says("“Smithy” is saved", "Two factors", "finance", "reports", "can act in the API for owners and admins")
	w.clock.forward(caches)

	a := w.connect(id, secret, "https://app.example/callback")
	if p := a.attempt().begin(w.browser()); p.status != http.StatusBadRequest {
		t.Errorf("the address of before: %d", p.status)
	}
	a = w.connect(id, secret, "https://smithy.example/back")
	attempt := a.attempt()
	// For our own pages a password is still enough; for the application it is not.
	w.browser().get("/account/security").signIn("kim@birch.example").is(atSecurity)
	b := w.browser()
	_, saved := attempt.begin(b).says("Smithy").signIn("kim@birch.example").enrol()
	c, _ := attempt.redeem(saved.submit("/codes", "saved", "yes"))
	if !slices.Contains(c.AMR, "mfa") {
		t.Errorf("amr %v", c.AMR)
	}
	i := slices.IndexFunc(w.events("birch"), func(e storage.Event) bool { return e.Action == "client.change" })
	if i < 0 || !strings.Contains(w.events("birch")[i].Reason, "strength none to mfa") || !strings.Contains(w.events("birch")[i].Reason, "scopes profile email to profile users:read reports") {
		t.Errorf("audit log: %+v", w.events("birch")[max(i, 0)])
	}

	// Nothing changed is nothing done, and what is refused keeps what was typed.
	before := len(w.events("birch"))
	form = owner.get(at + "/edit")
	form.send("/edit", form.values("/edit")).says("is saved")
	values = form.values("/edit")
	values.Set("redirect_uris", "")
	if p := form.send("/edit", values); p.status != http.StatusUnprocessableEntity {
		t.Errorf("without an address: %d", p.status)
	}
	if n := len(w.events("birch")); n != before {
		t.Errorf("%d more events", n-before)
	}
}

// Applications that all tenants share are named, and that is all a tenant learns of them.
func TestSharedApplicationsAreNamed(t *testing.T) {
	w := newWorld(t)
	w.client("ledger-shared", "web", "https://ledger.example/callback", func(c *storage.Client) { c.Name = "Ledger" })
	w.machine("robot-shared", "", "operator")
	w.client("of-acme", "web", "https://acme.example/callback", func(c *storage.Client) { c.Name, c.Owner = "Only for Acme", "acme" })
	adm := w.helper("birch", "adam@birch.example", storage.Admin)
	p := adm.get(ui.PathApplications).says("Shared by all", "Ledger", "Owners register and change applications")
	for _, hidden := range []string{"ledger-shared", "ledger.example", "robot-shared", "Only for Acme", "/new"} {
		if strings.Contains(p.body, hidden) {
			t.Errorf("the page tells of %q", hidden)
		}
	}
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	for _, id := range []string{"ledger-shared", "robot-shared", "of-acme", "nothing"} {
		for _, op := range []string{"", "/edit", "/disable", "/delete"} {
			if got := owner.get(ui.PathApplications + "/" + id + op); got.status != http.StatusNotFound {
				t.Errorf("%s%s: %d", id, op, got.status)
			}
		}
	}
}

// TestClientsByAPI: what the pages do, a program does.
func TestClientsByAPI(t *testing.T) {
	w := newWorld(t)
	p := w.machine("manager", "birch", "clients:read", "clients:write", "users:read")
	const all = "/api/v1/tenants/birch/clients"
	made := p.call(http.MethodPost, all, `{"name":"Reports","type":"machine","scopes":["users:read","reports"],"tags":["internal"]}`, "Idempotency-Key", "k1")
	again := p.call(http.MethodPost, all, `{"name":"Reports","type":"machine","scopes":["users:read","reports"],"tags":["internal"]}`, "Idempotency-Key", "k1")
	if made.status != http.StatusCreated || again.body != made.body {
		t.Fatalf("%d %s, then %s", made.status, made.body, again.body)
	}
	client, _ := made.json(t)["client"].(map[string]any)
	id, secret := fmt.Sprint(client["client_id"]), fmt.Sprint(made.json(t)["client_secret"])
	if client["tenant"] != "birch" || !strings.HasSuffix(made.header.Get("Location"), all+"/"+id) || w.tokenStatus(id, secret) != http.StatusOK {
		t.Errorf("made: %s at %s", made.body, made.header.Get("Location"))
	}
	one := all + "/" + id
	if got := p.call(http.MethodGet, one, ""); got.status != http.StatusOK || strings.Contains(got.body, secret) {
		t.Errorf("shown: %d %s", got.status, got.body)
	}
	if got := p.call(http.MethodPatch, one, `{"name":"Night reports","tags":[]}`).json(t); got["name"] != "Night reports" || got["tags"] != nil || fmt.Sprint(got["scopes"]) != "[users:read reports]" {
		t.Errorf("changed: %v", got)
	}
	list := p.call(http.MethodGet, all+"?limit=1", "").json(t)
	if items, _ := list["items"].([]any); len(items) != 1 || list["next"] == "" {
		t.Errorf("listed: %v", list)
	}
	// With a grace both secrets work, and then one.
	second := p.call(http.MethodPost, one+"/secrets", `{"grace":3600}`)
	fresh := fmt.Sprint(second.json(t)["client_secret"])
	w.clock.forward(caches)
	if a, b := w.tokenStatus(id, secret), w.tokenStatus(id, fresh); second.status != http.StatusCreated || a != 200 || b != 200 {
		t.Errorf("rotated: %d, then %d and %d", second.status, a, b)
	}
	w.clock.forward(time.Hour)
	p.token = w.machineToken("manager", "the-secret-of-an-application-in-a-test")
	if a, b := w.tokenStatus(id, secret), w.tokenStatus(id, fresh); a != http.StatusUnauthorized || b != 200 {
		t.Errorf("after the grace: %d and %d", a, b)
	}
	for _, grace := range []string{"-1", "2592001", "99999999999999"} {
		p.call(http.MethodPost, one+"/secrets", `{"grace":`+grace+`}`).problem(t, grace, http.StatusUnprocessableEntity, "error.invalid")
	}
	if got := p.call(http.MethodPost, one+"/disable", "").json(t); got["disabled"] != true {
		t.Errorf("disabled: %v", got)
	}
	w.clock.forward(caches)
	if got := w.tokenStatus(id, fresh); got != http.StatusUnauthorized {
		t.Errorf("a disabled machine gets %d", got)
	}
	if got := p.call(http.MethodPost, one+"/enable", "").json(t); got["disabled"] != false {
		t.Errorf("enabled: %v", got)
	}
	if got := p.call(http.MethodDelete, one, ""); got.status != http.StatusNoContent {
		t.Errorf("deleted: %d %s", got.status, got.body)
	}
	p.call(http.MethodGet, one, "").problem(t, "gone", http.StatusNotFound, "error.not_found")
}

// A program gives nobody more than it has itself: neither by a client that it makes, nor by one that it changes, nor by
// the secret of one. The same holds for programs that act for an owner.
func TestProgramsDoNotRiseAboveThemselves(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "olga@birch.example", "client", func(u *storage.User) { u.Role = storage.Owner })
	ofOwner, _ := w.signedIn("olga@birch.example", "clients:read", "clients:write")
	mighty := w.client("mighty", "machine", "", func(c *storage.Client) {
		c.Owner, c.Scopes, c.GrantTypes, c.RedirectURIs = "birch", []string{"users:write", "policy:write"}, []string{"client_credentials"}, nil
	})
	for name, p := range map[string]*caller{"machine": w.machine("manager", "birch", "clients:read", "clients:write"), "an owner's": ofOwner} {
		const all = "/api/v1/tenants/birch/clients"
		p.call(http.MethodPost, all, `{"name":"Up","type":"machine","scopes":["users:write"]}`).
			problem(t, name+" makes one", http.StatusUnprocessableEntity, "error.invalid")
		p.call(http.MethodPost, all, `{"name":"Up","type":"machine","scopes":["operator"]}`).
			problem(t, name+" makes an operator", http.StatusUnprocessableEntity, "error.invalid")
		made := p.call(http.MethodPost, all, `{"name":"Fair","type":"machine","scopes":["clients:read","reports"]}`)
		client, _ := made.json(t)["client"].(map[string]any)
		if made.status != http.StatusCreated {
			t.Fatalf("%s: %d %s", name, made.status, made.body)
		}
		fair := fmt.Sprint(all, "/", client["client_id"])
		p.call(http.MethodPatch, fair, `{"scopes":["users:write"]}`).problem(t, name+" raises it", http.StatusUnprocessableEntity, "error.invalid")
		p.call(http.MethodPost, all+"/mighty/secrets", `{}`).problem(t, name+" takes a secret", http.StatusForbidden, "error.forbidden")
		p.call(http.MethodPatch, all+"/mighty", `{"name":"Mine"}`).problem(t, name+" changes a mightier one", http.StatusForbidden, "error.forbidden")
	}
	if got := w.tokenStatus("mighty", mighty); got != http.StatusOK {
		t.Errorf("its secret was changed: %d", got)
	}
}

// Scopes of the API let an application act for whoever signs in, within what that user may do.
func TestScopesActForWhoSignsIn(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	w.user("birch", "ada@birch.example", "client", func(u *storage.User) { u.Role = storage.Admin })
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	id, secret, _ := owner.register("web", func(v url.Values) { v["scopes"] = []string{"profile", "users:read", "clients:write"} })
	a := w.connect(id, secret, "https://app.example/callback")
	a.config.Scopes = []string{"openid", "users:read", "clients:write", "policy:write"}
	of := func(email string) *caller {
		at := a.attempt()
		_, token := at.redeem(at.begin(w.browser()).signIn(email))
		return &caller{t: t, w: w, token: token.AccessToken}
	}
	of("kim@birch.example").call(http.MethodGet, "/api/v1/tenants/birch/users", "").problem(t, "for a member", http.StatusForbidden, "error.forbidden")
	p := of("ada@birch.example")
	if got := p.call(http.MethodGet, "/api/v1/tenants/birch/users", ""); got.status != http.StatusOK {
		t.Errorf("for an admin: %d %s", got.status, got.body)
	}
	p.call(http.MethodPost, "/api/v1/tenants/birch/clients", `{"name":"X","type":"machine"}`).problem(t, "what owners do", http.StatusForbidden, "error.forbidden")
	p.call(http.MethodGet, "/api/v1/tenants/birch/audit/entries", "").problem(t, "without the scope", http.StatusForbidden, "error.insufficient_scope")
}

// The words that pages have for scopes are those that there are.
func TestScopesHaveWords(t *testing.T) {
	for _, s := range admin.Scopes() {
		if ui.ScopeText(s.Name).Key == "" || s.Meaning == "" {
			t.Errorf("nothing says what %s is", s.Name)
		}
	}
}

// The deployment's own applications are the operators', by the API too.
func TestOperatorsManageAllClients(t *testing.T) {
	w := newWorld(t)
	p := w.machine("operations", "", "operator")
	made := p.call(http.MethodPost, "/api/v1/clients", `{"name":"Ledger","type":"web","redirect_uris":["https://ledger.example/cb"],"strength":"phr"}`)
	client, _ := made.json(t)["client"].(map[string]any)
	if made.status != http.StatusCreated || client["tenant"] != nil || client["strength"] != "phr" {
		t.Fatalf("%d %s", made.status, made.body)
	}
	one := fmt.Sprint("/api/v1/clients/", client["client_id"])
	if got := p.call(http.MethodPatch, one, `{"strength":null}`).json(t); got["strength"] != nil {
		t.Errorf("changed: %v", got)
	}
	_, err := w.p.admin.Client(t.Context(), &web.Actor{User: &storage.User{Key: storage.Key{Tenant: "birch"}, Role: storage.Owner}}, fmt.Sprint(client["client_id"]))
	if !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a tenant's owner sees it: %v", err)
	}
	if got := p.call(http.MethodDelete, one, ""); got.status != http.StatusNoContent {
		t.Errorf("deleted: %d", got.status)
	}
}
