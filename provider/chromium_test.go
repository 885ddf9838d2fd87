package provider

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/sallyport-id/sallyport/provider/login"
)

// TestChromium uses the pages as people do, in a real browser.
func TestChromium(t *testing.T) {
	c := startChromium(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *chromium)
	}{
		{"MainJob", testMainJobInChromium},
		{"WithoutJavaScript", testWithoutJavaScript},
		{"EveryPage", testEveryPage},
		{"Weight", testWeight},
		{"RightToLeft", testRightToLeft},
		{"Watch", testWatch},
		{"QRCode", testQRCode},
		{"BackButton", testBackButton},
		{"TwoTabs", testTwoTabs},
		{"DoubleClick", testDoubleClick},
		{"Reload", testReload},
		{"ExpiredSignIn", testExpiredSignIn},
		{"Answers", testAnswers},
		{"OtherProfile", testOtherProfile},
		{"Keyboard", testKeyboard},
		{"CodesByKeyboard", testCodesByKeyboard},
		{"SecurityByKeyboard", testSecurityByKeyboard},
		{"OwnerByKeyboard", testOwnerByKeyboard},
		{"ForceByKeyboard", testForceByKeyboard},
		{"CodeField", testCodeField},
		{"SendsItselfOnce", testSendsItselfOnce},
		{"PasskeySecondStep", testPasskeySecondStep},
		{"PasskeyOnSecurityPage", testPasskeyOnSecurityPage},
		{"PasskeySignIn", testPasskeySignIn},
		{"PasskeyRemembersDevice", testPasskeyRemembersDevice},
		{"PasskeyRefused", testPasskeyRefused},
		{"PasskeyByKeyboard", testPasskeyByKeyboard},
		{"PasskeyForced", testPasskeyForced},
		{"PasskeyWithoutJavaScript", testPasskeyWithoutJavaScript},
		{"SMS", testSMSInChromium},
		{"SwitchFactors", testSwitchFactors},
		{"Recovery", testRecoveryInChromium},
		{"Devices", testDevicesInChromium},
		{"MailLinks", testMailLinksInChromium},
		{"WaysWithoutJavaScript", testWaysWithoutJavaScript},
		{"WaysByKeyboard", testWaysByKeyboard},
		{"ForceStaff", testForceStaffInChromium},
		{"RestrictNetworks", testRestrictInChromium},
		{"CutOffClient", testCutOffInChromium},
		{"PolicyPages", testPolicyPages},
		{"SettingsPages", testSettingsPages},
		{"Details", testDetailsInChromium},
		{"Account", testAccountInChromium},
		{"AccountByKeyboard", testAccountByKeyboard},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, c)
		})
	}
}

// snap takes a picture of an element as it is on the screen.
func (b *tab) snap(selector string) []byte {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.Screenshot(chromedp.CSS(selector)))
	if err != nil {
		b.t.Fatal(err)
	}
	return picture
}

// scan reads the QR code off the screen, with a program that reads any: what is read, not what we meant, goes into
// the authenticator app.
func (b *tab) scan() *url.URL {
	b.t.Helper()
	b.until("the QR picture", `document.querySelector("img.qr").complete && document.querySelector("img.qr").naturalWidth > 0`)
	file := filepath.Join(b.t.TempDir(), "qr.png")
	if err := os.WriteFile(file, b.snap(".scan"), 0o600); err != nil {
		b.t.Fatal(err)
	}
	out, err := exec.CommandContext(b.t.Context(), program(b.t, "zbarimg"), "--quiet", "--raw", file).Output()
	if err != nil {
		b.t.Fatal("zbarimg reads nothing:", err)
	}
	u, err := url.Parse(strings.TrimSpace(string(out)))
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" {
		b.t.Fatalf("the QR code says %q (%v)", out, err)
	}
	return u
}

// oathtool computes a code as the scanned key says, at a time.
func oathtool(t *testing.T, key *url.URL, at time.Time) string {
	t.Helper()
	get := func(name, other string) string {
		if v := key.Query().Get(name); v != "" {
			return v
		}
		return other
	}
	out, err := exec.CommandContext(t.Context(), program(t, "oathtool"),
		"--totp="+strings.ToLower(get("algorithm", "SHA1")), "--digits="+get("digits", "6"), "--time-step-size="+get("period", "30")+"s",
		"--now="+at.UTC().Format("2006-01-02 15:04:05 UTC"), "--base32", get("secret", "")).Output()
	if err != nil {
		t.Fatal("oathtool:", err)
	}
	return strings.TrimSpace(string(out))
}

// The main job (000-5, 000-6, 000-8, 001-4, 002-6, 002-11, 003-8, 003-9) in a real browser: set-up is forced, the key
// comes from the picture on the screen, the codes are copied, downloaded and printed, and the application is reached.
func testMainJobInChromium(t *testing.T, c *chromium) {
	w := newWorld(t)
	u := w.user("acme", "robin@acme.example", "staff")
	s := w.site(t)
	b := c.open(t)
	first := s.attempt()
	b.visit(first.url).signIn("Robin@Acme.example").is(atIntro).says("Staff must use two-factor authentication", "Workshop")
	b.follow("main form .button").is("Set up your authenticator app")
	key := b.scan()
	if label := strings.TrimPrefix(key.Path, "/"); label != "Acme Ltd:robin@acme.example" || key.Query().Get("issuer") != "Acme Ltd" {
		t.Errorf("the app will show %q of %q", label, key.Query().Get("issuer"))
	}
	if shown := eval[string](b, `document.querySelector("#key").value`); shown != key.Query().Get("secret") {
		t.Errorf("the key as text is %q, the picture holds %q", shown, key.Query().Get("secret"))
	}
	b.enter(oathtool(t, key, w.clock.Now())).is(atCodes)
	codes := eval[[]string](b, `Array.from(document.querySelectorAll("#codes code"), (c) => c.textContent)`)
	if len(codes) != 10 {
		t.Fatalf("%d backup codes, want 10", len(codes))
	}
	copied(b, w.issuer, codes)
	downloaded(b, codes)
	printed(b, codes)

	// The browser itself holds back who has not ticked the box.
	b.click("main form .button")
	if !eval[bool](b, `document.querySelector("#saved").matches(":invalid:focus")`) || b.posts("/codes") != 0 {
		t.Error("the tick is not asked for")
	}
	b.click("label[for=saved]").follow("main form .button")
	claims, token := s.finish(b, first)
	if claims.Subject != u.ID || claims.Tenant != "acme" || claims.ACR != login.ACRTwoFactor || !slices.Equal(claims.AMR, []string{"pwd", "otp", "mfa"}) {
		t.Errorf("ID token says %+v", claims)
	}
	if token.RefreshToken == "" {
		t.Error("no refresh token for offline_access")
	}
	b.clean(w.issuer, s.url)

	// Another browser, later: the code only.
	b = c.open(t)
	second := s.attempt()
	w.clock.forward(time.Hour)
	b.visit(second.url).signIn("robin@acme.example").is(atCode).enter(oathtool(t, key, w.clock.Now()))
	if claims, _ = s.finish(b, second); claims.ACR != login.ACRTwoFactor {
		t.Errorf("acr %q", claims.ACR)
	}
	b.clean(w.issuer, s.url)

	// The phone is lost: a backup code, once.
	b = c.open(t)
	third := s.attempt()
	b.visit(third.url).signIn("robin@acme.example").is(atCode).follow(".ways a").says("Backup codes")
	b.follow(`a[href$="/with/backup"]`).is("Enter a backup code").fill("#code", strings.ToUpper(codes[3])).follow("main form .button")
	s.finish(b, third)
	b = c.open(t)
	fourth := s.attempt()
	b.visit(fourth.url).signIn("robin@acme.example").follow(".ways a").follow(`a[href$="/with/backup"]`)
	b.fill("#code", codes[3]).follow("main form .button").says("already been used")
	b.fill("#code", codes[4]).follow("main form .button")
	s.finish(b, fourth)
	b.clean(w.issuer, s.url)
}

// copied presses *Copy* and looks at the clipboard.
func copied(b *tab, origin string, codes []string) {
	b.t.Helper()
	b.c.clipboard.Lock()
	defer b.c.clipboard.Unlock()
	b.allowClipboard(origin)
	b.click("button[data-copy]").until("the word that it is copied", `document.querySelector("button[data-copy]").textContent === "Copied"`)
	if got := eval[string](b, `navigator.clipboard.readText()`); got != strings.Join(codes, "\n") {
		b.t.Errorf("the clipboard holds %q, want the codes, one a line", got)
	}
}

func (b *tab) allowClipboard(origin string) {
	b.t.Helper()
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		_, err := chromedp.CallBrowser(b.ctx, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
			Permission: &cdpbrowser.PermissionDescriptor{Name: name}, Setting: cdpbrowser.PermissionSettingGranted, Origin: origin,
			BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
		})
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

// downloaded presses *Download* and reads the file that arrives.
func downloaded(b *tab, codes []string) {
	b.t.Helper()
	folder := b.t.TempDir()
	_, err := chromedp.CallBrowser(b.ctx, cdpbrowser.SetDownloadBehavior, cdpbrowser.SetDownloadBehaviorParams{
		Behavior: cdpbrowser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder,
		BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.click("a[download]")
	var text []byte
	for deadline := time.Now().Add(patience); ; <-time.After(5 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
		if err != nil {
			b.t.Fatal(err)
		}
		if len(files) == 1 {
			if text, err = os.ReadFile(files[0]); err == nil && len(text) > 0 {
				break
			}
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("nothing was downloaded: %v", files)
		}
	}
	if got := strings.Fields(string(text)); !slices.Equal(got, codes) {
		b.t.Errorf("the file holds %q, want the codes", text)
	}
}

// printed presses *Print*, and looks at the sheet: the codes and whose they are on one page, and no buttons.
func printed(b *tab, codes []string) {
	b.t.Helper()
	eval[chromedp.Void](b, `window.print = () => { document.documentElement.dataset.printed = "yes" }`)
	b.click("button[data-print]").until("the browser's print window", `document.documentElement.dataset.printed === "yes"`)
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	sheet := eval[string](b, `document.body.innerText`)
	for _, want := range append(slices.Clone(codes), "robin@acme.example", "Acme Ltd") {
		if !strings.Contains(sheet, want) {
			b.t.Errorf("the printed sheet does not say %q:\n%s", want, sheet)
		}
	}
	if n := eval[int](b, `Array.from(document.querySelectorAll("button, a:not(.skip), input")).filter((e) => e.checkVisibility()).length`); n != 0 {
		b.t.Errorf("%d buttons, links and fields are printed", n)
	}
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
	pdf := call(b, cdppage.PrintToPDF, cdppage.PrintToPDFParams{}).Data
	if n := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1)); n != 1 {
		b.t.Errorf("printed on %d pages, want 1", n)
	}
}

// All of it by buttons and links: everything works without JavaScript.
func testWithoutJavaScript(t *testing.T, c *chromium) {
	w := newWorld(t)
	w.user("acme", "robin@acme.example", "staff")
	s := w.site(t)
	b := c.open(t)
	b.javascript(false)
	first := s.attempt()
	b.visit(first.url).signIn("robin@acme.example").is(atIntro).follow("main form .button")
	if dead := eval[[]string](b, `Array.from(document.querySelectorAll("button[type=button]")).filter((e) => e.checkVisibility()).map((e) => e.textContent)`); len(dead) > 0 {
		t.Errorf("buttons that do nothing without JavaScript are shown: %q", dead)
	}
	key := b.scan()
	code := oathtool(t, key, w.clock.Now())
	b.fill("#code", code)
	if b.posts("/set-up") != 0 {
		t.Error("JavaScript is on")
	}
	b.follow("main form .button").is(atCodes)
	codes := eval[[]string](b, `Array.from(document.querySelectorAll("#codes code"), (c) => c.textContent)`)
	downloaded(b, codes)
	b.click("label[for=saved]").follow("main form .button")
	s.finish(b, first)

	b = c.open(t)
	b.javascript(false)
	w.clock.forward(time.Minute)
	second := s.attempt()
	b.visit(second.url).signIn("robin@acme.example").is(atCode).fill("#code", "12345").follow("main form .button").says("too short")
	b.fill("#code", oathtool(t, key, w.clock.Now())).follow("main form .button")
	s.finish(b, second)

	b = c.open(t)
	b.javascript(false)
	third := s.attempt()
	b.visit(third.url).signIn("robin@acme.example").follow(".ways a").follow(`a[href$="/with/backup"]`)
	b.fill("#code", codes[0]).follow("main form .button")
	s.finish(b, third)
	b.clean(w.issuer, s.url)
}
