package provider

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// flat is a text without its line breaks.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// hrefs are where the links of a mail in HTML lead.
func hrefs(t *testing.T, m storage.Message) []string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(m.HTML))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && attr(n, "href") != "" {
			all = append(all, attr(n, "href"))
		}
	}
	return all
}

// tenantIs changes how a tenant is kept.
func (w *world) tenantIs(id string, change func(t *storage.Tenant)) {
	w.t.Helper()
	_, err := storage.Change(w.t.Context(), w.store.Tenants, storage.Global, id, func(t *storage.Tenant) error {
		change(t)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.clock.forward(10 * time.Second) // caches run out
}

// An owner chooses the language of the account, and what stands at the foot of its mails, on pages, after a look at it; it is in
// the audit log, and what would lead elsewhere is refused.
func TestLanguageAndSignatureAreChosen(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	kept := func() storage.Tenant {
		t.Helper()
		got, err := w.store.Tenants.Get(t.Context(), storage.Global, "acme")
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if p := owner.choose("language", "xx"); p.status != http.StatusUnprocessableEntity || kept().Settings.Language != "" {
		t.Errorf("a language that there is not: %d, kept %q", p.status, kept().Settings.Language)
	}
	for _, bad := range []string{
		"https://evil.example", "Visit www.evil", "evil.example", "ask me@evil.example", "evil。example", "tel:110", "a\u202eb", strings.Repeat("a", 301), strings.Repeat("a\n", 7) + "a",
	} {
		if p := owner.get(ui.PathBranding).post("/branding", "signature", bad); p.status != http.StatusUnprocessableEntity || kept().Brand.Signature != "" {
			t.Errorf("%q: %d, kept %q", bad, p.status, kept().Brand.Signature)
		}
	}
	p := owner.get(ui.PathBranding).post("/branding", "signature", " Acme Ltd, 1 Quay St. Bristol \r\n z. B. HRB 12.345 \r\n", "try", "yes").
		says("This is a trial", "In mails", "Sent by Sallyport for Acme Ltd", "Acme Ltd, 1 Quay St. Bristol z. B. HRB 12.345")
	if kept().Brand.Signature != "" {
		t.Error("a trial was kept")
	}
	p.post("/branding").says("The branding is saved")
	owner.choose("language", "de")
	if got := kept(); got.Brand.Signature != "Acme Ltd, 1 Quay St. Bristol\nz. B. HRB 12.345" || got.Settings.Language != "de" {
		t.Errorf("kept: %q, %q", got.Brand.Signature, got.Settings.Language)
	}
	var reasons []string
	for _, e := range w.events("acme") {
		if e.Action == "tenant.change" && e.Outcome == "ok" {
			reasons = append(reasons, e.Reason)
		}
	}
	if got := strings.Join(reasons, " | "); got != "branding | language none to de" {
		t.Errorf("audit log: %s", got)
	}
}

// Users are told in the account's name and language what happens to them, in two parts that say the same; who chose another
// language is told in that one.
func TestMailsInTheTenantsName(t *testing.T) {
	w := newWorld(t)
	w.user("acme", "robin@acme.example", "staff")
	w.user("acme", "kim@acme.example", "staff")
	_, err := storage.Change(t.Context(), w.store.Users, "acme", w.byEmail("acme", "kim@acme.example").ID, func(u *storage.User) error {
		u.Locale = "en"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.tenantIs("acme", func(t *storage.Tenant) {
		t.Name, t.Settings.Language, t.Settings.Support = "Hafen & Söhne", "de", "hilfe@hafen.example"
		t.Brand.Accent, t.Brand.Signature = "#8e24aa", "Hafen & Söhne GmbH\nKai 1, Hamburg"
	})
	forgot := func(login string) storage.Message {
		t.Helper()
		b := w.browser()
		b.get(b.get("/account").is(atSignIn).link("/forgot")).submit("/forgot", "login", login)
		w.p.rescue.Wait()
		all := w.mails(login)
		if len(all) != 1 {
			t.Fatalf("%d mails to %s", len(all), login)
		}
		return all[0]
	}
	m := forgot("robin@acme.example")
	if m.Subject != "Ein neues Passwort für Ihr Konto bei Hafen & Söhne" {
		t.Errorf("subject %q", m.Subject)
	}
	for _, want := range []string{
		"Hafen & Söhne\n\nWählen Sie ein neues Passwort\n", "robin@acme.example", "ein privates Netz (127.0.0.1)", "Passwort wählen:\n" + w.issuer + "/password/",
		"nur 30 Minuten lang", "\n-- \n", "hilfe@hafen.example", "Gesendet von Sallyport für Hafen & Söhne.", "\nHafen & Söhne GmbH\nKai 1, Hamburg\n",
	} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the text has no %q:\n%s", want, m.Text)
		}
	}
	for _, want := range []string{`<html lang="de" dir="ltr">`, "Hafen &amp; Söhne", "#8e24aa", "Wählen Sie ein neues Passwort", "Kai 1, Hamburg"} {
		if !strings.Contains(m.HTML, want) {
			t.Errorf("the HTML has no %q:\n%s", want, m.HTML)
		}
	}
	if links := hrefs(t, m); len(links) != 1 || links[0] != mailedLink.FindString(m.Text) {
		t.Errorf("the HTML leads to %q, the text to %q", links, mailedLink.FindAllString(m.Text, -1))
	}
	if m := forgot("kim@acme.example"); m.Subject != "A new password for your Hafen & Söhne account" {
		t.Errorf("to somebody who reads English: %q", m.Subject)
	}
}

// An invitation names who invites to what, leads to us alone, and says nothing of where the inviter sits: the address may be
// a stranger's.
func TestInvitationInTwoParts(t *testing.T) {
	w := newWorld(t)
	owner := w.helper("acme", "olga@acme.example", storage.Owner)
	w.tenantIs("acme", func(t *storage.Tenant) {
		t.Name, t.Settings.Support = "Acme <b>www.evil.example</b>", "me@evil.example"
		t.Brand.Signature = "<script>alert(1)</script>"
	})
	owner.invite("nora@acme.example")
	m := w.mails("nora@acme.example")[0]
	link := w.linkTo("nora@acme.example", "/invitation/")
	if links := hrefs(t, m); len(links) != 1 || links[0] != link {
		t.Errorf("the HTML leads to %q, the text to %s", links, link)
	}
	for part, body := range map[string]string{"subject": m.Subject, "text": m.Text, "HTML": m.HTML} {
		body = strings.ReplaceAll(body, w.issuer, "")
		for _, not := range []string{"127.0.0.1", "evil.example", "<b>www", "<script>"} {
			if markup := strings.HasPrefix(not, "<"); strings.Contains(body, not) && (part == "HTML" || !markup) {
				t.Errorf("%q in the %s:\n%s", not, part, body)
			}
		}
	}
	if !strings.Contains(m.Text, "Olga Owner (Acme <b>www evil example< b>) invites you.") {
		t.Error(m.Text)
	}
}
