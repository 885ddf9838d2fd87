package provider

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// keysIn signs in with name, password and, where there is an app, its code, by keyboard alone.
func (b *tab) keysIn(to, email string, ph *phone) *tab {
	b.t.Helper()
	b.visit(to).is(atSignIn).press(email + tabKey + rightPassword).enterKeyLeads()
	if ph != nil {
		b.is(atCode).at("code").leave(chromedp.KeyEvent(ph.next()))
	}
	return b
}

// ui.md 6, 15: the way round a lost phone by keyboard alone: from the code to the backup codes, one of which is refused and one is
// taken, and on to the application.
func testCodesByKeyboard(t *testing.T, c *chromium) {
	w := newWorld(t)
	_, _, codes := w.enrolled("acme", "robin@acme.example")
	s := w.site(t)
	b := c.open(t)
	at := s.attempt()
	b.keysIn(at.url, "robin@acme.example", nil).is(atCode).at("code")
	b.tabTo(`a[href$="/ways"]`).enterKeyLeads().is("Try another way").tabTo(`a[href$="/with/backup"]`).enterKeyLeads().is("Enter a backup code").at("code")
	b.press("aaaa-aaaa").enterKeyLeads().says("too short").at("code")
	eval[chromedp.Void](b, `document.querySelector("#code").select()`)
	b.press(codes[0]).enterKeyLeads()
	if claims, _ := s.finish(b, at); claims.ACR != login.ACRTwoFactor {
		t.Errorf("acr %q", claims.ACR)
	}
	b.clean(w.issuer, s.url)
}

// ui.md 15: a user adds a factor, gives it a name, removes it, and makes new backup codes, by keyboard alone.
func testSecurityByKeyboard(t *testing.T, c *chromium) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("birch", "kim@birch.example")
	b := c.open(t)
	b.keysIn(w.issuer+ui.PathSecurity, "kim@birch.example", ph).is(atSecurity)
	b.tabTo(`form[action$="/set-up/totp"] button`).enterKeyLeads().is("Set up your authenticator app")
	second := &phone{t: t, w: w, secret: eval[string](b, `document.querySelector("#key").value`)}
	b.tabTo("#code").leave(chromedp.KeyEvent(second.code())).is(atSecurity).says("Not used yet")
	b.tabTo(`a[href$="/rename"]`).enterKeyLeads().at("name")
	eval[chromedp.Void](b, `document.querySelector("#name").select()`)
	b.press("Old phone").enterKeyLeads().is(atSecurity).says("Old phone")
	b.tabTo(`a[href$="/remove"]`).enterKeyLeads().is("Remove “Old phone”?").tabTo(next).enterKeyLeads().is(atSecurity)
	if n := eval[int](b, `document.querySelectorAll('main a[href$="/remove"]').length`); n != 1 {
		t.Errorf("%d factors are left, want 1", n)
	}
	b.tabTo(`a[href$="/codes/new"]`).enterKeyLeads().tabTo(next).enterKeyLeads().is(atCodes)
	b.tabTo("#saved").press(spaceKey).tabTo(next).enterKeyLeads().is(atSecurity)
	b.clean(w.issuer)
}

// 004-9, ui.md 15: an owner makes a recovery code for somebody, who comes in with it and sets a second step up: both by keyboard
// alone.
func testOwnerByKeyboard(t *testing.T, c *chromium) {
	w := newWorld(t)
	ph := rescued(w)
	s := w.site(t)
	o := c.open(t)
	o.keysIn(w.issuer+ui.PathPeople, "olga@acme.example", ph).is("People").tabTo("#find").press("robin@acme.example").enterKeyLeads()
	o.tabTo("details.menu summary").press(enterKey).tabTo(`form[action$="/recovery-code"] button`).enterKeyLeads().is("Recovery code for Robin Rescued")
	code := eval[string](o, `document.querySelector("#recovery code").textContent`)

	b := c.open(t)
	at := s.attempt()
	b.keysIn(at.url, "robin@acme.example", nil).is(atRecovery).at("code").press(code).enterKeyLeads().is(atIntro)
	b.tabTo(next).enterKeyLeads().is("Set up your authenticator app")
	mine := &phone{t: t, w: w, secret: eval[string](b, `document.querySelector("#key").value`)}
	b.tabTo("#code").leave(chromedp.KeyEvent(mine.code())).is(atCodes).tabTo("#saved").press(spaceKey).tabTo(next).enterKeyLeads()
	if claims, _ := s.finish(b, at); claims.ACR != login.ACRTwoFactor {
		t.Errorf("acr %q", claims.ACR)
	}

	o.clean(w.issuer)
	b.clean(w.issuer, s.url)
}

// 001-3, ui.md 15: an owner has all staff use two-factor authentication, by keyboard alone, and it holds.
func testForceByKeyboard(t *testing.T, c *chromium) {
	w := newWorld(t)
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	w.user("birch", "sam@birch.example", "staff")
	o := c.open(t)
	o.keysIn(w.issuer+ui.PathPeople, owner.Email, owner.phone).is("People")
	o.tabTo(`.tabs a[href$="` + ui.PathPolicy + `"]`).enterKeyLeads().is(atPolicy).tabTo(`input[value="staff"]`).press(spaceKey)
	o.tabTo(next).enterKeyLeads().is(atPreview).says("Nothing is saved yet").tabTo(next).enterKeyLeads().is(atPolicy).says("The policy is saved")
	w.clock.forward(ten)
	b := c.open(t)
	b.keysIn(w.issuer+ui.PathSecurity, "sam@birch.example", nil).is(atIntro).says("Staff must use two-factor authentication")
	o.clean(w.issuer)
	b.clean(w.issuer)
}
