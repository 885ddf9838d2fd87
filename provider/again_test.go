package provider

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/sallyport-id/sallyport/provider/login"
	"github.com/sallyport-id/sallyport/storage"
)

// signedIn is a browser in which robin signed in by SMS a while ago, and may change nothing any more without another code.
func (w *texting) signedIn() *browser {
	w.t.Helper()
	b := w.browser()
	b.get("/account/security").signIn("robin@acme.example").is(atMessage).submit("/with/sms", "code", w.codes(germanE)[0]).is(atSecurity)
	w.clock.forward(11 * time.Minute)
	return b
}

const atNewCodes = "Make new backup codes?"

// calm wants a page that asks for a code and holds nothing against what was typed in.
func (p *page) calm() *page {
	p.b.t.Helper()
	p.is(atMessage)
	if p.status != http.StatusOK || strings.Contains(p.body, "<title>Error") || strings.Contains(p.body, "aria-invalid") {
		p.b.t.Errorf("%d at %s, in error:\n%s", p.status, p.url, p.text())
	}
	return p
}

// linkTo is where a link of those words leads; empty where there is none.
func (p *page) linkTo(words string) (to string) {
	p.walk(func(n *html.Node) {
		if n.Data == "a" && n.FirstChild != nil && strings.TrimSpace(n.FirstChild.Data) == words {
			to = attr(n, "href")
		}
	})
	return to
}

// 004-5: whoever is signed in and goes from one page that asks for the second step again to another is sent one code, and it
// is good for both. It is still spent once.
func TestOneCodeForTwoPages(t *testing.T) {
	w := newTexting(t)
	w.texted("robin@acme.example", german, germanE)
	b := w.signedIn()
	sent := w.gateway.called()
	first := b.get("/account/codes/new").calm().says("We sent a 6-digit code to •••• 567")
	second := b.get("/account/details/password").calm().says("We sent a 6-digit code to •••• 567")
	if n := w.gateway.called() - sent; n != 1 || first.url.Path == second.url.Path {
		t.Fatalf("%d messages, %s and %s", n, first.url, second.url)
	}
	code := w.codes(germanE)[0]
	second.submit("/with/sms", "code", w.other(germanE)).is(atMessage).says("That code isn’t right")
	second.submit("/with/sms", "code", code).is(atPassword)
	// What the first page asks for is there by now: it asks for nothing any more, and looks at no code.
	b.get(first.url.Path).is(atNewCodes)
	first.submit("/with/sms", "code", w.other(germanE)).is(atNewCodes)
	first.submit("/send-again").is(atNewCodes)
	if n := w.gateway.called() - sent; n != 1 {
		t.Errorf("%d messages", n)
	}
	wrong := 0
	for _, e := range w.events("acme") {
		if e.Action == "sign_in.factor" && e.Outcome == "refused" {
			wrong++
		}
	}
	if wrong != 1 {
		t.Errorf("%d wrong codes are on record, want the one", wrong)
	}

	// The next time there is another code, and the one of before is good nowhere.
	w.clock.forward(11 * time.Minute)
	third := b.get("/account/codes/new").calm()
	if w.gateway.called()-sent != 2 {
		t.Error("no code was sent for the next time")
	}
	if code != w.codes(germanE)[0] {
		third.submit("/with/sms", "code", code).is(atMessage).says("That code isn’t right")
	}
	// It is asked for anew where the one of before leaves too little time, and the first stays good where it was asked for.
	w.clock.forward(3 * time.Minute)
	fourth := b.get("/account/details/password").calm().says("We sent")
	if w.gateway.called()-sent != 3 {
		t.Error("no code was sent for a page that is opened minutes later")
	}
	third.submit("/with/sms", "code", w.codes(germanE)[1]).is(atNewCodes)
	b.get(fourth.url.Path).is(atPassword)
}

// A code sent again for one page is not what the other page waits for; the one that both know still is, until it expires.
func TestCodeSentAgainForTwoPages(t *testing.T) {
	w := newTexting(t)
	w.texted("robin@acme.example", german, germanE)
	b := w.signedIn()
	first := b.get("/account/codes/new").calm()
	w.clock.forward(30 * time.Second)
	first.submit("/send-again").says("Another code is on its way")
	sent := w.gateway.called()
	// Both codes are good on a page that is opened now.
	b.get("/account/details/password").calm().submit("/with/sms", "code", w.codes(germanE)[0]).is(atPassword)
	if w.gateway.called() != sent {
		t.Error("a page opened right after sends another code")
	}
	b.get(first.url.Path).is(atNewCodes)
}

// Two clicks at once, and eight, send one message.
func TestManyClicksSendOneCode(t *testing.T) {
	w := newTexting(t)
	w.texted("robin@acme.example", german, germanE)
	b := w.signedIn()
	sent := w.gateway.called()
	pages := make([]*page, 8)
	together(t, len(pages), func(i int) error {
		to, err := b.once(b.request(http.MethodGet, []string{"/account/codes/new", "/account/details/password"}[i%2], nil))
		if err == nil {
			pages[i], err = b.once(b.request(http.MethodGet, to.header.Get("Location"), nil))
		}
		return err
	})
	for _, p := range pages {
		p.calm().says("We sent a 6-digit code")
	}
	if n := w.gateway.called() - sent; n != 1 {
		t.Errorf("%d messages", n)
	}
	pages[7].submit("/with/sms", "code", w.codes(germanE)[0]).is(atPassword)
}

// What is shared ends with the session and the browser, and is for our own pages: another browser of the same user and an
// application wait for codes of their own. Where none can be sent yet the page says so, and is not in error.
func TestCodeIsNotSharedBeyondTheSession(t *testing.T) {
	w := newTexting(t)
	w.texted("robin@acme.example", german, germanE)
	b := w.signedIn()
	other := w.signedIn()
	mine := b.get("/account/codes/new").calm()
	sent := w.gateway.called()
	p := other.get("/account/codes/new").calm().says("No further code can be sent yet. Please wait 1 minute", "good only there")
	if strings.Contains(p.text(), "We sent") {
		t.Error("says that a code was sent for it")
	}
	p.submit("/with/sms", "code", w.codes(germanE)[0]).calm().says("good only there")
	at := w.app().attempt(with("acr_values", login.ACRTwoFactor), with("max_age", "600"))
	at.begin(b).signIn("robin@acme.example").calm().says("No further code can be sent yet")
	if w.gateway.called() != sent {
		t.Error("a code was sent before its time")
	}
	w.clock.forward(30 * time.Second)
	p.submit("/send-again").calm().says("We sent a 6-digit code").submit("/with/sms", "code", w.codes(germanE)[0]).is(atNewCodes)
	mine.submit("/with/sms", "code", w.codes(germanE)[1]).is(atNewCodes)
}

// An attack: somebody has a copy of all cookies of the browser, and asks for a sensitive page. The user, who comes to another,
// types in the code that came: it must give the thief nothing, not at the address that the thief knows either.
func TestSharedCodeGivesAThiefNothing(t *testing.T) {
	w := newTexting(t)
	w.texted("robin@acme.example", german, germanE)
	b := w.signedIn()
	thief := w.browser()
	thief.client.Jar.SetCookies(thief.root(), b.client.Jar.Cookies(b.root()))
	trap := thief.get("/account/details/password").calm()
	p := b.get("/account/codes/new").calm()
	if p.url.Path == trap.url.Path {
		t.Error("the user completes the thief's sign-in")
	}
	code := w.codes(germanE)[0]
	p.submit("/with/sms", "code", code).is(atNewCodes)
	if q := thief.get(trap.url.Path); q.heading() == atPassword {
		t.Errorf("the thief is in at %s", q.url)
	}
	if q := trap.submit("/with/sms", "code", code); q.heading() == atPassword {
		t.Errorf("the code is good a second time, at %s", q.url)
	}
	thief.get("/account/details/password").is(atSignIn)
	b.get("/account/details/password").is(atPassword)
}

// Tries that were refused cost nothing: after a minute of impatience there are still five codes in the hour.
func TestImpatienceCostsNoCodes(t *testing.T) {
	w := newTexting(t)
	w.texted("robin@acme.example", german, germanE)
	sent := w.gateway.called()
	for range 3 {
		w.browser().get("/account/security").signIn("robin@acme.example").calm().says("We sent")
		w.clock.forward(30 * time.Second)
	}
	for range 6 { // three to one number is all in ten minutes
		w.browser().get("/account/security").signIn("robin@acme.example").calm().says("No further code can be sent yet. Please wait 9 minutes")
		w.clock.forward(5 * time.Second)
	}
	w.clock.forward(10 * time.Minute)
	for range 2 {
		w.browser().get("/account/security").signIn("robin@acme.example").calm().says("We sent")
		w.clock.forward(30 * time.Second)
	}
	if n := w.gateway.called() - sent; n != 5 {
		t.Errorf("%d messages", n)
	}
	w.browser().get("/account/security").signIn("robin@acme.example").calm().says("No further code can be sent yet. Please wait 47 minutes")
}

// Who is signed in and is asked again reads why, and can turn round: to the first page of the part that it is about, where
// nothing is asked and nothing done. A sign-in says neither.
func TestStepUpSaysWhyAndLeadsBack(t *testing.T) {
	w := newWorld(t)
	h := w.helper("acme", "owner@acme.example", storage.Owner)
	u := w.user("acme", "kim@acme.example", "staff")
	h.signOut()
	const why = "To go on, confirm that it’s you. We ask again when more than 10 minutes have passed."
	if p := h.get("/account/codes/new").signIn("owner@acme.example").is(atCode); strings.Contains(p.text(), why) || p.linkTo("Cancel") != "" || p.linkTo("Use a different account") == "" {
		t.Errorf("a sign-in reads\n%s", p.text())
	} else {
		p.submit("/with/totp", "code", h.phone.next())
	}
	w.clock.forward(11 * time.Minute)
	for from, back := range map[string]string{
		"/account/codes/new":                       "/account/security",
		"/account/details/password":                "/account/details",
		"/account/two-factor/off":                  "/account/security",
		"/admin/people/" + u.ID + "/disable?why=x": "/admin/people",
		"/admin/people/export":                     "/admin/people",
		"/admin/webhooks/new":                      "/admin/webhooks",
		"POST /admin/people/" + u.ID + "/remind":   "/admin/people",
		"/admin/invite?role=admin":                 "/admin/people",
		"POST /admin/invite":                       "/admin/people",
	} {
		method, path := http.MethodGet, from
		if rest, posted := strings.CutPrefix(from, "POST "); posted {
			method, path = http.MethodPost, rest
		}
		var form url.Values
		if method == http.MethodPost {
			form = url.Values{}
		}
		p := h.follow(h.request(method, path, form)).is(atCode).says(why)
		all := []*page{p, h.get(p.link("/ways"))}
		if from == "/account/codes/new" {
			all = append(all, p.submit("/with/totp", "code", "").is(atCode))
		}
		for _, p := range all {
			if got := p.linkTo("Cancel"); got != back || p.linkTo("Use a different account") != "" {
				t.Errorf("%s leads back to %q, want %q:\n%s", from, got, back, p.text())
			}
		}
		if q := h.get(back); q.url.Path != back || q.status != http.StatusOK {
			t.Errorf("%s answers %d at %s", back, q.status, q.url)
		}
	}
	if slices.ContainsFunc(w.events("acme"), func(e storage.Event) bool { return e.Action == "user.remind" }) {
		t.Error("what was asked for was done")
	}
}

// Where the session does not do for any of our pages any more there is nowhere to turn round to.
func TestStepUpFromNowhereLeadsNowhere(t *testing.T) {
	w := newWorld(t)
	w.enrolled("birch", "kim@birch.example")
	rule := storage.Rule{Name: "All", Then: storage.Then{Access: "allow", TwoFactor: "off", Strength: "any", Unenrolled: "enrol_at_login"}}
	w.rules("birch", rule)
	b := w.browser()
	b.get("/account/security").signIn("kim@birch.example").is(atSecurity)
	if p := b.get("/account/codes/new").is(atCode); p.linkTo("Cancel") != "/account/security" {
		t.Errorf("leads back to %q", p.linkTo("Cancel"))
	}
	rule.Then.TwoFactor = "" // required
	w.rules("birch", rule)
	for _, path := range []string{"/account/security", "/account/codes/new"} {
		if p := b.get(path).is(atCode); p.linkTo("Cancel") != "" || p.linkTo("Use a different account") == "" {
			t.Errorf("%s: in a circle, to %q", path, p.linkTo("Cancel"))
		}
	}
}

// What was posted too late is not done by itself once the second step is passed: the page that one comes back to says so.
func TestPostedTooLateIsSaid(t *testing.T) {
	w := newWorld(t)
	h := w.helper("acme", "owner@acme.example", storage.Owner)
	u := w.user("acme", "kim@acme.example", "staff")
	const undone = "Nothing is changed yet: we first had to make sure that it’s you. Please do it once more."
	for path, heading := range map[string]string{
		"/admin/people/" + u.ID + "/remind": atPeople,
		"/admin/invite":                     atPeople,
		"/admin/settings":                   atSettings,
		"/admin/types":                      atTypes,
		"/account/details/password":         atDetails,
		"/account/codes/new":                atSecurity,
	} {
		w.clock.forward(11 * time.Minute)
		before := len(w.events("acme"))
		p := h.follow(h.request(http.MethodPost, path, url.Values{"name": {"Somebody"}})).is(atCode)
		p = p.submit("/with/totp", "code", h.phone.next()).is(heading).says(undone)
		if p.status != http.StatusOK || strings.Contains(h.get(p.url.Path).text(), undone) {
			t.Errorf("%s: %d, or says so for good", path, p.status)
		}
		for _, e := range w.events("acme")[before:] {
			if !strings.HasPrefix(e.Action, "sign_in") {
				t.Errorf("%s: %s %s", path, e.Action, e.Outcome)
			}
		}
	}
	// A page that was asked for comes after all, and says nothing.
	w.clock.forward(11 * time.Minute)
	p := h.get("/admin/invite?role=admin").is(atCode).submit("/with/totp", "code", h.phone.next()).is(atInvite)
	if strings.Contains(p.text(), "Nothing is changed") {
		t.Error("a page that only asks says that nothing is done")
	}
}
