package provider

import (
	"testing"
	"time"
)

// Name, address, password, number and language are changed by a real browser: the address confirmed in two others, as mail
// programs open them, and with JavaScript on and off.
func testDetailsInChromium(t *testing.T, c *chromium) {
	w := newTexting(t)
	u, _ := w.texted(robinAt, german, germanE)
	b := c.open(t)
	b.visit(w.issuer + "/account/details").signIn(robinAt).is(atMessage).enter(w.codes(germanE)[0])
	b.is(atDetails).says("Robin Example", "Confirmed", "•••• 567")
	w.clock.forward(time.Minute)
	b.follow(`a[href$="/details/name"]`).is(atName).at("name").fill("#name", "Robin Hafen").follow(next).is(atDetails).says("Your name was saved", "Robin Hafen")

	b.follow(`a[href$="/details/email"]`).is(atEmail).at("email").fill("#email", "ROBIN@acme.example").follow(next).is(atEmail).says("That is the address you have").at("email")
	b.fill("#email", wanted).follow(next).is(atDetails).says("A new address waits to be confirmed", "Waiting")
	w.p.rescue.Wait()
	toNew, toOld := w.both()
	first, second := c.open(t), c.open(t)
	second.javascript(false)
	first.visit(toNew).is("Use robin@new.example for your account?").follow(next).is(atOldMissing)
	b.visit(w.issuer+"/account/details").says("Confirmed", "Waiting")
	second.visit(toOld).is("Change your address to robin@new.example?").follow(next).is(atEmailChanged)
	b.visit(w.issuer + "/account/details").is(atDetails).says(wanted)

	// The new password: each field shows what is in it, and two clicks set it once.
	b.follow(`a[href$="/details/password"]`).is(atPassword).at("current")
	b.fill("#current", "not this one").fill("#password", newPassword).follow(next).is(atPassword).says("That password isn’t right").at("current")
	for _, field := range []string{"current", "password"} {
		b.click(`button[data-reveal="` + field + `"]`)
		if kind := eval[string](b, `document.querySelector("#`+field+`").type`); kind != "text" {
			t.Errorf("%s is of type %q after Show", field, kind)
		}
	}
	b.fill("#current", rightPassword).fill("#password", newPassword).leave(b.mouse(next, 2)).is(atDetails)
	if got := w.told("password.changed"); len(got) != 2 {
		t.Errorf("audited: %q", got)
	}

	w.clock.forward(time.Minute)
	b.follow(`a[href*="/details/phones/"]`).is(atNewNumber).says("Codes go to •••• 567 now").at("input").fill("#input", british).follow(next).is(atNewNumber)
	b.enter(w.codes(britE)[0]).is(atDetails).says("Codes now go to •••• 456")
	if c := w.credential(u); c.Note != "•••• 456" {
		t.Errorf("the number is %q", c.Note)
	}
	eval[string](b, `document.querySelector("#language").value = "de"`)
	b.follow(`form[action$="/details/language"] button`).is("Ihre Angaben").says("Ihre Sprache wurde gespeichert")
	b.clean(w.issuer)
	first.clean(w.issuer)
	second.clean(w.issuer)

	// All of it by forms alone.
	b = c.open(t)
	b.javascript(false)
	w.clock.forward(time.Hour)
	b.visit(w.issuer+"/account/details").fill("#login", wanted).fill("#password", newPassword).follow(next).fill("#code", w.codes(britE)[0]).follow(next)
	b.is("Ihre Angaben").follow(`a[href$="/details/email"]`).fill("#email", "back@acme.example").follow(next).says("back@acme.example")
	b.follow(`form[action$="/email/cancel"] button`).says("Die Änderung wurde abgebrochen")
	b.clean(w.issuer)
}
