package provider

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/oauth2"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// babel is a theme of five languages, one for each who can ask for one and one for nobody. What is sent says which it is in.
func babel(c *Config) {
	languages := fstest.MapFS{}
	for _, lang := range []string{"ar", "de", "en", "es", "fr"} {
		languages["i18n/"+lang+".json"] = &fstest.MapFile{Data: fmt.Appendf(nil,
			`{"mail.factor_added.subject": "%s {{.product}}", "sms.code": "%s {{.code}}"}`, lang, lang)}
	}
	c.Theme = languages
}

// speaks checks the language of a page: what it says of itself, and what its headers say.
func (p *page) speaks(lang string) *page {
	p.b.t.Helper()
	if p.root == nil {
		p.b.t.Fatalf("%s is no page (%d)", p.url, p.status)
	}
	if !strings.Contains(p.body, `<html lang="`+lang+`"`) {
		p.b.t.Fatalf("%s does not speak %q: %.60q", p.url, lang, p.body)
	}
	if got := p.header.Get("Content-Language"); got != lang {
		p.b.t.Fatalf("%s speaks %q and says that it is %q", p.url, lang, got)
	}
	if vary := strings.Join(p.header.Values("Vary"), ", "); !strings.Contains(vary, "Accept-Language") {
		p.b.t.Fatalf("%s varies by %q", p.url, vary)
	}
	return p
}

// speaking sets a tenant's default language.
func (w *world) speaking(tenant, lang string) {
	w.t.Helper()
	_, err := storage.Change(w.t.Context(), w.p.config.Store.Tenants, storage.Global, tenant, func(t *storage.Tenant) error {
		t.Settings.Language = lang
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestLanguageOrder: who may choose the language comes in one order, on every page of a sign-in, in its mails and after it.
// ui_locales, the user's setting, the tenant's default, Accept-Language, English; mails begin with the user's setting.
func TestLanguageOrder(t *testing.T) {
	w := newWorld(t, babel)
	app := w.app()
	for i := range 16 {
		bit := func(n int, lang string) string {
			if i>>n&1 == 0 {
				return ""
			}
			return lang
		}
		asked, user, tenant, accept := bit(3, "ar"), bit(2, "fr"), bit(1, "es"), bit(0, "de")
		first := func(langs ...string) string {
			for _, lang := range append(langs, "en") {
				if lang != "" {
					return lang
				}
			}
			return ""
		}
		t.Run(fmt.Sprintf("ui_locales=%s user=%s tenant=%s browser=%s", asked, user, tenant, accept), func(t *testing.T) {
			w.speaking("acme", tenant)
			mail := fmt.Sprintf("robin%d@example.com", i)
			w.user("acme", mail, "staff", func(u *storage.User) { u.Locale = user })
			b := w.browser()
			b.t, b.lang = t, accept
			var options []oauth2.AuthCodeOption
			if asked != "" {
				options = append(options, oauth2.SetAuthURLParam("ui_locales", asked))
			}
			attempt := app.attempt(options...)

			// Nobody knows yet whose sign-in it is.
			stranger, known := first(asked, accept), first(asked, user, tenant, accept)
			front := attempt.begin(b).speaks(stranger)
			b.get(ui.PathForgot + "?" + url.Values{"request": {front.url.Query().Get("request")}}.Encode()).speaks(stranger)
			wrong := front.submit("/signin", "login", mail, "password", "wrong").speaks(stranger)
			if wrong.status != http.StatusUnprocessableEntity {
				t.Fatalf("a wrong password is answered with %d", wrong.status)
			}
			// The set-up that is asked for, its errors, and the codes at its end.
			intro := wrong.submit("/signin", "login", mail, "password", rightPassword).speaks(known)
			setUp := intro.submit("/set-up/totp").speaks(known)
			ph := w.scan(setUp)
			setUp.submit("/set-up", "code", ph.wrong()).speaks(known)
			codes := setUp.submit("/set-up", "code", ph.code()).speaks(known)
			attempt.redeem(codes.submit("/codes", "saved", "yes"))
			// Afterwards nobody asks for a language any more.
			b.get("/account").speaks(first(user, tenant, accept))
			b.get(ui.PathSignIn + "/acme.nothing").speaks(first(user, tenant, accept))
			b.get("/account?ui_locales=" + asked).speaks(first(asked, user, tenant, accept))

			// The mail about it is read later: it begins with the user's setting.
			want := first(user, asked, tenant, accept)
			if mails := w.mails(mail); len(mails) != 1 || !strings.HasPrefix(mails[0].Subject, want+" ") {
				t.Errorf("the mail is not in %q: %+v", want, mails)
			}
		})
	}
}

// TestLanguageOfAnotherSignIn: an application asks for its own sign-in only, and so is heard where a session is carried on, in
// errors on the way, and by our own pages that lead through a sign-in.
func TestLanguageOfAnotherSignIn(t *testing.T) {
	w := newWorld(t, babel)
	app := w.app()
	w.user("birch", "kim@example.com", "client")
	b := w.browser()
	in := func(lang string) oauth2.AuthCodeOption { return oauth2.SetAuthURLParam("ui_locales", lang) }

	first := app.attempt(in("fr ar"))
	first.redeem(first.begin(b).speaks("fr").submit("/signin", "login", "kim@example.com", "password", rightPassword))
	// Carried on with a session: the policy asks for a second step now.
	w.rules("birch", storage.Rule{Name: "All", Then: storage.Then{Access: "allow", Strength: "any", Unenrolled: "enrol_at_login"}})
	setUp := app.attempt(in("ar")).begin(b).speaks("ar")
	setUp.submit("/set-up/totp").speaks("ar")
	// Followed in another browser, the page speaks that one's language.
	w.browser().get(setUp.url.String()).speaks("en")
	// What takes too long starts over, and says so in the same language.
	w.clock.forward(16 * time.Minute)
	if again := b.get(setUp.url.String()).speaks("ar"); !strings.Contains(again.url.Query().Get("why"), "expired") {
		t.Errorf("expired, and led to %s", again.url)
	}
	// A request that is refused before it is one.
	b.get("/authorize?client_id=nobody&ui_locales=es").speaks("es")
	// Our own page has nobody's wish but that in its address, which the sign-in before it keeps.
	front := w.browser().get("/account?ui_locales=ar").speaks("ar")
	front.submit("/signin", "login", "kim@example.com", "password", "wrong").speaks("ar")
}

// TestLanguageOfTheApplication: where the application belongs to a tenant, that is known before anybody has signed in, and so
// is the language of the tenant.
func TestLanguageOfTheApplication(t *testing.T) {
	w := newWorld(t, babel)
	w.speaking("birch", "es")
	const redirect = "https://birch.example/callback"
	secret := w.client("birch-app", "web", redirect, func(c *storage.Client) { c.Owner = "birch" })
	app := w.connect("birch-app", secret, redirect)
	w.user("birch", "kim@example.com", "client", func(u *storage.User) { u.Locale = "fr" })
	b := w.browser()
	b.lang = "de"
	attempt := app.attempt()
	front := attempt.begin(b).speaks("es")
	attempt.redeem(front.submit("/signin", "login", "kim@example.com", "password", "wrong").speaks("es").
		submit("/signin", "login", "kim@example.com", "password", rightPassword))
	b.get("/account").speaks("fr")
	// A stranger who only types in an account of the tenant learns nothing of it.
	stranger := w.browser()
	stranger.lang = "de"
	stranger.get("/account").speaks("de").submit("/signin", "login", "kim@example.com", "password", "wrong").speaks("de")
}

// TestLanguageOfMails: mails about what somebody else did, and those that strangers ask for, are for who reads them.
func TestLanguageOfMails(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		theme := fstest.MapFS{}
		for _, lang := range []string{"ar", "de", "en", "es", "fr"} {
			theme["i18n/"+lang+".json"] = &fstest.MapFile{Data: fmt.Appendf(nil,
				`{"mail.two_factor_off.subject": "%s {{.product}}", "mail.password_forgot.subject": "%s {{.product}}"}`, lang, lang)}
		}
		c.Theme = theme
	})
	w.speaking("acme", "es")
	owner := w.helper("acme", "owner@example.com", storage.Owner)
	owner.lang = "de"
	for user, want := range map[string]string{"fr": "fr", "xx": "es", "": "es"} {
		mail := "member" + user + "@example.com"
		u := w.user("acme", mail, "client", func(u *storage.User) { u.Locale = user })
		owner.get("/admin/people/" + u.ID + "/reset").speaks("es").submit("/reset")
		if mails := w.mails(mail); len(mails) != 1 || !strings.HasPrefix(mails[0].Subject, want+" ") {
			t.Errorf("of a user with %q, told by somebody else: %+v", user, mails)
		}
	}
	for user, want := range map[string]string{"fr": "fr", "": "ar"} {
		mail := "forgetful" + user + "@example.com"
		w.user("birch", mail, "client", func(u *storage.User) { u.Locale = user })
		b := w.browser()
		b.lang = "ar-EG,ar;q=0.9"
		b.get(ui.PathForgot).speaks("ar").submit("/forgot", "login", mail).speaks("ar")
		w.p.rescue.Wait()
		if mails := w.mails(mail); len(mails) != 1 || !strings.HasPrefix(mails[0].Subject, want+" ") {
			t.Errorf("of a user with %q, asked for in Arabic: %+v", user, mails)
		}
	}
}

// TestLanguageOfTextMessages: a code is sent in the language of the page that asks for it, unless the user has set one.
func TestLanguageOfTextMessages(t *testing.T) {
	w := newTexting(t, babel)
	app := w.app()
	for user, want := range map[string]string{"": "ar", "fr": "fr"} {
		mail := "robin" + user + "@example.com"
		w.user("acme", mail, "staff", func(u *storage.User) { u.Locale = user })
		before := len(w.mails(germanE))
		app.attempt(oauth2.SetAuthURLParam("ui_locales", "ar")).begin(w.browser()).
			submit("/signin", "login", mail, "password", rightPassword).
			submit("/set-up/sms").speaks("ar").submit("/set-up/sms", "input", german).speaks("ar")
		if sent := w.mails(germanE); len(sent) != before+1 || !strings.HasPrefix(sent[0].Text, want+" ") {
			t.Errorf("a user with %q gets %+v", user, sent)
		}
		w.clock.forward(time.Hour)
	}
}

// TestLanguageHostile: what stands in the parameter and in the header is a stranger's. It chooses among the languages there
// are, and does nothing else.
func TestLanguageHostile(t *testing.T) {
	w := newWorld(t, babel)
	app := w.app()
	long := strings.Repeat("zz-abcdefgh ", 100)
	header := strings.ReplaceAll(strings.Repeat(long, 10), " ", ",")
	plain := len(app.attempt().begin(w.browser()).url.String())
	// Where nothing is wanted the request is refused: it is no text, or too long for one.
	for _, c := range []struct{ asked, accept, want string }{
		{"de", "fr", "de"},
		{"DE-at", "", "de"},
		{"de_DE", "", "de"},
		{"xx ar", "", "ar"},
		{"xx", "fr-CA,fr;q=0.8", "fr"},
		{"*", "de", "de"},
		{"und", "de", "de"},
		{"<script>alert(1)</script>", "", "en"},
		{"\"><b>", "es", "es"},
		{"../../etc/passwd", "fr", "fr"},
		{"ar\r\nSet-Cookie: a=b", "", "ar"},
		{"a\x00r", "de", ""},
		{"\xff\xfe de", "de", ""},
		{"de;q=0", "fr", "fr"},
		{"nonsense-that-is-no-tag-at-all-but-long de", "", "de"},
		{long + "de", "fr", "fr"},
		{long, "", "en"},
		{strings.Repeat(long, 40), "de", ""},
		{"de " + long, "", "de"},
		{"", "nonsense!!,de;q=0.5", "de"},
		{"", "de;q=abc,fr;q=0.3", "fr"},
		{"", "de;q=0,*;q=0.1", "en"},
		{"", "es;q=0.1,ar;q=0.9", "ar"},
		{"", header + "de", "en"},
		{"", "de," + header, "de"},
		{"", ",,,;;;q=,,", "en"},
		{"", "", "en"},
	} {
		b := w.browser()
		b.lang = c.accept
		p := app.attempt(oauth2.SetAuthURLParam("ui_locales", c.asked)).begin(b)
		if c.want == "" {
			if q := p.url.Query(); q.Get("error") != "invalid_request" {
				t.Errorf("ui_locales=%.30q is answered with %d, %v", c.asked, p.status, q)
			}
			continue
		}
		if p.status != http.StatusOK {
			t.Errorf("ui_locales=%.30q, Accept-Language %.30q: %d", c.asked, c.accept, p.status)
			continue
		}
		p.speaks(c.want)
		if n := len(p.url.String()); n > plain+600 {
			t.Errorf("ui_locales=%.30q makes an address of %d bytes, %d more than without", c.asked, n, n-plain)
		}
		// The wish goes on with the sealed request, and still is no more than a wish.
		p.submit("/signin", "login", "nobody@example.com", "password", "wrong").speaks(c.want)
		if len(p.header.Values("Set-Cookie")) > 1 || strings.Contains(p.body, "<script>alert") {
			t.Errorf("ui_locales=%q got into the answer", c.asked)
		}
	}
}
