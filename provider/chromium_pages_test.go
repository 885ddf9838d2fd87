package provider

import (
	"bytes"
	"image"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Every page is right in small and large, light and dark, English and German: it fits 320 px, also at 200 % and with
// text twice as large (ui.md 15); it has its title, one heading and a label for every field; the browser has nothing to
// complain of, above all no violation of the Content-Security-Policy; and nothing is fetched from elsewhere.
func testEveryPage(t *testing.T, c *chromium) {
	for _, lang := range []string{"en", "de"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := c.open(t)
			call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}})
			r := &tour{b: b, w: w, s: w.site(t)}
			r.judged(lang, r.all)
		})
		t.Run(lang+"/ways", func(t *testing.T) {
			t.Parallel()
			w := newWorldOfWays(t)
			b := c.open(t)
			call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}})
			r := &tour{b: b, w: w, s: w.site(t)}
			r.judged(lang, r.ways)
		})
	}
}

// wellFormed checks what makes a page usable by ear and by keyboard.
func (b *tab) wellFormed(name, lang string) {
	b.t.Helper()
	for _, fault := range eval[[]string](b, `(() => {
		const all = (s) => Array.from(document.querySelectorAll(s)), faults = [];
		const text = (e) => e.outerHTML.slice(0, 120);
		if (document.documentElement.lang !== `+quote(lang)+`) faults.push("language " + document.documentElement.lang);
		if (all("h1").length !== 1) faults.push(all("h1").length + " h1");
		if (!document.title.startsWith(all("h1")[0].textContent.trim()) && !document.title.includes(": ")) faults.push("title " + document.title);
		all("input:not([type=hidden]), select, textarea").filter((e) => !e.labels.length).forEach((e) => faults.push("no label: " + text(e)));
		all("button, a").filter((e) => e.checkVisibility() && !e.textContent.trim()).forEach((e) => faults.push("no words: " + text(e)));
		const ids = all("[id]").map((e) => e.id);
		ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => faults.push("id twice: " + id));
		all("[aria-describedby]").forEach((e) => e.getAttribute("aria-describedby").split(" ").filter((id) => !document.getElementById(id))
			.forEach((id) => faults.push("describes nothing: " + id)));
		all("button, input:not([type=hidden]), a:not(.skip)").filter((e) => e.checkVisibility() && getComputedStyle(e).display !== "inline").forEach((e) => {
			const target = e.type === "checkbox" ? e.closest("label") : e, r = target.getBoundingClientRect();
			if (r.width < 24 || r.height < 24) faults.push("target of " + r.width + " by " + r.height + ": " + text(e));
		});
		return faults;
	})()`) {
		b.t.Errorf("%s: %s", name, fault)
	}
}

// fits checks that nobody has to scroll sideways to read the page.
func (b *tab) fits(name string) {
	b.t.Helper()
	check := func(how string) {
		b.t.Helper()
		for _, w := range b.tooWide() {
			b.t.Errorf("%s %s: %s", name, how, w)
		}
	}
	for _, scheme := range []string{"light", "dark"} {
		b.media("prefers-color-scheme", scheme, "prefers-reduced-motion", "no-preference")
		b.size(320, 640)
		check("at 320 px, " + scheme)
		b.size(360, 740)
		check("at 360 px, " + scheme)
		b.scale(320, 400, 2) // a window of 640 px at 200 %
		check("at 200 %, " + scheme)
	}
	b.media("prefers-reduced-motion", "reduce")
	check("with reduced motion")
	if moving := eval[[]string](b, `document.getAnimations().concat(Array.from(document.querySelectorAll("*")).filter((e) =>
		parseFloat(getComputedStyle(e).transitionDuration) > 0.01 || parseFloat(getComputedStyle(e).animationDuration) > 0.01)).map((e) => e.outerHTML?.slice(0, 100) ?? "animation")`); len(moving) > 0 {
		b.t.Errorf("%s moves although the reader wants it still: %q", name, moving)
	}
	b.media()
	b.size(640, 800)
	call(b, cdppage.SetFontSizes, cdppage.SetFontSizesParams{FontSizes: &cdppage.FontSizes{Standard: 32, Fixed: 26}})
	check("with text twice as large")
	call(b, cdppage.SetFontSizes, cdppage.SetFontSizesParams{FontSizes: &cdppage.FontSizes{Standard: 16, Fixed: 13}})
	b.size(1000, 800)
}

// tooWide returns what reaches over the window's edge, if anything makes the page scroll sideways.
func (b *tab) tooWide() []string {
	b.t.Helper()
	return eval[[]string](b, `(() => {
		const wide = document.scrollingElement.scrollWidth;
		if (wide <= innerWidth) return [];
		return [wide + " px"].concat(Array.from(document.querySelectorAll("body *"))
			.filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5).map((e) => e.outerHTML.slice(0, 100)));
	})()`)
}

// The watch that all browser tests keep sees what it should: a violation of the policy, an error, a request elsewhere, a
// page that is too wide.
func testWatch(t *testing.T, c *chromium) {
	w := newWorld(t)
	b := c.open(t)
	b.visit(w.issuer + "/account/security").is(atSignIn)
	if seen := b.seen(); len(seen) > 0 {
		t.Fatalf("a quiet page makes noise: %q", seen)
	}
	eval[chromedp.Void](b, `(() => {
		const style = document.createElement("style");
		style.textContent = "body { color: red }";
		document.head.append(style);
		const image = document.createElement("img");
		image.src = "https://elsewhere.example/pixel.png";
		document.body.append(image);
		const script = document.createElement("script");
		script.textContent = "window.broken = true";
		document.body.append(script);
		console.error("a mistake");
	})()`)
	for _, want := range []string{"style-src", "img-src", "script-src", "a mistake", string(audits.InspectorIssueCodeContentSecurityPolicyIssue)} {
		b.eventually("the watch sees "+want, func() bool { return strings.Contains(strings.Join(b.seen(), "\n"), want) })
	}
	b.eventually("the watch sees the request to elsewhere", func() bool {
		return slices.ContainsFunc(b.sent(), func(r *network.Request) bool { return r.URL == "https://elsewhere.example/pixel.png" })
	})
	if eval[bool](b, `"broken" in window`) || eval[string](b, `getComputedStyle(document.body).color`) == "rgb(255, 0, 0)" {
		t.Error("the policy lets scripts and styles in")
	}
	eval[chromedp.Void](b, `document.querySelector("main").style.minWidth = "1001px"`)
	if len(b.tooWide()) == 0 {
		t.Error("the watch did not see that the page is too wide")
	}
}

// ui.md 10: the QR code is black on white with its quiet zone, also in dark mode, and can be read there; the key stands
// beside it, and the picture is gone after confirmation (ui.md 11).
func testQRCode(t *testing.T, c *chromium) {
	w := newWorld(t)
	w.user("acme", "robin@acme.example", "staff")
	b := c.open(t)
	b.media("prefers-color-scheme", "dark")
	b.size(320, 640)
	b.visit(w.issuer + "/account/security").signIn("robin@acme.example").is(atIntro).follow(next)
	key := b.scan()
	picture, err := png.Decode(bytes.NewReader(b.snap("img.qr")))
	if err != nil {
		t.Fatal(err)
	}
	dark, light, other := shades(picture, picture.Bounds())
	if dark == 0 || light < dark || other > (dark+light)/5 {
		t.Errorf("in dark mode the picture has %d black, %d white and %d other pixels", dark, light, other)
	}
	frame, err := png.Decode(bytes.NewReader(b.snap(".scan")))
	if err != nil {
		t.Fatal(err)
	}
	if around := frame.Bounds(); around.Dx() < 160 {
		t.Errorf("the picture is %d px wide, too small to scan from a screen", around.Dx())
	}
	edge := picture.Bounds()
	for _, side := range []image.Rectangle{
		image.Rect(edge.Min.X, edge.Min.Y, edge.Max.X, edge.Min.Y+8), image.Rect(edge.Min.X, edge.Max.Y-8, edge.Max.X, edge.Max.Y),
		image.Rect(edge.Min.X, edge.Min.Y, edge.Min.X+8, edge.Max.Y), image.Rect(edge.Max.X-8, edge.Min.Y, edge.Max.X, edge.Max.Y),
	} {
		if dark, _, _ := shades(picture, side); dark > 0 {
			t.Errorf("%d black pixels in the quiet zone %v", dark, side)
		}
	}
	if alt := eval[string](b, `document.querySelector("img.qr").alt`); alt == "" {
		t.Error("no text alternative")
	}
	src := eval[string](b, `document.querySelector("img.qr").src`)
	b.enter(oathtool(t, key, w.clock.Now())).is(atCodes)
	if status := eval[int](b, `fetch(`+quote(src)+`).then((r) => r.status)`); status != 404 {
		t.Errorf("after confirmation the picture is still there: %d", status)
	}
}

// shades counts the pixels of a part of a picture that are nearly black, nearly white, and neither.
func shades(p image.Image, part image.Rectangle) (dark, light, other int) {
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			switch r, g, b, _ := p.At(x, y).RGBA(); {
			case max(r, g, b) < 0x3000:
				dark++
			case min(r, g, b) > 0xd000:
				light++
			default:
				other++
			}
		}
	}
	return dark, light, other
}
