package provider

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/storage"
)

func with(name, value string) oauth2.AuthCodeOption { return oauth2.SetAuthURLParam(name, value) }

// essential asks for an acr through the claims parameter (OpenID Connect Core, section 5.5.1.1).
func essential(acr string) oauth2.AuthCodeOption {
	return with("claims", `{"id_token":{"acr":{"essential":true,"value":"`+acr+`"}}}`)
}

// Step-up: only what is missing is asked, and the ID token says truthfully what was done.
func TestStepUp(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("birch", "kim@birch.example")
	w.rules("birch", storage.Rule{Name: "No second step", Then: storage.Then{Access: "allow", TwoFactor: "off", Strength: "any", Unenrolled: "enrol_at_login"}})
	a := w.app()
	b := w.browser()

	plain := a.attempt()
	c, _ := plain.redeem(plain.begin(b).signIn("kim@birch.example"))
	if c.ACR != login.ACRPassword {
		t.Fatalf("acr %q", c.ACR)
	}
	sid, before := c.SID, c.AuthTime
	w.clock.forward(time.Minute)
	up := a.attempt(with("acr_values", login.ACRTwoFactor))
	c, _ = up.redeem(up.begin(b).is(atCode).submit("/with/totp", "code", ph.next()))
	if c.ACR != login.ACRTwoFactor || !slices.Equal(c.AMR, []string{"pwd", "otp", "mfa"}) || c.SID != sid || c.AuthTime <= before {
		t.Errorf("after stepping up: %+v", c)
	}
	// From now on the session has it, and the claim is the one that was asked for.
	again := a.attempt(with("acr_values", login.ACRTwoFactor))
	if c, _ = again.redeem(again.begin(b)); c.ACR != login.ACRTwoFactor {
		t.Errorf("acr %q", c.ACR)
	}
	low := a.attempt(with("acr_values", login.ACRPassword))
	if c, _ = low.redeem(low.begin(b)); c.ACR != login.ACRPassword {
		t.Errorf("asked for a password, met: acr %q", c.ACR)
	}
}

// An essential acr makes a user without a factor set one up; one that can't be had fails back at the application.
func TestEssentialACR(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	a := w.app()
	b := w.browser()
	wished := a.attempt(with("acr_values", login.ACRTwoFactor))
	if c, _ := wished.redeem(wished.begin(b).signIn("kim@birch.example")); c.ACR != login.ACRPassword {
		t.Errorf("a voluntary acr that the user can't meet: %q", c.ACR)
	}
	silent := a.attempt(essential(login.ACRTwoFactor), with("prompt", "none"))
	if q := silent.arrived(silent.begin(b)); q.Get("error") != "interaction_required" {
		t.Errorf("prompt=none where set-up is needed: %v", q)
	}
	insisted := a.attempt(essential(login.ACRTwoFactor))
	_, saved := insisted.begin(b).enrol()
	if c, _ := insisted.redeem(saved.submit("/codes", "saved", "yes")); c.ACR != login.ACRTwoFactor {
		t.Errorf("acr %q", c.ACR)
	}
	impossible := a.attempt(essential(login.ACRPhishingResistant))
	if q := impossible.arrived(impossible.begin(b)); q.Get("error") != "unmet_authentication_requirements" || q.Get("code") != "" {
		t.Errorf("an essential acr that nobody here can give: %v", q)
	}
}

// prompt and max_age.
func TestPromptAndMaxAge(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	w.user("birch", "lou@birch.example", "client")
	a := w.app()
	b := w.browser()
	none := a.attempt(with("prompt", "none"))
	if q := none.arrived(none.begin(b)); q.Get("error") != "login_required" {
		t.Errorf("prompt=none as a stranger: %v", q)
	}
	first := a.attempt()
	c, token := first.redeem(first.begin(b).signIn("kim@birch.example"))
	w.clock.forward(2 * time.Minute)

	none = a.attempt(with("prompt", "none"))
	if got, _ := none.redeem(none.begin(b)); got.SID != c.SID || got.AuthTime != c.AuthTime {
		t.Errorf("prompt=none with a session: %+v", got)
	}
	old := a.attempt(with("prompt", "none"), with("max_age", "60"))
	if q := old.arrived(old.begin(b)); q.Get("error") != "login_required" {
		t.Errorf("prompt=none with a session that is too old: %v", q)
	}
	for name, option := range map[string]oauth2.AuthCodeOption{"max_age": with("max_age", "60"), "prompt=login": with("prompt", "login")} {
		w.clock.forward(2 * time.Minute)
		again := a.attempt(option)
		p := again.begin(b)
		if got, _ := again.redeem(p.submit("/signin", "login", "kim@birch.example", "password", rightPassword)); got.AuthTime <= c.AuthTime || got.SID != c.SID {
			t.Errorf("%s: %+v after %+v", name, got, c)
		} else {
			c = got
		}
	}
	// id_token_hint of somebody else: the one who is signed in does not do.
	raw, _ := token.Extra("id_token").(string)
	other := w.browser()
	o := a.attempt()
	o.redeem(o.begin(other).signIn("lou@birch.example"))
	hinted := a.attempt(with("prompt", "none"), with("id_token_hint", raw))
	if q := hinted.arrived(hinted.begin(other)); q.Get("error") != "login_required" {
		t.Errorf("somebody else's id_token_hint: %v", q)
	}
	hinted = a.attempt(with("id_token_hint", raw))
	p := hinted.begin(other).submit("/signin", "login", "lou@birch.example", "password", rightPassword)
	if p.status != 422 {
		t.Errorf("lou signs in where kim was asked for: %d", p.status)
	}
	if got, _ := hinted.redeem(p.submit("/signin", "login", "kim@birch.example", "password", rightPassword)); got.Subject != c.Subject {
		t.Errorf("subject %q, want kim's %q", got.Subject, c.Subject)
	}
}

// The tenant of a sign-in: the application's, the parameter, or what is typed in; where the same e-mail exists in
// several tenants the password decides, and if it fits more than one the user picks.
func TestWhichTenant(t *testing.T) {
	w := newWorld(t)
	w.tenant("cedar")
	for _, tenant := range []string{"birch", "cedar"} {
		w.user(tenant, "kim@both.example", "client")
	}
	other := storage.User{Key: storage.Key{Tenant: "acme"}, Email: "kim@both.example", Name: "Kim", Role: storage.Member, Type: "client"}
	const otherPassword = "an entirely different secret"
	if err := w.p.local.Create(t.Context(), &other, otherPassword); err != nil {
		t.Fatal(err)
	}
	a := w.app()

	at := a.attempt()
	if c, _ := at.redeem(at.begin(w.browser()).submit("/signin", "login", "kim@both.example", "password", otherPassword)); c.Tenant != "acme" {
		t.Errorf("the password of one tenant signs in to %q", c.Tenant)
	}
	at = a.attempt()
	b := w.browser()
	pick := at.begin(b).signIn("kim@both.example").says("Birch Ltd", "Cedar Ltd")
	if strings.Contains(pick.text(), "Acme") {
		t.Error("the page names a tenant whose password was not given")
	}
	_, fields := pick.form("/signin/tenant")
	thief := w.browser()
	thief.get("/account/security")
	if p := thief.follow(pick.request("/signin/tenant", "tenant", "birch")); p.status != 403 {
		t.Errorf("the choice is taken from another browser: %d", p.status)
	}
	for _, wrong := range []string{"acme", "", "nowhere"} {
		if p := pick.submit("/signin/tenant", "tenant", wrong); p.status != 400 {
			t.Errorf("the choice of %q answers %d", wrong, p.status)
		}
	}
	if fields.Get("proof") == "" {
		t.Fatal("no proof in the form")
	}
	if c, _ := at.redeem(pick.submit("/signin/tenant", "tenant", "cedar")); c.Tenant != "cedar" {
		t.Errorf("picked cedar, signed in to %q", c.Tenant)
	}
	at = a.attempt(with("tenant", "birch"))
	if c, _ := at.redeem(at.begin(w.browser()).signIn("kim@both.example")); c.Tenant != "birch" {
		t.Errorf("tenant=birch signs in to %q", c.Tenant)
	}
	at = a.attempt(with("tenant", "birch"))
	if p := at.begin(w.browser()).submit("/signin", "login", "kim@both.example", "password", otherPassword); p.status != 422 {
		t.Errorf("another tenant's password answers %d", p.status)
	}
	// A choice that lay open for too long, and one whose password was changed meanwhile, are over.
	at = a.attempt()
	pick = at.begin(w.browser()).signIn("kim@both.example")
	w.clock.forward(6 * time.Minute)
	if p := pick.submit("/signin/tenant", "tenant", "cedar"); p.status != 410 {
		t.Errorf("a choice after six minutes answers %d", p.status)
	}
}

// A sign-in that took too long starts over and still reaches the application; so do two tabs, and a page sent twice.
func TestRobustness(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	a := w.app()
	b := w.browser()
	at := a.attempt()
	p := at.begin(b).signIn("robin@acme.example").is(atCode)
	w.clock.forward(16 * time.Minute)
	p = p.submit("/with/totp", "code", ph.code()).is(atSignIn).says("took too long")
	p = p.signIn("robin@acme.example").is(atCode)

	one, two := a.attempt(), a.attempt()
	first := one.begin(b).signIn("robin@acme.example").is(atCode)
	second := two.begin(b).signIn("robin@acme.example").is(atCode)
	two.redeem(second.submit("/with/totp", "code", ph.next()))
	one.redeem(first.submit("/with/totp", "code", ph.next()))
	// The first of them, open all the while, is sent last: the session is enough for it too.
	at.redeem(p.submit("/with/totp", "code", ph.next()))
	// Sent again after it was done, it goes on to the application with the session.
	again := b.follow(p.request("/with/totp", "code", ph.code()))
	if again.url.Query().Get("code") == "" {
		t.Errorf("sent again: %d at %s", again.status, again.url)
	}
	if again = b.get(p.url.Path); again.url.Query().Get("code") == "" {
		t.Errorf("back and reload: %d at %s", again.status, again.url)
	}
	// But not for one who signed out since.
	b.get("/signout").submit("/signout")
	b.get(p.url.Path).is(atSignIn)
}

// Whom the policy denies reads the rule's name; whom only a recovery code lets in reads whom to ask.
func TestDeniedAndRecoveryOnly(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	w.user("acme", "robin@acme.example", "staff")
	w.rules("birch", storage.Rule{Name: "Nobody on Sundays"})
	w.rules("acme", storage.Rule{Name: "Staff", Then: storage.Then{Access: "allow", Strength: "any"}})
	a := w.app()
	at := a.attempt()
	if p := at.begin(w.browser()).signIn("kim@birch.example").says("Nobody on Sundays"); p.status != 403 {
		t.Errorf("denied by policy: %d", p.status)
	}
	b := w.browser()
	at = a.attempt()
	at.begin(b).signIn("robin@acme.example").is(atRecovery).says("owner")
	b.get("/account/security").is(atSignIn)
	var reasons []string
	for _, e := range slices.Concat(w.events("birch"), w.events("acme")) {
		if e.Action == "sign_in" && e.Outcome == "refused" {
			reasons = append(reasons, e.Rule)
		}
	}
	if !slices.Equal(reasons, []string{"Nobody on Sundays"}) {
		t.Errorf("audit log: %q", reasons)
	}
}

// Without a rule nobody gets in, and a policy that can't be read is no way in.
func TestFailClosed(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	w.rules("birch")
	if p := w.browser().get("/account/security").signIn("kim@birch.example"); p.status != 403 {
		t.Errorf("no rules: %d", p.status)
	}
	w.rules("birch", storage.Rule{Name: "Typo", When: storage.When{Networks: []string{"10.0.0.0/99"}}, Then: storage.Then{Access: "allow", TwoFactor: "off"}})
	if p := w.browser().get("/account/security").signIn("kim@birch.example"); p.status != 403 {
		t.Errorf("a rule that can't be read: %d", p.status)
	}
}

// Languages: ui_locales, then Accept-Language.
func TestLanguages(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	b.lang = "de-AT,de;q=0.9,en;q=0.5"
	if p := b.get("/signin"); p.heading() != "Anmelden" {
		t.Errorf("Accept-Language de-AT: %q", p.heading())
	}
	a := w.app()
	at := a.attempt(with("ui_locales", "en de"))
	at.begin(b).is(atSignIn)
	if _, err := url.Parse(at.url); err != nil {
		t.Fatal(err)
	}
}

// One gate: a refresh asks the policy of today. Who signed in with a password alone is stopped once a second step is
// required; who showed one goes on.
func TestRefreshAsksThePolicy(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	_, ph, _ := w.enrolled("birch", "lou@birch.example")
	a := w.app()
	weak, strong := a.attempt(), a.attempt()
	_, kims := weak.redeem(weak.begin(w.browser()).signIn("kim@birch.example"))
	_, lous := strong.redeem(strong.begin(w.browser()).signIn("lou@birch.example").submit("/with/totp", "code", ph.next()))
	renew := func(token *oauth2.Token) (*oauth2.Token, error) {
		return a.config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	}
	kims, err := renew(kims)
	if err != nil {
		t.Fatal("before the rule:", err)
	}
	w.rules("birch", storage.Rule{Name: "All", Then: storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login"}})
	if _, err := renew(kims); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("a password alone, where a second step is required by now: %v", err)
	}
	if _, err := renew(lous); err != nil {
		t.Errorf("with a second step: %v", err)
	}
}

// What applications got through a session ends with it, however it ends.
func TestAccessTokensEndWithTheSession(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	a := w.app()
	a.config.Scopes = []string{"openid", "email"}
	b := w.browser()
	at := a.attempt()
	_, token := at.redeem(at.begin(b).signIn("kim@birch.example"))
	if info, err := a.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token)); err != nil || info.Email != "kim@birch.example" {
		t.Fatalf("userinfo: %+v, %v", info, err)
	}
	b.get("/signout").submit("/signout")
	if _, err := a.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token)); err == nil {
		t.Error("the access token outlives the sign-out")
	}
}
