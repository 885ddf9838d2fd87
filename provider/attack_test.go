package provider

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// The mailbox alone: the owner's sign-in by passkey shows no password, and so does not make one that came by mail good.
func TestAttackMailboxBesideAPasskey(t *testing.T) {
	w := newWorld(t, atLocalhost)
	_, a, _ := w.keyed("kim@birch.example", false)
	w.clock.forward(time.Second)
	w.browser().forget("kim@birch.example")
	link := w.linkTo("kim@birch.example", "/password/")
	thief := w.browser()
	thief.get(link).submit("/"+lastPart(link), "password", newPassword).is(atSignIn)
	w.clock.forward(time.Minute)
	w.browser().get("/account/security").by(a).is(atSecurity)
	in := func() *page {
		t.Helper()
		b := w.browser()
		return b.get("/account/security").submit("/signin", "login", "kim@birch.example", "password", newPassword).is(atPasskey)
	}
	p := in()
	if q := p.b.follow(p.b.request(http.MethodPost, p.url.Path+"/lost", url.Values{})); q.status != http.StatusNotFound {
		t.Errorf("the mailbox alone is mailed how to take the passkey off: %d", q.status)
	}
	p = in()
	p.submit("/with/webauthn", "code", a.get(p)).is(atSecurity)
	p = in()
	p.b.get(p.b.get(p.link("/ways")).link("/lost")).submit("/lost").is(atMailed)
}

// An application that a rule asks no second step for is no way into the account pages, where it is asked.
func TestAttackLaxApplication(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	olga := w.helper("acme", "olga@acme.example", storage.Owner)
	remembering(w)
	w.remembered("robin@acme.example", ph)
	devices := func() int {
		t.Helper()
		all, err := w.store.Devices.List(t.Context(), storage.Query{Tenant: "acme"})
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	acme, err := w.store.Tenants.Get(t.Context(), storage.Global, "acme")
	if err != nil {
		t.Fatal(err)
	}
	lax := storage.Rule{
		Name: "The canteen asks nothing more", When: storage.When{Clients: []string{"workshop"}},
		Then: storage.Then{Access: "allow", TwoFactor: "off", Strength: "any"},
	}
	w.rules("acme", append([]storage.Rule{lax}, acme.Rules...)...)
	a := w.app()
	for _, email := range []string{"robin@acme.example", olga.Email} {
		thief := w.browser()
		at := a.attempt()
		at.redeem(at.begin(thief).signIn(email)) // the password is enough for that one
		for _, path := range []string{"/account", ui.PathPeople} {
			if p := thief.get(path).is(atCode); strings.Contains(p.text(), "Remembered") {
				t.Errorf("%s shows %s", path, p.text())
			}
		}
		before := devices()
		thief.follow(thief.request(http.MethodPost, "/account/devices/forget", url.Values{})).is(atCode)
		if devices() != before {
			t.Error("a device is forgotten without the second step")
		}
	}
}

// A device that was remembered with a weak second step is none where a rule asks for one that resists phishing, nor
// where it names the factors; and a rule's days hold for a device that another rule let be remembered for longer.
func TestAttackWeakDeviceStrongRule(t *testing.T) {
	for name, c := range map[string]struct {
		then  storage.Then
		after time.Duration
	}{
		"strength": {then: storage.Then{Access: "allow", Unenrolled: "enrol_at_login", RememberDays: 14}},
		"factors":  {then: storage.Then{Access: "allow", Strength: "any", Factors: []string{"sms"}, RememberDays: 14}},
		"days":     {storage.Then{Access: "allow", Strength: "any", RememberDays: 1}, 25 * time.Hour},
	} {
		w := newWorld(t)
		_, ph, _ := w.enrolled("acme", "robin@acme.example")
		w.rules("acme", storage.Rule{Name: "The vault", When: storage.When{Clients: []string{"workshop"}}, Then: c.then}, storage.Rule{
			Name: "Everything else", Then: storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login", RememberDays: 14},
		})
		b := w.remembered("robin@acme.example", ph)
		w.clock.forward(c.after)
		b.signOut()
		at := w.app().attempt()
		if p := at.begin(b).signIn("robin@acme.example"); strings.HasPrefix(p.url.String(), at.a.config.RedirectURL) {
			t.Errorf("%s: the device opens what it was not remembered for", name)
		}
		if !b.passwordIsEnough("robin@acme.example") {
			t.Errorf("%s: asked again where nothing has changed", name)
		}
		// With the session that the device opened, neither.
		if p := at.begin(b); strings.HasPrefix(p.url.String(), at.a.config.RedirectURL) {
			t.Errorf("%s: the device's session opens what it was not remembered for", name)
		}
	}
}

// A thief who has copied the cookies and uses them twice is found out as well as one who does so once, and is thrown out:
// what the device's copy opened ends with it.
func TestAttackCopiedDeviceUsedTwice(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	remembering(w)
	b := w.remembered("robin@acme.example", ph)
	thief := w.browser()
	thief.client.Jar.SetCookies(b.root(), b.client.Jar.Cookies(b.root()))
	b.signOut()
	for range 2 {
		w.clock.forward(time.Minute)
		if !thief.passwordIsEnough("robin@acme.example") {
			t.Fatal("the copy is not taken for the device")
		}
	}
	w.clock.forward(time.Minute)
	b.get("/account/security").signIn("robin@acme.example").is(atCode).submit("/with/totp", "code", ph.next()).is(atSecurity)
	if _, ok := w.has("acme", "device.copied", "refused"); !ok {
		t.Error("the copy is not noticed")
	}
	if p := thief.get("/account/security"); p.heading() != atSignIn {
		t.Errorf("the thief is still in: %q", p.heading())
	}
	if thief.passwordIsEnough("robin@acme.example") {
		t.Error("the copy still works")
	}
	b.get("/account/security").is(atSecurity)
}

// The wish to be remembered, sent with a wrong code, remembers nobody where the sign-in then ends without a second step:
// in a network that is asked for none, say.
func TestAttackRememberedWithoutSecondStep(t *testing.T) {
	w := newWorld(t, trusting)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	w.rules("acme", storage.Rule{
		Name: "The office", When: storage.When{Networks: []string{"192.0.2.0/24"}},
		Then: storage.Then{Access: "allow", TwoFactor: "off", Strength: "any", RememberDays: 14},
	}, storage.Rule{Name: "Everybody", Then: storage.Then{Access: "allow", Strength: "any", RememberDays: 14}})
	thief := w.browser()
	p := thief.get("/account/security").signIn("robin@acme.example").is(atCode)
	p.submit("/with/totp", "code", ph.wrong(), "remember", "yes").is(atCode)
	inOffice := thief.request(http.MethodGet, p.url.String(), nil)
	inOffice.Header.Set("X-Forwarded-For", "192.0.2.7")
	q, err := thief.once(inOffice)
	if err != nil || q.status != http.StatusSeeOther {
		t.Fatalf("in the office the sign-in does not end without a second step: %+v (%v)", q, err)
	}
	if left, err := w.store.Devices.List(t.Context(), storage.Query{Tenant: "acme"}); err != nil || len(left) != 0 {
		t.Errorf("%d devices are remembered without a second step (%v)", len(left), err)
	}
}

// A thief with the password can switch factors off by guessing, and not the way back that an owner holds: it can't be
// guessed, and behind it there is nothing.
func TestAttackEverythingSwitchedOff(t *testing.T) {
	w := newWorld(t)
	robin, ph, _ := w.enrolled("acme", "robin@acme.example")
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	guess := func(factor string, code func(i int) string) {
		t.Helper()
		for i := range 20 {
			if i%5 == 0 {
				w.clock.forward(16 * time.Minute)
			}
			p := w.browser().get("/account/security").signIn("robin@acme.example")
			if p.heading() == atSignIn {
				t.Fatal(p.text())
			}
			flow, _, _ := strings.Cut(p.url.Path, "/with/")
			p.b.follow(p.b.request(http.MethodPost, flow+"/with/"+factor, url.Values{"code": {code(i)}}))
		}
	}
	guess("recovery", func(i int) string { return strings.Repeat(string(rune('A'+i)), 16) })
	guess("totp", func(int) string { return ph.wrong() })
	guess("backup", func(i int) string { return strings.Repeat(string(rune('a'+i)), 24) })
	w.clock.forward(16 * time.Minute)
	code, _ := owner.handOut(robin)
	w.browser().get("/account/security").signIn("robin@acme.example").is(atRecovery).submit("/with/recovery", "code", code).is(atIntro)
}

// Sessions with the password alone that set up a first factor on the security page, all at once: one does.
func TestAttackFirstFactorsAtOnce(t *testing.T) {
	w := newWorld(t)
	kim := w.user("birch", "kim@birch.example", "client")
	var browsers []*browser
	var requests []*http.Request
	for range 10 {
		b := w.browser()
		b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
		setUp := b.get("/account/two-factor").submit("/account/set-up/totp")
		browsers, requests = append(browsers, b), append(requests, setUp.request("/account/set-up", "code", w.scan(setUp).code()))
		w.clock.forward(time.Second)
	}
	together(t, len(requests), func(i int) error {
		_, err := browsers[i].once(requests[i])
		return err
	})
	if n := w.credentials(kim); n != 2 { // the factor and its backup codes
		t.Errorf("%d credentials, want one factor and the codes", n)
	}
}

// A sign-in that a thief has parked before its last step ends when everything ends, and does not come back when the
// account is unlocked.
func TestAttackParkedSignIn(t *testing.T) {
	w := newWorld(t)
	robin, ph, _ := w.enrolled("acme", "robin@acme.example")
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	park := func() *page {
		t.Helper()
		code, _ := owner.handOut(robin)
		return w.browser().get("/account/security").signIn("robin@acme.example").recover().submit("/with/recovery", "code", code).is(atIntro)
	}
	parked := park()
	b := w.browser()
	b.get("/account/security").signIn("robin@acme.example").submit("/with/totp", "code", ph.next()).is(atSecurity)
	b.get("/account/codes/new").submit("/account/codes/new").is(atCodes) // ends what else is signed in
	if p := parked.submit("/later"); p.heading() != atSignIn {
		t.Errorf("after everything else was ended, it goes on to %q", p.heading())
	}
	b.get("/account/security").is(atSecurity)

	parked = park()
	link := w.linkTo("robin@acme.example", "/not-me/")
	w.clock.forward(time.Second)
	w.browser().get(link).submit("/" + lastPart(link)).is(atLocked)
	w.clock.forward(time.Second)
	owner.get(ui.PathPeople).submit("/" + robin.ID + "/unlock").says("can sign in again")
	if p := parked.submit("/later"); p.heading() != atSignIn {
		t.Errorf("after the account was locked and unlocked, it goes on to %q", p.heading())
	}
}

// Where the policy lets nobody in, nobody takes factors off either, though he has the link and the password.
func TestAttackResetFromElsewhere(t *testing.T) {
	w := newWorld(t, trusting)
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	link := w.lostLink("robin@acme.example")
	w.rules("acme", storage.Rule{
		Name: "Nobody from outside", When: storage.When{NotNetworks: []string{"127.0.0.0/8"}}, Then: storage.Then{},
	}, storage.Rule{Name: "Everybody", Then: storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login"}})
	b := w.browser()
	r := b.request(http.MethodPost, link, url.Values{"password": {rightPassword}})
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	p, err := b.once(r)
	if err != nil || p.status != http.StatusForbidden || w.credentials(robin) != 2 {
		t.Errorf("from a network that is kept out: %d, %d factors are left (%v)", p.status, w.credentials(robin), err)
	}
	p = b.get(link).submit("/"+lastPart(link), "password", rightPassword).is(atTakenOff)
	if w.credentials(robin) != 0 {
		t.Error(p.text())
	}
}

// Whoever finds the browser after its window was closed, and the address of the sign-in in its history, gets no session
// back: the cookie is handed out once more right after the sign-in only, however long the session is used.
func TestAttackSignInFromTheHistory(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	b := w.browser()
	p := b.get("/account/security").signIn("robin@acme.example").is(atCode)
	flow := p.url.Path
	p.submit("/with/totp", "code", ph.next()).is(atSecurity)
	// lookUp opens the address in a browser that has the cookies which outlive the window: the session's ends with it.
	lookUp := func() *page {
		t.Helper()
		found, copied := w.browser(), 0
		for _, c := range b.client.Jar.Cookies(b.root()) {
			if c.Name == "sallyport-browser" {
				found.client.Jar.SetCookies(b.root(), []*http.Cookie{c})
				copied++
			}
		}
		if copied != 1 {
			t.Fatalf("%d cookies outlive the window, want the browser's", copied)
		}
		return found.get(flow)
	}
	lookUp().is(atSecurity) // an answer may have been lost
	for range 5 {
		w.clock.forward(time.Minute)
		b.get("/account/security").is(atSecurity)
	}
	if p := lookUp(); p.heading() != atSignIn {
		t.Errorf("the history leads to %q", p.heading())
	}
	b.get("/account/security").is(atSecurity)
}
