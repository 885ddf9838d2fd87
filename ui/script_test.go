package ui_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/sallyport-id/sallyport/ui"
)

// TestScript runs app.js in a real browser with an authenticator of its own, under the Content-Security-Policy of the
// pages.
func TestScript(t *testing.T) {
	b := startScripts(t)
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprintf("Passkeys/old=%v", old), func(t *testing.T) {
			b.tab(t, old)
			b.show(t, setUpPasskey("")).press("[data-start]")
			made := b.answer(t, "code", "webauthn.create")
			if made.Response["attestationObject"] == "" || made.Response["transports"] == nil {
				t.Errorf("the new passkey lacks something: %v", made)
			}
			b.show(t, setUpPasskey(made.ID)).press("[data-start]").says("This device already keeps a passkey")
			// The prompt answers by itself, as soon as it is there.
			b.show(t, usePasskey(made.ID, "preferred"))
			if got := b.answer(t, "code", "webauthn.get"); got.ID != made.ID || got.Response["signature"] == "" {
				t.Errorf("the answer is %v", got)
			}
			// So does the sign-in, where the browser offers passkeys at the name's field and one is chosen there.
			b.show(t, ui.SignIn{Request: "sealed", Passkeys: true})
			if got := b.answer(t, "answer", "webauthn.get"); got.ID != made.ID || got.Response["userHandle"] != encode("olga") {
				t.Errorf("the answer is %v", got)
			}
			b.presence(t, false)
			b.show(t, ui.SignIn{Request: "sealed", Passkeys: true}).press("[data-start]")
			b.presence(t, true)
			if got := b.answer(t, "answer", "webauthn.get"); got.ID != made.ID {
				t.Errorf("the answer is %v", got)
			}
			b.unverified(t)
			b.show(t, usePasskey(made.ID, "required")).press("[data-start]").says("No passkey was used")
		})
	}
	t.Run("SendAgain", func(t *testing.T) {
		b.tab(t, false)
		page := ui.Code{
			Factor: ui.Factor{ID: "sms"}, Target: "•••• 321", Digits: 6, Action: "/done", Others: "/o", Restart: "/r", Again: "/done",
		}
		// Long enough to be seen to count, however busy the machine; then short enough to be waited for.
		page.AgainAt = b.now.Add(time.Minute).Format(time.RFC3339)
		b.show(t, page).until("the wait", `document.querySelector(".again").dataset.again === "60"`)
		b.until("the countdown", `/^Send again in \d+ seconds?$/.test(document.querySelector(".again button:disabled")?.textContent)`)
		page.AgainAt = b.now.Add(2 * time.Second).Format(time.RFC3339)
		b.show(t, page).until("the wait", `document.querySelector(".again").dataset.again === "2"`)
		b.until("the button", `document.querySelector(".again button:enabled")?.textContent === "Send again"`)
		b.until("the announcement", `document.querySelector(".again [aria-live]").textContent === "You can have the code sent again now."`)
	})
	t.Run("BoxBeforeSending", func(t *testing.T) {
		b.tab(t, false)
		page := ui.Code{Factor: ui.Factor{ID: "totp"}, Digits: 6, Action: "/done", Others: "/o", Restart: "/r", Remember: 30}
		const whole = `(() => { if (document.readyState !== "complete") return false; const f = document.querySelector("#code"); f.value = "123456"; f.dispatchEvent(new InputEvent("input")); return true; })()`
		b.show(t, page).until("the code", whole)
		b.press("#remember").press("form .button")
		if form := b.posted(t); form.Get("remember") != "yes" || form.Get("code") != "123456" {
			t.Errorf("posted: %v", form)
		}
		page.Remember = 0
		b.show(t, page).until("the code", whole)
		if form := b.posted(t); form.Get("code") != "123456" {
			t.Errorf("posted: %v", form)
		}
	})
	t.Run("Menu", func(t *testing.T) {
		b.tab(t, false)
		b.show(t, ui.People{Action: "/people", People: []ui.PersonRow{{ID: "u", Account: "a", Role: "member", PersonActions: ui.PersonActions{HandOut: "/done"}}}})
		for _, away := range []string{
			`document.querySelector("h1").click()`,
			`document.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true}))`,
		} {
			b.press("summary").until("the menu", `document.querySelector("details").open`)
			b.until("its end", `(`+away+`, !document.querySelector("details").open)`)
		}
	})
}

const challenge = "c2FtcGxlIGNoYWxsZW5nZQ"

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func passkeys(id string) string {
	if id == "" {
		return "[]"
	}
	return `[{"type":"public-key","id":"` + id + `"}]`
}

func setUpPasskey(known string) ui.Page {
	return ui.SetUp{Factor: ui.Factor{ID: "webauthn"}, Action: "/done", Cancel: "/c", Options: json.RawMessage(`{
		"challenge":"` + challenge + `","rp":{"id":"localhost","name":"P"},"pubKeyCredParams":[{"type":"public-key","alg":-7}],
		"user":{"id":"` + encode("olga") + `","name":"olga","displayName":"Olga"},"excludeCredentials":` + passkeys(known) + `,
		"authenticatorSelection":{"residentKey":"required","userVerification":"required"}}`)}
}

func usePasskey(id, verification string) ui.Page {
	return ui.Code{Factor: ui.Factor{ID: "webauthn"}, Action: "/done", Others: "/o", Restart: "/r", Options: json.RawMessage(
		`{"challenge":"` + challenge + `","rpId":"localhost","userVerification":"` + verification + `","allowCredentials":` + passkeys(id) + `}`)}
}

// scripts is a browser, and a site that shows it one page and takes what the page posts.
type scripts struct {
	browser context.Context
	now     time.Time
	site    string
	page    ui.Page
	posts   chan url.Values

	t             *testing.T
	ctx           context.Context
	authenticator webauthn.AuthenticatorID
}

func startScripts(t *testing.T) *scripts {
	t.Helper()
	path, err := exec.LookPath("chromium-headless-shell")
	if err != nil {
		path, err = exec.LookPath("chromium")
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no chromium on this machine")
		}
		t.Skip("no chromium on this machine; to run this test: apt-get install chromium-headless-shell")
	}
	b := &scripts{now: time.Date(2026, time.March, 4, 14, 3, 22, 0, time.UTC), posts: make(chan url.Values, 1)}
	r, err := ui.New(ui.Options{Now: func() time.Time { return b.now }})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(b.handler(r))
	t.Cleanup(server.Close)
	b.site = strings.Replace(server.URL, "127.0.0.1", "localhost", 1) // passkeys are for names, not for addresses
	ctx, stop := chromedp.NewExecAllocator(context.Background(), append(
		chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.Flag("headless", "new"), chromedp.DisableGPU,
		chromedp.NoSandbox, // as root there is none; it loads these pages only
	)...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal("Chromium does not start:", err)
	}
	b.browser = ctx
	return b
}

func (b *scripts) handler(r *ui.Renderer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := r.Render(w, ui.Frame{Lang: "en", Product: "P"}, b.page); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET "+ui.PathStatic+"{name}", func(w http.ResponseWriter, q *http.Request) {
		a, _ := r.Static(q.PathValue("name"))
		w.Header().Set("Content-Type", a.Type)
		_, _ = w.Write(a.Body)
	})
	mux.HandleFunc("POST "+ui.PathPasskeyOptions, func(w http.ResponseWriter, q *http.Request) {
		if q.PostFormValue("request") != "sealed" || q.Header.Get("Accept") != "application/json" {
			http.Error(w, "not as agreed", http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, `{"state":"sealed state","options":{"challenge":%q,"rpId":"localhost","userVerification":"required"}}`, challenge)
	})
	take := func(w http.ResponseWriter, q *http.Request) {
		if err := q.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b.posts <- q.PostForm
		fmt.Fprint(w, "done")
	}
	mux.HandleFunc("POST /done", take)
	mux.HandleFunc("POST "+ui.PathPasskey, take)
	return mux
}

// tab opens a tab with a new authenticator. old: the browser can neither read options nor write answers as JSON.
func (b *scripts) tab(t *testing.T, old bool) {
	t.Helper()
	b.t = t
	ctx, cancel := chromedp.NewContext(b.browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b.ctx = ctx
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	// A deadline for all of it: what never comes must fail the test and not hold it.
	b.ctx, cancel = context.WithTimeout(ctx, 40*time.Second)
	t.Cleanup(cancel)
	command(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	command(b, webauthn.Enable, webauthn.EnableParams{})
	added := command(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	b.authenticator = added.AuthenticatorID
	if old {
		command(b, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: `
			delete PublicKeyCredential.parseCreationOptionsFromJSON;
			delete PublicKeyCredential.parseRequestOptionsFromJSON;
			delete PublicKeyCredential.prototype.toJSON;`})
	}
}

func command[P, R any](b *scripts, cmd cdp.Command[P, R], params P) R {
	b.t.Helper()
	r, err := chromedp.Call(b.ctx, cmd, params)
	if err != nil {
		b.t.Fatalf("%s: %v", cmd.Method, err)
	}
	return r
}

func (b *scripts) show(t *testing.T, p ui.Page) *scripts {
	t.Helper()
	b.page = p
	// A page whose script answers at once leads on before it has loaded, which looks like a load that was broken off.
	if err := chromedp.Do(b.ctx, chromedp.Navigate(b.site+"/page")); err != nil && !strings.Contains(err.Error(), "net::ERR_ABORTED") {
		t.Fatal(err)
	}
	return b
}

func (b *scripts) press(selector string) *scripts {
	b.t.Helper()
	b.until("a sight of "+selector, `((e) => e?.checkVisibility() && !e.disabled && (e.click(), true))(document.querySelector(`+fmt.Sprintf("%q", selector)+`))`)
	return b
}

func (b *scripts) says(words string) {
	b.t.Helper()
	b.until(words, `document.querySelector(".problem").innerText.includes(`+fmt.Sprintf("%q", words)+`)`)
}

func (b *scripts) until(what, expression string) {
	b.t.Helper()
	for {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		switch {
		case ok && err == nil:
			return
		case b.ctx.Err() != nil:
			b.t.Fatalf("waited for %s (%v) in vain", what, err)
		}
		<-time.After(10 * time.Millisecond)
	}
}

func (b *scripts) presence(t *testing.T, on bool) {
	t.Helper()
	command(b, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: b.authenticator, Enabled: on})
}

func (b *scripts) unverified(t *testing.T) {
	t.Helper()
	command(b, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: b.authenticator})
}

// posted waits for the form that the page sends.
func (b *scripts) posted(t *testing.T) url.Values {
	t.Helper()
	select {
	case form := <-b.posts:
		return form
	case <-b.ctx.Done():
		t.Fatal("the page posted nothing")
		return nil
	}
}

// passkeyAnswer is an AuthenticationResponseJSON or RegistrationResponseJSON.
type passkeyAnswer struct {
	ID, RawID, Type string
	Response        map[string]any
}

// answer waits for what the page posts, and checks that it is the browser's answer to the challenge.
func (b *scripts) answer(t *testing.T, field, kind string) passkeyAnswer {
	t.Helper()
	var a passkeyAnswer
	form := b.posted(t)
	if field == "answer" && form.Get("state") != "sealed state" {
		t.Errorf("the state is %q", form.Get("state"))
	}
	if err := json.Unmarshal([]byte(form.Get(field)), &a); err != nil {
		t.Fatalf("%q: %v", form.Get(field), err)
	}
	said, _ := a.Response["clientDataJSON"].(string)
	client, err := base64.RawURLEncoding.DecodeString(said)
	var data struct{ Type, Challenge, Origin string }
	if err == nil {
		err = json.Unmarshal(client, &data)
	}
	if err != nil || data.Type != kind || data.Challenge != challenge || data.Origin != b.site || a.ID != a.RawID || a.Type != "public-key" {
		t.Fatalf("the answer is %+v, of %+v (%v)", a, data, err)
	}
	return a
}
