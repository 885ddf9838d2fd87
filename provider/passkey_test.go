package provider

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	virtual "github.com/descope/virtualwebauthn"
	"golang.org/x/net/html"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/storage"
)

const (
	atPasskey      = "Use your passkey"
	atSetUpPasskey = "Set up a passkey"
	// The one answer to all that is wrong with a passkey at sign-in, and the one at the second step.
	noSuchPasskey  = "That passkey didn’t fit. Try again, or sign in with your password."
	passkeyRefused = "That passkey didn’t fit. Try again, or choose another way."
)

// authenticator holds one passkey, and answers what a page's script would ask the browser for.
type authenticator struct {
	t       testing.TB
	rp      virtual.RelyingParty
	device  virtual.Authenticator
	passkey virtual.Credential
}

// authenticator is a new one; its passkey stays on it, or is synced.
func (w *world) authenticator(synced bool) *authenticator {
	w.t.Helper()
	a := &authenticator{
		t: w.t, rp: virtual.RelyingParty{ID: "localhost", Name: "Sallyport", Origin: w.issuer},
		device: virtual.NewAuthenticatorWithOptions(virtual.AuthenticatorOptions{BackupEligible: synced, BackupState: synced}),
	}
	// The virtual authenticator writes a coordinate that begins with zeros too short, which no server takes.
	const whole = 77
	for len(a.passkey.ID) == 0 || len(a.passkey.Key.AttestationData()) != whole {
		a.passkey = virtual.NewCredential(virtual.KeyTypeEC2)
	}
	return a
}

// options are what the page hands to its script: for "create" or "get".
func (p *page) options(kind string) string {
	p.b.t.Helper()
	var found string
	p.walk(func(n *html.Node) {
		if attr(n, "data-passkey") == kind {
			found = attr(n, "data-options")
		}
	})
	if found == "" {
		p.b.t.Fatalf("nothing for the script to %s on %s (%d):\n%s", kind, p.url, p.status, p.text())
	}
	return found
}

// create makes the passkey that a set-up page asks for.
func (a *authenticator) create(p *page) string {
	a.t.Helper()
	options, err := virtual.ParseAttestationOptions(p.options("create"))
	if err != nil {
		a.t.Fatal(err)
	}
	a.device.Options.UserHandle = []byte(options.UserID)
	return virtual.CreateAttestationResponse(a.rp, a.device, a.passkey, *options)
}

// get answers a page that asks for a passkey.
func (a *authenticator) get(p *page) string {
	a.t.Helper()
	return a.sign(p.options("get"))
}

func (a *authenticator) sign(options string) string {
	a.t.Helper()
	o, err := virtual.ParseAssertionOptions(options)
	if err != nil {
		a.t.Fatal(err)
	}
	return virtual.CreateAssertionResponse(a.rp, a.device, a.passkey, *o)
}

// discovery is a challenge that the sign-in page's script got.
type discovery struct {
	Options json.RawMessage
	State   string
}

// discover asks for a challenge as the sign-in page's script does.
func (p *page) discover() discovery {
	p.b.t.Helper()
	r := p.request("/signin/passkey")
	r.URL.Path = "/signin/passkey/options"
	r.Header.Set("Accept", "application/json")
	got, err := p.b.once(r)
	if err != nil {
		p.b.t.Fatal(err)
	}
	var d discovery
	if err := json.Unmarshal([]byte(got.body), &d); err != nil || got.status != http.StatusOK || d.State == "" {
		p.b.t.Fatalf("no challenge: %d %s (%v)", got.status, got.body, err)
	}
	return d
}

// by signs in with a passkey alone.
func (p *page) by(a *authenticator) *page {
	p.b.t.Helper()
	d := p.is(atSignIn).discover()
	return p.submit("/signin/passkey", "state", d.State, "answer", a.sign(string(d.Options)))
}

// addPasskey sets a passkey up on the security page of a browser whose second step is fresh.
func (b *browser) addPasskey(a *authenticator) *page {
	b.t.Helper()
	p := b.get("/account/two-factor").submit("/account/set-up/webauthn").is(atSetUpPasskey)
	return p.submit("/account/set-up", "code", a.create(p))
}

// keyed is a user of birch with a passkey and backup codes, and the browser that set them up.
func (w *world) keyed(email string, synced bool, change ...func(*storage.User)) (storage.User, *authenticator, *browser) {
	w.t.Helper()
	u := w.user("birch", email, "client", change...)
	b, a := w.browser(), w.authenticator(synced)
	b.get("/account/security").signIn(email).is(atSecurity)
	b.addPasskey(a).is(atCodes).submit("/account/codes", "saved", "yes").is(atSecurity)
	return u, a, b
}

// has tells whether the audit log has such an event, and returns the last of them.
func (w *world) has(tenant, action, outcome string) (last storage.Event, ok bool) {
	w.t.Helper()
	for _, e := range w.events(tenant) {
		if e.Action == action && e.Outcome == outcome {
			last, ok = e, true
		}
	}
	return last, ok
}

// resistant are rules by which everybody must use a second step that resists phishing.
func resistant(w *world, tenant string) {
	w.rules(tenant, storage.Rule{Name: "Passkeys for everybody", Then: storage.Then{Access: "allow", Unenrolled: "enrol_at_login"}})
}

// A passkey is set up on the security page, with backup codes, and from then on is the second step at sign-in.
func TestPasskeySetUpOnThePage(t *testing.T) {
	w := newWorld(t, atLocalhost)
	_, a, b := w.keyed("kim@birch.example", false)
	b.get("/account/security").says("Passkey", "On one device", "10 of 10 left", "Not used yet")
	if _, ok := w.has("birch", "factor.added", "ok"); !ok {
		t.Error("the audit log does not tell of the passkey")
	}
	if m := w.mails("kim@birch.example"); len(m) == 0 || !strings.Contains(m[0].Text, "Passkey") {
		t.Error("no mail tells of the passkey")
	}

	at := w.app().attempt()
	p := at.begin(w.browser()).signIn("kim@birch.example").is(atPasskey)
	p.says("This step needs JavaScript", "Try another way")
	c, _ := at.redeem(p.submit("/with/webauthn", "code", a.get(p)))
	if c.ACR != login.ACRPhishingResistant || !slices.Equal(c.AMR, []string{"pwd", "hwk", "user", "mfa"}) {
		t.Errorf("acr %q, amr %v", c.ACR, c.AMR)
	}
	b.get("/account/security").says("Last used")
}

// A rule forces the set-up at sign-in; the passkey that was just made is the second step of that sign-in too.
func TestPasskeySetUpAtSignIn(t *testing.T) {
	w := newWorld(t, atLocalhost)
	w.user("acme", "robin@acme.example", "staff")
	a, at := w.authenticator(true), w.app().attempt()
	p := at.begin(w.browser()).signIn("robin@acme.example").is(atIntro).says("Staff must use two-factor authentication", "Recommended")
	p = p.submit("/set-up/webauthn").is(atSetUpPasskey).says("This needs JavaScript")
	p = p.submit("/set-up", "code", a.create(p)).is(atCodes)
	if codes := p.codes(); len(codes) != 10 {
		t.Errorf("%d backup codes", len(codes))
	}
	c, _ := at.redeem(p.submit("/codes", "saved", "yes"))
	if c.ACR != login.ACRPhishingResistant || !slices.Equal(c.AMR, []string{"pwd", "swk", "user", "mfa"}) {
		t.Errorf("acr %q, amr %v", c.ACR, c.AMR)
	}
}

// A passkey is a whole sign-in: no name, no password, no second step; the claims say what it was.
func TestPasskeyWholeSignIn(t *testing.T) {
	for key, synced := range map[string]bool{"hwk": false, "swk": true} {
		w := newWorld(t, atLocalhost)
		u, a, _ := w.keyed("kim@birch.example", synced)
		w.rules("birch", storage.Rule{Name: "All", Then: storage.Then{Access: "allow", Unenrolled: "enrol_at_login"}})
		ap := w.app()
		at := ap.attempt()
		c, token := at.redeem(at.begin(w.browser()).by(a))
		if c.Subject != u.ID || c.Tenant != "birch" || c.ACR != login.ACRPhishingResistant || !slices.Equal(c.AMR, []string{key, "user", "mfa"}) {
			t.Errorf("%s: %+v", key, c)
		}
		if c.AuthTime != w.clock.Now().Unix() || token.RefreshToken == "" {
			t.Errorf("%s: auth_time %d, refresh token %t", key, c.AuthTime, token.RefreshToken != "")
		}
		// The claim is the class that was asked for and met.
		at = ap.attempt(with("acr_values", login.ACRTwoFactor))
		if c, _ = at.redeem(at.begin(w.browser()).by(a)); c.ACR != login.ACRTwoFactor {
			t.Errorf("%s: acr %q", key, c.ACR)
		}
		e, ok := w.has("birch", "sign_in", "ok")
		if !ok || e.Factor != "webauthn" || e.User != u.ID {
			t.Errorf("%s: the audit log says %+v", key, e)
		}
	}
}

// Policy that requires phishing resistance: who has an app only proves that first, then sets a passkey up, and is asked
// for the passkey alone from then on. A password never enrols past the app.
func TestPasskeyForcedBesideAnApp(t *testing.T) {
	w := newWorld(t, atLocalhost)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	resistant(w, "acme")
	a, ap := w.authenticator(false), w.app()
	at := ap.attempt()
	b := w.browser()
	p := at.begin(b).signIn("robin@acme.example").is(atCode)
	for _, path := range []string{"/set-up/webauthn", "/set-up"} {
		if q := b.follow(b.request(http.MethodPost, p.url.Path+path, url.Values{"code": {"x"}})); q.heading() != atCode {
			t.Errorf("the password alone leads %s to %q", path, q.heading())
		}
	}
	p = p.submit("/with/totp", "code", ph.next()).is(atIntro).says("Passkeys for everybody")
	if strings.Contains(p.body, "/set-up/totp") {
		t.Error("another app is offered where it would not do")
	}
	p = p.submit("/set-up/webauthn")
	c, _ := at.redeem(p.submit("/set-up", "code", a.create(p)))
	if c.ACR != login.ACRPhishingResistant {
		t.Errorf("acr %q, amr %v", c.ACR, c.AMR)
	}
	at = ap.attempt()
	p = at.begin(w.browser()).signIn("robin@acme.example").is(atPasskey)
	if ways := p.b.get(p.link("/ways")).text(); strings.Contains(ways, "Authenticator app") || strings.Contains(ways, "Backup codes") {
		t.Errorf("ways that would not do are offered:\n%s", ways)
	}
	at.redeem(p.submit("/with/webauthn", "code", a.get(p)))
	at = ap.attempt()
	at.redeem(at.begin(w.browser()).by(a))
}

// Several passkeys: each has a name, says whether it can leave its device, and signs in; one that is removed does not.
func TestPasskeysSeveral(t *testing.T) {
	w := newWorld(t, atLocalhost)
	_, first, b := w.keyed("kim@birch.example", false)
	w.clock.forward(time.Second)
	second := w.authenticator(true)
	b.addPasskey(second).is(atSecurity).says("was added", "On one device", "Synced between your devices")
	rename := b.get("/account/security").link("/rename")
	b.get(rename).submit("/rename", "name", "Blue key").is(atSecurity).says("Blue key")
	for _, a := range []*authenticator{first, second} {
		w.browser().get("/account/security").by(a).is(atSecurity)
		p := w.browser().get("/account/security").signIn("kim@birch.example").is(atPasskey)
		if !strings.Contains(p.options("get"), "allowCredentials") {
			t.Error("the second step asks for nobody's passkey in particular")
		}
		p.submit("/with/webauthn", "code", a.get(p)).is(atSecurity)
	}
	// The link is the last one's on the page: the second passkey goes.
	p := b.get(strings.TrimSuffix(rename, "/rename") + "/remove")
	p.submit("/remove").is(atSecurity).says("was removed")
	w.browser().get("/account/security").by(first).is(atSecurity)
	if q := w.browser().get("/account/security").by(second).is(atSignIn).says(noSuchPasskey); q.status != http.StatusUnprocessableEntity {
		t.Errorf("the passkey that was removed answers %d", q.status)
	}
}

// A change asks for a fresh second step; the passkey gives it, after a password and after a passkey alone.
func TestPasskeyFreshSecondStep(t *testing.T) {
	w := newWorld(t, atLocalhost)
	_, a, _ := w.keyed("kim@birch.example", false)
	b := w.browser()
	p := b.get("/account/security").signIn("kim@birch.example").is(atPasskey)
	p.submit("/with/webauthn", "code", a.get(p)).is(atSecurity)
	w.clock.forward(9 * time.Minute)
	b.get("/account/codes/new").is("Make new backup codes?")
	w.clock.forward(2 * time.Minute)
	p = b.get("/account/codes/new").is(atPasskey)
	p.submit("/with/webauthn", "code", a.get(p)).is("Make new backup codes?")

	b = w.browser()
	b.get("/account/security").by(a).is(atSecurity)
	b.get("/account/codes/new").is("Make new backup codes?")
	w.clock.forward(11 * time.Minute)
	b.get("/account/codes/new").is(atSignIn).says("To change this, please confirm that it’s you").by(a).is("Make new backup codes?")
}

// Without a factor a change asks for a password, or a passkey alone, of the last ten minutes: a second step that was
// shown long ago, with a factor that is gone, does not do.
func TestPasskeyFreshWithoutFactor(t *testing.T) {
	w := newWorld(t, atLocalhost)
	_, a, _ := w.keyed("kim@birch.example", false)
	b := w.browser()
	b.get("/account/security").by(a).is(atSecurity)
	b.get("/account/two-factor/off").submit("/account/two-factor/off").is(atSecurity)
	w.clock.forward(5 * time.Minute)
	b.get("/account/two-factor").is(atIntro)
	w.clock.forward(6 * time.Minute)
	b.get("/account/security").is(atSecurity)
	b.get("/account/two-factor").is(atSignIn).signIn("kim@birch.example").is(atIntro)
}

// Step-up: who is signed in with a password is asked for the passkey only.
func TestPasskeyStepUp(t *testing.T) {
	w := newWorld(t, atLocalhost)
	_, a, b := w.keyed("kim@birch.example", false)
	w.clock.forward(time.Second)
	setUp := b.get("/account/two-factor").submit("/account/set-up/totp")
	setUp.submit("/account/set-up", "code", w.scan(setUp).code()).is(atSecurity)
	w.rules("birch", storage.Rule{Name: "No second step", Then: storage.Then{Access: "allow", TwoFactor: "off", Strength: "any"}})
	ap := w.app()
	b = w.browser()
	at := ap.attempt()
	c, _ := at.redeem(at.begin(b).signIn("kim@birch.example"))
	if c.ACR != login.ACRPassword {
		t.Fatalf("acr %q", c.ACR)
	}
	w.clock.forward(time.Minute)
	at = ap.attempt(with("acr_values", login.ACRPhishingResistant))
	p := at.begin(b).is(atPasskey)
	if ways := b.get(p.link("/ways")).text(); strings.Contains(ways, "Authenticator app") || strings.Contains(ways, "Backup codes") {
		t.Errorf("ways that would not do are offered:\n%s", ways)
	}
	up, _ := at.redeem(p.submit("/with/webauthn", "code", a.get(p)))
	if up.ACR != login.ACRPhishingResistant || up.SID != c.SID || up.AuthTime <= c.AuthTime || !slices.Equal(up.AMR, []string{"pwd", "hwk", "user", "mfa"}) {
		t.Errorf("after stepping up: %+v", up)
	}
	at = ap.attempt(essential(login.ACRPhishingResistant), with("prompt", "none"))
	if c, _ = at.redeem(at.begin(b)); c.ACR != login.ACRPhishingResistant {
		t.Errorf("the session has it from now on: acr %q", c.ACR)
	}
}

// max_age and prompt=login ask a session that began with a passkey for a new one, or the password and a second step.
func TestPasskeyMaxAgeAndPromptLogin(t *testing.T) {
	w := newWorld(t, atLocalhost)
	_, a, _ := w.keyed("kim@birch.example", false)
	ap := w.app()
	b := w.browser()
	at := ap.attempt()
	c, _ := at.redeem(at.begin(b).by(a))
	for name, value := range map[string]string{"max_age": "60", "prompt": "login"} {
		w.clock.forward(2 * time.Minute)
		at = ap.attempt(with(name, value))
		again, _ := at.redeem(at.begin(b).by(a))
		if again.AuthTime <= c.AuthTime || again.SID != c.SID || again.ACR != login.ACRPhishingResistant || !slices.Equal(again.AMR, []string{"hwk", "user", "mfa"}) {
			t.Errorf("%s: %+v after %+v", name, again, c)
		}
		c = again
	}
	at = ap.attempt(with("max_age", "60"), with("prompt", "none"))
	if c, _ = at.redeem(at.begin(b)); c.ACR != login.ACRPhishingResistant {
		t.Errorf("young enough: %+v", c)
	}
	w.clock.forward(2 * time.Minute)
	at = ap.attempt(with("max_age", "60"), with("prompt", "none"))
	if q := at.arrived(at.begin(b)); q.Get("error") != "login_required" {
		t.Errorf("prompt=none with a passkey that is too old: %v", q)
	}
	at = ap.attempt(with("max_age", "60"))
	p := at.begin(b).signIn("kim@birch.example").is(atPasskey)
	at.redeem(p.submit("/with/webauthn", "code", a.get(p)))
}

// asJSON sends a JSON object, or asks for a page as JSON where there is none.
func (b *browser) asJSON(to string, object map[string]string) (status int, answer map[string]json.RawMessage) {
	b.t.Helper()
	method, body := http.MethodGet, ""
	if object != nil {
		data, err := json.Marshal(object)
		if err != nil {
			b.t.Fatal(err)
		}
		method, body = http.MethodPost, string(data)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.issuer+to, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	if object != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	p, err := b.once(r)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(p.body), &answer); err != nil {
		b.t.Fatalf("%s answers %d with no JSON object: %s", to, p.status, p.body)
	}
	return p.status, answer
}

func text(t testing.TB, raw json.RawMessage) string {
	t.Helper()
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatalf("%s is no string", raw)
	}
	return s
}

// The same as JSON, from the same routes: set-up, second step, whole sign-in, and a refusal.
func TestPasskeysAsJSON(t *testing.T) {
	w := newWorld(t, atLocalhost)
	w.user("birch", "kim@birch.example", "client")
	a, b := w.authenticator(true), w.browser()
	b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	if status, got := b.asJSON("/account/set-up/webauthn", map[string]string{}); status != 200 || text(t, got["next"]) != "/account/set-up" {
		t.Fatalf("beginning: %d %s", status, got)
	}
	_, got := b.asJSON("/account/set-up", nil)
	creation, err := virtual.ParseAttestationOptions(string(got["options"]))
	if err != nil {
		t.Fatal(err)
	}
	a.device.Options.UserHandle = []byte(creation.UserID)
	made := virtual.CreateAttestationResponse(a.rp, a.device, a.passkey, *creation)
	if status, got := b.asJSON("/account/set-up", map[string]string{"code": made}); status != 200 || text(t, got["next"]) != "/account/codes" {
		t.Fatalf("confirming: %d %s", status, got)
	}

	b = w.browser()
	p := b.get("/account/security").signIn("kim@birch.example").is(atPasskey)
	_, got = b.asJSON(p.url.Path, nil)
	if status, got := b.asJSON(text(t, got["action"]), map[string]string{"code": a.sign(string(got["options"]))}); status != 200 || text(t, got["next"]) != "/account/security" {
		t.Errorf("second step: %d %s", status, got)
	}

	b = w.browser()
	_, fields := b.get("/account/security").form("/signin/passkey")
	request := fields.Get("request")
	_, ch := b.asJSON("/signin/passkey/options", map[string]string{"request": request})
	for i, who := range []*authenticator{w.authenticator(true), a} {
		status, got := b.asJSON("/signin/passkey", map[string]string{
			"request": request, "state": text(t, ch["state"]), "answer": who.sign(string(ch["options"])),
		})
		if i == 0 && (status != 422 || !strings.Contains(string(got["notice"]), "problem.passkey_sign_in")) {
			t.Errorf("a passkey of nobody: %d %s", status, got)
		}
		if i == 1 && (status != 200 || text(t, got["next"]) != "/account/security") {
			t.Errorf("whole sign-in: %d %s", status, got)
		}
	}
	_, got = b.asJSON("/account/security", nil)
	if !strings.Contains(string(got["factors"]), `"note":"synced"`) {
		t.Errorf("the security page as JSON: %s", got["factors"])
	}
	if status, got := w.browser().asJSON("/signin/passkey/options", map[string]string{"request": request}); status != 403 {
		t.Errorf("a challenge for another browser's request: %d %s", status, got)
	}
}
