package provider

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// enter signs an owner in and opens the part of the console that is called so.
func (h *helper) enter(b *tab, part string) *tab {
	b.t.Helper()
	b.visit(h.w.issuer+"/account/security").signIn(h.Email).is(atCode).fill("#code", "").put(h.phone.next())
	b.follow(next).is(atSecurity).follow(`a[href$="/admin/people"]`)
	return b.follow(`.tabs a[href$="` + part + `"]`)
}

// 001-3, 001-4: the owner ticks *Staff*, reads what that does, and saves it; the next staff sign-in sets a second step up on
// its way to the application, and a client's does not.
func testForceStaffInChromium(t *testing.T, c *chromium) {
	w := newWorld(t)
	w.user("birch", "sam@birch.example", "staff")
	w.user("birch", "kim@birch.example", "client")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	s := w.site(t)
	o := c.open(t)
	owner.enter(o, ui.PathPolicy).is(atPolicy).says("The first rule that fits a sign-in decides")
	o.click(`label:has(input[value="staff"])`).follow(next).is(atPreview)
	o.says("Nothing is saved yet", "New rule: Staff must use two-factor authentication", "One user has to set up two-factor authentication at the next sign-in")
	o.leave(chromedp.Reload()).is(atPreview)
	o.follow(next).is(atPolicy).says("The policy is saved", "Built in")
	if !eval[bool](o, `document.querySelector('input[value="staff"]').checked && !document.querySelector('input[value="client"]').checked`) {
		t.Error("the switches do not show what is saved")
	}
	w.clock.forward(ten)

	b := c.open(t)
	at := s.attempt()
	b.visit(at.url).signIn("sam@birch.example").is(atIntro).says("Staff must use two-factor authentication").follow(next)
	mine := &phone{t: t, w: w, secret: eval[string](b, `document.querySelector("#key").value`)}
	b.enter(mine.code()).is(atCodes).click("label[for=saved]").follow(next)
	if claims, _ := s.finish(b, at); claims.ACR != login.ACRTwoFactor {
		t.Errorf("acr %q", claims.ACR)
	}
	k := c.open(t)
	at = s.attempt()
	k.visit(at.url).signIn("kim@birch.example")
	if claims, _ := s.finish(k, at); claims.ACR != login.ACRPassword {
		t.Errorf("acr %q", claims.ACR)
	}
	for _, one := range []*tab{o, b, k} {
		one.clean(w.issuer, s.url)
	}
}

// 002-21: the owner lists her own address by a button, and restricts the account to it; from elsewhere nobody signs in. A list
// without her address can't be saved. JavaScript is off.
func testRestrictInChromium(t *testing.T, c *chromium) {
	w := newWorld(t, trusting)
	w.user("birch", "kim@birch.example", "client")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	o := c.open(t)
	from := func(b *tab, address string) {
		call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"X-Forwarded-For": address, "Accept-Language": "en"}})
	}
	from(o, "2001:db8:1::7")
	o.javascript(false)
	owner.enter(o, ui.PathNetworks).is(atNetworks).says("You are at 2001:db8:1::7")
	o.fill("#prefix-0", "203.0.113.0/24").click("label[for=restricted]").follow(`button[value="check"]:not([hidden])`).is(atPreview)
	o.says("You would lock yourself out", "2001:db8:1::7", "It can’t be saved like this")
	if eval[int](o, `document.querySelectorAll('form[action$="/save"]').length`) != 0 {
		t.Error("it can be saved all the same")
	}
	o.follow(".actions a").is(atNetworks)
	o.fill("#prefix-0", "203.0.113.0/24").follow(`button[value="add"]`).fill("#prefix-1", "10.0.0.0/8").follow(`button[value="remove-1"]`)
	o.follow(`button[value="mine"]`).says("It is in one of these networks").click("label[for=restricted]")
	// Enter in a field checks, and does not remove the row.
	o.click("#called-0").leave(chromedp.KeyEvent("Office" + enterKey)).is(atPreview)
	o.says("New network: 203.0.113.0/24", "New network: 2001:db8:1::7/128").follow(next).is(atNetworks).says("The policy is saved")
	w.clock.forward(ten)
	for address, in := range map[string]bool{"203.0.113.9": true, "2001:db8:1::7": true, "2001:db8:1::8": false, "198.51.100.9": false} {
		b := c.open(t)
		from(b, address)
		b.visit(w.issuer + "/account/security").signIn("kim@birch.example")
		if in {
			b.is(atSecurity)
		} else {
			b.is("You can’t sign in from here").says("Sign-in is possible from the account’s networks only")
		}
	}
	o.clean(w.issuer)
}

// 002-20: everyone is to be forced; the preview names the API client that would be cut off, and its address, and adds that as
// a network; saved, the client goes on from there alone.
func testCutOffInChromium(t *testing.T, c *chromium) {
	w := newWorld(t, trusting)
	r := w.robot()
	r.gets("192.0.2.7")
	owner := w.helper("birch", "olga@birch.example", storage.Owner)
	o := c.open(t)
	owner.enter(o, ui.PathPolicy).is(atPolicy).click(`label:has(input[value="everyone"])`).follow(next).is(atPreview)
	o.says("API clients", "Workshop", "192.0.2.7", "Save all the same").follow(`form[action$="/preview"] button`).is(atPreview)
	o.says("New network: 192.0.2.7/32")
	if strings.Contains(eval[string](o, `document.body.innerText`), "would get none any more") {
		t.Error("the client would still be cut off")
	}
	o.follow(`form[action$="/save"] button`).is(atPolicy).says("The policy is saved")
	w.clock.forward(ten)
	r.gets("192.0.2.7")
	r.refused("Everyone must use two-factor authentication", "192.0.2.8")
	o.clean(w.issuer)
}

// The pages of policy and networks are right in every way that all pages are, empty and full.
func testPolicyPages(t *testing.T, c *chromium) {
	for _, lang := range []string{"en", "de"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.user("birch", "nils.with.a.rather.long.name.that.goes.on.and.on@sub.birch.example", "client")
			owner := w.helper("birch", "olga@birch.example", storage.Owner)
			b := c.open(t)
			call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}})
			r := &tour{b: b, w: w, s: w.site(t)}
			r.judged(lang, func() { r.policy(owner) })
		})
	}
}

func (r *tour) policy(owner *helper) {
	b := r.b
	b.visit(r.w.issuer+"/account/security").fill("#login", owner.Email).fill("#password", rightPassword).follow(next).fill("#code", "").put(owner.phone.next())
	b.follow(next).visit(r.w.issuer + ui.PathPolicy)
	r.look("policy")
	b.follow(`a[href$="/rules/new"]`)
	r.look("rule-new")
	b.fill("#name", "A rule").fill("#networks", "203.0.113.7/24").click("label[for=type-0]").click("label[for=factor-0]").follow(`button:not([hidden]).button`)
	r.look("rule-wrong")
	b.fill("#networks", "203.0.113.0/24").fill("#users", owner.Email).click("details.fold summary").fill("#until", "").follow(`button:not([hidden]).button`)
	r.look("preview")
	b.follow(`button[value="report"]`)
	r.look("policy-reported")
	b.click(`label:has(input[value="client"])`).click(`label:has(input[value="everyone"])`).follow(next)
	r.look("preview-everyone")
	b.visit(r.w.issuer + ui.PathNetworks)
	r.look("networks")
	b.fill("#prefix-0", "here").follow(`button[value="add"]`)
	r.look("networks-more")
	b.follow(`button[value="check"]:not([hidden])`)
	r.look("networks-wrong")
	b.visit(r.w.issuer + ui.PathExplain)
	r.look("explain")
	b.fill("#user", owner.Email).follow(next)
	r.look("explain-answer")
	b.fill("#address", "here").follow(next)
	r.look("explain-wrong")
}
