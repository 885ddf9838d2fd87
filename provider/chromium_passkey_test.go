package provider

import (
	"slices"
	"testing"
	"time"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/storage"
)

// keeper is an authenticator built into the browser of a tab, as laptops and phones have one.
type keeper struct {
	b  *tab
	id webauthn.AuthenticatorID
}

// authenticator gives the tab an authenticator, whose user touches it at once and is who he should be.
func (b *tab) authenticator() *keeper {
	b.t.Helper()
	call(b, webauthn.Enable, webauthn.EnableParams{})
	added := call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	return &keeper{b: b, id: added.AuthenticatorID}
}

// present tells whether somebody touches the authenticator. While nobody does, the browser's prompt stays open.
func (k *keeper) present(yes bool) {
	k.b.t.Helper()
	call(k.b, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: k.id, Enabled: yes})
}

// known tells whether the authenticator finds that it is its own user who touches it. Where it does not, the browser
// answers the page as it does when the prompt is cancelled.
func (k *keeper) known(yes bool) {
	k.b.t.Helper()
	call(k.b, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: k.id, IsUserVerified: yes})
}

// offersNothing makes the tab a browser that does not offer passkeys at the name's field by itself.
func (b *tab) offersNothing() {
	b.t.Helper()
	call(b, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{
		Source: `delete PublicKeyCredential.isConditionalMediationAvailable`,
	})
}

// countsPrompts has the tab's pages count the browser's prompts for a passkey that have ended, whatever came of them: a
// page that keeps quiet about it shows nothing to wait for.
func (b *tab) countsPrompts() {
	b.t.Helper()
	call(b, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{
		Source: `window.promptsEnded = 0;
			const prompt = CredentialsContainer.prototype.get;
			CredentialsContainer.prototype.get = function (options) {
				return prompt.call(this, options).finally(() => window.promptsEnded++);
			};`,
	})
}

// passkeys counts what the authenticator keeps.
func (k *keeper) passkeys() int {
	k.b.t.Helper()
	return len(call(k.b, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: k.id}).Credentials)
}

// start is the button that has the browser ask for a passkey.
const start = "[data-start]"

// keyed signs a new member of staff in, who has to set a second step up and chooses a passkey.
func (s *site) keyed(b *tab, email string) {
	b.t.Helper()
	at := s.attempt()
	b.visit(at.url).signIn(email).is(atIntro).follow(`form[action$="/set-up/webauthn"] button`).is(atSetUpPasskey)
	b.follow(start).is(atCodes).click("label[for=saved]").follow(next)
	s.finish(b, at)
}

// Set-up by the browser, forced at sign-in (001-4); then the passkey as second step: the page asks at once, and where
// the browser is asked in vain there are words, the button and the other ways.
func testPasskeySecondStep(t *testing.T, c *chromium) {
	w := newWorld(t, atLocalhost)
	w.user("acme", "robin@acme.example", "staff")
	s := w.site(t)
	b := c.open(t)
	k := b.authenticator()
	first := s.attempt()
	b.visit(first.url).signIn("robin@acme.example").is(atIntro).says("Passkey", "Recommended")
	b.follow(`form[action$="/set-up/webauthn"] button`).is(atSetUpPasskey)
	k.known(false)
	b.click(start).says("No passkey was used", "Try again").is(atSetUpPasskey)
	k.known(true)
	b.follow(start).is(atCodes).click("label[for=saved]").follow(next)
	if claims, _ := s.finish(b, first); claims.ACR != login.ACRPhishingResistant || !slices.Equal(claims.AMR, []string{"pwd", "hwk", "user", "mfa"}) {
		t.Errorf("after set-up: acr %q, amr %v", claims.ACR, claims.AMR)
	}
	if n := k.passkeys(); n != 1 {
		t.Fatalf("the authenticator keeps %d passkeys", n)
	}

	// Nothing to press and nothing to type: the page asks, the authenticator answers.
	second := s.attempt(oauth2.SetAuthURLParam("prompt", "login"))
	b.offersNothing()
	b.visit(second.url).is(atSignIn).fill("#password", rightPassword).do(b.mouse(next, 1))
	if claims, _ := s.finish(b, second); claims.ACR != login.ACRPhishingResistant || !slices.Contains(claims.AMR, "pwd") {
		t.Errorf("acr %q, amr %v", claims.ACR, claims.AMR)
	}
	if n := b.posts("/with/webauthn"); n != 1 {
		t.Errorf("%d answers were sent, want one", n)
	}

	// Refused by the browser: the page keeps quiet about what nobody pressed, says so of what somebody did, and leads to
	// the other ways.
	k.known(false)
	third := s.attempt(oauth2.SetAuthURLParam("prompt", "login"))
	b.countsPrompts()
	b.visit(third.url).is(atSignIn).fill("#password", rightPassword).follow(next).is(atPasskey)
	b.until("the end of the prompt that the page opened", `window.promptsEnded === 1`)
	if said := eval[string](b, `document.querySelector(".problem").innerText`); said != "" {
		t.Errorf("before anything was pressed the page complains: %q", said)
	}
	b.click(start).says("No passkey was used").follow(`a[href$="/ways"]`).is("Try another way")
	k.known(true)
	b.follow(`a[href$="/with/webauthn"]`)
	s.finish(b, third)
	b.clean(w.issuer, s.url)
}

// Where the device can be remembered the page waits for the button, so that the box can be ticked first.
func testPasskeyRemembersDevice(t *testing.T, c *chromium) {
	w := newWorld(t, atLocalhost)
	w.user("acme", "robin@acme.example", "staff")
	remembering(w)
	s := w.site(t)
	b := c.open(t)
	b.authenticator()
	s.keyed(b, "robin@acme.example")
	b.offersNothing()
	at := s.attempt(oauth2.SetAuthURLParam("prompt", "login"))
	b.visit(at.url).is(atSignIn).fill("#password", rightPassword).follow(next).is(atPasskey).click("label[for=remember]").do(b.mouse(start, 1))
	s.finish(b, at)
	b.visit(w.issuer + "/account/devices").is(atDevices).says("This device")
	b.clean(w.issuer, s.url)
}

// A passkey that does not sign in: the sign-in page says so, and the password is still there to be used.
func testPasskeyRefused(t *testing.T, c *chromium) {
	w := newWorld(t, atLocalhost)
	u := w.user("acme", "robin@acme.example", "staff")
	s := w.site(t)
	b := c.open(t)
	k := b.authenticator()
	s.keyed(b, "robin@acme.example")
	b.offersNothing()
	lock := func(at time.Time) {
		t.Helper()
		if _, err := storage.Change(t.Context(), w.store.Users, "acme", u.ID, func(u *storage.User) error { u.Locked = at; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	lock(w.clock.Now())
	at := s.attempt(oauth2.SetAuthURLParam("prompt", "login"))
	b.visit(at.url).is(atSignIn).follow(start).is(atSignIn).says(noSuchPasskey).at("login")
	if k.passkeys() != 1 {
		t.Error("the passkey is gone")
	}
	lock(time.Time{})
	b.signIn("robin@acme.example")
	s.finish(b, at)
	b.clean(w.issuer, s.url)
}

// On the security page: the authenticator that has a passkey already is refused in words, another one is added, and the
// page tells both apart.
func testPasskeyOnSecurityPage(t *testing.T, c *chromium) {
	w := newWorld(t, atLocalhost)
	w.user("acme", "robin@acme.example", "staff")
	s := w.site(t)
	b := c.open(t)
	k := b.authenticator()
	s.keyed(b, "robin@acme.example")
	w.clock.forward(time.Second)
	const add = `form[action$="/account/set-up/webauthn"] button`
	b.visit(w.issuer+"/account/security").is(atSecurity).says("Passkey", "On one device").follow(".actions " + add).is(atSetUpPasskey)
	b.click(start).says("This device already keeps a passkey for your account")
	if k.passkeys() != 1 {
		t.Errorf("the authenticator keeps %d passkeys", k.passkeys())
	}
	call(b, webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: k.id})
	b.authenticator()
	b.follow(start).is(atSecurity).says("“Passkey” was added")
	if n := eval[int](b, `document.querySelectorAll('a[href$="/rename"]').length`); n != 2 {
		t.Errorf("%d passkeys are listed", n)
	}
	b.clean(w.issuer, s.url)
}

// A passkey as the whole sign-in, by the button; and by what the browser offers in the name's field, which Chromium's
// virtual authenticator takes up by itself. A cancelled prompt says so, and leaves the password as it was.
func testPasskeySignIn(t *testing.T, c *chromium) {
	w := newWorld(t, atLocalhost)
	w.user("acme", "robin@acme.example", "staff")
	s := w.site(t)
	b := c.open(t)
	k := b.authenticator()
	s.keyed(b, "robin@acme.example")
	again := func() *attempt {
		at := s.attempt()
		b.visit(w.issuer + "/signout").follow(next).is("You are signed out").visit(at.url).is(atSignIn)
		return at
	}
	whole := func(at *attempt) {
		t.Helper()
		if claims, _ := s.finish(b, at); claims.ACR != login.ACRPhishingResistant || !slices.Equal(claims.AMR, []string{"hwk", "user", "mfa"}) {
			t.Errorf("acr %q, amr %v", claims.ACR, claims.AMR)
		}
	}

	// The offer in the name's field: the page asks, with no click of anybody's.
	at := s.attempt()
	b.visit(w.issuer + "/signout").follow(next).is("You are signed out").do(chromedp.Navigate(at.url))
	whole(at)

	// Cancelled: words beside the button, and the password works.
	k.known(false)
	at = again()
	b.click(start).says("No passkey was used")
	if n := b.posts("/signin/passkey"); n != 1 {
		t.Errorf("%d passkeys were sent, want the one from before", n)
	}
	k.present(false) // or the offer is taken after all
	k.known(true)
	b.fill("#login", "robin@acme.example").fill("#password", rightPassword).follow(next).is(atPasskey)
	k.present(true)
	b.do(chromedp.Reload()) // a prompt that was open before is not answered any more
	if claims, _ := s.finish(b, at); !slices.Equal(claims.AMR, []string{"pwd", "hwk", "user", "mfa"}) {
		t.Errorf("amr %v", claims.AMR)
	}

	// The button, in a browser that offers nothing by itself.
	b.offersNothing()
	at = again()
	b.do(b.mouse(start, 1))
	whole(at)
	b.clean(w.issuer, s.url)
}

// A rule that asks for what resists phishing: who has an app proves it, and sets a passkey up in the browser.
func testPasskeyForced(t *testing.T, c *chromium) {
	w := newWorld(t, atLocalhost)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	w.rules("acme", storage.Rule{Name: "Passkeys for everybody", Then: storage.Then{Access: "allow", Unenrolled: "enrol_at_login"}})
	s := w.site(t)
	b := c.open(t)
	b.authenticator()
	at := s.attempt()
	b.visit(at.url).signIn("robin@acme.example").is(atCode).enter(ph.next()).is(atIntro).says("Passkeys for everybody")
	b.follow(next).is(atSetUpPasskey).follow(start)
	if claims, _ := s.finish(b, at); claims.ACR != login.ACRPhishingResistant {
		t.Errorf("acr %q, amr %v", claims.ACR, claims.AMR)
	}
	b.clean(w.issuer, s.url)
}

// ui.md 15: set-up, second step and whole sign-in by keyboard alone; the focus waits on the button that asks the browser.
func testPasskeyByKeyboard(t *testing.T, c *chromium) {
	w := newWorld(t, atLocalhost)
	w.user("acme", "robin@acme.example", "staff")
	remembering(w) // the second step waits for its button
	s := w.site(t)
	b := c.open(t)
	b.authenticator()
	b.offersNothing()
	waits := func() *tab {
		t.Helper()
		b.until("the focus", `document.activeElement.matches("[data-start]")`)
		return b
	}
	at := s.attempt()
	b.visit(at.url).is(atSignIn).press("robin@acme.example" + tabKey + rightPassword).enterKeyLeads().is(atIntro)
	b.tabTo(`form[action$="/set-up/webauthn"] button`).enterKeyLeads().is(atSetUpPasskey)
	waits().enterKeyLeads().is(atCodes).tabTo("#saved").press(spaceKey).tabTo(next).enterKeyLeads()
	s.finish(b, at)

	at = s.attempt(oauth2.SetAuthURLParam("prompt", "login"))
	b.visit(at.url).is(atSignIn).at("password").press(rightPassword).enterKeyLeads().is(atPasskey)
	waits().tabTo(`a[href$="/ways"]`).enterKeyLeads().is("Try another way").tabTo(`a[href$="/with/webauthn"]`).enterKeyLeads().is(atPasskey)
	waits().do(chromedp.KeyEvent(enterKey))
	s.finish(b, at)

	at = s.attempt(oauth2.SetAuthURLParam("prompt", "login"))
	b.visit(at.url).is(atSignIn).tabTo(start).do(chromedp.KeyEvent(enterKey))
	s.finish(b, at)
	b.clean(w.issuer, s.url)
}

// Without JavaScript the page of the passkey says what it needs, and the other ways lead on.
func testPasskeyWithoutJavaScript(t *testing.T, c *chromium) {
	w := newWorld(t, atLocalhost)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	http := w.browser()
	http.get("/account/security").signIn("robin@acme.example").submit("/with/totp", "code", ph.next()).is(atSecurity)
	w.clock.forward(time.Second)
	http.addPasskey(w.authenticator(false)).is(atSecurity)
	s := w.site(t)
	b := c.open(t)
	b.javascript(false)
	at := s.attempt()
	b.visit(at.url).is(atSignIn)
	if eval[bool](b, `Array.from(document.querySelectorAll("button")).some((e) => e.textContent.includes("passkey") && e.checkVisibility())`) {
		t.Error("a button for passkeys that would do nothing")
	}
	b.signIn("robin@acme.example").is(atPasskey).says("This step needs JavaScript. Switch it on and load the page again, or try another way.")
	b.follow(`a[href$="/ways"]`).is("Try another way").says("Passkey", "Authenticator app", "Backup codes")
	b.follow(`a[href$="/with/totp"]`).is(atCode).fill("#code", ph.next()).follow(next)
	s.finish(b, at)

	b.visit(w.issuer + "/account/security").follow(`.actions form[action$="/set-up/webauthn"] button`).is(atSetUpPasskey)
	b.says("This needs JavaScript. Switch it on and load the page again, or set up something else.").follow(`a[href$="/account/security"]`).is(atSecurity)
	b.clean(w.issuer, s.url)
}
