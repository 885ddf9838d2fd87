package provider

import (
	"testing"

	"github.com/chromedp/cdproto/network"
)

// A user looks at all pages of the account in a real browser, signs another browser out, ends an application's access and
// signs out everywhere else, in both languages; each page is right in every way that all pages are.
func testAccountInChromium(t *testing.T, c *chromium) {
	for _, lang := range []string{"en", "de"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			remembering(w)
			_, ph, _ := w.enrolled("acme", "robin@acme.example")
			b := c.open(t)
			call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}})
			r := &tour{b: b, w: w, s: w.site(t)}
			r.judged(lang, func() { r.ownAccount("robin@acme.example", ph) })
		})
	}
}

func (r *tour) ownAccount(login string, ph *phone) {
	r.b.t.Helper()
	b := r.b
	other, third := r.w.browser(), r.w.browser()
	for _, o := range []*browser{other, third} {
		o.get("/account").signIn(login).submit("/with/totp", "code", ph.next()).is(atAccount)
	}
	device := r.w.remembered(login, ph)
	at := r.s.attempt()
	b.visit(at.url)
	r.signIn(login)
	b.fill("#code", "").put(ph.next())
	b.follow(next)
	_, token := r.s.finish(b, at)

	b.visit(r.w.issuer + "/account")
	r.look("overview")
	b.follow(`main a[href$="/account/devices"]`)
	r.look("devices")
	b.follow(`form[action$="/` + other.session() + `/end"] button`)
	r.look("devices-ended")
	other.get("/account").is(atSignIn)
	third.get("/account").is(atAccount)

	b.follow(`nav a[href$="/account/applications"]`)
	r.look("applications")
	b.follow(`a[href$="/workshop/revoke"]`)
	r.look("revoke")
	b.follow(next)
	r.look("applications-none")
	r.s.app.dead("revoked in the browser", token)

	b.follow(`nav a[href$="/account/activity"]`)
	r.look("activity")
	b.follow(`a[href$="/end-others"]`)
	r.look("end-others")
	b.follow(next)
	r.look("devices-alone")
	third.get("/account").is(atSignIn)
	device.get("/account").is(atSignIn)
}

// The same by keyboard alone and without JavaScript.
func testAccountByKeyboard(t *testing.T, c *chromium) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	other := w.browser()
	other.get("/account").signIn("kim@birch.example").is(atAccount)
	b := c.open(t)
	b.javascript(false)
	b.visit(w.issuer + "/account").is(atSignIn).press("kim@birch.example" + tabKey + rightPassword).enterKeyLeads().is(atAccount)
	b.tabTo(`nav a[href$="/account/devices"]`).enterKeyLeads().is(atDevices)
	b.tabTo(`form[action$="/end"] button`).enterKeyLeads().is(atDevices).says("The browser is signed out.", "You are signed in nowhere else.")
	other.get("/account").is(atSignIn)
	b.tabTo(`nav a[href$="/account/activity"]`).enterKeyLeads().is(atActivity).says("You signed out another browser", "You signed in with your password")
	b.tabTo(`main a[href$="/end-others"]`).enterKeyLeads().is("Sign out everywhere else?").tabTo(next).enterKeyLeads().is(atDevices)
	b.clean(w.issuer)
}
