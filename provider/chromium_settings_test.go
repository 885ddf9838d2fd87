package provider

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// An owner picks a colour, looks at it and uploads a logo with a real browser, which takes both from us and from nobody else;
// the pages of settings and branding are right in every way that all pages are.
func testSettingsPages(t *testing.T, c *chromium) {
	file := filepath.Join(t.TempDir(), "logo.png")
	if err := os.WriteFile(file, []byte(picture(t, 600, 200)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"en", "de"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			owner := w.helper("birch", "olga@birch.example", storage.Owner)
			b := c.open(t)
			call(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": lang}})
			r := &tour{b: b, w: w, s: w.site(t)}
			r.judged(lang, func() { r.settings(owner, file) })
		})
	}
}

func (r *tour) settings(owner *helper, file string) {
	b := r.b
	b.visit(r.w.issuer+"/account/security").fill("#login", owner.Email).fill("#password", rightPassword).follow(next).fill("#code", "").put(owner.phone.next())
	b.follow(next).visit(r.w.issuer + ui.PathSettings)
	r.look("settings")
	b.click(`label[for=totp_digits-8]`).fill("#support", "nobody").follow(next)
	r.look("settings-wrong")
	b.fill("#support", "help@birch.example").follow(next)
	b.until("the choice of before", `document.querySelector("#totp_digits-8").checked`)

	b.visit(r.w.issuer + ui.PathBranding)
	r.look("branding")
	// Picking fills the field beside it, so that both say the same.
	eval[chromedp.Void](b, `(() => {
		const f = document.querySelector("#picked");
		f.value = "#8e24aa";
		f.dispatchEvent(new Event("input"));
	})()`)
	b.until("the picked colour in words", `document.querySelector("#accent").value === "#8e24aa"`)
	b.follow(`button[name="try"]`)
	accent := `getComputedStyle(document.querySelector("main .button")).backgroundColor`
	b.until("the colour on the page", accent+` === "rgb(142, 36, 170)"`)
	// Each half of the preview has its own colours, whatever those of the page.
	b.until("another colour on dark pages", `getComputedStyle(document.querySelector(".scheme-dark .button")).backgroundColor !== `+accent)
	r.look("branding-tried")
	b.fill("#accent", "red").follow(`[action$="/branding"] .button:not(.quiet)`)
	r.look("branding-wrong")
	b.fill("#accent", "#00897b").follow(`[action$="/branding"] .button:not(.quiet)`)
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#logo"), []string{file}))
	b.follow(`[action$="/logo"] .button`)
	b.until("the logo", `(() => { const e = document.querySelector(".top .logo"); return e?.complete && e.naturalWidth === 512; })()`)
	r.look("branding-logo")
}
