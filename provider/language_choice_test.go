package provider

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"
	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// tongues are the languages that the foot of a page offers, the one that it is in marked by an asterisk.
func (p *page) tongues() string {
	p.b.t.Helper()
	var all []string
	visit(p.foot(), func(n *html.Node) {
		switch {
		case attr(n, "aria-current") != "":
			all = append(all, attr(n, "lang")+"*")
		case n.Data == "button":
			if attr(n, "lang") != attr(n, "value") {
				p.b.t.Errorf("a button chooses %q and says that it is in %q", attr(n, "value"), attr(n, "lang"))
			}
			all = append(all, attr(n, "lang"))
		}
	})
	return strings.Join(all, " ")
}

func (p *page) foot() *html.Node {
	p.b.t.Helper()
	var foot *html.Node
	p.walk(func(n *html.Node) {
		if n.Data == "footer" {
			foot = n
		}
	})
	if foot == nil {
		p.b.t.Fatalf("no foot on %s", p.url)
	}
	return foot
}

// choose clicks on a language in the foot of a page.
func (p *page) choose(lang string) *page {
	p.b.t.Helper()
	return p.b.follow(p.choice(lang))
}

// choice is the request that choose sends.
func (p *page) choice(lang string) *http.Request {
	p.b.t.Helper()
	fields := url.Values{}
	var to string
	visit(p.foot(), func(n *html.Node) {
		switch n.Data {
		case "form":
			to = attr(n, "action")
		case "input":
			fields.Set(attr(n, "name"), attr(n, "value"))
		case "button":
			if attr(n, "value") == lang {
				fields.Set(attr(n, "name"), lang)
			}
		}
	})
	if to == "" || fields.Get("language") == "" {
		p.b.t.Fatalf("%s does not offer %q: %q", p.url, lang, p.tongues())
	}
	u, err := p.url.Parse(to)
	if err != nil {
		p.b.t.Fatal(err)
	}
	return p.b.request(http.MethodPost, u.String(), fields)
}

// languageCookie is the cookie by which a browser's choice is kept.
func (b *browser) languageCookie() *http.Cookie {
	b.t.Helper()
	u, err := url.Parse(b.issuer)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(u) {
		if strings.HasSuffix(c.Name, "sallyport-language") {
			return c
		}
	}
	return nil
}

// TestLanguageChosen: who has not signed in chooses the language in the foot of each page, comes back to it, and the sign-in
// goes on where it was. The choice stays with the browser.
func TestLanguageChosen(t *testing.T) {
	w := newWorld(t)
	app := w.app()
	_, ph, _ := w.enrolled("acme", "robin@acme.example")
	b := w.browser()

	attempt := app.attempt()
	front := attempt.begin(b).speaks("en")
	if got := front.tongues(); got != "en* de" {
		t.Fatalf("the sign-in page offers %q", got)
	}
	res, err := b.once(front.choice("de"))
	if err != nil {
		t.Fatal(err)
	}
	set := ""
	for _, c := range res.header.Values("Set-Cookie") {
		if strings.Contains(c, "sallyport-language=") {
			set = c
		}
	}
	for _, want := range []string{"sallyport-language=de;", "Path=/", "Max-Age=31536000", "HttpOnly", "SameSite=Lax"} {
		if !strings.Contains(set, want) || strings.Contains(set, "Domain") {
			t.Errorf("the cookie is %q, without %q", set, want)
		}
	}
	if res.status != http.StatusSeeOther {
		t.Fatalf("a choice is answered with %d", res.status)
	}
	german := b.get(res.header.Get("Location")).speaks("de")
	if german.tongues() != "en de*" || german.url.String() != front.url.String() {
		t.Fatalf("chosen on %s, and came to %s, which offers %q", front.url, german.url, german.tongues())
	}
	// The answer to a form leads back to the form, and loses nothing of the sign-in.
	wrong := german.submit("/signin", "login", "robin@acme.example", "password", "wrong").speaks("de")
	if wrong.status != http.StatusUnprocessableEntity {
		t.Fatalf("a wrong password is answered with %d", wrong.status)
	}
	again := wrong.choose("en").speaks("en").is(atSignIn)
	if again.url.Query().Get("request") != front.url.Query().Get("request") {
		t.Errorf("the sealed request of %s is lost on the way to %s", front.url, again.url)
	}
	b.get(again.link(ui.PathForgot)).choose("de").speaks("de").submit("/forgot", "login", "").speaks("de").choose("en").speaks("en")
	code := again.signIn("robin@acme.example").is(atCode).choose("de").speaks("de")
	refused := code.submit("/with/totp", "code", ph.wrong()).speaks("de")
	if refused.status != http.StatusUnprocessableEntity {
		t.Fatalf("a wrong code is answered with %d", refused.status)
	}
	if ways := b.get(refused.choose("en").speaks("en").is(atCode).link("/ways")).choose("de").speaks("de"); !strings.HasSuffix(ways.url.Path, "/ways") {
		t.Errorf("chosen on another page, and came to %s", ways.url)
	}
	attempt.redeem(b.get(code.url.String()).speaks("de").submit("/with/totp", "code", ph.next()))

	// Who is signed in has a setting, and no choice in the foot; what a POST has done can't be had again.
	home := b.get("/account").speaks("de")
	if got := home.tongues(); got != "" {
		t.Errorf("who is signed in is offered %q", got)
	}
	out := b.get("/signout").submit("/signout")
	if got := out.tongues(); got != "" {
		t.Errorf("the answer to a POST offers %q", got)
	}
	b.get("/account").speaks("de")
	if c := w.browser().get("/account").speaks("en").b.languageCookie(); c != nil {
		t.Errorf("a browser that has chosen nothing has %v", c)
	}
	if got := b.get("/help/passkeys").tongues(); got != "en de*" {
		t.Errorf("the help offers %q", got)
	}
}

// TestLanguageSaved: what a user chooses as the setting is what the browser speaks before the next sign-in, and forgets when
// the user leaves it to the browser again.
func TestLanguageSaved(t *testing.T) {
	w := newWorld(t)
	w.user("birch", "kim@birch.example", "client")
	b := w.browser()
	b.get("/account").signIn("kim@birch.example")
	b.get("/account/details").submit("/language", "language", "de").speaks("de")
	b.get("/signout").submit("/signout")
	b.get("/account").speaks("de").submit("/signin", "login", "kim@birch.example", "password", rightPassword)
	b.get("/account/details").submit("/language", "language", "").speaks("en")
	if c := b.languageCookie(); c != nil {
		t.Errorf("left to the browser, and kept %v", c)
	}
	b.get("/signout").submit("/signout")
	b.get("/account").speaks("en")
}

// TestLanguageOfTheLastUser: a browser in which nobody has chosen anything speaks, before the next sign-in, as the user wants it
// who signed in last. What was chosen there stays.
func TestLanguageOfTheLastUser(t *testing.T) {
	w := newWorld(t, babel)
	w.user("birch", "kim@birch.example", "client", func(u *storage.User) { u.Locale = "fr-CA" })
	for chosen, want := range map[string]string{"": "fr", "ar": "ar"} {
		b := w.browser()
		front := b.get("/account").speaks("en")
		if chosen != "" {
			front = front.choose(chosen).speaks(chosen)
		}
		front.submit("/signin", "login", "kim@birch.example", "password", rightPassword).speaks("fr")
		b.get("/signout").submit("/signout")
		b.get("/account").speaks(want)
	}
	// A password alone that is wrong, or not enough, says nothing of whose it is.
	b := w.browser()
	b.get("/account").submit("/signin", "login", "kim@birch.example", "password", "wrong").speaks("en")
	if c := b.languageCookie(); c != nil {
		t.Errorf("a wrong password leaves %v", c)
	}
}

// TestLanguageChosenOrder: the choice counts for more than the tenant's default and what the browser asks for, and than the
// user's setting on the way in, so that the language does not change under the person's hands; for less than that of who has
// signed in, and than the application's wish, but for the one that it was made against.
func TestLanguageChosenOrder(t *testing.T) {
	w := newWorld(t, babel)
	app := w.app()
	w.speaking("birch", "es")
	w.user("birch", "kim@birch.example", "client", func(u *storage.User) { u.Locale = "fr" })
	w.user("birch", "noa@birch.example", "client")
	in := func(lang string) oauth2.AuthCodeOption { return oauth2.SetAuthURLParam("ui_locales", lang) }

	b := w.browser()
	b.lang = "en"
	b.get("/account").speaks("en").choose("de").speaks("de").submit("/signin", "login", "noa@birch.example", "password", rightPassword).speaks("de")
	b.get("/signout").submit("/signout")
	b.get("/account").speaks("de").submit("/signin", "login", "kim@birch.example", "password", rightPassword).speaks("fr")
	b.get("/signout").submit("/signout")

	// An application that asks for a language is heard, until the person says otherwise; and so it stays for that wish.
	app.attempt(in("ar")).begin(b).speaks("ar").choose("es").speaks("es").submit("/signin", "login", "kim@birch.example", "password", "wrong").speaks("es")
	app.attempt(in("ar")).begin(b).speaks("es")
	app.attempt(in("fr ar")).begin(b).speaks("fr")
	b.get("/account").speaks("es")

	// On the second step it is known whose sign-in it is, and the choice still changes the page.
	robin, _, _ := w.enrolled("acme", "robin@acme.example")
	_, err := storage.Change(t.Context(), w.store.Users, "acme", robin.ID, func(u *storage.User) error {
		u.Locale = "fr"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	other := w.browser()
	at := other.get("/account").speaks("en").signIn("robin@acme.example").speaks("fr")
	at.choose("ar").speaks("ar").choose("en").speaks("en")
}

// TestLanguageChosenHostile: the choice is a form of our own pages, among the languages that there are, and leads to a page of
// ours alone.
func TestLanguageChosenHostile(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	front := b.get("/account").is(atSignIn)
	send := func(fields url.Values) *page {
		t.Helper()
		p, err := b.once(b.request(http.MethodPost, ui.PathLanguage, fields))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, back := range []string{
		"", "https://evil.example/", "//evil.example/", `/\evil.example/`, `\\evil.example`, "/\t/evil.example", "/\r\nSet-Cookie: a=b", "signin", "javascript:alert(1)",
		"https:/signin", "/%2f/evil.example", "//signin", "/nowhere", "/static/app.css", "/authorize?client_id=a", "/token", "/api/v1/tenants", "/signin/passkey/options",
	} {
		p := send(url.Values{"language": {"de"}, "back": {back}})
		if to := p.header.Get("Location"); p.status != http.StatusSeeOther || to != ui.PathAccount {
			t.Errorf("back to %q: %d, leads to %q", back, p.status, to)
		}
	}
	for _, lang := range []string{"", "fr", "DE", "de-AT", "../de", "de\r\nSet-Cookie: a=b", "de.x", strings.Repeat("de", 5000)} {
		if p := send(url.Values{"language": {lang}, "back": {"/signin"}}); p.status != http.StatusBadRequest || len(p.header.Values("Set-Cookie")) > 0 {
			t.Errorf("the language %.20q is answered with %d and %v", lang, p.status, p.header.Values("Set-Cookie"))
		}
	}
	for _, over := range []string{"x", strings.Repeat("a", 500), "de\r\nA: b", "a;b=c"} {
		p := send(url.Values{"language": {"de"}, "over": {over}, "back": {"/signin"}})
		if got := strings.Join(p.header.Values("Set-Cookie"), "\n"); !strings.Contains(got, "sallyport-language=de;") || strings.Contains(got, "\n") {
			t.Errorf("over %.20q: %q", over, got)
		}
	}
	// Another site can't choose, and no link can.
	r := front.choice("de")
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if p, err := b.once(r); err != nil || p.status != http.StatusForbidden || len(p.header.Values("Set-Cookie")) > 0 {
		t.Errorf("another site's choice: %+v (%v)", p, err)
	}
	if p := b.get(ui.PathLanguage + "?language=de&back=/signin"); p.status == http.StatusOK || len(p.header.Values("Set-Cookie")) > 0 {
		t.Errorf("a link chooses: %d", p.status)
	}
	// A cookie that is not one of ours says nothing.
	for _, value := range []string{"fr", "de-AT", "<b>", ".", "de.de.de", strings.Repeat("z", 3000)} {
		fresh := w.browser()
		r := fresh.request(http.MethodGet, "/help", nil)
		r.AddCookie(&http.Cookie{Name: "sallyport-language", Value: value})
		want := "en"
		if strings.HasPrefix(value, "de.") {
			want = "de"
		}
		fresh.follow(r).speaks(want)
	}
}

// TestLanguageOfMany: a language that a theme adds is offered like the others, by its own name.
func TestLanguageOfMany(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Theme = fstest.MapFS{"i18n/ar.json": &fstest.MapFile{Data: []byte(`{"foot.language": "اللغة"}`)}}
	})
	p := w.browser().get("/account")
	if got := p.tongues(); got != "en* ar de" {
		t.Errorf("offered: %q", got)
	}
	if !strings.Contains(p.body, "<bdi>العربية</bdi>") {
		t.Error("Arabic is not offered by its own name")
	}
	p.choose("ar").speaks("ar")
}
