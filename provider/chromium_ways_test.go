package provider

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/storage"
)

// sendAgain is the button that has a code sent once more.
const sendAgain = ".again button"

// withApp adds an authenticator app to a user who has a number.
func (w *texting) withApp(email, e164 string) *phone {
	w.t.Helper()
	b := w.browser()
	p := b.get("/account/security").signIn(email).is(atMessage)
	p.submit("/with/sms", "code", w.codes(e164)[0]).is(atSecurity)
	setUp := b.get("/account/two-factor").submit("/account/set-up/totp")
	ph := w.scan(setUp)
	setUp.submit("/account/set-up", "code", ph.code()).is(atSecurity)
	w.clock.forward(time.Hour)
	return ph
}

// ui.md 8: a sign-in by SMS. The button that sends again counts down, and before its time nothing is sent; after it the
// first code stays good. From the app to the message and back (ui.md 6).
func testSMSInChromium(t *testing.T, c *chromium) {
	w := newTexting(t)
	w.texted("robin@acme.example", german, germanE)
	s := w.site(t)
	b := c.open(t)
	at := s.attempt()
	b.visit(at.url).signIn("robin@acme.example").is(atMessage).says("We sent a 6-digit code to •••• 567").at("code")
	sent := w.gateway.called()
	if left := eval[string](b, `document.querySelector(".again").dataset.again`); left != "30" {
		t.Errorf("the page counts %q seconds down, want 30", left)
	}
	b.until("the countdown", `/^Send again in \d+ seconds?$/.test(document.querySelector(`+quote(sendAgain)+`).textContent)`)
	before := eval[string](b, `document.querySelector(`+quote(sendAgain)+`).textContent`)
	b.until("the next second", `document.querySelector(`+quote(sendAgain)+`).textContent !== `+quote(before))
	if !eval[bool](b, `document.querySelector(`+quote(sendAgain)+`).disabled`) {
		t.Error("the button can be pressed while it counts down")
	}
	// Who gets round the button is told by the server, and the page is still there to be used.
	b.leave(chromedp.Func(func(context.Context, *chromedp.Target) error {
		eval[chromedp.Void](b, `document.querySelector(".again").submit()`)
		return nil
	})).is(atMessage).says("Please wait 1 minute")
	if n := w.gateway.called(); n != sent {
		t.Errorf("%d messages went out before the time", n-sent)
	}

	w.clock.forward(31 * time.Second)
	b.visit(eval[string](b, `location.href.replace("/send-again", "")`)).is(atMessage)
	b.until("the button", `document.querySelector(`+quote(sendAgain)+`).textContent === "Send again"`)
	b.follow(sendAgain).is(atMessage).says("Another code is on its way. The one sent before stays good until it expires.")
	if n := w.gateway.called(); n != sent+1 {
		t.Errorf("%d messages went out, want one", n-sent)
	}
	b.enter(w.other(germanE)).says("That code isn’t right").enter(w.codes(germanE)[1])
	if claims, _ := s.finish(b, at); !slices.Equal(claims.AMR, []string{"pwd", "sms", "mfa"}) {
		t.Errorf("amr %v", claims.AMR)
	}
	b.clean(w.issuer, s.url)
}

// ui.md 6: what was used last is asked first; the others are one click away, and so is the way back.
func testSwitchFactors(t *testing.T, c *chromium) {
	w := newTexting(t)
	w.texted("robin@acme.example", german, germanE)
	ph := w.withApp("robin@acme.example", germanE)
	s := w.site(t)
	b := c.open(t)
	at := s.attempt()
	b.visit(at.url).signIn("robin@acme.example").is(atMessage).follow(`a[href$="/ways"]`)
	b.says("Authenticator app", "Text message (SMS)", "•••• 567", "Backup codes", "Use a recovery code")
	sent := w.gateway.called()
	b.follow(`a[href$="/with/totp"]`).is(atCode).follow(`a[href$="/ways"]`).follow(`a[href$="/with/sms"]`).is(atMessage)
	if n := w.gateway.called(); n != sent {
		t.Errorf("going to and fro sent %d messages", n-sent)
	}
	b.follow(`a[href$="/ways"]`).follow(`a[href$="/with/totp"]`).is(atCode).enter(ph.next())
	s.finish(b, at)
	b = c.open(t)
	b.visit(w.issuer + "/account/security").signIn("robin@acme.example").is(atCode)
	b.clean(w.issuer, s.url)
}

// owner makes a user the owner of the tenant.
func (w *world) owner(u storage.User) {
	w.t.Helper()
	_, err := storage.Change(context.Background(), w.store.Users, u.Tenant, u.ID, func(u *storage.User) error {
		u.Role = storage.Owner
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// rescued is a tenant where nobody sets a second step up without an owner's help: its owner Olga with an app, and Robin
// without anything.
func rescued(w *world) *phone {
	w.t.Helper()
	olga, ph, _ := w.enrolled("acme", "olga@acme.example")
	w.owner(olga)
	w.user("acme", "robin@acme.example", "staff", func(u *storage.User) { u.Name = "Robin Rescued" })
	w.rules("acme", storage.Rule{Name: "Only with an owner", Then: storage.Then{Access: "allow", Strength: "any"}})
	return ph
}

// generate signs the owner in and has her make a recovery code for Robin, whose row is found by the search.
func generate(b *tab, w *world, ph *phone) string {
	b.t.Helper()
	b.visit(w.issuer+"/account/security").signIn("olga@acme.example").is(atCode).fill("#code", "").put(ph.next())
	b.follow(next).is(atSecurity).follow(`a[href$="/admin/people"]`).is("People").says("Robin Rescued", "2FA off", "2FA on")
	b.fill("#find", "robin@acme.example").follow(`form[role="search"] button`).says("Robin Rescued")
	b.click("details.menu summary").follow(`form[action$="/recovery-code"] button`).is("Recovery code for Robin Rescued")
	b.says("It works once", "It is shown only this once")
	return eval[string](b, `document.querySelector("#recovery code").textContent`)
}

// 002-8, 002-9, 004-9: nobody who has no factor gets in where an owner's code is asked for. The owner makes one on the
// People page, in a browser of her own, and copies it; with it the user gets in once, and sets a second step up.
func testRecoveryInChromium(t *testing.T, c *chromium) {
	w := newWorld(t)
	ph := rescued(w)
	s := w.site(t)
	b := c.open(t)
	at := s.attempt()
	b.visit(at.url).signIn("robin@acme.example").is(atRecovery).says("There is no other way set up for this account").at("code")

	o := c.open(t)
	code := generate(o, w, ph)
	func() {
		c.clipboard.Lock()
		defer c.clipboard.Unlock()
		o.allowClipboard(w.issuer)
		o.click("button[data-copy]").until("the word that it is copied", `document.querySelector("button[data-copy]").textContent === "Copied"`)
		if got := eval[string](o, `navigator.clipboard.readText()`); got != code {
			t.Errorf("the clipboard holds %q, the page shows %q", got, code)
		}
	}()
	o.visit(w.issuer + "/admin/people").is("People").says("Recovery code valid until")

	b.fill("#code", "AAAA-AAAA-AAAA-AAAA").follow(next).is(atRecovery).says("That code isn’t right")
	b.fill("#code", strings.ToLower(code)).follow(next).is(atIntro).says("You came in with a recovery code")
	b.follow(next).is("Set up your authenticator app")
	mine := &phone{t: t, w: w, secret: eval[string](b, `document.querySelector("#key").value`)}
	b.enter(mine.code()).is(atCodes).click("label[for=saved]").follow(next)
	if claims, _ := s.finish(b, at); claims.ACR != login.ACRTwoFactor {
		t.Errorf("acr %q, amr %v", claims.ACR, claims.AMR)
	}
	o.leave(chromedp.Reload()).is("People")
	if strings.Contains(eval[string](o, `document.body.innerText`), "valid until") {
		t.Error("the spent code is still shown as valid")
	}

	// From the backup codes' page the recovery code is one click away (001-11).
	b = c.open(t)
	at = s.attempt()
	b.visit(at.url).signIn("robin@acme.example").is(atCode).follow(`a[href$="/ways"]`).follow(`a[href$="/with/backup"]`)
	b.follow(`a[href$="/with/recovery"]`).is(atRecovery).fill("#code", code).follow(next).says("That code has already been used")
	b.clean(w.issuer, s.url)
	o.clean(w.issuer)
}

// 004-6, 004-7: a device is remembered by a tick, is not asked again, and is asked again once it is forgotten. With a box
// to tick, a full code does not send itself.
func testDevicesInChromium(t *testing.T, c *chromium) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	remembering(w)
	s := w.site(t)
	b := c.open(t)
	at := s.attempt()
	b.visit(at.url).signIn("robin@acme.example").is(atCode).says("Don’t ask again on this device for 14 days", "Only on a device that is yours alone")
	b.press(ph.next())
	if b.posts("/with/totp") != 0 {
		t.Error("the code sent itself before the box could be ticked")
	}
	b.click("label[for=remember]").follow(next)
	s.finish(b, at)

	known := s.attempt(oauth2.SetAuthURLParam("prompt", "login"))
	b.visit(known.url).is(atSignIn).fill("#password", rightPassword).follow(next)
	if claims, _ := s.finish(b, known); claims.ACR != login.ACRPassword || slices.Contains(claims.AMR, "mfa") {
		t.Errorf("a remembered device: acr %q, amr %v", claims.ACR, claims.AMR)
	}
	other := c.open(t)
	other.visit(w.issuer + "/account/security").signIn("robin@acme.example").is(atCode)
	other.clean(w.issuer)

	b.visit(w.issuer + "/account/security").is(atSecurity).says("except on the devices")
	b.visit(w.issuer+"/account/devices").is(atDevices).says("Remembered devices", "This device", "Remembered until")
	b.follow(`form[action$="/forget"] button.link`).is(atDevices).says("The device is forgotten", "No device is remembered")
	asked := s.attempt(oauth2.SetAuthURLParam("prompt", "login"))
	b.visit(asked.url).is(atSignIn).fill("#password", rightPassword).follow(next).is(atCode).put(ph.next())
	b.follow(next)
	s.finish(b, asked)
	b.clean(w.issuer, s.url)
}

// A forgotten password by a mailed link, which leads on to the application; and "this was not me", which locks the
// account and ends its sessions. Neither link acts by being opened.
func testMailLinksInChromium(t *testing.T, c *chromium) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	s := w.site(t)
	b := c.open(t)
	at := s.attempt()
	b.visit(at.url).is(atSignIn).follow(`a[href*="/forgot"]`).is("Forgot your password?").at("login")
	b.fill("#login", "robin@acme.example").follow(next).is("Look into your mail").says("If there is such an account")
	w.p.rescue.Wait()
	link := w.linkTo("robin@acme.example", "/password/")

	const fresh = "seven lanterns over the harbour"
	b.visit(link).is("Choose a new password").at("password").fill("#password", "short").follow(next).says("That password is too short")
	b.fill("#password", "password1234").follow(next).says("lists that attackers try first")
	b.fill("#password", fresh).follow(next).is(atSignIn).says("You have a new password. Sign in with it now.")
	b.visit(link).is("This link no longer works")
	b.visit(at.url).is(atSignIn).fill("#login", "robin@acme.example").fill("#password", rightPassword).follow(next).says("isn’t right")
	b.fill("#password", fresh).follow(next).is(atCode).enter(ph.next())
	s.finish(b, at)

	// The mail that told of the change.
	link = w.linkTo("robin@acme.example", "/not-me/")
	stranger := c.open(t)
	stranger.visit(link).is("Lock robin@acme.example?").says("All sessions end at once")
	b.visit(w.issuer + "/account/security").is(atSecurity)
	stranger.follow(next).is("Your account is locked")
	b.visit(w.issuer + "/account/security").is(atSignIn)
	b.fill("#login", "robin@acme.example").fill("#password", fresh).follow(next).is(atSignIn).says("The name or the password isn’t right")
	b.clean(w.issuer, s.url)
	stranger.clean(w.issuer)
}

// All of it by buttons and links: SMS, recovery, devices and mailed links work without JavaScript.
func testWaysWithoutJavaScript(t *testing.T, c *chromium) {
	w := newTexting(t)
	w.texted("sam@acme.example", german, germanE)
	remembering(w.world)
	s := w.site(t)
	b := c.open(t)
	b.javascript(false)
	at := s.attempt()
	b.visit(at.url).signIn("sam@acme.example").is(atMessage)
	if eval[bool](b, `document.querySelector(`+quote(sendAgain)+`).disabled`) {
		t.Error("without JavaScript nobody would enable the button")
	}
	b.follow(sendAgain).is(atMessage).says("Please wait 1 minute")
	w.clock.forward(31 * time.Second)
	b.follow(sendAgain).is(atMessage).says("Another code is on its way")
	b.fill("#code", w.codes(germanE)[0]).click("label[for=remember]").follow(next)
	s.finish(b, at)
	b.visit(w.issuer + "/signout").follow(next)
	b.visit(w.issuer + "/account/devices").signIn("sam@acme.example").is(atDevices).follow(`form[action$="/forget"] button.link`).says("The device is forgotten")
	b.clean(w.issuer, s.url)

	plain := newWorld(t)
	ph := rescued(plain)
	o, b := c.open(t), c.open(t)
	o.javascript(false)
	b.javascript(false)
	b.visit(plain.issuer + "/account/security").signIn("robin@acme.example").is(atRecovery)
	code := generate(o, plain, ph)
	b.fill("#code", code).follow(next).is(atIntro).says("You came in with a recovery code").follow(next)
	mine := &phone{t: t, w: plain, secret: eval[string](b, `document.querySelector("#key").value`)}
	b.fill("#code", mine.code()).follow(next).is(atCodes).click("label[for=saved]").follow(next).is(atSecurity)

	b = c.open(t)
	b.javascript(false)
	b.visit(plain.issuer+"/account/security").is(atSignIn).follow(`a[href*="/forgot"]`).fill("#login", "robin@acme.example").follow(next).is("Look into your mail")
	plain.p.rescue.Wait()
	b.visit(plain.linkTo("robin@acme.example", "/password/")).fill("#password", "seven lanterns over the harbour").follow(next).is(atSignIn)
	b.clean(plain.issuer)
	o.clean(plain.issuer)
}

// ui.md 15: the same by keyboard alone: number, message, sending again, the box, the menu of a person, a device.
func testWaysByKeyboard(t *testing.T, c *chromium) {
	w := newTexting(t)
	olga, _ := w.texted("olga@acme.example", german, germanE)
	w.owner(olga)
	w.user("acme", "robin@acme.example", "staff")
	remembering(w.world)
	b := c.open(t)
	b.visit(w.issuer + "/account/security").is(atSignIn).press("robin@acme.example" + tabKey + rightPassword).enterKeyLeads().is(atIntro)
	b.tabTo(`form[action$="/set-up/sms"] button`).enterKeyLeads().is(atNumber).at("input")
	b.press("12").enterKeyLeads().says("That can’t be used").at("input")
	eval[chromedp.Void](b, `document.querySelector("#input").select()`)
	b.press(british).enterKeyLeads().is(atNumber).says("•••• 456").at("code")
	b.leave(chromedp.KeyEvent(w.codes(britE)[0])).is(atCodes).tabTo("#saved").press(spaceKey).tabTo(next).enterKeyLeads().is(atSecurity)

	b = c.open(t)
	b.visit(w.issuer + "/account/devices").is(atSignIn).press("olga@acme.example" + tabKey + rightPassword).enterKeyLeads().is(atMessage).at("code")
	w.clock.forward(31 * time.Second)
	b.leave(chromedp.Reload()).is(atMessage).tabTo(sendAgain).enterKeyLeads().says("Another code is on its way").at("code")
	b.press(w.codes(germanE)[0]).tabTo("#remember").press(spaceKey).tabTo(next).enterKeyLeads().is(atDevices).says("This device")
	b.tabTo(`form[action$="/forget"] button.link`).enterKeyLeads().says("The device is forgotten")
	b.tabTo(`a[href$="/admin/people"]`).enterKeyLeads().is("People").tabTo("#find").press("robin@acme.example").enterKeyLeads()
	b.tabTo("details.menu summary").press(enterKey).tabTo(`form[action$="/recovery-code"] button`).enterKeyLeads().is("Recovery code for Robin Example")
	b.tabTo("button[data-copy]").tabTo(".actions a").tabTo(".actions form button")
	b.clean(w.issuer)
}
