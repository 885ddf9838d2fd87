package provider

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// paste pastes into the field that has the focus, from the clipboard.
func (b *tab) paste(origin, text string) {
	b.t.Helper()
	b.c.clipboard.Lock()
	defer b.c.clipboard.Unlock()
	b.allowClipboard(origin)
	eval[chromedp.Void](b, `navigator.clipboard.writeText(`+quote(text)+`)`)
	call(b, input.DispatchKeyEvent, input.DispatchKeyEventParams{
		Type: input.DispatchKeyEventTypeRawKeyDown, Modifiers: int64(chromedp.ModifierCtrl), Key: "v", Code: "KeyV", WindowsVirtualKeyCode: 'V', Commands: []string{"paste"},
	})
}

// complaint is what a page says about a code, and how it is tied to the field.
type complaint struct {
	Text, Live, Described, Invalid string
	Below, Focus                   bool
}

func (b *tab) complaint() complaint {
	b.t.Helper()
	return eval[complaint](b, `(() => {
		const field = document.querySelector("#code"), box = document.querySelector(".problem");
		const gap = box.getBoundingClientRect().top - field.getBoundingClientRect().bottom;
		return {
			Text: box.innerText.replaceAll("\u00a0", " "), Live: box.getAttribute("aria-live") ?? "", Invalid: field.getAttribute("aria-invalid") ?? "",
			Described: (field.getAttribute("aria-describedby") ?? "").split(" ").includes(box.id) ? "yes" : "no",
			Below: gap >= 0 && gap < 48, Focus: document.activeElement === field,
		};
	})()`)
}

// ui.md 1 to 4: one field with the right attributes; spaces and hyphens are taken; a full code sends itself once, and
// after that only by the button; what is wrong stands beside the field, is announced, and the focus is back in it.
func testCodeField(t *testing.T, c *chromium) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	s := w.site(t)
	b := c.open(t)
	at := s.attempt()
	b.visit(at.url).signIn("robin@acme.example").is(atCode)
	attributes := eval[map[string]string](b, `Object.fromEntries(Array.from(document.querySelector("#code").attributes, (a) => [a.name, a.value]))`)
	for name, want := range map[string]string{"type": "text", "inputmode": "numeric", "autocomplete": "one-time-code"} {
		if attributes[name] != want {
			t.Errorf("%s=%q, want %q", name, attributes[name], want)
		}
	}
	if _, ok := attributes["maxlength"]; ok {
		t.Error("the field has a maxlength")
	}
	if n := eval[int](b, `document.querySelectorAll("main input:not([type=hidden])").length`); n != 1 {
		t.Errorf("%d fields for one code", n)
	}

	for _, try := range []struct{ typed, says string }{
		{"", "Enter the code."},
		{"12345", "That code is too short"},
		{"1234567", "That code is too long"},
		{"12345a", "digits only"},
		{"１２３４５６", "digits only"},
	} {
		eval[chromedp.Void](b, `document.querySelector("#code").select()`)
		if try.typed != "" {
			call(b, input.InsertText, input.InsertTextParams{Text: try.typed})
		}
		b.follow(next).says(try.says)
		if got := b.complaint(); got.Live == "" || got.Described != "yes" || got.Invalid != "true" || !got.Below || !got.Focus {
			t.Errorf("%q: the complaint is %+v", try.typed, got)
		}
	}

	// The sixth digit sends; a wrong code says so, with the time that our clock shows.
	before := b.posts("/with/totp")
	wrong := ph.wrong()
	b.press(wrong[:5])
	if n := b.posts("/with/totp"); n != before {
		t.Fatal("five digits were sent")
	}
	b.leave(chromedp.KeyEvent(wrong[5:])).says("isn’t right", "Our clock shows "+w.clock.Now().UTC().Format("15:04"))
	if got := b.complaint(); got.Invalid != "true" || !got.Below || !got.Focus || !strings.Contains(got.Text, "Set its date and time to automatic") {
		t.Errorf("the complaint is %+v", got)
	}
	if n := b.posts("/with/totp"); n != before+1 {
		t.Errorf("one full code was sent %d times", n-before)
	}
	if title := eval[string](b, `document.title`); !strings.HasPrefix(title, "Error:") {
		t.Errorf("the title of a page with an error is %q", title)
	}

	// As password managers and text messages have it.
	code := ph.next()
	b.leave(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		b.paste(w.issuer, code[:3]+" "+code[3:])
		return nil
	}))
	s.finish(b, at)

	for _, form := range []func(string) string{
		func(c string) string { return c[:3] + "-" + c[3:] },
		func(c string) string { return " " + c + " " },
	} {
		b = c.open(t)
		at = s.attempt()
		b.visit(at.url).signIn("robin@acme.example").is(atCode)
		b.leave(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			call(b, input.InsertText, input.InsertTextParams{Text: form(ph.next())})
			return nil
		}))
		s.finish(b, at)
	}

	// A phone whose clock is five minutes ahead: told, in words.
	b = c.open(t)
	b.visit(s.attempt().url).signIn("robin@acme.example").is(atCode).enter(ph.code(5 * time.Minute)).says("5 minutes ahead")
	b.clean(w.issuer, s.url)
}

// ui.md 3: where the code sent by itself was wrong, the next is not sent before the button is pressed twice over: each
// page sends one by itself, once.
func testSendsItselfOnce(t *testing.T, c *chromium) {
	w := newWorld(t)
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	b := c.open(t)
	b.visit(w.issuer + "/account/security").signIn("robin@acme.example").is(atCode)
	// A server that does not answer: what is typed meanwhile is not sent again.
	eval[chromedp.Void](b, `(() => {
		window.sent = 0;
		document.querySelector("main form").addEventListener("submit", (e) => { window.sent++; e.preventDefault(); });
	})()`)
	b.press(ph.wrong() + "\b" + "7" + "\b" + "8")
	if n := eval[int](b, `window.sent`); n != 1 {
		t.Errorf("a code corrected by hand was sent %d times by itself", n)
	}
	b.clean(w.issuer)
}
