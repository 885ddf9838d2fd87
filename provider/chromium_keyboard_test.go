package provider

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// focused tells which field or button has the focus, and whether that shows.
type focused struct {
	ID, Tag, Name string
	Visible       bool
}

func (b *tab) focus() focused {
	b.t.Helper()
	return eval[focused](b, `(() => {
		const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
		const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
		const inside = box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.right <= innerWidth;
		return {ID: e.id, Tag: e.tagName, Name: (e.textContent || e.name || "").trim(), Visible: e.matches(":focus-visible") && ring && inside};
	})()`)
}

// settled looks at the focus until it is good: a browser focuses and scrolls into view with the next frame it draws.
func (b *tab) settled(good func(focused) bool) focused {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		if f := b.focus(); good(f) || time.Now().After(deadline) {
			return f
		}
	}
}

// at fails the test unless the focus is in this field.
func (b *tab) at(id string) *tab {
	b.t.Helper()
	if f := b.settled(func(f focused) bool { return f.ID == id && f.Visible }); f.ID != id || !f.Visible {
		b.t.Errorf("the focus at %q is %+v, want #%s, and visible", eval[string](b, `document.title`), f, id)
	}
	return b
}

// tabTo goes to an element by the Tab key alone, and looks at every stop on the way.
func (b *tab) tabTo(selector string) *tab {
	b.t.Helper()
	for range 60 {
		b.press(tabKey)
		if f := b.settled(func(f focused) bool { return f.Tag == "BODY" || f.Visible }); f.Tag != "BODY" && !f.Visible {
			b.t.Errorf("the focus at %q can't be seen: %+v", eval[string](b, `document.title`), f)
		}
		if eval[bool](b, `document.activeElement.matches(`+quote(selector)+`)`) {
			return b
		}
	}
	b.t.Fatalf("Tab does not lead to %s at %s", selector, b.where())
	return b
}

// enterKeyLeads presses Enter and waits for the page it leads to.
func (b *tab) enterKeyLeads() *tab {
	b.t.Helper()
	return b.leave(chromedp.KeyEvent(enterKey))
}

// ui.md 1, 15: the whole sign-in by keyboard alone; the focus starts where there is something to type, can always be
// seen, and passes the link that skips to the content first.
func testKeyboard(t *testing.T, c *chromium) {
	w := newWorld(t)
	w.user("acme", "robin@acme.example", "staff")
	s := w.site(t)
	b := c.open(t)
	first := s.attempt()
	b.visit(first.url).is(atSignIn).at("login")
	b.press("robin@acme.example" + tabKey).at("password")
	b.press("not it").enterKeyLeads().says("isn’t right").at("password")
	b.press(rightPassword).enterKeyLeads().is(atIntro)

	b.press(tabKey)
	if f := b.focus(); f.Name != "Skip to the content" || !f.Visible {
		t.Errorf("the first stop is %+v, want the link to the content", f)
	}
	b.press(enterKey).until("the content", `document.activeElement.id === "main"`)
	b.tabTo(next).enterKeyLeads().is("Set up your authenticator app")

	ph := &phone{t: t, w: w, secret: eval[string](b, `document.querySelector("#key").value`)}
	b.tabTo("#code").leave(chromedp.KeyEvent(ph.wrong())).says("isn’t right").at("code")
	// A whole code sends itself; pressing Enter too would be a race with the next page.
	b.leave(chromedp.KeyEvent(ph.code())).is(atCodes)

	b.tabTo("a[download]").tabTo("button[data-print]").tabTo("button[data-copy]").tabTo("#saved").press(spaceKey)
	b.tabTo(next).enterKeyLeads()
	s.finish(b, first)

	b = c.open(t)
	second := s.attempt()
	b.visit(second.url).is(atSignIn).press("robin@acme.example" + tabKey + rightPassword).enterKeyLeads().is(atCode).at("code")
	b.tabTo(next).tabTo(`a[href$="/ways"]`).enterKeyLeads().is("Try another way")
	b.tabTo(`a[href$="/with/backup"]`).enterKeyLeads().is("Enter a backup code").at("code")
	b.tabTo(`a[href$="/ways"]`).enterKeyLeads().tabTo(`a[href$="/with/totp"]`).enterKeyLeads().is(atCode).at("code")
	b.leave(chromedp.KeyEvent(ph.next()))
	s.finish(b, second)

	// The eye at the password, and a name that is known already.
	b = c.open(t)
	b.visit(s.attempt().url + "&login_hint=robin%40acme.example").is(atSignIn).at("password")
	b.press("abc").tabTo("[data-reveal]").press(enterKey)
	if kind := eval[string](b, `document.querySelector("#password").type`); kind != "text" {
		t.Errorf("the password shown is of type %q", kind)
	}
	b.press(spaceKey)
	if kind := eval[string](b, `document.querySelector("#password").type`); kind != "password" {
		t.Errorf("the password hidden is of type %q", kind)
	}
	b.clean(w.issuer, s.url)
}
