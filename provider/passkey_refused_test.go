package provider

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	virtual "github.com/descope/virtualwebauthn"

	"github.com/sallyport-id/sallyport/storage"
)

// The same authenticator twice: the page has the browser exclude it, and the server says so in words.
func TestPasskeySameAuthenticatorTwice(t *testing.T) {
	w := newWorld(t, atLocalhost)
	_, a, b := w.keyed("kim@birch.example", false)
	w.clock.forward(time.Minute)
	p := b.get("/account/two-factor").submit("/account/set-up/webauthn").is(atSetUpPasskey)
	options, err := virtual.ParseAttestationOptions(p.options("create"))
	if err != nil || !a.passkey.IsExcludedForAttestation(*options) {
		t.Errorf("the browser is not told to exclude the passkey (%v)", err)
	}
	p = p.submit("/account/set-up", "code", a.create(p))
	if p.status != http.StatusUnprocessableEntity {
		t.Errorf("the same passkey again answers %d", p.status)
	}
	p.is(atSetUpPasskey).says("This device already keeps a passkey for your account")
	if n := strings.Count(b.get("/account/security").body, "/rename"); n != 1 {
		t.Errorf("%d passkeys after the same one was sent twice", n)
	}
}

// A counter that goes back is refused at the second step and at sign-in, audited and mailed, and the security page warns.
func TestPasskeyCopied(t *testing.T) {
	for _, whole := range []bool{true, false} {
		w := newWorld(t, atLocalhost)
		_, a, b := w.keyed("kim@birch.example", false)
		w.clock.forward(time.Second)
		b.addPasskey(w.authenticator(false)).is(atSecurity)
		a.passkey.Counter = 7
		w.browser().get("/account/security").by(a).is(atSecurity)
		w.clock.forward(time.Second)
		a.passkey.Counter = 7 // it stands still, as that of a copy does
		p := w.browser().get("/account/security")
		if whole {
			p = p.by(a).is(atSignIn).says(noSuchPasskey)
		} else {
			p = p.signIn("kim@birch.example").is(atPasskey)
			p = p.submit("/with/webauthn", "code", a.get(p)).is(atPasskey).says(passkeyRefused)
		}
		if p.status != http.StatusUnprocessableEntity {
			t.Errorf("whole %v: a counter that went back answers %d", whole, p.status)
		}
		if strings.Contains(p.text(), "copied") {
			t.Error("whoever holds the copy is told")
		}
		e, ok := w.has("birch", "factor.copied", "refused")
		if !ok || e.Factor != "webauthn" || e.Reason != "copied" {
			t.Errorf("whole %v: the audit log says %+v", whole, e)
		}
		if m := w.mails("kim@birch.example"); !strings.Contains(flat(m[0].Text), "went back, as happens when somebody uses a copy") {
			t.Errorf("whole %v: the last mail is\n%s", whole, m[0].Text)
		}
		b.get("/account/security").says("A passkey may have been copied", "Its counter went back", "Remove it now")
	}
}

// Whatever is wrong with a passkey: the same words and status, and nothing told. Nor does any of it count against the
// owner, who signs in right after.
func TestPasskeyRefusedInTheSameWords(t *testing.T) {
	w := newWorld(t, atLocalhost)
	_, a, _ := w.keyed("kim@birch.example", false)
	_, others, _ := w.keyed("lou@birch.example", false)
	ap := w.app()
	b := w.browser()
	refused := func(name string, p *page) {
		t.Helper()
		if p.status != http.StatusUnprocessableEntity || !strings.Contains(p.text(), noSuchPasskey) {
			t.Errorf("%s: %d\n%s", name, p.status, p.text())
		}
		for _, secret := range []string{"kim@birch.example", "Birch", "Robin"} {
			if strings.Contains(p.text(), secret) {
				t.Errorf("%s: the page tells %q", name, secret)
			}
		}
	}
	fresh := func() (*page, discovery) {
		p := b.get("/account/security").is(atSignIn)
		d := p.discover()
		return p, d
	}
	send := func(p *page, d discovery, answer string) *page {
		return p.submit("/signin/passkey", "state", d.State, "answer", answer)
	}
	changed := func(name string, change func(a *authenticator)) {
		bad := *a
		change(&bad)
		p, d := fresh()
		refused(name, send(p, d, bad.sign(string(d.Options))))
	}
	changed("wrong origin", func(a *authenticator) { a.rp.Origin = "http://localhost.evil.example" })
	changed("another port", func(a *authenticator) { a.rp.Origin = "http://localhost" })
	changed("wrong relying party", func(a *authenticator) { a.rp.ID = "evil.example" })
	changed("no user verification", func(a *authenticator) { a.device.Options.UserNotVerified = true })
	changed("nobody there", func(a *authenticator) { a.device.Options.UserNotPresent = true })
	changed("another user's passkey", func(a *authenticator) { a.passkey = others.passkey })
	changed("another user's name", func(a *authenticator) { a.device.Options.UserHandle = others.device.Options.UserHandle })
	changed("a passkey that nobody has", func(a *authenticator) { a.passkey = w.authenticator(false).passkey })
	changed("a user who is not there", func(a *authenticator) { a.device.Options.UserHandle = []byte("\x01birch\x00nobody") })
	changed("a tenant that is not there", func(a *authenticator) { a.device.Options.UserHandle = []byte("\x01nowhere\x00nobody") })
	changed("no name", func(a *authenticator) { a.device.Options.UserHandle = nil })

	p, d := fresh()
	refused("nothing", send(p, d, ""))
	refused("no answer at all", send(p, d, `{"id":"x"}`))

	// Replayed, also in a sign-in of its own.
	p, d = fresh()
	answer := a.sign(string(d.Options))
	send(p, d, answer).is(atSecurity)
	b = w.browser()
	again, _ := fresh()
	refused("a challenge of another browser and request", send(again, d, answer))

	// Of this browser, but for another request.
	p, _ = fresh()
	_, elsewhere := fresh()
	refused("an answer for another request", send(p, elsewhere, a.sign(string(elsewhere.Options))))
	p, d = fresh()
	refused("an answer to another challenge", send(p, d, a.sign(string(elsewhere.Options))))

	p, d = fresh()
	answer = a.sign(string(d.Options))
	w.clock.forward(5 * time.Minute)
	refused("after five minutes", send(p, d, answer))
	p, d = fresh()
	answer = a.sign(string(d.Options))
	w.clock.forward(5*time.Minute - time.Second)
	send(p, d, answer).is(atSecurity)

	b = w.browser()
	at := ap.attempt(with("tenant", "acme"))
	p = at.begin(b).is(atSignIn)
	refused("in another tenant's request", p.by(a))
	at = ap.attempt(with("tenant", "birch"))
	at.redeem(at.begin(b).by(a))
}

// A replayed answer, in the browser and the request that it was right for.
func TestPasskeyReplayed(t *testing.T) {
	w := newWorld(t, atLocalhost)
	_, a, _ := w.keyed("kim@birch.example", false)
	b := w.browser()
	p := b.get("/account/security")
	d := p.discover()
	answer := a.sign(string(d.Options))
	p.submit("/signin/passkey", "state", d.State, "answer", answer).is(atSecurity)
	b.signOut()
	if q := p.submit("/signin/passkey", "state", d.State, "answer", answer); q.status != http.StatusUnprocessableEntity {
		t.Errorf("the same answer again: %d", q.status)
	}
	b.get("/account/security").is(atSignIn)
}

// Same answer: a passkey of nobody, of a disabled and of a locked user can't be told apart; and the options are the same
// for all.
func TestPasskeySameAnswer(t *testing.T) {
	w := newWorld(t, atLocalhost)
	lockOut := func(email string, change func(*storage.User)) *authenticator {
		u, a, _ := w.keyed(email, false)
		if _, err := storage.Change(t.Context(), w.store.Users, "birch", u.ID, func(u *storage.User) error { change(u); return nil }); err != nil {
			t.Fatal(err)
		}
		return a
	}
	unknown := w.authenticator(false)
	unknown.device.Options.UserHandle = []byte("\x01birch\x00nobody")
	bodies := map[string]string{}
	sealed := func(p *page) string {
		_, fields := p.form("/signin/passkey")
		return strings.ReplaceAll(p.body, fields.Get("request"), "REQUEST")
	}
	for name, a := range map[string]*authenticator{
		"unknown":  unknown,
		"disabled": lockOut("gone@birch.example", func(u *storage.User) { u.Disabled = true }),
		"locked":   lockOut("shut@birch.example", func(u *storage.User) { u.Locked = w.clock.Now() }),
	} {
		p := w.browser().get("/account/security").by(a).is(atSignIn).says(noSuchPasskey)
		if p.status != http.StatusUnprocessableEntity || len(p.header.Values("Set-Cookie")) != 0 {
			t.Errorf("%s: %d, cookies %q", name, p.status, p.header.Values("Set-Cookie"))
		}
		bodies[sealed(p)] += " " + name
	}
	if len(bodies) != 1 {
		t.Errorf("the answers differ: %d of them", len(bodies))
	}

	// asked is what a browser's authenticators are asked, less the challenge.
	asked := func(b *browser) string {
		t.Helper()
		var o struct{ Challenge string }
		d := b.get("/account/security").is(atSignIn).discover()
		if err := json.Unmarshal(d.Options, &o); err != nil || o.Challenge == "" {
			t.Fatalf("%s (%v)", d.Options, err)
		}
		return strings.ReplaceAll(string(d.Options), o.Challenge, "")
	}
	_, _, known := w.keyed("kim@birch.example", false)
	known.signOut()
	if a, b := asked(known), asked(w.browser()); a != b {
		t.Errorf("a user's browser is asked %s\na stranger's is asked %s", a, b)
	}
}

// Guessing by a stranger must not lock the owner out: the passkey works while passwords are refused, and while the
// account's codes pause.
func TestPasskeyWhileOthersGuess(t *testing.T) {
	w := newWorld(t, atLocalhost)
	_, a, _ := w.keyed("kim@birch.example", false)
	stranger := w.browser()
	for range 12 {
		stranger.get("/account/security").submit("/signin", "login", "kim@birch.example", "password", "not it")
	}
	stranger.get("/account/security").submit("/signin", "login", "kim@birch.example", "password", rightPassword).is(atSignIn).says("Too many tries")
	w.browser().get("/account/security").by(a).is(atSecurity)

	// A thief who has the password guesses codes until the account pauses.
	w.clock.forward(time.Hour)
	b := w.browser()
	b.get("/account/security").by(a).is(atSecurity)
	setUp := b.get("/account/two-factor").submit("/account/set-up/totp")
	ph := w.scan(setUp)
	setUp.submit("/account/set-up", "code", ph.code()).is(atSecurity)
	thief := w.browser()
	p := thief.get("/account/security").signIn("kim@birch.example").is(atPasskey)
	p = thief.get(p.url.Path + "/with/totp").is(atCode)
	for range 5 {
		p = p.submit("/with/totp", "code", ph.wrong())
	}
	if p = thief.get("/account/security").signIn("kim@birch.example").is(atPasskey); p.submit("/with/webauthn", "code", a.get(p)).status != http.StatusTooManyRequests {
		t.Error("the account does not pause")
	}
	w.browser().get("/account/security").by(a).is(atSecurity)
}

// A user who is locked while a sign-in is under way does not finish it.
func TestPasskeyOfAUserWhoIsOut(t *testing.T) {
	w := newWorld(t, atLocalhost)
	u, a, _ := w.keyed("kim@birch.example", false)
	b := w.browser()
	p := b.get("/account/security")
	d := p.discover()
	answer := a.sign(string(d.Options))
	if _, err := storage.Change(t.Context(), w.store.Users, "birch", u.ID, func(u *storage.User) error { u.Locked = w.clock.Now(); return nil }); err != nil {
		t.Fatal(err)
	}
	p.submit("/signin/passkey", "state", d.State, "answer", answer).is(atSignIn).says(noSuchPasskey)
	b.get("/account/security").is(atSignIn)
}

// One answer, sent twenty times at once: one session.
func TestPasskeyTwentyAnswersAtOnce(t *testing.T) {
	for _, synced := range []bool{true, false} {
		w := newWorld(t, atLocalhost)
		u, a, b := w.keyed("kim@birch.example", synced)
		b.signOut()
		b = w.browser()
		p := b.get("/account/security")
		d := p.discover()
		answer := a.sign(string(d.Options))
		var mu sync.Mutex
		in := 0
		together(t, 20, func(int) error {
			p, err := b.once(p.request("/signin/passkey", "state", d.State, "answer", answer))
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if strings.HasSuffix(p.header.Get("Location"), "/account/security") {
				in++
			} else if p.status != http.StatusUnprocessableEntity {
				return fmt.Errorf("an answer that came second: %d", p.status)
			}
			return nil
		})
		open, err := w.store.Sessions.List(t.Context(), storage.Query{Tenant: "birch", Field: "user", Value: u.ID})
		if err != nil || in != 1 || len(open) != 1 {
			t.Errorf("%d of 20 got in, %d sessions (%v)", in, len(open), err)
		}
	}
}

// A challenge lives for five minutes, a sign-in for fifteen: who comes back to the page late is asked anew, at no cost.
func TestPasskeyChallengeIsPutAnew(t *testing.T) {
	w := newWorld(t, atLocalhost)
	_, a, _ := w.keyed("kim@birch.example", false)
	p := w.browser().get("/account/security").signIn("kim@birch.example").is(atPasskey)
	for range 2 {
		late := a.get(p)
		w.clock.forward(6 * time.Minute)
		old := p.options("get")
		if p = p.submit("/with/webauthn", "code", late).is(atPasskey); p.options("get") == old {
			t.Fatal("asked with a challenge that can't be answered any more")
		}
	}
	p.submit("/with/webauthn", "code", a.get(p)).is(atSecurity)

	// The same at set-up: it begins anew.
	b := w.browser()
	b.get("/account/security").by(a).is(atSecurity)
	other := w.authenticator(false)
	p = b.get("/account/two-factor").submit("/account/set-up/webauthn").is(atSetUpPasskey)
	late := other.create(p)
	w.clock.forward(6 * time.Minute)
	p.submit("/account/set-up", "code", late).is(atSecurity)
	b.addPasskey(other).is(atSecurity).says("was added")
}

// Wrong answers at the second step count like wrong codes, and are refused in the passkey's words.
func TestPasskeyWrongAtTheSecondStep(t *testing.T) {
	w := newWorld(t, atLocalhost)
	_, a, _ := w.keyed("kim@birch.example", false)
	_, others, _ := w.keyed("lou@birch.example", false)
	p := w.browser().get("/account/security").signIn("kim@birch.example").is(atPasskey)
	q := w.browser().get("/account/security").signIn("lou@birch.example").is(atPasskey)
	bad := *a
	bad.passkey = others.passkey
	unverified := *a
	unverified.device.Options.UserNotVerified = true
	for name, answer := range map[string]string{
		"another user's": bad.get(p), "another user's answer": others.get(q), "unverified": unverified.get(p), "no JSON": "passkey",
	} {
		r := p.submit("/with/webauthn", "code", answer)
		if r.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, r.status)
		}
		r.is(atPasskey).says(passkeyRefused)
	}
	p.submit("/with/webauthn", "code", a.get(p)).is(atSecurity)
}
