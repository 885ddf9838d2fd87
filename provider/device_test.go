package provider

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
)

// remembering are rules by which staff must use a second step, and may have a device remembered for two weeks.
func remembering(w *world) {
	w.rules("acme", storage.Rule{
		Name: "Staff must use two-factor authentication",
		Then: storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login", RememberDays: 14},
	})
}

// remembered signs a user in with a browser that is remembered from then on.
func (w *world) remembered(email string, ph *phone) *browser {
	w.t.Helper()
	b := w.browser()
	p := b.get("/account/security").signIn(email).is(atCode).says("Don’t ask again on this device for 14 days")
	p.submit("/with/totp", "code", ph.next(), "remember", "yes").is(atSecurity)
	return b
}

// signOut signs out, if somebody is signed in.
func (b *browser) signOut() {
	b.t.Helper()
	if p := b.get("/signout"); p.heading() != "You are signed out" {
		p.submit("/signout")
	}
}

// passwordIsEnough signs in anew, and tells whether the password was enough.
func (b *browser) passwordIsEnough(email string) bool {
	b.t.Helper()
	b.signOut()
	p := b.get("/account/security").signIn(email)
	if h := p.heading(); h != atCode && h != atSecurity {
		b.t.Fatalf("at %q:\n%s", h, p.text())
	}
	return p.heading() == atSecurity
}

// root is the issuer's address, whose cookies the browser keeps.
func (b *browser) root() *url.URL {
	b.t.Helper()
	u, err := url.Parse(b.issuer)
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}

// 004-6, 004-7: a device is remembered when its user ticks the box, and not asked again for as long as the policy says.
// Another browser is asked, and the application reads that no second step was done.
func TestRememberedDevice(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	// Off by policy: not offered, and not taken where it was not.
	b := w.browser()
	p := b.get("/account/security").signIn("robin@acme.example").is(atCode)
	if strings.Contains(p.text(), "Don’t ask again") {
		t.Error("offered although the policy remembers nothing")
	}
	p.submit("/with/totp", "code", ph.next(), "remember", "yes").is(atSecurity)
	if b.passwordIsEnough("robin@acme.example") {
		t.Fatal("remembered although the policy remembers nothing")
	}

	remembering(w)
	b = w.browser()
	p = b.get("/account/security").signIn("robin@acme.example").is(atCode)
	if strings.Contains(p.body, "checked") {
		t.Error("the box is ticked before anybody ticked it")
	}
	p.submit("/with/totp", "code", ph.next()).is(atSecurity)
	if b.passwordIsEnough("robin@acme.example") {
		t.Fatal("remembered although the box was not ticked")
	}

	b = w.remembered("robin@acme.example", ph)
	if len(w.mails("robin@acme.example")) == 0 || !strings.Contains(w.mails("robin@acme.example")[0].Subject, "remembered") {
		t.Error("no mail tells that a device is remembered")
	}
	at := w.app().attempt()
	b.signOut()
	got, _ := at.redeem(at.begin(b).signIn("robin@acme.example"))
	if slices.Contains(got.AMR, "mfa") || got.ACR != "https://refeds.org/profile/sfa" {
		t.Errorf("acr %q, amr %v after a sign-in by a remembered device", got.ACR, got.AMR)
	}
	for range 3 {
		w.clock.forward(24 * time.Hour)
		if !b.passwordIsEnough("robin@acme.example") {
			t.Fatal("asked again on the remembered device")
		}
	}
	if w.browser().passwordIsEnoughAnew("robin@acme.example") {
		t.Error("another browser is not asked")
	}
	w.clock.forward(11*24*time.Hour + time.Minute) // 14 days from when it was remembered, however often it was used
	if b.passwordIsEnough("robin@acme.example") {
		t.Error("not asked after 14 days")
	}
}

func (b *browser) passwordIsEnoughAnew(email string) bool {
	b.t.Helper()
	return b.get("/account/security").signIn(email).heading() == atSecurity
}

// A remembered device never answers an essential acr, max_age or a sensitive act.
func TestRememberedDeviceAnswersPolicyOnly(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	remembering(w)
	b := w.remembered("robin@acme.example", ph)
	b.signOut()
	a := w.app()
	at := a.attempt(with("acr_values", "https://refeds.org/profile/mfa"))
	at.begin(b).signIn("robin@acme.example").is(atCode)
	at = a.attempt(with("max_age", "60"))
	at.begin(b).signIn("robin@acme.example").is(atCode)

	b.get("/account/security").signIn("robin@acme.example").is(atSecurity)
	b.get("/account/codes/new").is(atCode)
}

// 004-7: another user of the same browser has a device of his own, and a changed password, factor or policy asks again.
func TestRememberedDeviceEnds(t *testing.T) {
	w := newWorld(t)
	_, robin, _ := w.enrolled("acme", "robin@acme.example")
	k, kim, _ := w.enrolled("acme", "kim@acme.example")
	remembering(w)
	b := w.remembered("robin@acme.example", robin)
	b.signOut()
	p := b.get("/account/security").signIn("kim@acme.example").is(atCode)
	p.submit("/with/totp", "code", kim.next(), "remember", "yes").is(atSecurity)
	if !b.passwordIsEnough("robin@acme.example") || !b.passwordIsEnough("kim@acme.example") {
		t.Fatal("two users of one browser are not both remembered")
	}

	// A factor is changed, in another browser.
	other := w.browser()
	other.get("/account/security").signIn("robin@acme.example").submit("/with/totp", "code", robin.next()).is(atSecurity)
	other.get("/account/codes/new").submit("/account/codes/new").is(atCodes)
	if b.passwordIsEnough("robin@acme.example") {
		t.Error("remembered after new backup codes were made")
	}
	if !b.passwordIsEnough("kim@acme.example") {
		t.Error("robin's change ended kim's device")
	}
	// The policy is changed.
	w.rules("acme", storage.Rule{
		Name: "Everybody", Then: storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login", RememberDays: 14},
	})
	if b.passwordIsEnough("kim@acme.example") {
		t.Error("remembered after the policy was changed")
	}
	// The password is changed.
	b = w.remembered("kim@acme.example", kim)
	const changed = "seven brisk otters juggle"
	if _, err := w.p.Admin().SetPassword(t.Context(), web.Operator(), "acme", k.ID, changed); err != nil {
		t.Fatal(err)
	}
	p = b.get("/account/security").is(atSignIn).submit("/signin", "login", "kim@acme.example", "password", changed)
	if p.heading() == atSecurity {
		t.Error("remembered after the password was changed")
	}
}

// A copied cookie: whoever shows a value that was used before ends the family, and the owner is told.
func TestRememberedDeviceCopied(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	remembering(w)
	b := w.remembered("robin@acme.example", ph)
	// Bound to its browser: the device's cookie alone is worth nothing, and shows no copy of the browser.
	half := w.browser()
	half.get("/signin")
	cookies := b.client.Jar.Cookies(b.root())
	i := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return strings.HasSuffix(c.Name, "devices") })
	half.client.Jar.SetCookies(b.root(), cookies[i:i+1])
	if half.passwordIsEnough("robin@acme.example") {
		t.Error("the device's cookie is accepted from another browser")
	}
	thief := w.browser()
	thief.client.Jar.SetCookies(b.root(), b.client.Jar.Cookies(b.root())) // all of them, the browser's own too
	w.clock.forward(time.Hour)
	if !b.passwordIsEnough("robin@acme.example") {
		t.Fatal("asked on the remembered device")
	}
	w.clock.forward(time.Hour)
	if thief.passwordIsEnough("robin@acme.example") {
		t.Fatal("a copy of the cookie is accepted")
	}
	if b.passwordIsEnough("robin@acme.example") {
		t.Error("the family lives on after a copy was shown")
	}
	if m := w.mails("robin@acme.example"); !strings.Contains(m[0].Text, "copied") {
		t.Errorf("the last mail does not tell of the copy: %s", m[0].Text)
	}
	if !slices.ContainsFunc(w.events("acme"), func(e storage.Event) bool { return e.Action == "device.copied" }) {
		t.Error("the audit log does not tell of the copy")
	}
}

// One value of the cookie, sent by twenty sign-ins at once, is accepted once.
func TestOneDeviceTwentySignInsAtOnce(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	remembering(w)
	b := w.remembered("robin@acme.example", ph)
	b.signOut()
	jar := b.client.Jar.Cookies(b.root())
	var requests []*http.Request
	var browsers []*browser
	for range 20 {
		c := w.browser()
		c.client.Jar.SetCookies(c.root(), jar)
		requests = append(requests, c.get("/account/security").is(atSignIn).request("/signin", "login", "robin@acme.example", "password", rightPassword))
		browsers = append(browsers, c)
	}
	var mu sync.Mutex
	in := 0
	var all sync.WaitGroup
	for i, r := range requests {
		all.Go(func() {
			p, err := browsers[i].once(r)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if strings.HasSuffix(p.header.Get("Location"), "/account/security") {
				in++
			}
		})
	}
	all.Wait()
	if in != 1 {
		t.Errorf("%d of 20 sign-ins got in by one value", in)
	}
}

// Who signs a lost laptop out wants it to be let in by nothing that it kept: the browser is forgotten with its session, and no
// other is.
func TestEndedSessionsBrowserIsForgotten(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	remembering(w)
	here, lost, other := w.remembered(robinAt, ph), w.remembered(robinAt, ph), w.remembered(robinAt, ph)
	p := here.get("/account/devices").is(atDevices)
	if n := strings.Count(p.text(), "Remembered: no second step"); n != 3 {
		t.Fatalf("%d sessions are in remembered browsers:\n%s", n, p.text())
	}
	p.submit("/sessions/" + lost.session() + "/end").is(atDevices).says("The browser is signed out, and no longer remembered.")
	if e := w.entry("acme", "device.forgotten"); e.Outcome != "ok" {
		t.Errorf("in the log: %+v", e)
	}
	if lost.passwordIsEnough(robinAt) {
		t.Error("the password lets the lost laptop in")
	}
	if !other.passwordIsEnough(robinAt) {
		t.Error("another browser is forgotten as well")
	}

	// The session of an hour ago in this very browser, whose cookie is gone: nothing speaks against the browser.
	old := here.session()
	here.dropSession()
	here.get("/account/devices").signIn(robinAt).is(atDevices).submit("/sessions/" + old + "/end").is(atDevices).says("The browser is signed out.")
	if !here.passwordIsEnough(robinAt) {
		t.Error("this browser is forgotten")
	}
	// One that is not remembered is signed out, and that is what is said.
	plain := w.browser()
	plain.get("/account/devices").signIn(robinAt).submit("/with/totp", "code", ph.next()).is(atDevices)
	here.get("/account/devices").submit("/sessions/" + plain.session() + "/end").is(atDevices).says("The browser is signed out.")
}

// dropSession takes the session's cookie out of the browser.
func (b *browser) dropSession() {
	b.t.Helper()
	for _, c := range b.client.Jar.Cookies(b.root()) {
		if strings.HasSuffix(c.Name, "session") {
			b.client.Jar.SetCookies(b.root(), []*http.Cookie{{Name: c.Name, Value: "", MaxAge: -1, Path: "/"}})
		}
	}
}

// Devices are listed and can be forgotten, one or all; a user has ten at most.
func TestDevicesListedAndForgotten(t *testing.T) {
	w := newWorld(t)
	u, ph, _ := w.enrolled("acme", "robin@acme.example")
	remembering(w)
	b := w.remembered("robin@acme.example", ph)
	b.get("/account/devices").is(atDevices).says("Firefox, Linux", "This device", "Private network", "127.0.0.1")
	for range 11 {
		w.remembered("robin@acme.example", ph)
	}
	kept, err := w.store.Devices.List(t.Context(), storage.Query{Tenant: "acme", Field: "user", Value: u.ID})
	if err != nil || len(kept) != 10 {
		t.Fatalf("%d devices are remembered, want 10 (%v)", len(kept), err)
	}
	if b.passwordIsEnough("robin@acme.example") {
		t.Error("the device used longest ago is still remembered beside ten newer ones")
	}
	c := w.remembered("robin@acme.example", ph)
	p := c.get("/account/devices")
	kept, err = w.store.Devices.List(t.Context(), storage.Query{Tenant: "acme", Field: "user", Value: u.ID})
	if err != nil {
		t.Fatal(err)
	}
	p.submit("/devices/" + kept[0].ID + "/forget").is(atDevices).says("forgotten")
	c.get("/account/devices").submit("/devices/forget").is(atDevices)
	kept, err = w.store.Devices.List(t.Context(), storage.Query{Tenant: "acme", Field: "user", Value: u.ID})
	if err != nil || len(kept) != 0 {
		t.Errorf("%d devices are left (%v)", len(kept), err)
	}
	if c.passwordIsEnough("robin@acme.example") {
		t.Error("remembered after all devices were forgotten")
	}
	c.get("/account/security").signIn("robin@acme.example").submit("/with/totp", "code", ph.next()).is(atSecurity)
	// Another user's device is not there.
	_, kim, _ := w.enrolled("acme", "kim@acme.example")
	w.remembered("kim@acme.example", kim)
	kept, err = w.store.Devices.List(t.Context(), storage.Query{Tenant: "acme"})
	if err != nil || len(kept) != 1 {
		t.Fatalf("%d devices (%v)", len(kept), err)
	}
	if q := c.get("/account/devices").is(atDevices); strings.Contains(q.body, kept[0].ID) {
		t.Error("another user's device is listed")
	}
	q, err := c.once(c.request(http.MethodPost, "/account/devices/"+kept[0].ID+"/forget", url.Values{}))
	if err != nil || q.status != http.StatusNotFound {
		t.Errorf("forgetting another user's device: %d (%v)", q.status, err)
	}
}

// Not offered after a backup code, and not taken where it was not offered.
func TestNotRememberedAfterBackupCode(t *testing.T) {
	w := newWorld(t)
	_, _, codes := w.enrolled("acme", "robin@acme.example")
	remembering(w)
	b := w.browser()
	p := b.get("/account/security").signIn("robin@acme.example").is(atCode)
	p = b.get(strings.TrimSuffix(p.url.Path, "/") + "/with/backup")
	if strings.Contains(p.text(), "Don’t ask again") {
		t.Error("offered with a backup code")
	}
	p.submit("/with/backup", "code", codes[0], "remember", "yes").is(atSecurity)
	if b.passwordIsEnough("robin@acme.example") {
		t.Error("remembered after a backup code")
	}
}

// What applications got through a copy ends with it, offline access included.
func TestCopiedDeviceEndsTokens(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	remembering(w)
	b := w.remembered("robin@acme.example", ph)
	b.signOut()
	thief := w.browser()
	thief.client.Jar.SetCookies(b.root(), b.client.Jar.Cookies(b.root()))
	a := w.app()
	at := a.attempt()
	_, token := at.redeem(at.begin(thief).signIn("robin@acme.example"))
	w.clock.forward(time.Hour)
	if b.passwordIsEnough("robin@acme.example") {
		t.Fatal("the value that the copy has shown before is accepted")
	}
	if _, err := a.config.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token(); err == nil {
		t.Error("the copy's refresh token lives on")
	}
}
