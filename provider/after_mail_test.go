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

// login is what stands in the name field of a sign-in page.
func (p *page) login() string {
	p.b.t.Helper()
	_, fields := p.form("/signin")
	return fields.Get("login")
}

// brand is whose page it is.
func (p *page) brand() string {
	p.b.t.Helper()
	_, name, _ := strings.Cut(p.body, `<p class="brand">`)
	_, name, _ = strings.Cut(name, "<span>")
	name, _, _ = strings.Cut(name, "</span>")
	return name
}

// Who takes up an invitation is welcome on the page that comes next: it has the tenant's look, knows the account, and asks for
// nothing but the password.
func TestInvitedGoOn(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	owner.invite("nora@acme.example", "type", "staff")
	link := w.linkTo("nora@acme.example", "/invitation/")
	b := w.browser()
	ask := b.get(link).is(atInvited).says("Set password")
	if strings.Contains(ask.body, "Save new password") {
		t.Error("somebody who has no password yet is to save a new one")
	}
	p := ask.submit("/"+lastPart(link), "password", newPassword).is(atSignIn).says("Welcome. Sign in with your new password.")
	if p.login() != "nora@acme.example" || p.brand() != "Acme Ltd" {
		t.Errorf("on the page of %q, to %q", p.brand(), p.login())
	}
	// The page is of this browser alone: its address tells somebody else nothing.
	if q := w.browser().get(p.url.String()); q.status != http.StatusForbidden || strings.Contains(q.body, "nora@") || strings.Contains(q.body, "Acme") {
		t.Errorf("in another browser: %d, of %q", q.status, q.brand())
	}
	again := p.submit("/signin", "password", "wrong").is(atSignIn)
	if again.login() != "nora@acme.example" || again.brand() != "Acme Ltd" {
		t.Errorf("after a wrong password: on the page of %q, to %q", again.brand(), again.login())
	}
	again.submit("/signin", "password", newPassword).is(atIntro)
}

// A password that was forgotten on the way to an application is put right, and the way goes on: in the browser that it began
// in. In another one there is the account all the same.
func TestForgottenOnTheWay(t *testing.T) {
	w := newWorld(t)
	app := w.app()
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	w.clock.forward(time.Minute)
	ask := func(b *browser, at *attempt) string {
		t.Helper()
		front := at.begin(b).is(atSignIn).says("to continue to")
		b.get(front.link(ui.PathForgot)).is(atForgot).submit(ui.PathForgot, "login", "robin@acme.example").is(atMailed)
		w.p.rescue.Wait()
		w.clock.forward(time.Second)
		return w.linkTo("robin@acme.example", "/password/")
	}

	b := w.browser()
	at := app.attempt()
	link := ask(b, at)
	p := b.get(link).is(atNewPassword).submit("/"+lastPart(link), "password", newPassword).is(atSignIn).
		says("You have a new password. Sign in with it now.", "to continue to")
	if p.login() != "robin@acme.example" || p.brand() != "Acme Ltd" {
		t.Errorf("on the page of %q, to %q", p.brand(), p.login())
	}
	at.redeem(p.submit("/signin", "password", newPassword).is(atCode).submit("/with/totp", "code", ph.next()))

	// The mail is read on the phone, where the application is not.
	w.clock.forward(time.Hour)
	link = ask(w.browser(), app.attempt())
	phone := w.browser()
	p = phone.get(link).submit("/"+lastPart(link), "password", newPassword+"!").is(atSignIn)
	if p.login() != "robin@acme.example" || p.brand() != "Acme Ltd" || strings.Contains(p.text(), "to continue to") {
		t.Errorf("on the page of %q, to %q: %s", p.brand(), p.login(), p.text())
	}
	p.submit("/signin", "password", newPassword+"!").is(atCode).submit("/with/totp", "code", ph.next()).is(atAccount)

	// What is no sealed request of the browser's that asks is not kept, however it came there.
	w.clock.forward(time.Hour)
	foreign := app.attempt().begin(w.browser()).url.Query().Get("request")
	for _, request := range []string{"", "rubbish", strings.Repeat("x", 10000), foreign} {
		w.clock.forward(time.Hour)
		c := w.browser()
		c.follow(c.request(http.MethodPost, ui.PathForgot, url.Values{"login": {"robin@acme.example"}, "request": {request}})).is(atMailed)
		w.p.rescue.Wait()
		kept, err := w.store.Links.List(t.Context(), storage.Query{Tenant: "acme"})
		if err != nil || len(kept) != 1 || kept[0].Request != "" {
			t.Errorf("%.20q is kept: %+v (%v)", request, kept, err)
		}
	}
}

// Who has no more than the password does not learn how many backup codes a user has: not from the ways, and not from the
// page that asks for one. Who has passed a second step reads it in both places when asked again.
func TestCodesLeftAreNobodysBusiness(t *testing.T) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	b := w.browser()
	look := func(p *page) string {
		t.Helper()
		ways := b.get(p.is(atCode).link("/ways")).is("Try another way")
		return ways.text() + b.get(ways.link("/with/backup")).is("Enter a backup code").text()
	}
	p := b.get("/account").signIn("robin@acme.example")
	if text := look(p); strings.Contains(text, "left") || strings.Contains(text, "10") {
		t.Errorf("with the password alone one reads: %s", text)
	}
	p.submit("/with/totp", "code", ph.next()).is(atAccount).says("10 of 10 left")
	w.clock.forward(11 * time.Minute)
	if text := look(b.get("/account/two-factor/off")); strings.Count(text, "10 codes left") != 2 {
		t.Errorf("asked again, who is signed in reads: %s", text)
	}
	// A session of somebody else's is nobody's second step.
	w.enrolled("acme", "sam@acme.example")
	if text := look(b.get("/account/two-factor/off").b.get(p.url.String()).b.start("sam@acme.example")); strings.Contains(text, "codes left") {
		t.Errorf("signed in as somebody else, one reads: %s", text)
	}
}

// start begins a sign-in as somebody in a browser where another is signed in.
func (b *browser) start(email string) *page {
	b.t.Helper()
	at := b.w.app().attempt()
	at.url += "&prompt=login"
	return at.begin(b).submit("/signin", "login", email, "password", rightPassword)
}

// Who signs in with a backup code reads on the overview how many are left, and what to do about a phone that is lost, until
// there is a new one or a second step other than a code.
func TestOverviewAfterABackupCode(t *testing.T) {
	w := newWorld(t)
	_, ph, codes := w.enrolled("acme", "robin@acme.example")
	const advice = "Lost your phone? Set up the new one, and remove the old one."
	b := w.browser()
	p := b.get("/account").signIn("robin@acme.example").is(atCode)
	p = b.get(p.url.Path+"/with/backup").submit("/with/backup", "code", codes[0]).is(atAccount).says("You used a backup code. 9 are left.", advice)
	b.get(p.link("/account/security")).is(atSecurity)
	b.get("/account").says(advice)
	if other := w.browser().get("/account").signIn("robin@acme.example").submit("/with/totp", "code", ph.next()).is(atAccount); strings.Contains(other.text(), advice) {
		t.Error("who has the phone is asked whether it is lost")
	}
	w.clock.forward(11 * time.Minute)
	b.get("/account/two-factor/off").is(atCode).submit("/with/totp", "code", ph.next())
	if p := b.get("/account"); strings.Contains(p.text(), advice) {
		t.Error("who has shown the phone since is asked whether it is lost")
	}

	// As they run out, a new set is wanted as well, and with the last one more than anything else.
	use := func(code string) *page {
		t.Helper()
		w.clock.forward(time.Minute)
		c := w.browser()
		at := c.get("/account").signIn("robin@acme.example").is(atCode)
		return c.get(at.url.Path+"/with/backup").submit("/with/backup", "code", code).is(atAccount)
	}
	for _, code := range codes[1:6] {
		use(code)
	}
	use(codes[6]).says("You used a backup code, and only 3 are left. Make a new set soon.", advice)
	use(codes[7]).says("only 2 are left", advice)
	use(codes[8]).says("only 1 is left", advice)
	use(codes[9]).says("Make a set of backup codes")
}

// The mail that takes the second steps off goes out to whoever has given the right password. It says so, and lets its reader
// lock the account.
func TestLostMailLocksTheAccount(t *testing.T) {
	w := newWorld(t)
	_, _, _ = w.enrolled("acme", "robin@acme.example")
	w.clock.forward(time.Minute) // the mail about that comes before
	b := w.browser()
	p := b.get("/account").signIn("robin@acme.example").is(atCode)
	b.get(p.url.Path + "/lost").submit("/lost").is(atMailed)
	m := w.mails("robin@acme.example")[0]
	for _, want := range []string{"was asked for with your password", "This was not me", "lock the account now"} {
		if !strings.Contains(strings.Join(strings.Fields(m.Text), " "), want) || !strings.Contains(m.HTML, want) {
			t.Errorf("the mail does not say %q:\n%s", want, m.Text)
		}
	}
	link := w.linkTo("robin@acme.example", "/not-me/")
	w.browser().get(link).submit("/" + lastPart(link))
	if u := w.byEmail("acme", "robin@acme.example"); u.Locked.IsZero() {
		t.Error("the account is not locked")
	}
	// What was mailed to take the second steps off is worth nothing any more.
	w.browser().get(w.linkTo("robin@acme.example", "/lost/")).is(atDeadLink)
}
