package provider

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
)

// inArabic is the example of a theme, which adds Arabic.
func inArabic(c *Config) { c.Theme = os.DirFS("../deploy/theme") }

// Every page of a first sign-in with its set-up, of later ones, of all second steps and of the ways back in, read from right to
// left: the page is turned round as a whole and fits 320 px, and what is written from left to right everywhere stays so.
func testRightToLeft(t *testing.T, c *chromium) {
	for name, walk := range map[string]func(*tour){"first": (*tour).all, "ways": (*tour).ways} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOfWays(t, inArabic)
			if name == "first" {
				w = newWorld(t, inArabic)
			}
			b := c.open(t)
			call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": "ar-EG,ar;q=0.9"}})
			r := &tour{b: b, w: w, s: w.site(t)}
			looked := 0
			r.look = func(name string) {
				looked++
				b.wellFormed(name, "ar")
				b.turnedRound(name)
				for _, scheme := range []string{"light", "dark"} {
					b.media("prefers-color-scheme", scheme, "prefers-reduced-motion", "reduce") // no picture halfway
					b.size(320, 740)
					if over := b.tooWide(); len(over) > 0 {
						t.Errorf("%s is too wide at 320 px: %q", name, over)
					}
					b.turnedRound(name)
					b.picture("arabic-" + name + "-" + scheme)
				}
				b.media()
				b.size(1000, 800)
			}
			walk(r)
			b.clean(w.issuer, r.s.url)
			if looked < 20 {
				t.Errorf("only %d pages were looked at", looked)
			}
		})
	}
}

// turnedRound checks that a page is read from right to left, and its codes, keys, addresses and numbers from left to right.
func (b *tab) turnedRound(name string) {
	b.t.Helper()
	for _, fault := range eval[[]string](b, `(() => {
		const all = (s) => Array.from(document.querySelectorAll(s)).filter((e) => e.checkVisibility()), faults = [];
		const direction = (e) => getComputedStyle(e).direction, box = (e) => e.getBoundingClientRect();
		const text = (e) => e.outerHTML.slice(0, 120), middle = (r) => (r.left + r.right) / 2;
		if (document.documentElement.dir !== "rtl" || direction(document.body) !== "rtl") faults.push("the page is not rtl");
		// Nothing sticks out on either side; on the right it would be cut off, without a way to scroll there. What stands in a
		// row that is moved by itself does not: there is a way to it.
		const moved = (e) => e.parentElement && (/auto|scroll/.test(getComputedStyle(e.parentElement).overflowX) || moved(e.parentElement));
		all("body *").filter((e) => !e.closest(".unseen, .skip, [aria-hidden]") && !moved(e) && (box(e).left < -0.5 || box(e).right > innerWidth + 0.5))
			.forEach((e) => faults.push("sticks out: " + text(e)));
		// Codes, keys and telephone numbers.
		all("#code, code, input[type=tel], input[inputmode=numeric]").filter((e) => direction(e) !== "ltr")
			.forEach((e) => faults.push("not from left to right: " + text(e)));
		// Addresses in the text, by where the browser draws their first and last letters.
		const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
		for (let n; n = walker.nextNode();) {
			for (const m of n.data.matchAll(/[\w.+-]+@[\w.-]+\w|https?:\/\/\S+\w|\d[\d:.]*\d/g)) {
				const at = (i) => { const r = new Range(); r.setStart(n, m.index + i); r.setEnd(n, m.index + i + 1); return r.getBoundingClientRect(); };
				const first = at(0), last = at(m[0].length - 1);
				if (first.width && first.top === last.top && first.left > last.left) faults.push("turned round: " + m[0]);
			}
		}
		// The mark stands to the right of the name, and what leads on points to the left.
		const mark = all(".brand img")[0], brand = all(".brand")[0];
		if (mark && brand.textContent.trim() && middle(box(mark)) < middle(box(brand))) faults.push("the mark is on the left");
		all(".next").filter((e) => new DOMMatrix(getComputedStyle(e).transform).a !== -1).forEach((e) => faults.push("points to the right: " + text(e)));
		all("a.row, button.row").forEach((e) => {
			const icon = e.querySelector(".badge-icon"), on = e.querySelector(".next");
			if (icon && on && box(icon).left < box(on).left) faults.push("not turned round: " + text(e));
		});
		all("label.check").forEach((e) => {
			const tick = e.querySelector("input"), words = e.querySelector("span");
			if (tick && words && box(tick).left < box(words).left) faults.push("the tick is on the left: " + text(e));
		});
		all(".inside").forEach((e) => { if (middle(box(e)) > middle(box(e.parentElement))) faults.push("the button is on the right: " + text(e)); });
		// Arabic letters are joined.
		all("h1, .brand, label, .button").filter((e) => getComputedStyle(e).letterSpacing !== "normal").forEach((e) => faults.push("torn apart: " + text(e)));
		return faults;
	})()`) {
		b.t.Errorf("%s: %s", name, fault)
	}
}

// picture leaves a picture of the window in the folder for screenshots, if there is one.
func (b *tab) picture(name string) {
	b.t.Helper()
	folder := os.Getenv("SALLYPORT_SCREENSHOTS")
	if folder == "" {
		return
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		b.t.Fatal(err)
	}
	shot := call(b, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{})
	if err := os.WriteFile(filepath.Join(folder, name+".png"), shot.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
