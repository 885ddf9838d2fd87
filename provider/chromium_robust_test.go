package provider

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"
)

// ui.md 13: who goes back after signing in is not asked anything again, and ends up in the application; also from the
// sign-in page itself, where name and password still work.
func testBackButton(t *testing.T, c *chromium) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	s := w.site(t)
	b := c.open(t)
	at := s.attempt()
	b.visit(at.url).signIn("robin@acme.example").is(atCode).enter(ph.next())
	s.finish(b, at)
	b.back()
	s.finish(b, at)

	b = c.open(t)
	at = s.attempt()
	b.visit(at.url).signIn("robin@acme.example").is(atCode).back()
	b.signIn("robin@acme.example").is(atCode).enter(ph.next())
	s.finish(b, at)
	b.clean(w.issuer, s.url)
}

// back presses the browser's back button. The page may come from the browser's memory, and is then not loaded again.
func (b *tab) back() *tab {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	history, err := chromedp.Run(ctx, chromedp.NavigationEntries())
	if err != nil || history.CurrentIndex == 0 {
		b.t.Fatalf("there is no way back (%v)", err)
	}
	return b.leave(chromedp.Func(func(context.Context, *chromedp.Target) error {
		call(b, cdppage.NavigateToHistoryEntry, cdppage.NavigateToHistoryEntryParams{EntryID: history.Entries[history.CurrentIndex-1].ID})
		return nil
	}))
}

// ui.md 13: two sign-ins in two tabs of one browser both get to the application, each to its own answer.
func testTwoTabs(t *testing.T, c *chromium) {
	w := newWorld(t)
	w.user("acme", "robin@acme.example", "staff")
	s := w.site(t)
	b := c.open(t)
	one, two := s.attempt(), s.attempt()
	b.visit(one.url)
	other := b.beside()
	other.visit(two.url)
	b.signIn("robin@acme.example").is(atIntro).follow(next)
	other.signIn("robin@acme.example").is(atIntro).follow(next)

	// Each tab shows a key of its own. The first to be confirmed is the user's factor; the other asks for its code.
	ph := &phone{t: t, w: w, secret: b.scan().Query().Get("secret")}
	b.enter(ph.code()).is(atCodes).click("label[for=saved]").follow(next)
	s.finish(b, one)
	other.leave(chromedp.Reload()).is(atCode).enter(ph.next())
	s.finish(other, two)

	third, fourth := s.attempt(oauth2.SetAuthURLParam("prompt", "login")), s.attempt(oauth2.SetAuthURLParam("prompt", "login"))
	b.visit(third.url).signIn("robin@acme.example").is(atCode)
	other.visit(fourth.url).signIn("robin@acme.example").is(atCode)
	b.enter(ph.next())
	s.finish(b, third)
	other.enter(ph.next())
	s.finish(other, fourth)
	b.clean(w.issuer, s.url)
	other.clean(w.issuer, s.url)
}

// ui.md 13: a double click on any button is one click, with JavaScript and without.
func testDoubleClick(t *testing.T, c *chromium) {
	for _, javascript := range []bool{true, false} {
		w := newWorld(t)
		w.user("acme", "robin@acme.example", "staff")
		s := w.site(t)
		b := c.open(t)
		b.javascript(javascript)
		double := func() { b.leave(b.mouse(next, 2)) }
		at := s.attempt()
		b.visit(at.url).fill("#login", "robin@acme.example").fill("#password", rightPassword)
		double()
		b.is(atIntro)
		double()
		b.is("Set up your authenticator app")
		ph := &phone{t: t, w: w, secret: eval[string](b, `document.querySelector("#key").value`)}
		b.put(ph.code())
		double()
		b.is(atCodes).click("label[for=saved]")
		double()
		s.finish(b, at)

		b = c.open(t)
		b.javascript(javascript)
		at = s.attempt()
		b.visit(at.url).signIn("robin@acme.example").is(atCode).put(ph.next())
		double()
		s.finish(b, at)
		if n := b.posts("/with/totp"); javascript && n != 1 {
			t.Errorf("a double click sent the code %d times", n)
		}
		b.clean(w.issuer, s.url)
	}
}

// put sets the code without the browser noticing that somebody types, so that it does not send itself.
func (b *tab) put(code string) {
	b.t.Helper()
	eval[chromedp.Void](b, `document.querySelector("#code").value = `+quote(code))
}

// ui.md 13: pages can be loaded again as often as one likes: nobody is locked out, no code is burnt, and what was
// scanned and shown stays.
func testReload(t *testing.T, c *chromium) {
	w := newWorld(t)
	w.user("acme", "robin@acme.example", "staff")
	s := w.site(t)
	b := c.open(t)
	reload := func() *tab {
		for range 6 { // one more than the wrong codes that make an account pause
			b.leave(chromedp.Reload())
		}
		return b
	}
	at := s.attempt()
	b.visit(at.url)
	reload().signIn("robin@acme.example").is(atIntro)
	reload().follow(next)
	key := b.scan()
	reload()
	if again := b.scan(); again.String() != key.String() {
		t.Error("loaded again, the page shows another key than the one that was scanned")
	}
	ph := &phone{t: t, w: w, secret: key.Query().Get("secret")}
	b.enter(ph.wrong()).says("isn’t right")
	reload().says("isn’t right").enter(ph.code()).is(atCodes)
	codes := eval[string](b, `document.querySelector("#codes").innerText`)
	reload()
	if again := eval[string](b, `document.querySelector("#codes").innerText`); again != codes {
		t.Errorf("loaded again, the page shows %q, before %q", again, codes)
	}
	b.click("label[for=saved]").follow(next)
	s.finish(b, at)

	b = c.open(t)
	at = s.attempt()
	b.visit(at.url).signIn("robin@acme.example").is(atCode)
	reload().is(atCode).enter(ph.wrong()).says("isn’t right")
	reload().is(atCode).follow(`a[href$="/ways"]`).is("Try another way")
	reload().follow(`a[href$="/with/backup"]`).fill("#code", "aaaa-aaaa").follow(next).is("Enter a backup code")
	reload().fill("#code", strings.Fields(codes)[0]).follow(next)
	s.finish(b, at)
	b.clean(w.issuer, s.url)
}

// ui.md 14: a sign-in that took too long starts over by itself, says so, and still reaches the application.
func testExpiredSignIn(t *testing.T, c *chromium) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	s := w.site(t)
	b := c.open(t)
	at := s.attempt()
	b.visit(at.url).signIn("robin@acme.example").is(atCode)
	w.clock.forward(16 * time.Minute)
	b.enter(ph.code()).is(atSignIn).says("took too long").at("login")
	b.signIn("robin@acme.example").is(atCode).enter(ph.next())
	s.finish(b, at)

	// A sign-in page that lay open over lunch.
	b = c.open(t)
	at = s.attempt()
	b.visit(at.url).is(atSignIn)
	w.clock.forward(3 * time.Hour)
	b.signIn("robin@acme.example").is(atCode).enter(ph.code())
	s.finish(b, at)
	b.clean(w.issuer, s.url)
}

// The answer reaches the application in both response modes, in one hop after the last form and in several: the
// Content-Security-Policy of our pages (form-action) follows redirects in Chromium. The session cookie is what it
// should be, and no page's script can read it.
func testAnswers(t *testing.T, c *chromium) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	w.user("birch", "kim@birch.example", "client")
	s := w.site(t)
	for mode, method := range map[string]string{"": "GET", "query": "GET", "form_post": "POST"} {
		var options []oauth2.AuthCodeOption
		if mode != "" {
			options = append(options, oauth2.SetAuthURLParam("response_mode", mode))
		}
		b := c.open(t)
		at := s.attempt(options...)
		b.visit(at.url).signIn("robin@acme.example").is(atCode).enter(ph.next())
		s.finish(b, at)
		if got := s.reached(b).method; got != method {
			t.Errorf("mode %q came by %s, want %s", mode, got, method)
		}
		cookies(b, w.issuer)

		// Signed in already: no page at all.
		at = s.attempt(options...)
		b.visit(at.url)
		s.finish(b, at)

		// The password alone: the form of the sign-in page itself leads to the application.
		b = c.open(t)
		at = s.attempt(options...)
		b.visit(at.url).signIn("kim@birch.example")
		s.finish(b, at)
		b.clean(w.issuer, s.url)
	}
}

func cookies(b *tab, issuer string) {
	b.t.Helper()
	if seen := eval[string](b.visit(issuer+"/account/security"), `document.cookie`); seen != "" {
		b.t.Errorf("scripts can read %q", seen)
	}
	found := false
	for _, k := range call(b, network.GetCookies, network.GetCookiesParams{URLs: []string{issuer}}).Cookies {
		found = found || k.Name == "sallyport-session"
		if !k.HTTPOnly || k.SameSite != network.CookieSameSiteLax || k.Path != "/" || k.Name == "sallyport-session" && !k.Session {
			b.t.Errorf("cookie %+v", k)
		}
	}
	if !found {
		b.t.Error("no session cookie")
	}
}

// A sign-in begun in one browser can't be finished in another, and says so in words.
func testOtherProfile(t *testing.T, c *chromium) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	b := c.open(t)
	b.visit(w.issuer + "/account/security").signIn("robin@acme.example").is(atCode)
	thief := c.open(t)
	thief.visit(eval[string](b, `location.href`)).is("This sign-in began elsewhere")
	b.enter(ph.next()).is(atSecurity)
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if history, err := chromedp.Run(ctx, chromedp.NavigationEntries()); err != nil || len(history.Entries) == 0 {
		t.Errorf("no history (%v)", err)
	} else {
		for _, e := range history.Entries {
			if strings.Contains(e.URL, ph.secret) || strings.Contains(e.URL, "code=") {
				t.Errorf("the history holds a secret: %s", e.URL)
			}
		}
	}
	b.clean(w.issuer)
	thief.clean(w.issuer)
}
